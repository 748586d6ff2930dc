//! The error envelope of an answer, whichever of the many shapes it has.
//!
//! Read are: `{"error":{...}}`, the same in an array, `{"error":"text"}`, `{"error":[{...}]}`, the flat
//! `{message,type,code}`, `{message,id}`, `{"object":"error",...}`, `{"detail":"text"}`, `{"detail":[{type,loc,msg}]}`,
//! `{status,title,detail}`, `{"success":false,"errors":[{code,message}]}`, `{"type":"error","error":{...}}`, plain text
//! and HTML. Only members that are known to hold machine codes or texts are looked at; `param` is not, since it holds
//! names of the request (Cerebras answers `"param":"quota"` to a per-minute limit).

mod text;

use serde_json::{Map, Value};

/// A larger error body is not read: its status must do.
const MAX_BODY: usize = 256 * 1024;

/// How many levels of errors inside errors are opened.
const MAX_DEPTH: u8 = 3;

/// What kind of document the body is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// JSON of any kind.
    Json,
    /// A page for people: written by an edge server, not by the API.
    Html,
    /// Something else.
    Text,
    /// Nothing.
    #[default]
    Empty,
}

/// What an error answer says, in a form that rules can match on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// What kind of document it was.
    pub shape: Shape,
    /// All texts for people: lower case, without quoted sentences, since those are echoes of the request.
    pub text: String,
    /// All machine codes, lower case: `code`, `type`, `status`, `reason`, `limit_source` and their like. Numbers among
    /// them are the provider's own and no HTTP status.
    pub codes: Vec<String>,
    /// The HTTP status that the body states.
    pub status: Option<u16>,
    /// The parameter that the provider names.
    pub param: Option<String>,
    /// The quotas that were exceeded (Google).
    pub quotas: Vec<Quota>,
    /// A quota with the value 0 was exceeded (Google).
    pub no_quota: bool,
    /// Moderation gives its reasons (OpenRouter).
    pub moderated: bool,
    /// The error comes from behind an aggregator (OpenRouter).
    pub upstream: bool,
    /// The request was checked against a schema, and these are the findings (FastAPI).
    pub schema_errors: bool,
    /// `retry_after`, `retryDelay` and their like.
    pub delays: Vec<Delay>,
    /// Header lines that are repeated in the body (OpenRouter).
    pub headers: Vec<(String, String)>,
    /// `n_ctx`: how many tokens fit into the model's context (llama.cpp).
    pub context: Option<u64>,
}

/// A quota that was exceeded, as Google names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// `GenerateRequestsPerDayPerProjectPerModel-FreeTier`
    pub id: String,
    /// How much it is.
    pub value: Option<String>,
}

/// A waiting time in a member of its own, as it stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delay {
    /// Seconds, or anything that says its unit itself.
    Seconds(String),
    /// Milliseconds.
    Millis(String),
}

impl Envelope {
    /// Reads the body of an answer.
    #[must_use]
    pub fn read(body: &[u8]) -> Self {
        let mut envelope = Self { shape: shape(body), ..Self::default() };
        match envelope.shape {
            Shape::Json => {
                if let Some(value) = parse(body) {
                    envelope.document(&value, MAX_DEPTH);
                }
            }
            Shape::Text => envelope.say(&String::from_utf8_lossy(body.get(..text::MAX).unwrap_or(body))),
            Shape::Html | Shape::Empty => {}
        }
        envelope
    }

    /// True when one of the codes is one of these lower-case names.
    #[must_use]
    pub fn has_code(&self, names: &[&str]) -> bool {
        self.codes.iter().any(|code| names.contains(&code.as_str()))
    }

