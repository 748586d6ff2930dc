//! Where the events of one chunk end, and what is to be done with them.

use bytes::BytesMut;

use super::Failure;

/// The cuts of one chunk.
#[derive(Debug, Default)]
pub(super) struct Cuts {
    /// End of the last event that may be sent on.
    pub(super) last: usize,
    /// In order.
    edits: Vec<Edit>,
    pub(super) failed: Option<Failure>,
    pub(super) done: bool,
}

/// A span of the chunk, and what is sent in its place.
#[derive(Debug)]
struct Edit {
    start: usize,
    end: usize,
    with: Vec<u8>,
}

impl Cuts {
    /// Sends other bytes in place of a span; an empty span is a place to put them.
    pub(super) fn replace(&mut self, start: usize, end: usize, with: Vec<u8>) {
        // The end of a stream has the offset 0 as well: there all of the tail is meant.
        if start < end || end == 0 || !with.is_empty() {
            self.edits.push(Edit { start, end, with });
        }
    }

    /// True when everything is sent as it came.
    pub(super) fn is_plain(&self) -> bool {
        self.edits.is_empty()
    }

    /// What is sent of the tail, in which the first event began, and of the chunk up to the last event.
    pub(super) fn apply(&self, tail: BytesMut, whole: &[u8]) -> BytesMut {
        let mut out = tail;
        let mut copied = 0;
        for edit in &self.edits {
            if edit.start > 0 {
                out.extend_from_slice(whole.get(copied..edit.start).unwrap_or_default());
                out.extend_from_slice(&edit.with);
            } else if self.done && edit.end == 0 {
                let begun = out.split();
                out.extend_from_slice(&edit.with);
                out.extend_from_slice(&begun);
            } else {
                out.clear();
                out.extend_from_slice(&edit.with);
            }
            copied = copied.max(edit.end);
        }
        out.extend_from_slice(whole.get(copied..).unwrap_or_default());
        out
    }
}
