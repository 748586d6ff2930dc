//! Framing of `text/event-stream`: finds where events end and what their data is, whatever way the bytes are cut.
//!
//! The relay forwards the provider's own bytes; the scanner only looks at a copy. It therefore reports, for each event,
//! the offset just behind it in the chunk that completed it, so that the relay can cut the original bytes there.
//!
//! Lines end in LF, CRLF or CR; the space after `data:` is optional; several `data:` lines are joined by LF; comments,
//! `event:`, `id:` and `retry:` lines carry no data; a UTF-8 BOM may lead the stream.

/// Data beyond this many bytes of one event is not kept: the event is reported as oversized instead of being read.
pub const MAX_EVENT: usize = 1 << 20;

/// A line beyond it makes its event oversized whatever its field, because one that arrives in parts is not kept to find
/// out. There is room for the field name, so that data of exactly the limit still passes.
const MAX_LINE: usize = MAX_EVENT + 8;

/// What may lead a stream, and is no part of its first line.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// An event that has just ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The joined data lines; empty for events that hold only comments or other fields.
    pub data: &'a [u8],
    /// True when an `event: error` line named it.
    pub named_error: bool,
    /// True when the data, or any line, was longer than [`MAX_EVENT`]: the data is not given.
    pub oversized: bool,
    /// Offset behind the event in the chunk that completed it.
    pub end: usize,
}

/// Incremental scanner; feed it every chunk of one stream in order.
#[derive(Debug, Default)]
pub struct Scanner {
    /// Start of a line whose end has not arrived.
    line: Vec<u8>,
    line_too_long: bool,
    /// Joined data of the event in progress, while it does not fit the fast path.
    data: Vec<u8>,
    data_lines: usize,
    any_field: bool,
    named_error: bool,
    oversized: bool,
    started: bool,
    /// The last byte was a CR: an LF that follows belongs to it.
    after_cr: bool,
}

impl Scanner {
    /// Reads the next chunk and calls `each` for every event that ends in it.
    pub fn feed(&mut self, chunk: &[u8], mut each: impl FnMut(Event<'_>)) {
        let mut at = 0;
        while let Some(rest) = chunk.get(at..).filter(|rest| !rest.is_empty()) {
            if self.after_cr {
                self.after_cr = false;
                if rest.first() == Some(&b'\n') {
                    at += 1;
                    continue;
                }
            }
            let Some(length) = memchr::memchr2(b'\n', b'\r', rest) else {
                self.keep(rest);
                return;
            };
            let (line, tail) = rest.split_at(length);
            at += length + 1;
            if tail.first() == Some(&b'\r') {
                // The LF of a CRLF belongs to this line; it may also arrive with the next chunk.
                if tail.get(1) == Some(&b'\n') {
                    at += 1;
                } else {
                    self.after_cr = tail.len() == 1;
                }
            }
            if self.line.is_empty() && !self.line_too_long && line.len() <= MAX_LINE {
                self.end_line(line, at, &mut each);
            } else {
                self.keep(line);
                let whole = std::mem::take(&mut self.line);
                self.end_line(&whole, at, &mut each);
                self.line = whole;
                self.line.clear();
                self.line_too_long = false;
            }
        }
    }

    /// The stream has ended: reports an event whose closing blank line never came. `end` is 0 in it.
    pub fn finish(&mut self, mut each: impl FnMut(Event<'_>)) {
        if !self.line.is_empty() || self.line_too_long {
            let whole = std::mem::take(&mut self.line);
            self.end_line(&whole, 0, &mut each);
            self.line_too_long = false;
        }
        self.end_line(b"", 0, &mut each);
    }

    /// True when bytes have arrived since the last event ended.
    #[must_use]
    pub fn mid_event(&self) -> bool {
        let only_bom = !self.started && self.line == BOM;
        self.any_field || self.line_too_long || !(self.line.is_empty() || only_bom)
    }

    fn keep(&mut self, part: &[u8]) {
        if self.line.len() + part.len() > MAX_LINE {
            self.line_too_long = true;
            self.oversized = true;
        } else {
            self.line.extend_from_slice(part);
        }
    }

    fn end_line(&mut self, line: &[u8], at: usize, each: &mut impl FnMut(Event<'_>)) {
        let line = if self.started { line } else { line.strip_prefix(BOM).unwrap_or(line) };
        self.started = true;
        if line.is_empty() && !self.line_too_long {
            if self.any_field {
                let data = if self.oversized { &[][..] } else { &self.data };
                each(Event { data, named_error: self.named_error, oversized: self.oversized, end: at });
                self.data.clear();
                self.data_lines = 0;
                self.any_field = false;
                self.named_error = false;
                self.oversized = false;
            }
            return;
        }
        self.any_field = true;
        if self.line_too_long {
            return;
        }
        if let Some(value) = field(line, b"data") {
            if self.data.len() + value.len() > MAX_EVENT {
                self.oversized = true;
            } else {
                if self.data_lines > 0 {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
            }
            self.data_lines += 1;
        } else if let Some(value) = field(line, b"event") {
            self.named_error = value == b"error";
        }
    }
}

/// True when a body begins as an event stream does, whatever its content type says.
#[must_use]
pub fn begins(body: &[u8]) -> bool {
    let body = body.strip_prefix(BOM).unwrap_or(body).trim_ascii_start();
    [&b":"[..], b"data:", b"event:", b"id:", b"retry:"].iter().any(|start| body.starts_with(start))
}

/// The value of `name` if the line is that field.
fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let rest = line.strip_prefix(name)?;
    if rest.is_empty() {
        return Some(rest);
    }
    let value = rest.strip_prefix(b":")?;
    Some(value.strip_prefix(b" ").unwrap_or(value))
}

#[cfg(test)]
mod tests;
