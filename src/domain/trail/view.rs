//! A step as clients are told of it, and as it is kept: words in place of causes, and times on the wall clock.

use serde::{Deserialize, Serialize, Serializer};

use super::{Failure, Seen, Step, Words};
use crate::domain::ids::{ModelId, ProviderId};
use crate::domain::outcome::Reason;
use crate::domain::time::{Now, Wall};

/// A step as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepView {
    /// Id of the provider.
    pub provider: ProviderId,
    /// Name of the model there.
    pub model: ModelId,
    /// What came of looking at it.
    pub outcome: StepOutcome,
    /// With which of the provider's keys, counted from 1; `None` when it has only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<usize>,
    /// Why it did not serve, where there is a word for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// HTTP status of the answer that this is due to; 0 when there was none.
    #[serde(skip_serializing_if = "is_zero")]
    pub status: u16,
    /// Why it did not serve, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When it may be called again, where waiting helps.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    pub retry_at: Option<Wall>,
    /// Milliseconds that it took.
    pub ms: u64,
}

/// What came of looking at an entry, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepOutcome {
    /// Called, and it served the request.
    Served,
    /// Called, without success.
    Failed,
    /// Not called.
    Skipped,
    /// Not called, because nobody was: it could take the request.
    Able,
}

impl StepOutcome {
    /// Whether there was an upstream call.
    #[must_use]
    pub fn is_call(self) -> bool {
        matches!(self, Self::Served | Self::Failed)
    }
}

impl StepView {
    /// A step as it is told at this time.
    pub(super) fn of(step: &Step, now: Now) -> Self {
        let Step { entry, seen, took } = step;
        let (reason, status) = seen.reason().unzip();
        let words = || Words { seen, took: *took, now: now.mono }.to_string();
        Self {
            provider: entry.provider.clone(),
            model: entry.model.clone(),
            outcome: seen.outcome(),
            key: if let Seen::Failed(Failure { key, .. }) = seen { *key } else { None },
            reason,
            status: status.unwrap_or_default(),
            message: (*seen != Seen::Served).then(words),
            retry_at: seen.back_in(now.mono).map(|wait| now.wall.after(wait)),
            ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// `provider/model`
    #[must_use]
    pub fn label(&self) -> String {
        [self.provider.as_str(), "/", self.model.as_str()].concat()
    }
}

fn is_zero(status: &u16) -> bool {
    *status == 0
}

fn as_text<S: Serializer>(time: &Option<Wall>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(time),
        None => serializer.serialize_none(),
    }
}