    /// True when the text holds one of these lower-case phrases.
    #[must_use]
    pub fn says(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.text.contains(phrase))
    }

    fn document(&mut self, value: &Value, depth: u8) {
        match value {
            Value::Object(map) => self.object(map, depth),
            Value::Array(list) => {
                if let (Some(first), Some(depth)) = (list.first(), depth.checked_sub(1)) {
                    self.document(first, depth);
                }
            }
            Value::String(text) => self.say(text),
            _ => {}
        }
    }

    fn object(&mut self, map: &Map<String, Value>, depth: u8) {
        // An error member is the envelope; what stands beside it are details.
        match map.get("error") {
            Some(Value::String(text)) => self.error_text(text),
            Some(error @ (Value::Object(_) | Value::Array(_))) => {
                if let Some(depth) = depth.checked_sub(1) {
                    self.document(error, depth);
                }
            }
            _ => {}
        }
        self.in_choices(map, depth);
        self.members(map, depth);
    }

    /// OpenRouter reports a failure inside a choice, Groq in its extension.
    fn in_choices(&mut self, map: &Map<String, Value>, depth: u8) {
        let choices = map.get("choices").and_then(Value::as_array).into_iter().flatten();
        let carriers = choices.chain(map.get("x_groq")).filter_map(|carrier| carrier.get("error"));
        for error in carriers {
            match (error, depth.checked_sub(1)) {
                (Value::String(text), _) => self.error_text(text),
                (error, Some(depth)) => self.document(error, depth),
                (_, None) => {}
            }
        }
    }

    fn members(&mut self, map: &Map<String, Value>, depth: u8) {
        for key in ["code", "type", "status", "reason", "error_type", "limit_source"] {
            if let Some(word) = scalar(map.get(key)) {
                self.word(&word);
            }
        }
        for key in ["message", "msg", "title", "detail"] {
            if let Some(Value::String(text)) = map.get(key) {
                self.say(text);
            }
        }
        if let Some(Value::String(name)) = map.get("param") {
            self.param.get_or_insert_with(|| name.clone());
        }
        self.context = self.context.or_else(|| map.get("n_ctx")?.as_u64());
        for key in ["retry_after", "retry_after_seconds", "retryAfter", "retryDelay", "retry_delay"] {
            self.delays.extend(scalar(map.get(key)).map(Delay::Seconds));
        }
        for key in ["retry_after_ms", "retryAfterMs"] {
            self.delays.extend(scalar(map.get(key)).map(Delay::Millis));
        }
        let Some(depth) = depth.checked_sub(1) else { return };
        match map.get("errors") {
            Some(Value::Array(errors)) => errors.iter().for_each(|error| self.document(error, depth)),
            Some(errors @ Value::Object(_)) => self.document(errors, depth),
            _ => {}
        }
        if let Some(message @ Value::Object(_)) = map.get("message") {
            self.document(message, depth);
        }
        self.findings(map.get("detail"), depth);
        self.details(map.get("details"), depth);
        if let Some(Value::Object(metadata)) = map.get("metadata") {
            self.metadata(metadata, depth);
        }
    }

    /// FastAPI's list of what is wrong with the request. The members `loc` and `input` repeat the request.
    fn findings(&mut self, detail: Option<&Value>, depth: u8) {
        match detail {
            Some(Value::Array(findings)) => {
                self.schema_errors = true;
                findings.iter().for_each(|finding| self.document(finding, depth));
            }
            Some(Value::Object(map)) => self.object(map, depth),
            _ => {}
        }
    }

    /// Google's list of typed details.
    fn details(&mut self, details: Option<&Value>, depth: u8) {
        for detail in details.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object) {
            self.members(detail, depth);
            let violations = detail.get("violations").and_then(Value::as_array).into_iter().flatten();
            for violation in violations {
                let value = scalar(violation.get("quotaValue"));
                self.no_quota |= value.as_deref() == Some("0");
                if let Some(id) = violation.get("quotaId").and_then(Value::as_str) {
                    self.quotas.push(Quota { id: id.to_owned(), value });
                }
            }
        }
    }

    /// OpenRouter's notes on an error, among them the answer of the provider behind it.
    fn metadata(&mut self, metadata: &Map<String, Value>, depth: u8) {
        self.members(metadata, depth);
        self.moderated |= metadata.get("flagged_input").is_some_and(|input| !input.is_null())
            || metadata.get("reasons").and_then(Value::as_array).is_some_and(|reasons| !reasons.is_empty());
        self.upstream |= metadata.get("provider_name").is_some_and(Value::is_string);
        if let Some(Value::Object(lines)) = metadata.get("headers") {
            let lines = lines.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
            self.headers.extend(lines);
        }
        if let Some(Value::String(raw)) = metadata.get("raw") {
            self.upstream = true;
            match parse(raw.as_bytes()) {
                Some(value @ (Value::Object(_) | Value::Array(_))) => self.document(&value, depth),
                _ => self.say(raw),
            }
        }
    }

    /// An error that is a bare string may be a code as well as a sentence.
    fn error_text(&mut self, text: &str) {
        if !text.contains(' ') {
            self.word(text);
        }
        self.say(text);
    }

    fn word(&mut self, word: &str) {
        let word = word.trim();
        match word.parse() {
            Ok(status @ 400..600) => {
                self.status.get_or_insert(status);
            }
            _ if word.is_empty() || word.len() > text::MAX_CODE => {}
            _ => self.codes.push(word.to_ascii_lowercase()),
        }
    }

    fn say(&mut self, text: &str) {
        text::add(&mut self.text, text);
    }
}

/// A string or a number, as text.
fn scalar(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The object in a document that is legal JSON but not simply one object: wrapped in an array, or with repeated keys
/// (the last of which counts).
pub(super) fn plain_object(json: &[u8]) -> Option<Vec<u8>> {
    let value = match serde_json::from_slice(json).ok()? {
        Value::Array(list) => list.into_iter().next()?,
        value => value,
    };
    value.is_object().then(|| value.to_string().into_bytes())
}

fn parse(json: &[u8]) -> Option<Value> {
    if json.len() > MAX_BODY {
        return None;
    }
    // Nesting deeper than 128 is refused by the parser itself.
    serde_json::from_slice(json).ok()
}

fn shape(body: &[u8]) -> Shape {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    match body.first() {
        None => Shape::Empty,
        Some(b'<') => Shape::Html,
        Some(b'{' | b'[') => Shape::Json,
        Some(b'"' | b'n' | b't' | b'f' | b'0'..=b'9') if serde_json::from_slice::<Value>(body).is_ok() => Shape::Json,
        Some(_) => Shape::Text,
    }
}

#[cfg(test)]
mod tests;
