//! The secrets that stand in a file, to be found wherever an alias or a person has repeated them.

use super::super::super::document::Document;
use super::super::super::path::YamlPath;
use super::super::value::Value;
use super::{NOTHING, SHORTEST, is_label_of_a_place, is_secret, mask_written, masked_scalar};

/// Shorter ones are not looked for: they would be found in every other word.
const SHORTEST_FOUND: usize = 6;

/// Secrets that stand in plain in a file, and names of its headers.
#[derive(Default)]
pub(in super::super) struct Secrets {
    texts: Vec<String>,
    headers: Vec<String>,
}

impl Secrets {
    /// Of a file as written.
    pub(in super::super) fn of(file: &Value) -> Self {
        let mut secrets = Self::default();
        secrets.collect(file, &YamlPath::root());
        secrets.texts.retain(|text| text.len() >= SHORTEST_FOUND);
        secrets
    }

    pub(super) fn of_document(document: &Document) -> Self {
        Self::of(&Value::of(&document.root))
    }

    fn collect(&mut self, value: &Value, path: &YamlPath) {
        match value {
            Value::Text(text) if is_secret(path) && mask_written(text) != *text => {
                self.texts.push(text.clone());
                self.texts.extend(text.split_whitespace().filter(|word| word.len() >= SHORTEST).map(str::to_owned));
                self.texts.extend(around_references(text).map(str::to_owned));
            }
            Value::Null | Value::Text(_) => {}
            Value::List(items) => {
                items.iter().enumerate().for_each(|(at, item)| self.collect(item, &path.index(at)));
            }
            Value::Map(members) => {
                if path.last_key() == Some("headers") {
                    self.headers.extend(members.iter().map(|(name, _)| name.to_ascii_lowercase()));
                }
                members.iter().for_each(|(key, value)| self.collect(value, &path.key(key.as_str())));
            }
        }
    }

    /// Whether one of them is in a text.
    pub(super) fn are_in(&self, text: &str) -> bool {
        self.texts.iter().any(|secret| text.contains(secret.as_str()))
    }

    /// A text without those of them that hold spaces, which no single word of it could be.
    pub(super) fn without_sentences(&self, text: &str) -> String {
        let sentences = self.texts.iter().filter(|secret| secret.contains(char::is_whitespace));
        sentences.fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), NOTHING))
    }

    /// Whether a header of the file is called so.
    pub(super) fn know_header(&self, name: &str) -> bool {
        self.headers.contains(&name.to_ascii_lowercase())
    }

    /// The scalar at `path` as it may be shown. What something is called may hold a short key, as `ollama` is the key of
    /// `ollama`, and an address what some header holds.
    pub(in super::super) fn shown(&self, text: &str, path: &YamlPath) -> String {
        let found = match is_label_of_a_place(text, path) {
            true => self.texts.iter().any(|secret| secret.len() >= SHORTEST && secret == text),
            false => self.are_in(text),
        };
        match found && !is_secret(path) {
            true => NOTHING.to_owned(),
            false => masked_scalar(text, path),
        }
    }
}

/// What stands in plain around `${NAME}`, and as the value that it has where the variable is not set.
fn around_references(text: &str) -> impl Iterator<Item = &str> {
    let pieces = if text.contains("${") { text.split(['$', '{', '}']).collect() } else { Vec::new() };
    pieces.into_iter().map(|piece| piece.split_once(":-").map_or(piece, |(_, default)| default))
}
