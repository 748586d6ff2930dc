//! The trace of a request: what its calls are told of it, and the spans that its row and its trail come to.
//!
//! Spans are made when all is over, so that nothing is built for a request while it is served but the header that its
//! calls carry. Names of attributes: OpenTelemetry's conventions for generative AI and for HTTP; ours begin with
//! `chain429.`. Nothing of a prompt, an answer or a key is among them.
//!
//! Tokens are told by the span of the request alone: whoever adds up spans would count them twice.

use std::sync::Arc;

use actix_http::Uri;

use super::journal::CLIENT_CLOSED;
use super::route::Entry;
use super::row::{MAX_MODEL, Row, millis};
use crate::domain::dialect::Dialect;
use crate::domain::endpoint::Endpoint;
use crate::domain::outcome::Reason;
use crate::domain::time::{Mono, Wall};
use crate::domain::trace::{SpanId, Trace};
use crate::domain::trail::{Failure, Seen, Step};
use crate::telemetry::span::{Kind, Span};

/// What is remembered for the spans of one request.
#[derive(Debug)]
pub struct Traced {
    trace: Trace,
    endpoint: Endpoint,
    calls: Vec<Call>,
    /// Why the stream broke off that the client saw the beginning of.
    pub(super) broken: Option<Reason>,
}

/// The headers that a call carries.
#[derive(Debug, PartialEq, Eq)]
pub struct Context {
    /// `traceparent`
    pub parent: String,
    /// `tracestate`
    pub state: Option<String>,
}

#[derive(Debug)]
struct Call {
    span: SpanId,
    entry: Arc<Entry>,
    began: Mono,
}

impl Traced {
    /// A request that belongs to this trace.
    #[must_use]
    pub fn new(trace: Trace, endpoint: Endpoint) -> Self {
        Self { trace, endpoint, calls: Vec::new(), broken: None }
    }

    /// A call begins, as this span.
    pub fn call(&mut self, span: SpanId, entry: &Arc<Entry>, began: Mono) -> Context {
        let context = Context { parent: self.trace.traceparent(span), state: self.trace.state.clone() };
        if self.trace.sampled {
            self.calls.push(Call { span, entry: Arc::clone(entry), began });
        }
        context
    }

    /// The span of the request and those of its calls; none when the trace is not recorded.
    #[must_use]
    pub fn spans(self, row: &Row) -> Vec<Span> {
        if !self.trace.sampled {
            return Vec::new();
        }
        let mut spans = Vec::with_capacity(1 + self.calls.len());
        spans.push(self.of_request(row));
        // Every call that has ended has left a step, in the same order.
        let mut steps = row.trail.0.iter().filter(|step| matches!(step.seen, Seen::Failed(_) | Seen::Served));
        for (at, call) in self.calls.iter().enumerate() {
            spans.push(self.of_call(call, at + 1, steps.next(), row));
        }
        spans
    }

    fn of_request(&self, row: &Row) -> Span {
        let model = row.model.get(..row.model.floor_char_boundary(MAX_MODEL)).unwrap_or_default();
        let mut span = self.span(self.trace.span, Kind::Server, model, row.arrived.wall, ended(row));
        span.parent = self.trace.parent;
        span.parent_is_remote = true;
        let served_by = row.served_by.as_ref();
        let serving = self.calls.iter().rev().find(|call| Some(&call.entry.id) == served_by);
        span.tell("gen_ai.provider.name", serving.map(|call| provider_name(&call.entry)));
        span.tell("gen_ai.response.model", served_by.map(|entry| entry.model.as_str().to_owned()));
        span.tell("gen_ai.request.stream", row.stream.then_some(true));
        span.tell("gen_ai.response.time_to_first_chunk", row.first_token.map(|first| first.as_secs_f64()));
        if let Some(usage) = &row.usage {
            span.tell("gen_ai.usage.input_tokens", Some(usage.prompt_tokens));
            span.tell("gen_ai.usage.output_tokens", Some(usage.completion_tokens));
            span.tell("gen_ai.usage.cache_read.input_tokens", usage.cached_tokens);
            span.tell("gen_ai.usage.reasoning.output_tokens", usage.reasoning_tokens);
            span.tell("chain429.usage.estimated", Some(usage.estimated));
        }
        span.tell("http.request.method", Some("POST"));
        span.tell("http.response.status_code", answered(row));
        span.tell("error.type", row.code);
        let attempts = row.trail.attempts();
        span.tell("chain429.request.id", Some(row.id.clone()));
        span.tell("chain429.chain", Some(row.chain.clone()).filter(|chain| !chain.is_empty()));
        span.tell("chain429.provider", served_by.map(|entry| entry.provider.as_str().to_owned()));
        span.tell("chain429.attempts", Some(self.calls.len() as u64));
        span.tell("chain429.skipped", Some((row.trail.0.len() - attempts) as u64));
        span.tell("chain429.waited_ms", Some(millis(row.waited)));
        // What a client does wrong is no error of the server.
        let broken = self.broken.is_some() || answered(row).is_some_and(|status| status >= 500);
        span.error = row.code.filter(|_| broken).map(str::to_owned);
        span
    }

