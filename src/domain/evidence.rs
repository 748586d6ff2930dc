//! What one answer says about quota: the state of buckets, and limits that were unknown before.
//!
//! An answer is evidence and no command: the ledger merges it with what it has counted itself.
//!
//! Every answer is read, since most providers tell how much is left long before they refuse. A good answer costs one
//! pass over its header lines; its body is not opened.

mod context;
mod form;
mod google;
mod headers;
mod name;
mod policy;
mod refusal;
mod rules;
mod spent;
mod tally;
mod text;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::answer::{Answer, Headers};
use super::dialect::Dialect;
use super::envelope::Envelope;
use super::outcome::{Reason, Verdict};
use super::time::Wall;
pub use form::reset_form;
use tally::Tally;

/// Reads one answer: whole, or the head of a stream, whose body is empty. `verdict` is what `classify` made of it.
#[must_use]
pub fn read(dialect: Dialect, answer: &Answer<'_>, verdict: &Verdict, now: Wall) -> Evidence {
    let mut tally = Tally::default();
    let mut stated = Vec::new();
    let headers = Headers(answer.headers);
    match verdict.reason {
        Some(reason @ (Reason::RateLimit | Reason::Quota | Reason::NotInPlan | Reason::Context | Reason::TooLarge)) => {
            let envelope = Envelope::read(answer.body);
            match reason {
                Reason::RateLimit | Reason::Quota | Reason::NotInPlan => {
                    let refusal = refusal::Refusal { dialect, headers, envelope: &envelope, verdict, now };
                    refusal.read(&mut tally, &mut stated);
                }
                _ => context::read(&envelope, &mut stated),
            }
            headers::read(dialect, headers, now, &mut tally);
            // Behind an aggregator the copy is that of somebody else's quota.
            if !envelope.upstream {
                let copy = envelope.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
                headers::read(dialect, Headers(&copy.collect::<Vec<_>>()), now, &mut tally);
            }
        }
        _ => headers::read(dialect, headers, now, &mut tally),
    }
    Evidence { readings: tally.finish(dialect, verdict, now), stated }
}

/// Reads a failure that was reported inside a 200: a whole body, or the data of one event.
#[must_use]
pub fn read_in_band(dialect: Dialect, data: &[u8], verdict: &Verdict, now: Wall) -> Evidence {
    read(dialect, &Answer { status: 200, headers: &[], body: data }, verdict, now)
}

/// What a bucket counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Calls.
    Requests,
    /// Tokens of prompt and answer together.
    Tokens,
    /// Cloudflare's unit of work; shown, but not counted here.
    Neurons,
}

/// What "reset" means for a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetKind {
    /// The bucket refills all the time, and is full again then (Groq, OpenAI): a rate, and no wait.
    Full,
    /// All of the limit is back then.
    WindowEnd,
    /// The next piece that a refused request needs is back then.
    Next,
}

/// When a bucket recovers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reset {
    /// From the moment the answer arrived.
    pub after: Duration,
    /// In which sense.
    pub kind: ResetKind,
}

/// The state of one bucket, as an answer tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What it counts.
    pub dimension: Dimension,
    /// Length of its window; `None` when the answer does not tell and the dialect does not know.
    pub window: Option<Duration>,
    /// How much fits into the window.
    pub limit: Option<u64>,
    /// How much is left of it; never more than the limit.
    pub remaining: Option<u64>,
    /// When it recovers.
    pub reset: Option<Reset>,
}

/// A limit that a refusal states in its text or details.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stated {
    /// Of a window.
    Window {
        /// What it counts.
        dimension: Dimension,
        /// Length of the window.
        window: Duration,
        /// How much fits into it.
        limit: u64,
    },
    /// Of one request: prompt and answer together, in tokens.
    Context(u64),
}

impl Stated {
    /// Whether it is the limit of the bucket of this reading.
    #[must_use]
    pub fn is_of(&self, reading: &Reading) -> bool {
        match self {
            Self::Window { dimension, window, .. } => {
                (*dimension, Some(*window)) == (reading.dimension, reading.window)
            }
            Self::Context(_) => false,
        }
    }
}

/// Everything that one answer says about quota.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Buckets, each dimension and window once.
    pub readings: Vec<Reading>,
    /// Limits stated in a refusal.
    pub stated: Vec<Stated>,
}

/// A second.
pub const SECOND: Duration = Duration::from_secs(1);
/// A minute.
pub const MINUTE: Duration = Duration::from_secs(60);
/// An hour.
pub const HOUR: Duration = Duration::from_secs(3_600);
/// A day.
pub const DAY: Duration = Duration::from_secs(86_400);
/// A week.
pub const WEEK: Duration = Duration::from_secs(7 * 86_400);
/// The longest month.
pub const MONTH: Duration = Duration::from_secs(31 * 86_400);

/// What a window of this length is called.
#[must_use]
pub fn window_name(window: Duration) -> Option<&'static str> {
    Some(match window {
        SECOND => "second",
        MINUTE => "minute",
        HOUR => "hour",
        DAY => "day",
        WEEK => "week",
        MONTH => "month",
        _ => return None,
    })
}

impl Evidence {
    /// True when the answer says nothing about quota.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.readings.is_empty() && self.stated.is_empty()
    }

    /// True when the answer says how many requests are left.
    #[must_use]
    pub fn tells_requests(&self) -> bool {
        let is_told = |reading: &Reading| reading.dimension == Dimension::Requests && reading.remaining.is_some();
        self.readings.iter().any(is_told)
    }
}

#[cfg(test)]
mod tests;
