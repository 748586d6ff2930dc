//! What requests add up to: the sums that are kept when their rows are long gone.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::usage::Usage;

mod fold;
mod histogram;

pub use fold::{Call, Facts, Scope, fold};
pub use histogram::Histogram;

/// Sums over some requests, or over the calls of an entry. Members that are zero are left out where it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Requests; of an entry those that it served.
    #[serde(rename = "n", skip_serializing_if = "is_zero")]
    pub requests: u64,
    /// Upstream calls.
    #[serde(rename = "a", skip_serializing_if = "is_zero")]
    pub attempts: u64,
    /// By class: machine codes of requests, reasons of calls.
    #[serde(rename = "f", skip_serializing_if = "BTreeMap::is_empty")]
    pub failures: BTreeMap<Cow<'static, str>, u64>,
    /// Requests that were served by another than the first entry of their chain; of an entry its calls that failed.
    #[serde(rename = "w", skip_serializing_if = "is_zero")]
    pub waterfalled: u64,
    /// Tokens of prompts.
    #[serde(rename = "p", skip_serializing_if = "is_zero")]
    pub prompt_tokens: u64,
    /// Tokens of answers.
    #[serde(rename = "c", skip_serializing_if = "is_zero")]
    pub completion_tokens: u64,
    /// All tokens, as providers count them.
    #[serde(rename = "t", skip_serializing_if = "is_zero")]
    pub total_tokens: u64,
    /// Tokens of prompts that came from a cache.
    #[serde(rename = "k", skip_serializing_if = "is_zero")]
    pub cached_tokens: u64,
    /// Tokens of answers that went into reasoning.
    #[serde(rename = "r", skip_serializing_if = "is_zero")]
    pub reasoning_tokens: u64,
    /// Requests whose tokens are estimated.
    #[serde(rename = "e", skip_serializing_if = "is_zero")]
    pub estimated: u64,
    /// How long what was served took; of an entry its own part of it.
    #[serde(rename = "l", skip_serializing_if = "Histogram::is_empty")]
    pub latency: Histogram,
    /// Milliseconds that answers took whose tokens are counted.
    #[serde(rename = "b", skip_serializing_if = "is_zero")]
    pub busy_ms: u64,
    /// Until the first content of streams.
    #[serde(rename = "s", skip_serializing_if = "Histogram::is_empty")]
    pub first_token: Histogram,
    /// Arrival of the last request, in milliseconds since the Unix epoch.
    #[serde(rename = "z", skip_serializing_if = "is_zero")]
    pub last: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Totals {
    /// Adds the sums of other requests.
    pub fn add(&mut self, other: &Self) {
        let counts = [
            (&mut self.requests, other.requests),
            (&mut self.attempts, other.attempts),
            (&mut self.waterfalled, other.waterfalled),
            (&mut self.prompt_tokens, other.prompt_tokens),
            (&mut self.completion_tokens, other.completion_tokens),
            (&mut self.total_tokens, other.total_tokens),
            (&mut self.cached_tokens, other.cached_tokens),
            (&mut self.reasoning_tokens, other.reasoning_tokens),
            (&mut self.estimated, other.estimated),
            (&mut self.busy_ms, other.busy_ms),
        ];
        for (sum, more) in counts {
            *sum = sum.saturating_add(more);
        }
        for (class, more) in &other.failures {
            let sum = self.failures.entry(class.clone()).or_default();
            *sum = sum.saturating_add(*more);
        }
        self.latency.add(&other.latency);
        self.first_token.add(&other.first_token);
        self.last = self.last.max(other.last);
    }

    /// Everything that failed, whatever the class.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failures.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The part of calls that failed, 0 to 1; `None` without any.
    #[must_use]
    pub fn error_rate(&self) -> Option<f64> {
        (self.attempts > 0).then(|| self.failed() as f64 / self.attempts as f64)
    }

    /// How fast answers were written; `None` where nobody knows.
    #[must_use]
    pub fn tokens_per_second(&self) -> Option<f64> {
        let rate = self.completion_tokens as f64 * 1_000.0 / self.busy_ms as f64;
        (self.busy_ms > 0 && self.completion_tokens > 0).then_some(rate)
    }

    fn spend(&mut self, usage: &Usage) {
        self.prompt_tokens += usage.prompt_tokens;
        self.completion_tokens += usage.completion_tokens;
        self.total_tokens += usage.total_tokens;
        self.cached_tokens += usage.cached_tokens.unwrap_or_default();
        self.reasoning_tokens += usage.reasoning_tokens.unwrap_or_default();
        self.estimated += u64::from(usage.estimated);
    }

    fn fail(&mut self, class: Cow<'static, str>) {
        *self.failures.entry(class).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_add_up_and_survive_being_kept() {
        let mut one = Totals { requests: 2, total_tokens: 30, last: 7, ..Totals::default() };
        one.fail("client_closed".into());
        one.latency.note(100);
        assert_eq!((one.error_rate(), one.tokens_per_second()), (None, None));
        let paced = Totals { attempts: 4, completion_tokens: 50, busy_ms: 2_000, ..one.clone() };
        assert_eq!((paced.error_rate(), paced.tokens_per_second()), (Some(0.25), Some(25.0)));
        let mut two = Totals { requests: u64::MAX, last: 5, ..Totals::default() };
        two.fail("client_closed".into());
        two.fail("queue_full".into());
        two.latency.note(100);
        one.add(&two);
        assert_eq!((one.requests, one.total_tokens, one.last, one.failed()), (u64::MAX, 30, 7, 3));
        assert_eq!(one.latency.count(), 2);
        let kept = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<Totals>(&kept).unwrap(), one);
        assert_eq!(serde_json::to_string(&Totals::default()).unwrap(), "{}");
    }
}
