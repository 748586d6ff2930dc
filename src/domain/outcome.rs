//! What an upstream answer means: for the request, and for whoever would be called next.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What happens to the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The answer is good.
    Ok,
    /// The fault lies with this entry (or cannot be told): the next entry is asked.
    NextEntry,
    /// The fault lies in the request: the provider's answer goes back to the client.
    ReturnToClient,
}

/// Why an attempt did not serve the request. The names are those of `PROVIDERS.md` 1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Too many requests or tokens in a short window.
    RateLimit,
    /// A day, week or month allowance is used up.
    Quota,
    /// Too many requests in flight.
    Concurrency,
    /// The provider or the model is overloaded.
    Overload,
    /// A server-side error.
    Server,
    /// The key was rejected.
    Auth,
    /// The plan of this key does not include the model.
    NotInPlan,
    /// No balance, or the credit is used up.
    Billing,
    /// The model does not exist there (any more).
    ModelGone,
    /// The provider rejects the call as such: wrong base URL, redirect, region.
    ProviderRejected,
    /// An edge server blocked the client by its headers.
    Blocked,
    /// Moderation refused the prompt.
    ContentPolicy,
    /// The prompt does not fit this model's context.
    Context,
    /// The request is larger than a whole token window.
    TooLarge,
    /// The provider does not know a parameter of the request.
    UnsupportedParameter,
    /// More output asked for than this model can give.
    OutputCap,
    /// The model produced something that the provider refused to return.
    ModelOutput,
    /// The request is malformed.
    BadRequest,
    /// A 400 that says nothing.
    Unknown,
    /// An error inside a 200.
    InBandError,
    /// A 200 with nothing usable in it.
    Empty,
    /// A 200 that was cut off.
    Truncated,
    /// A 200 that cannot be read, or is too long to be read.
    Unreadable,
    /// No connection: refused, DNS, TLS.
    Transport,
    /// The connection ended before the answer began.
    Lost,
    /// No answer in time.
    Timeout,
}

impl Reason {
    /// All reasons, in the order of declaration.
    pub const ALL: [Self; 26] = [
        Self::RateLimit,
        Self::Quota,
        Self::Concurrency,
        Self::Overload,
        Self::Server,
        Self::Auth,
        Self::NotInPlan,
        Self::Billing,
        Self::ModelGone,
        Self::ProviderRejected,
        Self::Blocked,
        Self::ContentPolicy,
        Self::Context,
        Self::TooLarge,
        Self::UnsupportedParameter,
        Self::OutputCap,
        Self::ModelOutput,
        Self::BadRequest,
        Self::Unknown,
        Self::InBandError,
        Self::Empty,
        Self::Truncated,
        Self::Unreadable,
        Self::Transport,
        Self::Lost,
        Self::Timeout,
    ];

    /// True when the provider refused the request itself rather than being unable to serve it: if all entries do so,
    /// the client gets the provider's own 4xx back.
    #[must_use]
    pub fn blames_request(self) -> bool {
        matches!(
            self,
            Self::ContentPolicy
                | Self::Context
                | Self::TooLarge
                | Self::UnsupportedParameter
                | Self::OutputCap
                | Self::ModelOutput
                | Self::BadRequest
                | Self::Unknown
        )
    }

    /// True when it is about quota: it comes back by itself, and nothing is broken.
    #[must_use]
    pub fn is_quota(self) -> bool {
        matches!(self, Self::RateLimit | Self::Quota | Self::Concurrency | Self::Overload)
    }

    /// True when it passes by itself, and soon: a request may wait for it. Of who cannot be reached or does not answer at
    /// all nobody can say that, and an answer of no use may be what this request gets.
    #[must_use]
    pub fn passes(self) -> bool {
        self.is_quota() || matches!(self, Self::Server | Self::Lost | Self::Truncated)
    }

    /// True when it says something about the account that was used and nothing about the model: another key of the same
    /// provider may do better.
    #[must_use]
    pub fn is_of_key(self) -> bool {
        matches!(self, Self::RateLimit | Self::Quota | Self::Concurrency | Self::Auth | Self::NotInPlan | Self::Billing)
    }

    /// The name in logs and sums; the same as in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RateLimit => "rate_limit",
            Self::Quota => "quota",
            Self::Concurrency => "concurrency",
            Self::Overload => "overload",
            Self::Server => "server",
            Self::Auth => "auth",
            Self::NotInPlan => "not_in_plan",
            Self::Billing => "billing",
            Self::ModelGone => "model_gone",
            Self::ProviderRejected => "provider_rejected",
            Self::Blocked => "blocked",
            Self::ContentPolicy => "content_policy",
            Self::Context => "context",
            Self::TooLarge => "too_large",
            Self::UnsupportedParameter => "unsupported_parameter",
            Self::OutputCap => "output_cap",
            Self::ModelOutput => "model_output",
            Self::BadRequest => "bad_request",
            Self::Unknown => "unknown",
            Self::InBandError => "in_band_error",
            Self::Empty => "empty",
            Self::Truncated => "truncated",
            Self::Unreadable => "unreadable",
            Self::Transport => "transport",
            Self::Lost => "lost",
            Self::Timeout => "timeout",
        }
    }

    /// A few words for people, as used in "all exhausted" messages and in the log.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::RateLimit => "rate limited",
            Self::Quota => "quota used up",
            Self::Concurrency => "too many in flight",
            Self::Overload => "overloaded",
            Self::Server => "server error",
            Self::Auth => "key rejected",
            Self::NotInPlan => "model not in this plan",
            Self::Billing => "no credit",
            Self::ModelGone => "model not found",
            Self::ProviderRejected => "provider rejects the call, check baseUrl and region",
            Self::Blocked => "blocked by the provider's edge",
            Self::ContentPolicy => "refused by moderation",
            Self::Context => "prompt too long for this model",
            Self::TooLarge => "request larger than the token window",
            Self::UnsupportedParameter => "unsupported parameter",
            Self::OutputCap => "max_tokens above this model's limit",
            Self::ModelOutput => "model produced an invalid tool call",
            Self::BadRequest => "bad request",
            Self::Unknown => "refused without a reason",
            Self::InBandError => "error inside the answer",
            Self::Empty => "empty answer",
            Self::Truncated => "answer cut off",
            Self::Unreadable => "unreadable answer",
            Self::Transport => "connection failed",
            Self::Lost => "connection lost",
            Self::Timeout => "timeout",
        }
    }
}

