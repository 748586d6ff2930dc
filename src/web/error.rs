//! Errors as clients of the OpenAI API expect them.

mod code;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONNECTION, HeaderName, RETRY_AFTER};
use serde::Serialize;
use utoipa::ToSchema;

pub use self::code::Code;
use super::admin::editing::UseView;
use super::reload::ProblemView;
use crate::actors::route::Unselected;
use crate::domain::request::Malformed;
use crate::domain::time::{Mono, Now};
use crate::domain::trail::{Span, StepView, Trail};
use crate::upstream::wait::Unserved;

/// Read by the official SDKs of OpenAI.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// An answer that says what is wrong, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No key, or a wrong one.
    #[error("{0}")]
    InvalidApiKey(&'static str),
    /// A client's key where an admin's is needed.
    #[error("This needs an admin key: one of settings.adminKeys, or the one that was shown at the first start.")]
    AdminRequired,
    /// The document is malformed.
    #[error("Invalid request: {0}")]
    Malformed(#[from] Malformed),
    /// A parameter of the query is wrong.
    #[error("Invalid request: {message}")]
    Query {
        /// Which.
        param: &'static str,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// What the path names was not recorded.
    #[error("Nothing is recorded of {what} `{name}`.")]
    NotRecorded {
        /// A request, a chain, ...
        what: &'static str,
        /// As asked for.
        name: String,
    },
    /// The database cannot be read.
    #[error("The log of requests cannot be read now: {0}. Requests are served all the same.")]
    NoRecords(String),
    /// The body did not arrive.
    #[error("Invalid request: {0}")]
    Unreadable(String),
    /// The body is larger than `maxBodyBytes`.
    #[error("The request body is larger than {limit} bytes. Raise settings.maxBodyBytes or send less.")]
    TooLarge {
        /// In bytes.
        limit: usize,
    },
    /// The model names nothing.
    #[error("The model `{model}` does not exist here. GET /v1/models lists chains and entries.")]
    ModelNotFound {
        /// As asked for.
        model: String,
    },
    /// There is no chain that the request could go to.
    #[error(
        "No chain is configured yet, so there is nobody to ask. Add a provider and a chain in the web UI at /ui, or in the \
         configuration file; then send the request again."
    )]
    NoChain,
    /// The path names nothing.
    #[error("Unknown path: {method} {path}. The API is under /v1, for example POST /v1/chat/completions.")]
    UnknownPath {
        /// HTTP method.
        method: String,
        /// Path.
        path: String,
    },
    /// The path exists, the method does not.
    #[error("{path} does not take {method}; use {allowed}.")]
    MethodNotAllowed {
        /// HTTP method.
        method: String,
        /// Path.
        path: String,
        /// What it takes.
        allowed: &'static str,
    },
    /// No entry of the chain can serve the request now.
    #[error("{message}")]
    Exhausted {
        /// What came of waiting.
        why: Unserved,
        /// Names every entry and reason.
        message: String,
        /// The same as JSON.
        trail: serde_json::Value,
        /// Seconds until the first entry is back; `None` when waiting does not help.
        retry_after: Option<u64>,
    },
    /// The chain was taken out of the configuration while the request waited in its line.
    #[error(
        "The chain `{chain}` was taken out of the configuration while this request waited for quota. Send it again: it \
         will be served as the configuration is now."
    )]
    ChainGone {
        /// As asked for.
        chain: String,
    },
    /// A new configuration is not used.
    #[error("{message}")]
    InvalidConfig {
        /// All that is wrong with it.
        message: String,
        /// The same as JSON.
        problems: Vec<ProblemView>,
    },
    /// There is no file that could be read again.
    #[error("This proxy runs without a configuration file, so there is nothing to read, to change or to reload.")]
    NoConfigFile,
    /// What a path or a body names does not exist.
    #[error("{0}")]
    Unknown(String),
    /// The file is another one now than the change was made from.
    #[error(
        "The configuration file has changed meanwhile: look at it as it is now (revision {revision}), and make the change \
         again."
    )]
    ConfigChanged {
        /// What it is now.
        revision: String,
        /// Its values, with each secret masked.
        config: serde_json::Value,
    },
    /// The file must not be written.
    #[error("The configuration file cannot be written: {0}. Change it where it is, or make it writable.")]
    ConfigReadOnly(String),
    /// The file could not be written.
    #[error("{0}")]
    ConfigNotWritten(String),
    /// Something else needs what is to be taken away.
    #[error("{message}")]
    InUse {
        /// What needs it, and what to do.
        message: String,
        /// Chains that do.
        uses: Vec<UseView>,
    },
    /// The request is longer than the context of every model of its chain. Worded like the refusal of a provider: tools
    /// shorten a conversation when they see it.
    #[error("This chain's maximum context length is {context} tokens, and the request is longer. {message}.")]
    TooLong {
        /// The longest of them, in tokens.
        context: u64,
        /// Names every entry and its context.
        message: String,
    },
    /// The request is larger than every entry of its chain takes.
    #[error("The request is too large for every entry of its chain. {message}.")]
    NowhereToFit {
        /// Names every entry and its limit.
        message: String,
    },
    /// A defect of the proxy.
    #[error("429chain failed on this request. Its log says more; please report it.")]
    Internal,
    /// The process is on its way out.
    #[error("429chain is shutting down. Try again in a moment.")]
    ShuttingDown,
}

