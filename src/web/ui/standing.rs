//! How entries and chains stand, as `/v1/ratelimits` tells it: the pages show what the API says, and no more.

use serde::Deserialize;

use crate::upstream::waterfall::Worker;
use crate::web::error::ApiError;
use crate::web::ratelimits::snapshot;
use crate::web::state::State;

/// Everything.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Standing {
    pub(super) ratelimits: Vec<Entry>,
    pub(super) chains: Vec<Chain>,
}

/// One entry.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) status: Status,
    pub(super) cooldown_until: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) cause: Option<Cause>,
    pub(super) in_flight: u64,
    pub(super) keys: Vec<Key>,
}

/// What can be expected of an entry; those that need somebody come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Cooling,
    Low,
    AuthError,
    Ready,
    Untried,
    Off,
}

impl Status {
    /// All of them, as they are sorted.
    pub(super) const ALL: [Self; 6] =
        [Self::Cooling, Self::Low, Self::AuthError, Self::Ready, Self::Untried, Self::Off];

    /// As the sign of it is called in style and icons.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Cooling => "cooling",
            Self::Low => "low",
            Self::AuthError => "auth",
            Self::Ready => "ready",
            Self::Untried => "untried",
            Self::Off => "off",
        }
    }

    /// For people.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::AuthError => "auth error",
            other => other.class(),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Cause {
    pub(super) status: u16,
    pub(super) basis: String,
    pub(super) target: String,
}

/// One entry through one key.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Key {
    pub(super) status: Status,
    pub(super) buckets: Vec<Bucket>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bucket {
    pub(super) counts: String,
    pub(super) window: Option<String>,
    pub(super) limit: Option<u64>,
    pub(super) used: Option<u64>,
    pub(super) remaining: u64,
    pub(super) resets_at: Option<String>,
    pub(super) source: String,
    pub(super) age_ms: Option<u64>,
    pub(super) of: String,
}

/// One chain.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Chain {
    pub(super) chain: String,
    /// `provider/model`
    pub(super) next: Option<String>,
    pub(super) ready: u64,
    pub(super) entries: u64,
    pub(super) requests_left: Option<u64>,
    pub(super) forecast: Vec<Ahead>,
    pub(super) first_recovery: Option<String>,
    pub(super) exhausted_at: Option<String>,
    pub(super) waiting: Waiting,
}

/// What is left until a window of this length ends.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ahead {
    pub(super) window: Option<String>,
    pub(super) requests_left: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Waiting {
    pub(super) depth: u64,
}

/// Asks for it.
///
/// # Errors
/// When the proxy is on its way out.
pub(super) async fn standing(worker: &Worker, state: &State) -> Result<Standing, ApiError> {
    serde_json::from_value(snapshot(worker, state).await?).map_err(|_| ApiError::Internal)
}
