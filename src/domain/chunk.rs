//! What one event of a completion stream says.
//!
//! This runs once per token of every stream, hence the borrowed reading: nothing is copied, and only members that
//! decide something are looked at.

pub(super) mod wire;

use memchr::memmem;

use super::dialect::Dialect;
use super::outcome::Verdict;
use super::time::Wall;
use super::usage::{self, Usage};
use super::{classify, envelope};
use wire::{Wire, filled};

/// The reading of one `data` payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// It holds something for the client: text, reasoning, a refusal, a tool call or audio.
    pub content: bool,
    /// Bytes of what it holds for the client.
    pub text: u64,
    /// Why the model stopped, if it did here.
    pub finish: Option<Finish>,
    /// One bit for each choice that goes on.
    pub begun: u64,
    /// One bit for each choice that has stopped.
    pub ended: u64,
    /// Token counts. Some providers send them cumulatively with every chunk: the last ones count, never the sum.
    pub usage: Option<Usage>,
    /// The usage stands where clients look for it.
    pub usage_shown: bool,
    /// The extra chunk that `stream_options.include_usage` asks for: no choice, only usage.
    pub usage_only: bool,
    /// The provider reports a failure inside the stream.
    pub failed: bool,
    /// The payload is a JSON object.
    pub readable: bool,
}

/// Why a model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// It was done.
    Stop,
    /// The output budget was used up.
    Length,
    /// It wants tools to be called.
    ToolCalls,
    /// Moderation cut it.
    ContentFilter,
    /// It failed: `error` (OpenRouter), `ERROR` and `TIMEOUT` (Cohere), `network_error` (Z.ai).
    Error,
    /// A reason this proxy does not know.
    Other,
}

impl Finish {
    /// Reads the raw JSON of a `finish_reason`. Null and the empty string, which some servers send with every chunk,
    /// are no reason.
    fn of(json: &str) -> Option<Self> {
        let name = json.strip_prefix('"')?.strip_suffix('"')?;
        Some(match name {
            "" => return None,
            "stop" | "STOP" | "COMPLETE" | "end_turn" | "stop_sequence" | "eos" => Self::Stop,
            "length" | "LENGTH" | "MAX_TOKENS" | "max_tokens" => Self::Length,
            "tool_calls" | "function_call" | "TOOL_CALL" | "tool_use" => Self::ToolCalls,
            // `sensitive` is Z.ai's word for it.
            "content_filter" | "sensitive" => Self::ContentFilter,
            "error" | "ERROR" | "TIMEOUT" | "network_error" => Self::Error,
            _ => Self::Other,
        })
    }
}

/// Reads the data of one event.
#[must_use]
pub fn read(data: &[u8]) -> Chunk {
    if let Ok(wire) = Wire::parse(data) {
        return Chunk::of(&wire);
    }
    // An object in an array, a repeated key: legal JSON of an unusual shape.
    let Some(plain) = envelope::plain_object(data) else { return Chunk::default() };
    Wire::parse(&plain).map(|wire| Chunk::of(&wire)).unwrap_or_default()
}

/// True for unreadable data that is no part of an answer, such as `ping`: clients would choke on it, and lose nothing
/// without it.
#[must_use]
pub fn is_noise(data: &[u8]) -> bool {
    let members = ["choices", "delta", "content", "id", "object", "created", "model"];
    members.iter().all(|member| memmem::find(data, format!("\"{member}\"").as_bytes()).is_none())
}

/// Bytes of the texts in a whole answer.
#[must_use]
pub fn text_of(body: &[u8]) -> u64 {
    Wire::parse(body).map_or(0, |wire| wire.choices.0.text)
}

/// True for the payload that ends a stream.
#[must_use]
pub fn is_done(data: &[u8]) -> bool {
    data.trim_ascii() == b"[DONE]"
}

/// Classifies the failure that a chunk with `failed`, or an `event: error`, reports before any content was sent: like
/// an answer whose status is the `error.code`.
#[must_use]
pub fn classify_in_band(dialect: Dialect, data: &[u8], now: Wall) -> Verdict {
    classify::in_band(dialect, data, now)
}

impl Chunk {
    fn of(wire: &Wire<'_>) -> Self {
        let choices = &wire.choices.0;
        // Groq reports usage in its extension unless asked for the standard one; Mistral beside the last choice.
        let failed = wire.failed();
        let reported = [wire.usage, wire.x_groq.0.usage, choices.usage];
        Self {
            content: choices.delta,
            text: choices.text,
            finish: choices.finish,
            begun: choices.begun,
            ended: choices.ended,
            usage: reported.into_iter().flatten().find_map(|usage| usage::parse(usage.get().as_bytes())),
            usage_shown: filled(wire.usage),
            usage_only: choices.count == 0 && filled(wire.usage) && !failed,
            failed,
            readable: true,
        }
    }
}

#[cfg(test)]
mod tests;
