//! What of an answer is text for people.

use actix_web::web::Bytes;
use serde::Deserialize;
use serde_json::Value;

use crate::domain::sse::Scanner;

/// Bytes of the answer that are kept to be shown as they came.
const RAW: usize = 64 << 10;

/// Collects the text of an answer, be it a stream or a document.
#[derive(Default)]
pub(super) struct Pieces {
    scanner: Scanner,
    /// As it came, up to a point.
    pub(super) raw: Vec<u8>,
    /// What has not been taken yet.
    text: String,
    /// What went wrong, as it was said.
    pub(super) error: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Document {
    choices: Vec<Choice>,
    error: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Choice {
    delta: Words,
    message: Words,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Words {
    content: Value,
    reasoning_content: Value,
    reasoning: Value,
    tool_calls: Value,
}

impl Pieces {
    /// The next bytes of a stream.
    pub(super) fn stream(&mut self, chunk: &Bytes) {
        self.keep(chunk);
        let mut documents = Vec::new();
        self.scanner.feed(chunk, |event| {
            if let Ok(document) = serde_json::from_slice::<Document>(event.data) {
                documents.push(document);
            }
        });
        for document in documents {
            self.read(document);
        }
    }

    /// The whole of a document.
    pub(super) fn whole(&mut self, body: &[u8]) {
        self.keep(body);
        match serde_json::from_slice::<Document>(body) {
            Ok(document) => self.read(document),
            Err(_) => self.text += &String::from_utf8_lossy(body),
        }
    }

    /// What has come since this was asked last.
    pub(super) fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = RAW.saturating_sub(self.raw.len()).min(bytes.len());
        self.raw.extend_from_slice(bytes.get(..room).unwrap_or_default());
    }

    fn read(&mut self, document: Document) {
        for words in document.choices.into_iter().flat_map(|choice| [choice.delta, choice.message]) {
            for part in [words.reasoning_content, words.reasoning, words.content, words.tool_calls] {
                match part {
                    Value::Null => {}
                    Value::String(text) => self.text += &text,
                    other => self.text += &other.to_string(),
                }
            }
        }
        if let Some(message) = document.error.get("message").and_then(Value::as_str) {
            self.error = Some(message.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_found_in_streams_and_documents() {
        let mut pieces = Pieces::default();
        pieces.stream(&Bytes::from_static(b"data: {\"choices\":[{\"delta\":{\"content\":\"Hel"));
        assert_eq!(pieces.take(), "");
        pieces.stream(&Bytes::from_static(b"lo\"}}]}\n\ndata: [DONE]\n\n"));
        assert_eq!((pieces.take().as_str(), pieces.take().as_str()), ("Hello", ""));
        pieces.stream(&Bytes::from_static(b"data: {\"error\":{\"message\":\"broke off\"}}\n\n"));
        assert_eq!(pieces.error.as_deref(), Some("broke off"));
        let mut pieces = Pieces::default();
        pieces.whole(br#"{"choices":[{"message":{"content":null,"tool_calls":[1]}}]}"#);
        assert_eq!(pieces.take(), "[1]");
        pieces.whole(b"no JSON");
        assert_eq!(pieces.take(), "no JSON");
    }
}
