//! A client's request document: what the proxy must know of it, and the bytes that go upstream.
//!
//! The document is read once, borrowed, and never rebuilt: what goes upstream are the client's own bytes with the value
//! of `model` replaced and, for a stream whose client did not ask for usage, `stream_options.include_usage` set. So
//! `1.0`, big integers, escapes, unknown and repeated keys arrive as they were written.

mod messages;
mod options;
mod size;

use std::ops::Range;

use bytes::Bytes;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use self::messages::Messages;
pub use self::options::AskUsage;
use self::options::Edit;
use super::demand::Demand;
use super::endpoint::Endpoint;

/// A longer `model` names nothing: it is a mistake, and would stand in the log and in error messages.
pub const MAX_MODEL: usize = 512;

/// What the proxy knows of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Value of `model`, unescaped.
    pub model: String,
    /// Whether the client wants a stream.
    pub stream: bool,
    /// Whether the client asked for a usage chunk.
    pub wants_usage: bool,
    /// How much quota it takes.
    pub demand: Demand,
    model_span: Range<usize>,
    usage_edit: Option<Edit>,
    /// The member `stream_options`, and one of its commas.
    options_span: Option<Range<usize>>,
    /// The client's `stream_options` hold something else than the question for usage.
    pub other_options: bool,
}

/// Why a request document is refused: what is wrong and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Malformed {
    /// For the client.
    pub message: String,
    /// The field at fault, where it is one field.
    pub param: Option<&'static str>,
}

/// The fields that are looked at. All others are only checked to be JSON.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    messages: Option<Messages>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    stream: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "even_null")]
    stream_options: Option<&'a RawValue>,
    #[serde(borrow)]
    max_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    max_completion_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    n: Option<&'a RawValue>,
    #[serde(borrow)]
    temperature: Option<&'a RawValue>,
    #[serde(borrow)]
    top_p: Option<&'a RawValue>,
    #[serde(borrow)]
    frequency_penalty: Option<&'a RawValue>,
    #[serde(borrow)]
    presence_penalty: Option<&'a RawValue>,
    #[serde(borrow)]
    stop: Option<&'a RawValue>,
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
    #[serde(borrow)]
    response_format: Option<&'a RawValue>,
}

/// The names of [`Fields`]. One that stands twice is refused: parsers differ in which of the two counts, so that the
/// proxy might take a request for another one than the provider.
const ONCE: [&str; 15] = [
    "model",
    "messages",
    "input",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "n",
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "stop",
    "tools",
    "response_format",
];

/// An explicit `null` counts as present: its bytes have to be replaced.
fn even_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// JSON types, told apart by the first byte of a value that is known to be valid.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Flag,
    List,
    Object,
    Null,
}

impl Kind {
    fn of(raw: &RawValue) -> Self {
        match raw.get().as_bytes().first() {
            Some(b'"') => Self::Text,
            Some(b'[') => Self::List,
            Some(b'{') => Self::Object,
            Some(b't' | b'f') => Self::Flag,
            Some(b'n') => Self::Null,
            _ => Self::Number,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Number => "a number",
            Self::Flag => "true or false",
            Self::List => "an array",
            Self::Object => "an object",
            Self::Null => "null",
        }
    }
}

