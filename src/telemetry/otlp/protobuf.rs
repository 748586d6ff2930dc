//! The binary spelling. Field numbers: opentelemetry-proto 1.x, `trace/v1/trace.proto` and its kin.

use super::{SCOPE, nanos};
use crate::telemetry::span::{Span, Value};

/// The status of a span that failed.
const ERROR: u64 = 2;

/// A message under construction.
#[derive(Default)]
struct Message(Vec<u8>);

pub(super) fn encode(resource: &[(String, String)], spans: &[Span]) -> Vec<u8> {
    let mut request = Message(Vec::with_capacity(spans.len() * 700));
    request.message(1, |resource_spans| {
        resource_spans.message(1, |message| {
            for (key, value) in resource {
                message.attribute(1, key, |any| any.bytes(1, value.as_bytes()));
            }
        });
        resource_spans.message(2, |scope_spans| {
            scope_spans.message(1, |scope| {
                scope.bytes(1, SCOPE.0.as_bytes());
                scope.bytes(2, SCOPE.1.as_bytes());
            });
            for span in spans {
                scope_spans.message(2, |message| message.span(span));
            }
        });
    });
    request.0
}

impl Message {
    fn span(&mut self, span: &Span) {
        self.bytes(1, &span.trace.0);
        self.bytes(2, &span.id.0);
        if let Some(state) = &span.state {
            self.bytes(3, state.as_bytes());
        }
        if let Some(parent) = span.parent {
            self.bytes(4, &parent.0);
        }
        self.bytes(5, span.name.as_bytes());
        self.count(6, span.kind as u64);
        self.fixed64(7, nanos(span.began));
        self.fixed64(8, nanos(span.ended));
        for (key, value) in &span.attributes {
            self.attribute(9, key, |any| match value {
                Value::Text(text) => any.bytes(1, text.as_bytes()),
                Value::Flag(flag) => any.count(2, u64::from(*flag)),
                Value::Count(count) => any.count(3, count.cast_unsigned()),
                Value::Real(number) => any.fixed64(4, number.to_bits()),
            });
        }
        if let Some(error) = &span.error {
            self.message(15, |status| {
                status.bytes(2, error.as_bytes());
                status.count(3, ERROR);
            });
        }
        self.tag(16, 5);
        self.0.extend_from_slice(&span.wire_flags().to_le_bytes());
    }

    fn attribute(&mut self, field: u64, key: &str, value: impl FnOnce(&mut Self)) {
        self.message(field, |pair| {
            pair.bytes(1, key.as_bytes());
            pair.message(2, value);
        });
    }

    fn message(&mut self, field: u64, fill: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        fill(&mut inner);
        self.bytes(field, &inner.0);
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.tag(field, 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn count(&mut self, field: u64, count: u64) {
        self.tag(field, 0);
        self.varint(count);
    }

    fn fixed64(&mut self, field: u64, bits: u64) {
        self.tag(field, 1);
        self.0.extend_from_slice(&bits.to_le_bytes());
    }

    fn tag(&mut self, field: u64, wire: u64) {
        self.varint(field << 3 | wire);
    }

    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }
}
