//! What is counted of requests that have ended, for Prometheus.
//!
//! All of it is fed from a row when it is complete, on the thread of the worker, so it has to be cheap: a look into a map
//! and an addition for each figure. Labels are names of the configuration and words of a closed set; what a client sends
//! never becomes one.

use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::{
    EncodeLabel, EncodeLabelSet, EncodeLabelValue, LabelSetEncoder, LabelValueEncoder, prometheus_text,
};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use serde::Serialize;

use super::backlog::Backlog;
use super::ending::Ending;
use super::row::Row;
use crate::domain::ids::{EntryId, ModelId, ProviderId};
use crate::domain::outcome::Reason;
use crate::domain::trail::Seen;

/// Upper ends of what durations are sorted into, in seconds: from a cached answer to a long stream.
const SECONDS: [f64; 16] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0];

type Durations<L> = Family<L, Histogram, fn() -> Histogram>;

/// Everything that is counted. Shared by all workers.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    attempts: Family<AttemptLabels, Counter>,
    tokens: Family<TokenLabels, Counter>,
    took: Durations<DurationLabels>,
    first_token: Durations<ChainLabel>,
    waited: Durations<ChainLabel>,
    attempt_took: Durations<Who>,
    backlog: Arc<Backlog>,
}

/// An entry, or a part of its name where it concerns more than one; empty for nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Who {
    /// The account.
    pub provider: Option<ProviderId>,
    /// The model asked for there.
    pub model: Option<ModelId>,
}

/// Label of a route.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ChainLabel {
    /// A chain, or `provider/model`.
    pub chain: String,
}

/// A word of a closed set, by the name that it has in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Word<T>(pub T);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    chain: String,
    #[prometheus(flatten)]
    who: Who,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DurationLabels {
    chain: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    #[prometheus(flatten)]
    who: Who,
    reason: Attempted,
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Attempted {
    Served,
    Failed(Reason),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TokenLabels {
    #[prometheus(flatten)]
    who: Who,
    kind: &'static str,
}

impl Metrics {
    /// Nothing has been counted. What is said of the recorder is read from `backlog`.
    #[must_use]
    pub fn new(backlog: Arc<Backlog>) -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("chain429"),
            requests: Family::default(),
            attempts: Family::default(),
            tokens: Family::default(),
            took: Family::new_with_constructor(durations),
            first_token: Family::new_with_constructor(durations),
            waited: Family::new_with_constructor(durations),
            attempt_took: Family::new_with_constructor(durations),
            backlog,
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "requests",
            "Requests that have ended, by chain, by the entry that served them and by how they ended",
            self.requests.clone(),
        );
        registry.register(
            "attempts",
            "Calls of providers that have ended; the reason is ok for those that served their request",
            self.attempts.clone(),
        );
        registry.register(
            "tokens",
            "Tokens of the answers that were passed on, estimated where the provider does not count",
            self.tokens.clone(),
        );
        registry.register(
            "request_duration_seconds",
            "From the arrival of a request to the end of its answer",
            self.took.clone(),
        );
        registry.register(
            "first_token_seconds",
            "From the arrival of a request to the first content of its stream",
            self.first_token.clone(),
        );
        registry.register(
            "wait_duration_seconds",
            "How long requests have waited for quota, of those that had to",
            self.waited.clone(),
        );
        registry.register(
            "attempt_duration_seconds",
            "From a call of a provider to its whole answer, to the first content of its stream, or to its failure",
            self.attempt_took.clone(),
        );
    }

    /// Counts a request that has ended.
    pub fn count(&self, row: &Row) {
        let outcome = Ending::of(row.code).name();
        let who = row.served_by.as_ref().map(Who::from).unwrap_or_default();
        for step in &row.trail.0 {
            let reason = match &step.seen {
                Seen::Failed(failure) => Attempted::Failed(failure.reason),
                Seen::Served => Attempted::Served,
                Seen::Skipped(_) | Seen::SameProvider | Seen::Able => continue,
            };
            let labels = AttemptLabels { who: Who::from(&step.entry), reason };
            self.attempts.get_or_create(&labels).inc();
            observe(&self.attempt_took, &labels.who, step.took);
        }
        if let Some(usage) = &row.usage {
            let mut labels = TokenLabels { who: who.clone(), kind: "prompt" };
            self.tokens.get_or_create(&labels).inc_by(usage.prompt_tokens);
            labels.kind = "completion";
            self.tokens.get_or_create(&labels).inc_by(usage.completion_tokens);
        }
        let labels = RequestLabels { chain: row.chain.clone(), who, outcome };
        self.requests.get_or_create(&labels).inc();
        let labels = DurationLabels { chain: labels.chain, outcome };
        observe(&self.took, &labels, row.took);
        if row.first_token.is_some() || !row.waited.is_zero() {
            let labels = ChainLabel { chain: labels.chain };
            row.first_token.into_iter().for_each(|span| observe(&self.first_token, &labels, span));
            Some(row.waited).filter(|span| !span.is_zero()).into_iter().for_each(|span| {
                observe(&self.waited, &labels, span);
            });
        }
    }

    /// How far the recorder is behind.
    #[must_use]
    pub fn backlog(&self) -> &Backlog {
        &self.backlog
    }

    /// Writes everything in the text format of Prometheus.
    ///
    /// # Errors
    /// Those of `text`.
    pub fn write_to(&self, text: &mut String) -> fmt::Result {
        prometheus_text::encode(text, &self.registry)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(Arc::default())
    }
}

fn durations() -> Histogram {
    Histogram::new(SECONDS)
}

fn observe<L: Clone + Eq + std::hash::Hash>(family: &Durations<L>, labels: &L, span: Duration) {
    family.get_or_create(labels).observe(span.as_secs_f64());
}

impl From<&EntryId> for Who {
    fn from(entry: &EntryId) -> Self {
        Self { provider: Some(entry.provider.clone()), model: Some(entry.model.clone()) }
    }
}

impl EncodeLabelSet for Who {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        let provider = self.provider.as_ref().map_or("", ProviderId::as_str);
        ("provider", provider).encode(encoder.encode_label())?;
        ("model", self.model.as_ref().map_or("", ModelId::as_str)).encode(encoder.encode_label())
    }
}

impl EncodeLabelValue for Attempted {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        match self {
            Self::Served => encoder.write_str("ok"),
            Self::Failed(reason) => Word(*reason).encode(encoder),
        }
    }
}

impl<T: Serialize> EncodeLabelValue for Word<T> {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        write!(encoder, "{self}")
    }
}

impl<T: Serialize> fmt::Display for Word<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.serialize(f)
    }
}

#[cfg(test)]
mod tests;
