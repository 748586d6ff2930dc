//! 2xx bodies of requests without stream: a 200 is no success before something usable stands in it.
//!
//! A good body is read once, borrowed, without building anything from it.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{broken, denied, in_band};
use crate::domain::chunk::Finish;
use crate::domain::chunk::wire::Wire;
use crate::domain::dialect::Dialect;
use crate::domain::envelope;
use crate::domain::outcome::{Reason, Verdict};
use crate::domain::time::Wall;

/// Reads a complete 2xx body: of a completion or of an embeddings call. `whole` says that its length is as announced.
pub(super) fn read(dialect: Dialect, body: &[u8], whole: bool, now: Wall) -> Verdict {
    if whole && is_plainly_good(body) {
        return Verdict::OK;
    }
    if body.trim_ascii().is_empty() {
        return broken(dialect, Reason::Empty);
    }
    let content = match Wire::parse(body) {
        Ok(wire) => Content::of(&wire),
        Err(error) if error.is_eof() => Content::CutOff,
        // An array around the object or a repeated key; or a page, several documents, plain text.
        Err(_) => envelope::plain_object(body)
            .and_then(|plain| Wire::parse(&plain).ok().map(|wire| Content::of(&wire)))
            .unwrap_or(Content::Failure),
    };
    match content {
        Content::Usable => Verdict::OK,
        Content::Moderated => denied::MODERATED,
        Content::Nothing => broken(dialect, Reason::Empty),
        Content::CutOff => broken(dialect, Reason::Truncated),
        Content::Failure => in_band::read(dialect, body, now),
    }
}

/// True for the usual answer: some text, an ordinary end, and no word of an error. False says nothing.
///
/// Quotes inside JSON strings are escaped, so these needles match members only. That spares the usual answer its
/// parsing, a tenth of what it costs to serve it.
fn is_plainly_good(body: &[u8]) -> bool {
    let holds = |needle: &Finder<'_>| needle.find(body).is_some();
    let text =
        CONTENT.find_iter(body).any(|at| body.get(at + CONTENT.needle().len()).is_some_and(|byte| *byte != b'"'));
    text && holds(&STOP) && !holds(&ERROR) && body.starts_with(b"{") && body.trim_ascii_end().ends_with(b"}")
}

static CONTENT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br#""content":""#));
static STOP: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br#""finish_reason":"stop""#));
static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br#""error""#));

/// What a 2xx body amounts to.
enum Content {
    Usable,
    /// Moderation left nothing of the answer.
    Moderated,
    Nothing,
    CutOff,
    Failure,
}

impl Content {
    fn of(wire: &Wire<'_>) -> Self {
        let choices = &wire.choices.0;
        if wire.failed() {
            Self::Failure
        } else if choices.message || wire.has_embeddings() {
            Self::Usable
        } else {
            match choices.finish {
                // Reasoning ate the output budget. The next entry would do the same, at the same price.
                Some(Finish::Length) => Self::Usable,
                Some(Finish::ContentFilter) => Self::Moderated,
                _ => Self::Nothing,
            }
        }
    }
}