    fn of_call(&self, call: &Call, number: usize, step: Option<&Step>, row: &Row) -> Span {
        let (entry, began) = (&call.entry, row.arrived.wall_of(call.began));
        // A stream goes on after its first content, and what nobody saw the end of lasted until the end.
        let whole = step.filter(|step| step.seen != Seen::Served || row.first_token.is_none());
        let ended = whole.map_or_else(|| ended(row), |step| began.after(step.took));
        let mut span = self.span(call.span, Kind::Client, entry.id.model.as_str(), began, ended);
        span.parent = Some(self.trace.span);
        span.tell("gen_ai.provider.name", Some(provider_name(entry)));
        span.tell("gen_ai.request.stream", row.stream.then_some(true));
        let address = entry.provider.base_url.parse::<Uri>().ok();
        span.tell("server.address", address.as_ref().and_then(Uri::host).map(str::to_owned));
        span.tell("server.port", address.as_ref().and_then(port));
        span.tell("http.request.method", Some("POST"));
        let (status, fault, error) = match step.map(|step| &step.seen) {
            Some(Seen::Failed(failure)) => {
                let status = u64::from(failure.status);
                (Some(status).filter(|status| *status != 0), Some(failure.reason.name()), Some(message(failure)))
            }
            Some(_) => match self.broken {
                Some(reason) => (answered(row), Some(reason.name()), Some(reason.words().to_owned())),
                None => (answered(row), row.code, None),
            },
            None => (None, row.code, None),
        };
        span.tell("http.response.status_code", status);
        span.tell("error.type", fault);
        span.tell("chain429.provider", Some(entry.id.provider.as_str().to_owned()));
        if let Some(Seen::Failed(Failure { key: Some(key), .. })) = step.map(|step| &step.seen) {
            span.tell("chain429.key", Some(*key as u64));
        }
        span.tell("chain429.attempt", Some(number as u64));
        span.error = error;
        span
    }

    fn span(&self, id: SpanId, kind: Kind, model: &str, began: Wall, ended: Wall) -> Span {
        let operation = self.endpoint.operation();
        let name = if model.is_empty() { operation.to_owned() } else { format!("{operation} {model}") };
        let (flags, state) = (self.trace.flags(), self.trace.state.clone());
        let (trace, attributes) = (self.trace.id, Vec::with_capacity(20));
        let (parent, parent_is_remote, error) = (None, false, None);
        let ended = ended.max(began);
        let mut span =
            Span { trace, id, parent, parent_is_remote, flags, state, name, kind, began, ended, attributes, error };
        span.tell("gen_ai.operation.name", Some(operation));
        span.tell("gen_ai.request.model", Some(model.to_owned()).filter(|model| !model.is_empty()));
        span
    }
}

/// The last moment of the request.
fn ended(row: &Row) -> Wall {
    row.arrived.wall.after(row.took)
}

/// The status that the client got, if it got one.
fn answered(row: &Row) -> Option<u64> {
    (row.status != CLIENT_CLOSED).then_some(row.status.into())
}

fn message(failure: &Failure) -> String {
    let words = failure.reason.words();
    failure.detail.as_ref().map_or_else(|| words.to_owned(), |detail| format!("{words}: {detail}"))
}

fn port(address: &Uri) -> Option<u64> {
    let usual = if address.scheme_str() == Some("http") { 80 } else { 443 };
    Some(address.port_u16().unwrap_or(usual).into())
}

/// As the conventions spell those that they know, and as the configuration does the others.
fn provider_name(entry: &Entry) -> String {
    let known = match entry.provider.dialect {
        Dialect::Groq => "groq",
        Dialect::Openai => "openai",
        Dialect::GoogleAi => "gcp.gemini",
        Dialect::Mistral => "mistral_ai",
        Dialect::Cohere => "cohere",
        _ => entry.id.provider.as_str(),
    };
    known.to_owned()
}
