use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span as Official, Status};
use prost::Message;

use super::*;
use crate::domain::time::Wall;
use crate::domain::trace::{SpanId, TraceId};
use crate::telemetry::span::Kind;

fn pair(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn text(key: &str, value: &str) -> KeyValue {
    pair(key, any_value::Value::StringValue(value.to_owned()))
}

fn spans() -> [Span; 2] {
    let root = Span {
        trace: TraceId([0xab; 16]),
        id: SpanId([1; 8]),
        parent: None,
        parent_is_remote: true,
        flags: 3,
        state: None,
        name: "chat default".to_owned(),
        kind: Kind::Server,
        began: Wall(1_795_521_600_000),
        ended: Wall(1_795_521_600_250),
        attributes: vec![],
        error: None,
    };
    let mut child = Span {
        id: SpanId([2; 8]),
        parent: Some(SpanId([1; 8])),
        parent_is_remote: false,
        flags: 1,
        state: Some("a=1".to_owned()),
        name: format!("chat {}", "\u{e9}".repeat(300)),
        kind: Kind::Client,
        error: Some("rate limited".to_owned()),
        ..root.clone()
    };
    child.tell("text", Some("static"));
    child.tell("more", Some("owned".to_owned()));
    child.tell("count", Some(300_u64));
    child.tell("huge", Some(u64::MAX));
    child.tell("real", Some(0.25));
    child.tell("yes", Some(true));
    child.tell("no", Some(false));
    child.tell("nothing", None::<bool>);
    [root, child]
}

/// The same, as the official crate has it.
fn official() -> ExportTraceServiceRequest {
    let root = Official {
        trace_id: vec![0xab; 16],
        span_id: vec![1; 8],
        flags: 0x303,
        name: "chat default".to_owned(),
        kind: 2,
        start_time_unix_nano: 1_795_521_600_000_000_000,
        end_time_unix_nano: 1_795_521_600_250_000_000,
        ..Official::default()
    };
    let child = Official {
        span_id: vec![2; 8],
        parent_span_id: vec![1; 8],
        flags: 0x101,
        trace_state: "a=1".to_owned(),
        name: format!("chat {}", "\u{e9}".repeat(300)),
        kind: 3,
        attributes: vec![
            text("text", "static"),
            text("more", "owned"),
            pair("count", any_value::Value::IntValue(300)),
            pair("huge", any_value::Value::IntValue(i64::MAX)),
            pair("real", any_value::Value::DoubleValue(0.25)),
            pair("yes", any_value::Value::BoolValue(true)),
            pair("no", any_value::Value::BoolValue(false)),
        ],
        status: Some(Status { message: "rate limited".to_owned(), code: 2 }),
        ..root.clone()
    };
    let scope = InstrumentationScope {
        name: "429chain".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    let scope_spans = ScopeSpans { scope: Some(scope), spans: vec![root, child], ..ScopeSpans::default() };
    let attributes = vec![text("service.name", "429chain"), text("empty", "")];
    let resource = Resource { attributes, ..Resource::default() };
    let resource_spans =
        ResourceSpans { resource: Some(resource), scope_spans: vec![scope_spans], ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![resource_spans] }
}

fn resource() -> [(String, String); 2] {
    [("service.name", "429chain"), ("empty", "")].map(|(key, value)| (key.to_owned(), value.to_owned()))
}

#[test]
fn official_code_reads_the_binary_spelling() {
    let bytes = encode(Encoding::Protobuf, &resource(), &spans());
    assert_eq!(ExportTraceServiceRequest::decode(bytes.as_slice()).unwrap(), official());
}

#[test]
fn official_code_reads_the_json_spelling() {
    let bytes = encode(Encoding::Json, &resource(), &spans());
    assert_eq!(serde_json::from_slice::<ExportTraceServiceRequest>(&bytes).unwrap(), official());
}
