//! A collector of traces on a real socket, and the spans that it was given, read by official code.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::{Value, json};

use super::provider::{Answer, Provider, Request};

/// The fake: a provider that is asked for other things.
pub struct Collector(pub Provider);

/// A span as a test looks at it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub trace: String,
    pub id: String,
    /// Empty for the first of a trace.
    pub parent: String,
    pub state: String,
    pub flags: u32,
    pub name: String,
    /// 2: server, 3: client.
    pub kind: i32,
    /// Milliseconds since the Unix epoch.
    pub began: u64,
    pub ended: u64,
    pub attributes: BTreeMap<String, Value>,
    /// The message of a failed span.
    pub error: Option<String>,
}

impl Collector {
    /// One that takes everything.
    pub async fn start() -> Self {
        Self(Provider::with(|_, _| Answer::json(200, &[], "{}")).await)
    }

    /// The value of `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub fn endpoint(&self) -> String {
        self.0.base_url().trim_end_matches("/v1").to_owned()
    }

    /// All spans so far, in the order in which they were sent.
    pub fn spans(&self) -> Vec<Seen> {
        self.0.requests().iter().flat_map(|request| read(request).1).collect()
    }
}

/// The resource and the spans of one export.
pub fn read(request: &Request) -> (BTreeMap<String, Value>, Vec<Seen>) {
    let export = match request.header("content-type") {
        Some("application/x-protobuf") => ExportTraceServiceRequest::decode(request.body.as_slice()).unwrap(),
        Some("application/json") => serde_json::from_slice(&request.body).unwrap(),
        other => panic!("{other:?}"),
    };
    let [resource_spans] = export.resource_spans.as_slice() else { panic!("{export:?}") };
    let [scope_spans] = resource_spans.scope_spans.as_slice() else { panic!("{export:?}") };
    let resource = attributes(&resource_spans.resource.as_ref().unwrap().attributes);
    (resource, scope_spans.spans.iter().map(seen).collect())
}

fn seen(span: &Span) -> Seen {
    Seen {
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        state: span.trace_state.clone(),
        flags: span.flags,
        name: span.name.clone(),
        kind: span.kind,
        began: span.start_time_unix_nano / 1_000_000,
        ended: span.end_time_unix_nano / 1_000_000,
        attributes: attributes(&span.attributes),
        error: span.status.as_ref().filter(|status| status.code == 2).map(|status| status.message.clone()),
    }
}

fn attributes(pairs: &[KeyValue]) -> BTreeMap<String, Value> {
    let read: BTreeMap<String, Value> = pairs
        .iter()
        .map(|pair| {
            let value = match pair.value.as_ref().unwrap().value.as_ref().unwrap() {
                any_value::Value::StringValue(text) => json!(text),
                any_value::Value::BoolValue(flag) => json!(flag),
                any_value::Value::IntValue(count) => json!(count),
                any_value::Value::DoubleValue(number) => json!(number),
                other => panic!("{other:?}"),
            };
            (pair.key.clone(), value)
        })
        .collect();
    assert_eq!(read.len(), pairs.len(), "an attribute is told twice: {pairs:?}");
    read
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