impl Document {
    /// Reads a request body.
    ///
    /// # Errors
    /// What is wrong with it, in words that help the person who wrote it.
    pub fn parse(endpoint: Endpoint, body: &[u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(body).map_err(|fault| {
            Malformed::whole(format!("the request body is not UTF-8: invalid byte at offset {}", fault.valid_up_to()))
        })?;
        let start = text.len() - text.trim_start_matches([' ', '\t', '\r', '\n']).len();
        match body.get(start) {
            Some(b'{') => {}
            Some(_) if text.starts_with('\u{feff}') => {
                return Err(Malformed::whole("the request body begins with a byte order mark; send it without".into()));
            }
            Some(_) => return Err(Malformed::whole("the request body must be a JSON object".into())),
            None => return Err(Malformed::whole("the request body is empty; send a JSON object".into())),
        }
        let fields: Fields<'_> = serde_json::from_str(text).map_err(|fault| Malformed::json(&fault))?;

        let model = required("model", fields.model, Kind::Text)?;
        let model_span = span_in(text, model);
        let model = serde_json::from_str::<String>(model.get())
            .map_err(|fault| Malformed::field("model", format!("`model` is not a valid string: {fault}")))?;
        if model.is_empty() {
            return Err(Malformed::field("model", "`model` is empty; name a chain or `provider/model`".into()));
        }
        if model.len() > MAX_MODEL || model.contains(char::is_control) {
            return Err(Malformed::field("model", format!("`model` must be one line of at most {MAX_MODEL} bytes")));
        }
        let demand = fields.demand(endpoint, body);
        let mut document = Self {
            model,
            stream: false,
            wants_usage: false,
            demand,
            model_span,
            usage_edit: None,
            options_span: None,
            other_options: false,
        };
        match endpoint {
            Endpoint::Chat => {
                Messages::check(fields.messages.as_ref())?;
                fields.check_optional()?;
                document.stream = fields.stream.is_some_and(|raw| raw.get() == "true");
                document.read_stream_options(text, start, fields.stream_options)?;
            }
            Endpoint::Embeddings => check_input(fields.input)?,
        }
        Ok(document)
    }

    /// The bytes that go upstream. `model_json` is the model's name as a JSON string.
    #[must_use]
    pub fn rewrite(&self, body: &Bytes, model_json: &str, ask_usage: AskUsage) -> Bytes {
        let model = (self.model_span.clone(), model_json);
        let usage = match ask_usage {
            AskUsage::AsIs => None,
            AskUsage::Add => self.usage_edit.as_ref().map(|edit| (edit.span.clone(), edit.text)),
            AskUsage::Remove => self.options_span.clone().map(|span| (span, "")),
        };
        if usage.is_none() && body.get(self.model_span.clone()) == Some(model_json.as_bytes()) {
            return body.clone();
        }
        let mut edits = [Some(model), usage];
        if matches!(&edits, [Some(first), Some(second)] if second.0.start < first.0.start) {
            edits.reverse();
        }
        let mut out = Vec::with_capacity(body.len() + model_json.len() + 48);
        let mut copied = 0;
        for (span, text) in edits.into_iter().flatten() {
            out.extend_from_slice(body.get(copied..span.start).unwrap_or_default());
            out.extend_from_slice(text.as_bytes());
            copied = span.end;
        }
        out.extend_from_slice(body.get(copied..).unwrap_or_default());
        out.into()
    }

    /// Whether a stream goes upstream with `stream_options` when the request is rewritten so.
    #[must_use]
    pub fn asks_usage(&self, ask_usage: AskUsage) -> bool {
        let given = self.options_span.is_some();
        self.stream
            && match ask_usage {
                AskUsage::AsIs => given,
                AskUsage::Add => given || self.usage_edit.is_some(),
                AskUsage::Remove => false,
            }
    }
}

impl Fields<'_> {
    fn check_optional(&self) -> Result<(), Malformed> {
        let expectations = [
            ("stream", self.stream, Kind::Flag),
            ("max_tokens", self.max_tokens, Kind::Number),
            ("max_completion_tokens", self.max_completion_tokens, Kind::Number),
            ("n", self.n, Kind::Number),
            ("temperature", self.temperature, Kind::Number),
            ("top_p", self.top_p, Kind::Number),
            ("frequency_penalty", self.frequency_penalty, Kind::Number),
            ("presence_penalty", self.presence_penalty, Kind::Number),
            ("tools", self.tools, Kind::List),
            ("response_format", self.response_format, Kind::Object),
        ];
        for (name, raw, expected) in expectations {
            match raw.map(Kind::of) {
                None | Some(Kind::Null) => {}
                Some(found) if found == expected => {}
                Some(found) => return Err(Malformed::kind(name, expected, found)),
            }
        }
        match self.stop.map(Kind::of) {
            None | Some(Kind::Text | Kind::List | Kind::Null) => Ok(()),
            Some(found) => Err(Malformed::field(
                "stop",
                format!("`stop` must be a string or an array of strings, not {}", found.words()),
            )),
        }
    }
}

impl Malformed {
    fn whole(message: String) -> Self {
        Self { message, param: None }
    }

    fn json(fault: &serde_json::Error) -> Self {
        let said = fault.to_string();
        let twice = said.strip_prefix("duplicate field `").and_then(|rest| rest.split_once('`'));
        match twice.and_then(|(name, _)| ONCE.into_iter().find(|known| *known == name)) {
            Some(name) => {
                let (line, column) = (fault.line(), fault.column());
                let message = format!("`{name}` is there twice, again at line {line} column {column}; send it once");
                Self::field(name, message)
            }
            None => Self::whole(format!("the request body is not valid JSON: {said}")),
        }
    }

    fn field(param: &'static str, message: String) -> Self {
        Self { message, param: Some(param) }
    }

    fn kind(param: &'static str, expected: Kind, found: Kind) -> Self {
        Self::field(param, format!("`{param}` must be {}, not {}", expected.words(), found.words()))
    }
}

fn required<'a>(name: &'static str, raw: Option<&'a RawValue>, expected: Kind) -> Result<&'a RawValue, Malformed> {
    let raw =
        raw.ok_or_else(|| Malformed::field(name, format!("`{name}` is missing; it must be {}", expected.words())))?;
    match Kind::of(raw) {
        found if found == expected => Ok(raw),
        found => Err(Malformed::kind(name, expected, found)),
    }
}

fn check_input(raw: Option<&RawValue>) -> Result<(), Malformed> {
    let is_empty = |raw: &RawValue| raw.get().trim_matches(['[', ']', ' ', '\t', '\r', '\n']).is_empty();
    match raw.map(Kind::of) {
        // There is nothing to answer: the empty answer to it would be taken for a fault of the provider.
        Some(Kind::List) if raw.is_some_and(is_empty) => {
            Err(Malformed::field("input", "`input` is empty; it needs at least one text".into()))
        }
        Some(Kind::Text | Kind::List) => Ok(()),
        Some(found) => {
            Err(Malformed::field("input", format!("`input` must be a string or an array, not {}", found.words())))
        }
        None => Err(Malformed::field("input", "`input` is missing; it must be a string or an array".into())),
    }
}

/// Where a borrowed value lies in the text it was parsed from.
fn span_in(text: &str, raw: &RawValue) -> Range<usize> {
    let start = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    start..start + raw.get().len()
}

#[cfg(test)]
mod tests;
