//! What the name of a header says: `x-ratelimit-remaining-tokens-day`.
//!
//! All families are built of the same words in different orders, so a name is read word by word. A name that holds any
//! other word is about something else (`x-ratelimit-limit-tokens-prompt`, `x-ratelimit-tokens-query-cost`), and a name
//! that only looks like one (`x-ratelimitish`) is none.

use std::time::Duration;

use super::{DAY, Dimension, HOUR, MINUTE, MONTH, SECOND, WEEK};

/// What a header says about a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// How much fits.
    Limit,
    /// How much is left.
    Remaining,
    /// When it recovers.
    Reset,
    /// How long the window is, in seconds (Azure).
    Period,
}

/// A name, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) field: Field,
    pub(super) dimension: Dimension,
    /// `None` when the name does not tell.
    pub(super) window: Option<Duration>,
    /// The window is written `per-minute` (DigitalOcean).
    pub(super) per: bool,
}

impl Name {
    /// Reads a name in any case; `None` for every header that is not about quota.
    pub(super) fn read(name: &str) -> Option<Self> {
        let mut words = name.split('-');
        let first = words.next()?;
        let mut word = first;
        let family = loop {
            if let Some(family) = Family::of(word) {
                break family;
            }
            let next = words.next()?;
            if let Some(family) = Family::of_two(word, next) {
                break family;
            }
            word = next;
        };
        let (mut field, mut dimension, mut window, mut per) = (None, None, None, false);
        for word in words {
            match Word::of(word)? {
                Word::Field(found) if field.is_none() => field = Some(found),
                Word::Dimension(found) if dimension.is_none() => dimension = Some(found),
                Word::Window(found) if window.is_none() => window = Some(found),
                Word::Per if !per => per = true,
                // Twice the same kind of word: `x-ratelimit-limit` is one name, `-limit-limit` is none.
                _ => return None,
            }
        }
        let (assumed, unnamed) = family.defaults(first);
        let field = field?;
        Some(Self { field, dimension: dimension.unwrap_or(assumed), window: window.or(unnamed), per })
    }
}

/// What stands before the words that vary.
#[derive(Clone, Copy)]
enum Family {
    /// `x-ratelimit-...`, `x-rate-limit-...` and `anthropic-ratelimit-...`
    Requests,
    /// `ratelimitbysize-...` (Mistral), which counts tokens.
    BySize,
    /// `x-tokenlimit-...` (Together)
    Tokens,
    /// `x-trial-endpoint-call-...` (Cohere)
    Trial,
    /// `x-endpoint-monthly-call-...` (Cohere)
    Monthly,
}

impl Family {
    fn of(word: &str) -> Option<Self> {
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        Some(if is("ratelimit") {
            Self::Requests
        } else if is("ratelimitbysize") {
            Self::BySize
        } else if is("tokenlimit") {
            Self::Tokens
        } else {
            return None;
        })
    }

    fn of_two(word: &str, next: &str) -> Option<Self> {
        let are = |first: &str, second: &str| word.eq_ignore_ascii_case(first) && next.eq_ignore_ascii_case(second);
        Some(if are("rate", "limit") {
            Self::Requests
        } else if are("trial", "endpoint") {
            Self::Trial
        } else if are("endpoint", "monthly") {
            Self::Monthly
        } else {
            return None;
        })
    }

    /// What it counts and in which window, unless the name says otherwise.
    fn defaults(self, first: &str) -> (Dimension, Option<Duration>) {
        match self {
            // Anthropic's limits are per minute, and so are those of gateways in its style.
            Self::Requests if first.eq_ignore_ascii_case("anthropic") => (Dimension::Requests, Some(MINUTE)),
            Self::Requests => (Dimension::Requests, None),
            // The names without a window repeat those of the minute.
            Self::BySize => (Dimension::Tokens, Some(MINUTE)),
            Self::Tokens => (Dimension::Tokens, None),
            Self::Trial => (Dimension::Requests, Some(MINUTE)),
            Self::Monthly => (Dimension::Requests, Some(MONTH)),
        }
    }
}

#[derive(Clone, Copy)]
enum Word {
    Field(Field),
    Dimension(Dimension),
    Window(Duration),
    Per,
}

impl Word {
    fn of(word: &str) -> Option<Self> {
        const WORDS: &[(&str, Word)] = &[
            ("limit", Word::Field(Field::Limit)),
            ("remaining", Word::Field(Field::Remaining)),
            ("reset", Word::Field(Field::Reset)),
            ("renewalperiod", Word::Field(Field::Period)),
            ("requests", Word::Dimension(Dimension::Requests)),
            ("request", Word::Dimension(Dimension::Requests)),
            ("req", Word::Dimension(Dimension::Requests)),
            ("call", Word::Dimension(Dimension::Requests)),
            ("calls", Word::Dimension(Dimension::Requests)),
            ("tokens", Word::Dimension(Dimension::Tokens)),
            ("token", Word::Dimension(Dimension::Tokens)),
            ("second", Word::Window(SECOND)),
            ("minute", Word::Window(MINUTE)),
            ("min", Word::Window(MINUTE)),
            ("hour", Word::Window(HOUR)),
            ("day", Word::Window(DAY)),
            ("week", Word::Window(WEEK)),
            ("month", Word::Window(MONTH)),
            ("per", Word::Per),
        ];
        WORDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, meaning)| *meaning)
    }
}