/// The body of an error.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub(super) struct Body<'a> {
    error: Details<'a>,
}

/// What is wrong.
#[derive(Serialize, ToSchema)]
#[schema(as = ErrorDetails)]
struct Details<'a> {
    /// What is wrong, where, and what to do.
    message: String,
    r#type: Type,
    /// The member or parameter at fault, where it is one.
    param: Option<&'a str>,
    code: Code,
    /// Every entry that was looked at, when none could serve the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Vec<StepView>>)]
    trail: Option<&'a serde_json::Value>,
    /// All that is wrong with a configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    problems: Option<&'a [ProblemView]>,
    /// Of the configuration file as it is now, when it is not what the change was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    revision: Option<&'a str>,
    /// Its values, with each secret masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Object>)]
    config: Option<&'a serde_json::Value>,
    /// The chains that use what was to be deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    uses: Option<&'a [UseView]>,
}

/// Who is to act.
#[derive(Serialize, ToSchema)]
#[schema(as = ErrorType)]
#[serde(rename_all = "snake_case")]
enum Type {
    InvalidRequestError,
    ServerError,
}

impl ApiError {
    /// The trail of a request that nobody could serve. `eta` is when it would have been its turn in the waiting line.
    #[must_use]
    pub fn exhausted(trail: &Trail, why: Unserved, eta: Option<Mono>, now: Now) -> Self {
        let tried = trail.message(now.mono);
        if let Some(context) = trail.too_long() {
            return Self::TooLong { context, message: tried };
        }
        if trail.too_large() {
            return Self::NowhereToFit { message: tried };
        }
        let soonest = eta.map(|eta| eta.from_now(now.mono)).or_else(|| trail.soonest(now.mono));
        let lead = match why {
            Unserved::NoQuota => "",
            Unserved::LineFull => "Too many requests are waiting for this chain already. ",
            Unserved::ChainGone => "The chain is gone. ",
            Unserved::WaitedEnough => "No quota came back in the time that a request may wait. ",
        };
        let advice = match soonest {
            Some(wait) if wait.is_zero() => ". Try again now.".to_owned(),
            Some(wait) => format!(". Try again in {}.", Span(wait)),
            None => ". Waiting will not help; see /v1/ratelimits.".to_owned(),
        };
        Self::Exhausted {
            why,
            message: format!("{lead}{tried}{advice}"),
            trail: serde_json::to_value(trail.view(now)).unwrap_or_default(),
            retry_after: soonest.map(|wait| wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).map(|s| s.max(1)),
        }
    }

