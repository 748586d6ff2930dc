//! Every answer that is no answer, in the dialect of the provider that gives it.
//!
//! The bodies follow captured ones (`tests/fixtures/dialects.json`), down to Google's arrays and OpenRouter's numeric
//! codes: a proxy that can live with these can live with the real hosts.

use serde_json::{Value, json};

use super::go_duration::go;
use super::quota::{Headers, Limited, Over};
use super::simulated::Simulated;

/// Why a request is not served.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It carries no key.
    NoKey,
    /// It carries another key than the provider's.
    WrongKey,
    /// It goes to a path that does not exist.
    NoRoute { method: String, path: String },
    /// It names a model that does not exist.
    UnknownModel(String),
    /// It is not a request that the API understands; the text says why.
    BadRequest(String),
    /// Its body is longer than the server reads.
    TooLarge,
    /// A Groq limit is in the way.
    Limited { model: &'static str, limited: Limited },
    /// Google's 503.
    Overloaded,
    /// Google's 429.
    QuotaExceeded { model: &'static str },
}

/// A refusal on its way out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Value,
}

impl Refusal {
    /// What `simulated` sends.
    pub(crate) fn in_dialect_of(&self, simulated: Simulated) -> Refused {
        match simulated {
            Simulated::Groq => self.groq(),
            Simulated::OpenRouter => self.openrouter(),
            Simulated::Gemini => self.google(),
        }
    }

    fn groq(&self) -> Refused {
        let invalid = "invalid_request_error";
        match self {
            Self::NoKey | Self::WrongKey => groq(401, "Invalid API Key", invalid, "invalid_api_key"),
            Self::NoRoute { method, path } => {
                let message = format!("Unknown request URL: {method} {path}. Please check the URL for typos.");
                groq(404, &message, invalid, "unknown_url")
            }
            Self::UnknownModel(model) => {
                let message = format!("The model `{model}` does not exist or you do not have access to it.");
                groq(404, &message, invalid, "model_not_found")
            }
            Self::BadRequest(why) => refused(400, json!({"error": {"message": why, "type": invalid}})),
            Self::TooLarge => groq(413, "Request Entity Too Large", invalid, "request_too_large"),
            Self::Limited { model, limited } => limited_by(model, limited),
            Self::Overloaded | Self::QuotaExceeded { .. } => {
                groq(503, "The model is currently over capacity.", "internal_server_error", "over_capacity")
            }
        }
    }

    fn openrouter(&self) -> Refused {
        let (status, message, kind) = match self {
            Self::NoKey => (401, "No auth credentials found".to_owned(), "authentication"),
            Self::WrongKey => (401, "User not found.".to_owned(), "authentication"),
            Self::NoRoute { .. } => (404, "Not Found".to_owned(), "not_found"),
            Self::UnknownModel(model) => (404, format!("No endpoints found for {model}."), "not_found"),
            Self::BadRequest(why) => (400, why.clone(), "invalid_request"),
            Self::TooLarge => (413, "Request entity too large".to_owned(), "payload_too_large"),
            Self::Limited { .. } | Self::Overloaded | Self::QuotaExceeded { .. } => {
                (503, "There is no available model provider".to_owned(), "provider_overloaded")
            }
        };
        let metadata = json!({"error_type": kind});
        refused(status, json!({"error": {"message": message, "code": status, "metadata": metadata}}))
    }

    fn google(&self) -> Refused {
        match self {
            Self::NoKey => {
                let message = "Request is missing required authentication credential.";
                google(401, message, "UNAUTHENTICATED", &json!([]))
            }
            Self::WrongKey => {
                let message = "API key not valid. Please pass a valid API key.";
                let info = json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID",
                                   "domain": "googleapis.com"}]);
                google(400, message, "INVALID_ARGUMENT", &info)
            }
            Self::NoRoute { path, .. } => {
                google(404, &format!("The requested URL {path} was not found."), "NOT_FOUND", &json!([]))
            }
            Self::UnknownModel(model) => {
                let message = format!("models/{model} is not found for API version v1main.");
                google(404, &message, "NOT_FOUND", &json!([]))
            }
            Self::BadRequest(why) => {
                google(400, &format!("Invalid JSON payload received. {why}"), "INVALID_ARGUMENT", &json!([]))
            }
            Self::TooLarge => google(413, "Request payload size exceeds the limit.", "INVALID_ARGUMENT", &json!([])),
            Self::Overloaded | Self::Limited { .. } => {
                google(503, "The model is overloaded. Please try again later.", "UNAVAILABLE", &json!([]))
            }
            Self::QuotaExceeded { model } => quota_exceeded(model),
        }
    }
}

/// Groq's 429, or its 413 for a request that no wait helps.
fn limited_by(model: &str, limited: &Limited) -> Refused {
    let (unit, window, kind) = match limited.over {
        Over::RequestsPerMinute => ("requests per minute", "RPM", "requests"),
        Over::RequestsPerDay => ("requests per day", "RPD", "requests"),
        Over::TokensPerMinute | Over::RequestSize => ("tokens per minute", "TPM", "tokens"),
    };
    let account =
        format!("model `{model}` in organization `org_example` service tier `on_demand` on {unit} ({window})");
    let Limited { limit, used, requested, wait, .. } = limited;
    let (status, message) = match limited.over {
        Over::RequestSize => (
            413,
            format!(
                "Request too large for {account}: Limit {limit}, Requested {requested}, please reduce your message \
                 size and try again."
            ),
        ),
        _ => (
            429,
            format!(
                "Rate limit reached for {account}: Limit {limit}, Used {used}, Requested {requested}. Please try \
                 again in {}.",
                go(*wait)
            ),
        ),
    };
    let mut refused = groq(status, &message, kind, "rate_limit_exceeded");
    let seconds = wait.as_millis().div_ceil(1_000).max(1);
    refused.headers.push(("retry-after", seconds.to_string()));
    refused
}

/// Google's 429 of a free tier's minute.
fn quota_exceeded(model: &str) -> Refused {
    let metric = "generativelanguage.googleapis.com/generate_content_free_tier_requests";
    let message = format!(
        "You exceeded your current quota.\n* Quota exceeded for metric: {metric}, limit: 5, model: {model}\n\
         Please retry in 3s."
    );
    let violation = json!({"quotaMetric": metric, "quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
                           "quotaDimensions": {"location": "global", "model": model}, "quotaValue": "5"});
    let details = json!([
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3s"}
    ]);
    google(429, &message, "RESOURCE_EXHAUSTED", &details)
}

fn groq(status: u16, message: &str, kind: &str, code: &str) -> Refused {
    refused(status, json!({"error": {"message": message, "type": kind, "code": code}}))
}

/// Google's envelope: an array of one.
fn google(status: u16, message: &str, name: &str, details: &Value) -> Refused {
    let mut error = json!({"code": status, "message": message, "status": name});
    if let (Some(error), Some([_, ..])) = (error.as_object_mut(), details.as_array().map(Vec::as_slice)) {
        error.insert("details".to_owned(), details.clone());
    }
    refused(status, json!([{"error": error}]))
}

fn refused(status: u16, body: Value) -> Refused {
    Refused { status, headers: Headers::new(), body }
}

#[cfg(test)]
mod tests;
