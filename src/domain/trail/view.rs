//! A step as clients are told of it, and as it is kept: words in place of causes, and times on the wall clock.

use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use super::{Failure, Seen, Step, Words};
use crate::domain::ids::{ModelId, ProviderId};
use crate::domain::outcome::Reason;
use crate::domain::time::{Now, Wall};

/// A step as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Step)]
#[serde(rename_all = "camelCase")]
pub struct StepView {
    /// Id of the provider.
    #[schema(value_type = String)]
    pub provider: ProviderId,
    /// Name of the model there.
    #[schema(value_type = String)]
    pub model: ModelId,
    /// What came of looking at it.
    pub outcome: StepOutcome,
    /// With which of the provider's keys, counted from 1; `None` when it has only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub key: Option<usize>,
    /// Why it did not serve, where there is a word for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<Reason>,
    /// HTTP status of the answer that this is due to; 0 when there was none.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(required = false)]
    pub status: u16,
    /// Why it did not serve, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub message: Option<String>,
    /// When it may be called again, where waiting helps.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    #[schema(nullable = false, value_type = Option<String>, format = DateTime)]
    pub retry_at: Option<Wall>,
    /// Milliseconds that it took; absent where nobody would be called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ms: Option<u64>,
}

/// What came of looking at an entry, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
    /// A step as it is told at this time; without its end when it is `over`.
    pub(super) fn of(step: &Step, over: bool, now: Now) -> Self {
        let Step { entry, seen, took } = step;
        let (reason, status) = seen.reason().unzip();
        let words = || Words { seen, took: *took, now: now.mono, over }.to_string();
        Self {
            provider: entry.provider.clone(),
            model: entry.model.clone(),
            outcome: seen.outcome(),
            key: if let Seen::Failed(Failure { key, .. }) = seen { *key } else { None },
            reason,
            status: status.unwrap_or_default(),
            message: (*seen != Seen::Served).then(words),
            retry_at: seen.back_in(now.mono).filter(|_| !over).map(|wait| now.wall.after(wait)),
            ms: Some(u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
        }
    }

    /// The same of an entry that nobody calls.
    #[must_use]
    pub fn without_time(self) -> Self {
        Self { ms: None, ..self }
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
