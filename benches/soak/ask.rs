//! A request as a provider sees it: what it has to know of it to answer.

use memchr::memmem;

/// How the mark of a request begins that its answer repeats.
pub(crate) const MARK: &str = "nonce-";

/// Bytes of a mark.
pub(crate) const MARK_LENGTH: usize = MARK.len() + 16;

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// The mark of the request.
    pub(crate) nonce: String,
    /// Not a completion.
    pub(crate) embeddings: bool,
    /// As a stream.
    pub(crate) stream: bool,
    /// With the usage in it.
    pub(crate) wants_usage: bool,
}

impl Ask {
    /// Reads a request for `path`.
    pub(crate) fn read(path: &str, body: &[u8]) -> Self {
        let holds = |needle: &str| memmem::find(body, needle.as_bytes()).is_some();
        Self {
            nonce: mark_in(body).unwrap_or_default().to_owned(),
            embeddings: path.ends_with("/embeddings"),
            stream: holds("\"stream\":true"),
            wants_usage: holds("\"include_usage\""),
        }
    }
}

/// The first mark in `text`.
pub(crate) fn mark_in(text: &[u8]) -> Option<&str> {
    let at = memmem::find(text, MARK.as_bytes())?;
    std::str::from_utf8(text.get(at..at + MARK_LENGTH)?).ok()
}
