//! The JSON spelling: ids in hexadecimal, numbers of 64 bits as text, enums as numbers.

use serde_json::json;

use super::{SCOPE, nanos};
use crate::telemetry::span::{Span, Value};

/// The status of a span that failed.
const ERROR: u8 = 2;

pub(super) fn encode(resource: &[(String, String)], spans: &[Span]) -> Vec<u8> {
    let text = |(key, value): &(String, String)| json!({ "key": key, "value": { "stringValue": value } });
    let request = json!({ "resourceSpans": [{
        "resource": { "attributes": resource.iter().map(text).collect::<Vec<_>>() },
        "scopeSpans": [{
            "scope": { "name": SCOPE.0, "version": SCOPE.1 },
            "spans": spans.iter().map(span).collect::<Vec<_>>(),
        }],
    }] });
    request.to_string().into_bytes()
}

fn span(span: &Span) -> serde_json::Value {
    let attribute = |(key, value): &(&'static str, Value)| json!({ "key": key, "value": any(value) });
    let mut json = json!({
        "traceId": span.trace.to_string(),
        "spanId": span.id.to_string(),
        "traceState": span.state.as_deref().unwrap_or_default(),
        "parentSpanId": span.parent.map(|parent| parent.to_string()).unwrap_or_default(),
        "name": span.name,
        "kind": span.kind as u8,
        "startTimeUnixNano": nanos(span.began).to_string(),
        "endTimeUnixNano": nanos(span.ended).to_string(),
        "attributes": span.attributes.iter().map(attribute).collect::<Vec<_>>(),
        "flags": span.wire_flags(),
    });
    if let (Some(error), Some(members)) = (&span.error, json.as_object_mut()) {
        members.insert("status".to_owned(), json!({ "message": error, "code": ERROR }));
    }
    json
}

fn any(value: &Value) -> serde_json::Value {
    match value {
        Value::Text(text) => json!({ "stringValue": text }),
        Value::Flag(flag) => json!({ "boolValue": flag }),
        Value::Count(count) => json!({ "intValue": count.to_string() }),
        Value::Real(number) => json!({ "doubleValue": number }),
    }
}