    /// The model selects nothing.
    #[must_use]
    pub fn nowhere(why: Unselected, model: String) -> Self {
        match why {
            Unselected::UnknownModel => Self::ModelNotFound { model },
            Unselected::NoChain => Self::NoChain,
        }
    }

    /// Machine code, as in DESIGN 3.3.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::InvalidApiKey(_) => Code::InvalidApiKey,
            Self::AdminRequired => Code::AdminRequired,
            Self::Malformed(_) | Self::Unreadable(_) | Self::Query { .. } => Code::InvalidRequest,
            Self::NotRecorded { .. } | Self::Unknown(_) => Code::NotFound,
            Self::NoRecords(_) => Code::RecordsUnavailable,
            Self::TooLong { .. } => Code::ContextLengthExceeded,
            Self::TooLarge { .. } | Self::NowhereToFit { .. } => Code::RequestTooLarge,
            Self::ModelNotFound { .. } => Code::ModelNotFound,
            Self::NoChain => Code::NoChain,
            Self::UnknownPath { .. } => Code::UnknownPath,
            Self::MethodNotAllowed { .. } => Code::MethodNotAllowed,
            Self::Exhausted { why: Unserved::NoQuota, .. } => Code::AllProvidersExhausted,
            Self::Exhausted { why: Unserved::LineFull, .. } => Code::QueueFull,
            Self::Exhausted { why: Unserved::WaitedEnough, .. } => Code::QueueTimeout,
            Self::ChainGone { .. } | Self::Exhausted { why: Unserved::ChainGone, .. } => Code::ChainGone,
            Self::InvalidConfig { .. } => Code::InvalidConfig,
            Self::NoConfigFile => Code::NoConfigFile,
            Self::ConfigChanged { .. } => Code::ConfigChanged,
            Self::ConfigReadOnly(_) => Code::ConfigReadOnly,
            Self::ConfigNotWritten(_) => Code::ConfigNotWritten,
            Self::InUse { .. } => Code::InUse,
            Self::Internal => Code::InternalError,
            Self::ShuttingDown => Code::ShuttingDown,
        }
    }

    /// HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.code().status()
    }

    /// The answer.
    #[must_use]
    pub fn response(&self) -> HttpResponse {
        let mut builder = HttpResponse::build(self.status());
        let (mut trail_json, mut problems) = (None, None);
        let (mut revision, mut config, mut uses) = (None, None, None);
        let mut param = None;
        match self {
            Self::Malformed(malformed) => param = malformed.param,
            Self::Query { param: name, .. } => param = Some(name),
            Self::ModelNotFound { .. } => param = Some("model"),
            Self::TooLong { .. } => param = Some("messages"),
            Self::MethodNotAllowed { allowed, .. } => {
                builder.insert_header((ALLOW, *allowed));
            }
            Self::Exhausted { trail, retry_after, .. } => {
                trail_json = Some(trail);
                if let Some(seconds) = retry_after {
                    builder.insert_header((RETRY_AFTER, *seconds));
                }
            }
            Self::InvalidConfig { problems: found, .. } => problems = Some(found.as_slice()),
            Self::ConfigChanged { revision: now, config: values } => {
                (revision, config) = (Some(now.as_str()), Some(values).filter(|values| values.is_object()));
            }
            Self::InUse { uses: found, .. } if !found.is_empty() => uses = Some(found.as_slice()),
            Self::ChainGone { .. } => {
                builder.insert_header((RETRY_AFTER, 1));
            }
            // Somebody has to do something first: the official SDKs, which try every 503 again, are told not to.
            Self::NoChain => {
                builder.insert_header((SHOULD_RETRY, "false"));
            }
            Self::ShuttingDown => {
                builder.insert_header((RETRY_AFTER, 1)).insert_header((CONNECTION, "close"));
            }
            _ => {}
        }
        let kind = if self.status().is_server_error() { Type::ServerError } else { Type::InvalidRequestError };
        let (message, code, trail) = (self.to_string(), self.code(), trail_json);
        let error = Details { message, r#type: kind, param, code, trail, problems, revision, config, uses };
        builder.json(Body { error })
    }
}
