//! What came of looking at an entry, in words for people.

use std::fmt;
use std::time::Duration;

use super::Seen;
use crate::domain::cooldown::{Cooldown, Deadline};
use crate::domain::evidence::{Dimension, window_name};
use crate::domain::outcome::Reason;
use crate::domain::refusal::Refusal;
use crate::domain::time::Mono;

/// The parenthesis behind an entry's name.
pub(super) struct Words<'a> {
    pub(super) seen: &'a Seen,
    pub(super) took: Duration,
    pub(super) now: Mono,
    /// When it may be called again is told elsewhere.
    pub(super) over: bool,
}

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seen {
            Seen::Served => f.write_str("served"),
            Seen::Able => f.write_str("could take it"),
            Seen::SameProvider => f.write_str("not asked, same provider"),
            Seen::Skipped(Refusal::Off) => f.write_str("switched off"),
            Seen::Skipped(Refusal::Gone) => f.write_str("restarting"),
            Seen::Skipped(Refusal::Queued) => f.write_str("others are waiting in front"),
            Seen::Skipped(Refusal::Probing { .. }) => f.write_str("a first call is under way, its answer is awaited"),
            Seen::Skipped(Refusal::Spent { dimension, window, until }) => {
                write!(f, "{} used up", Measure(*dimension, *window))?;
                until.map_or(Ok(()), |end| write!(f, ", back in {}", Span(end.from_now(self.now))))
            }
            Seen::Skipped(Refusal::TooLarge { need, limit, window: Some(window) }) => {
                let whole = Measure(Dimension::Tokens, Some(*window));
                write!(f, "request of about {need} tokens, limit {limit} {whole}")
            }
            Seen::Skipped(Refusal::TooLarge { need, limit, window: None }) => {
                write!(f, "request of about {need} tokens, context {limit}")
            }
            Seen::Skipped(Refusal::Full { limit }) => write!(f, "{limit} of {limit} requests in flight"),
            Seen::Skipped(Refusal::Cooling(cooldown)) => {
                cause(f, cooldown.reason, cooldown.status, None, None)?;
                back(f, cooldown, self.now)
            }
            Seen::Failed(failure) => {
                if let Some(key) = failure.key {
                    write!(f, "key {key}: ")?;
                }
                cause(f, failure.reason, failure.status, Some(self.took), failure.detail.as_deref())?;
                match failure.cooldown.as_ref().filter(|_| !self.over) {
                    // How long a call took is enough said about a timeout; when it is tried again is told by the rest.
                    Some(cooldown) if failure.reason != Reason::Timeout => back(f, cooldown, self.now),
                    _ => Ok(()),
                }
            }
        }
    }
}

/// `requests per minute`
pub struct Measure(pub Dimension, pub Option<Duration>);

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(dimension, window) = self;
        f.write_str(match dimension {
            Dimension::Requests => "requests",
            Dimension::Tokens => "tokens",
            Dimension::Neurons => "neurons",
        })?;
        match window.map(|window| (window_name(window), window)) {
            Some((Some(name), _)) => write!(f, " per {name}"),
            Some((None, window)) => write!(f, " per {}", Span(window)),
            None => Ok(()),
        }
    }
}

fn cause(
    f: &mut fmt::Formatter<'_>,
    reason: Reason,
    status: u16,
    took: Option<Duration>,
    detail: Option<&str>,
) -> fmt::Result {
    match (reason, status, took) {
        (Reason::RateLimit, 429, _) => f.write_str("429"),
        (Reason::Timeout, _, Some(took)) => write!(f, "timeout after {}", Span(took)),
        (_, 0 | 200, _) => f.write_str(reason.words()),
        _ => write!(f, "{}, {status}", reason.words()),
    }?;
    detail.map_or(Ok(()), |detail| write!(f, ": {detail}"))
}

fn back(f: &mut fmt::Formatter<'_>, cooldown: &Cooldown, now: Mono) -> fmt::Result {
    match cooldown.until {
        Deadline::At(end) if end <= now => f.write_str(", may be called again"),
        Deadline::At(end) => write!(f, ", back in {}", Span(end.from_now(now))),
        Deadline::Never => f.write_str(", off until the configuration changes"),
    }
}

/// A duration for people: `850 ms`, `42 s`, `7 min`, `3 h 20 min`, `2 d 4 h`.
pub struct Span(pub Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0.as_secs() + u64::from(self.0.subsec_nanos() > 0);
        match whole {
            _ if self.0.as_millis() < 1_000 => write!(f, "{} ms", self.0.as_millis()),
            0..120 => write!(f, "{whole} s"),
            120..7_200 => write!(f, "{} min", whole.div_ceil(60)),
            7_200..172_800 => write!(f, "{} h {} min", whole / 3_600, whole % 3_600 / 60),
            _ => write!(f, "{} d {} h", whole / 86_400, whole % 86_400 / 3_600),
        }
    }
}