/// Who must not be called for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Nobody: only this request is concerned.
    Request,
    /// Provider + model.
    Entry,
    /// All entries that use the key.
    Key,
    /// All entries of the provider.
    Provider,
    /// All entries that share the named counter.
    Pool(&'static str),
}

/// Where the length of a cooldown comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// `retry-after-ms`
    RetryAfterMsHeader,
    /// `Retry-After`
    RetryAfterHeader,
    /// A reset header of a spent bucket.
    ResetHeader,
    /// A structured field of the body.
    BodyField,
    /// A phrase in the error text.
    BodyHint,
    /// The end of a calendar window (provider's midnight, :00 of the minute, first of the month).
    Calendar,
    /// The known length of the window.
    WindowLength,
    /// The rate at which the bucket refills.
    RefillRate,
    /// The wire said more than the clamp allows.
    Clamp,
    /// Nobody said anything: the default of the class.
    Guess,
}

impl Basis {
    /// All sources, in the order of declaration.
    pub const ALL: [Self; 10] = [
        Self::RetryAfterMsHeader,
        Self::RetryAfterHeader,
        Self::ResetHeader,
        Self::BodyField,
        Self::BodyHint,
        Self::Calendar,
        Self::WindowLength,
        Self::RefillRate,
        Self::Clamp,
        Self::Guess,
    ];
}

/// How long to wait, as told by the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Hint {
    /// From the moment the answer arrived.
    pub wait: Duration,
    /// Which part of the answer said so.
    pub basis: Basis,
}

/// Default lengths for answers that name no time (`PROVIDERS.md` 1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CooldownClass {
    /// Another request is in flight: 1 s.
    Concurrency,
    /// 10 s, doubling to 2 min.
    Overload,
    /// A local server that is loading or full: 3 s, never more.
    LocalBusy,
    /// 15 s, doubling to 2 min.
    ServerError,
    /// 15 s, doubling to 2 min.
    Empty,
    /// A minute window: 60 s.
    Minute,
    /// A 429 without any time: `cooldownDefaultMs`, doubling to 10 min.
    #[serde(rename = "unknown_429")]
    Unknown429,
    /// A window of five hours: steps of 30 min up to 5 h.
    #[serde(rename = "session_5h")]
    Session5h,
    /// A day window whose end is unknown: 1 h, doubling to 24 h.
    Day,
    /// A week window: 24 h steps.
    Week,
    /// A month window: 24 h steps.
    Month,
    /// 24 h.
    Billing,
    /// 24 h; the model is gone or not in the plan.
    ModelGone,
    /// 1 h, or until the configuration changes.
    Auth,
    /// 10 min.
    ProviderRejected,
}

/// The reading of one upstream answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// What happens to the request.
    pub action: Action,
    /// Why; `None` for a good answer.
    pub reason: Option<Reason>,
    /// Who cools down.
    pub target: Target,
    /// For how long, when the provider said so.
    pub hint: Option<Hint>,
    /// For how long when it did not; `None` means no cooldown.
    pub class: Option<CooldownClass>,
    /// True when waiting will not help: the entry is off until the configuration changes (410 Gone).
    pub permanent: bool,
}

impl Verdict {
    /// A good answer.
    pub const OK: Self =
        Self { action: Action::Ok, reason: None, target: Target::Request, hint: None, class: None, permanent: false };

    /// The next entry is asked; nobody cools down.
    #[must_use]
    pub const fn skip(reason: Reason) -> Self {
        Self { action: Action::NextEntry, reason: Some(reason), ..Self::OK }
    }

    /// The next entry is asked; `target` cools down for the default time of `class`.
    #[must_use]
    pub const fn cool(reason: Reason, target: Target, class: CooldownClass) -> Self {
        Self { target, class: Some(class), ..Self::skip(reason) }
    }

    /// The answer goes back to the client.
    #[must_use]
    pub const fn return_to_client(reason: Reason) -> Self {
        Self { action: Action::ReturnToClient, ..Self::skip(reason) }
    }

    /// The same verdict with a time told by the provider.
    #[must_use]
    pub const fn told(mut self, hint: Option<Hint>) -> Self {
        self.hint = hint;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_one_name() {
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
        }
    }
}
