//! What providers say about their quota, and when. The forms are those of `PROVIDERS.md`, with numbers of the truth.

use std::fmt::Write as _;
use std::time::Duration;

use chain429::domain::time::Wall;

use super::truth::{Kind, Truth, Unit, Which};

/// How much a provider says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `limit`, `remaining` and the end of the window in seconds, on every answer.
    Window,
    /// The same with Go durations until the bucket is full again, which is a rate and no wait (OpenAI; Groq's tokens).
    Full,
    /// Mistral: `limit` and `remaining` of the minute on every answer, no end, no `Retry-After`.
    Remaining,
    /// Cerebras: the same with other names, but a refusal has nothing except `Retry-After`.
    Rungs,
    /// `Retry-After` in whole seconds when it refuses, nothing before.
    RetryAfter,
    /// A 429, and that is all (NVIDIA).
    Silent,
    /// Groq's requests per minute: no header; a refusal states the limit in its text.
    Stated,
    /// Google: no header; a refusal has details that state limit and delay.
    Details,
    /// OpenRouter: no header on a 200; a refusal has all three with the end as an epoch in milliseconds.
    Epoch,
}

/// An answer that refuses, but for status line and length.
pub struct Refusal {
    pub headers: String,
    pub body: String,
}

impl Style {
    /// What a good answer says at `now`; the truth takes note of what the other side knows from then on.
    pub fn headers(self, truth: &mut Truth, now: Wall) -> String {
        let mut text = String::new();
        for at in 0..truth.rules().len() {
            let (rule, state) = (truth.rules()[at], truth.state(at, now));
            let unit = match rule.unit {
                Unit::Requests => "requests",
                Unit::Tokens => "tokens",
            };
            let (limit, remaining) = (state.limit, state.remaining);
            let mut triple = |unit: &str, window: &str, reset: Option<String>| {
                let _ = write!(
                    text,
                    "x-ratelimit-limit-{unit}{window}: {limit}\r\nx-ratelimit-remaining-{unit}{window}: {remaining}\r\n"
                );
                if let Some(reset) = reset {
                    let _ = write!(text, "x-ratelimit-reset-{unit}{window}: {reset}\r\n");
                }
            };
            match self {
                Self::Window => triple(unit, "", Some(decimal(state.full))),
                Self::Full => triple(unit, "", Some(go(state.full))),
                Self::Remaining if rule.unit == Unit::Requests => triple("req", "-minute", None),
                Self::Remaining => triple("tokens", "-minute", None),
                Self::Rungs => triple(unit, name_of(rule.window), None),
                Self::RetryAfter | Self::Silent | Self::Stated | Self::Details | Self::Epoch => continue,
            }
            truth.announce(at, now);
        }
        text
    }

    /// What a refusal says at `now`.
    pub fn refusal(self, truth: &mut Truth, which: Which, wait: Option<Duration>, now: Wall) -> Refusal {
        let rule = match which {
            Which::Rule(at) => Some((at, truth.rules()[at])),
            Which::Slots => None,
        };
        let seconds = wait.map(|wait| wait.as_millis().div_ceil(1_000).max(1));
        let mut headers = match self {
            Self::Rungs => String::new(),
            _ => self.headers(truth, now),
        };
        let body = match (self, rule) {
            (Self::Silent, _) => r#"{"status":429,"title":"Too Many Requests"}"#.to_owned(),
            (Self::Remaining, _) => {
                r#"{"object":"error","message":"Rate limit exceeded","type":"rate_limited","param":null,"code":"1300"}"#.to_owned()
            }
            (Self::Rungs, _) => {
                r#"{"message":"Requests per minute limit exceeded - too many requests sent.","type":"too_many_requests_error","param":"quota","code":"request_quota_exceeded"}"#.to_owned()
            }
            (Self::Stated, Some((at, rule))) => {
                truth.announce(at, now);
                let wait = go(wait.unwrap_or_default());
                let (per, short, kind) = match rule.unit {
                    Unit::Requests => ("requests per minute", "RPM", "requests"),
                    Unit::Tokens => ("tokens per minute", "TPM", "tokens"),
                };
                let limit = rule.limit;
                format!(
                    r#"{{"error":{{"message":"Rate limit reached for model `m` in organization `org_example` service tier `on_demand` on {per} ({short}): Limit {limit}, Used {limit}, Requested 1. Please try again in {wait}.","type":"{kind}","code":"rate_limit_exceeded"}}}}"#
                )
            }
            (Self::Details, Some((_, rule))) => details(rule.limit, wait.unwrap_or_default()),
            (Self::Epoch, Some((at, rule))) => {
                let state = truth.state(at, now);
                let (limit, end) = (rule.limit, now.after(state.full).0);
                let _ = write!(headers, "x-ratelimit-limit: {limit}\r\nx-ratelimit-remaining: 0\r\nx-ratelimit-reset: {end}\r\n");
                truth.announce(at, now);
                truth.tell(state.full, now);
                format!(
                    r#"{{"error":{{"message":"Rate limit exceeded: free-models-per-min.","code":429,"metadata":{{"headers":{{"X-RateLimit-Limit":"{limit}","X-RateLimit-Remaining":"0","X-RateLimit-Reset":"{end}"}}}}}}}}"#
                )
            }
            _ => r#"{"error":{"message":"Too many requests","type":"rate_limit_error","code":"rate_limit_exceeded"}}"#.to_owned(),
        };
        let says_wait = matches!(self, Self::Window | Self::Full | Self::Rungs | Self::RetryAfter | Self::Stated);
        if let (true, Some(seconds)) = (says_wait, seconds) {
            let _ = write!(headers, "retry-after: {seconds}\r\n");
            truth.tell(Duration::from_secs(u64::try_from(seconds).unwrap()), now);
        }
        Refusal { headers, body }
    }
}

fn details(limit: u64, wait: Duration) -> String {
    let delay = decimal(wait);
    format!(
        r#"[{{"error":{{"code":429,"message":"You exceeded your current quota.\n* Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: {limit}, model: m\nPlease retry in {delay}s.","status":"RESOURCE_EXHAUSTED","details":[{{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{{"quotaMetric":"generativelanguage.googleapis.com/generate_content_free_tier_requests","quotaId":"GenerateRequestsPerMinutePerProjectPerModel-FreeTier","quotaValue":"{limit}"}}]}},{{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"{delay}s"}}]}}}}]"#
    )
}

fn name_of(window: Duration) -> &'static str {
    match window.as_secs() {
        0..=60 => "-minute",
        61..=3_600 => "-hour",
        _ => "-day",
    }
}

/// Seconds with three places.
fn decimal(span: Duration) -> String {
    format!("{}.{:03}", span.as_secs(), span.subsec_millis())
}

/// Go's notation, as Groq and OpenAI print it.
fn go(span: Duration) -> String {
    let millis = span.as_millis();
    match millis {
        0 => "0s".to_owned(),
        1..1_000 => format!("{millis}ms"),
        _ => {
            let text = format!("{}.{:03}", millis / 1_000 % 60, millis % 1_000);
            let seconds = text.trim_end_matches('0').trim_end_matches('.');
            match (millis / 3_600_000, millis / 60_000 % 60) {
                (0, 0) => format!("{seconds}s"),
                (0, minutes) => format!("{minutes}m{seconds}s"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    }
}

/// Whether a rule of this kind has a `reset` in this style that means what the style says.
#[must_use]
pub fn fits(style: Style, kind: Kind) -> bool {
    match style {
        Style::Window | Style::Remaining | Style::Epoch => kind == Kind::Fixed,
        Style::Full => kind == Kind::Refilling,
        _ => true,
    }
}
