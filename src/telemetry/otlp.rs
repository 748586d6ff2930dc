//! Spans as OTLP has them, `ExportTraceServiceRequest` with one resource and one scope, in both spellings.
//!
//! Written by hand: it is one message that never changes, and the official crates would bring twenty others along. The
//! tests read what comes out with the official ones.

mod json;
mod protobuf;

use super::span::Span;
use crate::config::traces::Encoding;

/// What instrumented us.
const SCOPE: (&str, &str) = ("429chain", env!("CARGO_PKG_VERSION"));

/// A request to the collector, ready to be sent.
#[must_use]
pub fn encode(encoding: Encoding, resource: &[(String, String)], spans: &[Span]) -> Vec<u8> {
    match encoding {
        Encoding::Protobuf => protobuf::encode(resource, spans),
        Encoding::Json => json::encode(resource, spans),
    }
}

/// The media type of such a request.
#[must_use]
pub fn content_type(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Protobuf => "application/x-protobuf",
        Encoding::Json => "application/json",
    }
}

/// The clock has milliseconds.
fn nanos(wall: crate::domain::time::Wall) -> u64 {
    wall.0.saturating_mul(1_000_000)
}

#[cfg(test)]
mod tests;
