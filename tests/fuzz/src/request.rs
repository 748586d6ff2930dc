//! Any body is read or refused in words, and what goes upstream is the body with the model replaced.
//!
//! The first line of an input steers: its first byte holds switches, the others are the model's new name.

use std::fmt;

use bytes::Bytes;
use chain429::domain::endpoint::Endpoint;
use chain429::domain::request::{AskUsage, Document, Malformed};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::steered;

/// Switch: embeddings instead of chat.
const EMBEDDINGS: u8 = 1;
/// Switch: a stream is asked for its usage.
const ASK: u8 = 2;

/// What a client that reads a refusal is shown at most.
const LONGEST_MESSAGE: usize = 300;

/// Reads the body, rewrites it, and reads it again.
pub fn check(bytes: &[u8]) {
    let (steer, body) = steered(bytes);
    let (switches, name) = steer.split_first().map_or((0, steer), |(first, rest)| (*first, rest));
    let endpoint = if switches & EMBEDDINGS != 0 { Endpoint::Embeddings } else { Endpoint::Chat };
    match Document::parse(endpoint, body) {
        Ok(document) => check_document(endpoint, &document, body, &model_name(name), switches & ASK != 0),
        Err(refusal) => check_refusal(&refusal, body),
    }
}

/// A name that the configuration would let through.
fn model_name(bytes: &[u8]) -> String {
    let name: String = String::from_utf8_lossy(bytes).chars().filter(|letter| !letter.is_control()).take(64).collect();
    if name.is_empty() { "m".to_owned() } else { name }
}

fn check_refusal(refusal: &Malformed, body: &[u8]) {
    let Malformed { message, param } = refusal;
    assert!(!message.is_empty() && message.len() <= LONGEST_MESSAGE, "{refusal:?}");
    assert!(param.is_none_or(|param| message.contains(param.split('.').next().unwrap_or(param))), "{refusal:?}");
    assert_eq!(std::str::from_utf8(body).is_err(), message.contains("UTF-8"), "{refusal:?}");
}

fn check_document(endpoint: Endpoint, document: &Document, body: &[u8], model: &str, ask: bool) {
    let text = std::str::from_utf8(body).expect("only text is JSON");
    let before = members(text);
    let body = Bytes::copy_from_slice(body);
    let model_json = serde_json::to_string(model).expect("text can be written as JSON");
    let asked = ask && document.stream && !document.wants_usage;
    let ask = if ask { AskUsage::Add } else { AskUsage::AsIs };

    let plain = document.rewrite(&body, &model_json, AskUsage::AsIs);
    assert_eq!(plain, with_model(text, &before, &model_json), "only the model changes, to the byte");
    if endpoint == Endpoint::Chat {
        check_removal(&document.rewrite(&body, &model_json, AskUsage::Remove), &before, &model_json);
    }
    let out = document.rewrite(&body, &model_json, ask);
    let out_text = std::str::from_utf8(&out).expect("text stays text");
    check_members(&before, &members(out_text), &model_json, asked);
    check_values(text, out_text, model, asked);

    let again = Document::parse(endpoint, &out).expect("what goes upstream can be read");
    assert_eq!(again.model, model);
    assert_eq!((again.stream, again.wants_usage), (document.stream, document.wants_usage || asked));
    // Bytes and attachments are read off the text, of which the name is a part.
    let sized = |document: &Document| (document.demand.most_output, document.demand.generates, document.demand.batch);
    assert_eq!(sized(&again), sized(document), "it takes what it took");
    assert_eq!(again.rewrite(&out, &model_json, ask).as_ptr(), out.as_ptr(), "nothing is left to change");
}

/// Without the question for usage all other members are there as they were. A name that is written with escapes is left.
fn check_removal(out: &[u8], before: &[(String, &RawValue)], model_json: &str) {
    let text = std::str::from_utf8(out).expect("text stays text");
    let told = |members: &[(String, &RawValue)]| -> Vec<(String, String)> {
        let others = members.iter().filter(|(key, _)| key != "stream_options");
        others
            .map(|(key, value)| (key.clone(), if key == "model" { model_json.into() } else { value.get().into() }))
            .collect()
    };
    let after = members(text);
    assert_eq!(told(&after), told(before), "only the question goes");
    let left = after.iter().any(|(key, _)| key == "stream_options");
    assert!(!left || !text.contains("\"stream_options\""), "the question is still there");
}

/// The members of an object as they are written, in their order; a key may come twice.
struct Members<'a>(Vec<(String, &'a RawValue)>);

fn members(object: &str) -> Vec<(String, &RawValue)> {
    serde_json::from_str::<Members<'_>>(object).expect("an object").0
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reading;
        impl<'de> Visitor<'de> for Reading {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Reading)
    }
}

fn with_model(text: &str, members: &[(String, &RawValue)], model_json: &str) -> String {
    let mut models = members.iter().filter(|(key, _)| key == "model");
    let (_, model) = models.next().expect("a document has a model");
    assert!(models.next().is_none(), "two models, of which providers may read either");
    let start = model.get().as_ptr() as usize - text.as_ptr() as usize;
    [&text[..start], model_json, &text[start + model.get().len()..]].concat()
}

/// Compared as they are written: numbers that no float holds and keys that come twice must survive, too.
fn check_members(before: &[(String, &RawValue)], after: &[(String, &RawValue)], model_json: &str, asked: bool) {
    let after = match after.split_first() {
        Some(((key, added), rest)) if asked && !before.iter().any(|(key, _)| key == "stream_options") => {
            assert_eq!((key.as_str(), added.get()), ("stream_options", r#"{"include_usage":true}"#));
            rest
        }
        _ => after,
    };
    assert_eq!(after.len(), before.len(), "members were lost or added");
    for ((old_key, old), (key, new)) in before.iter().zip(after) {
        assert_eq!(key, old_key, "keys stay where they are");
        match key.as_str() {
            "model" => assert_eq!(new.get(), model_json),
            "stream_options" if asked => check_options(old.get(), new.get()),
            _ => assert_eq!(new.get(), old.get(), "{key} stays as it is written"),
        }
    }
}

fn check_options(old: &str, new: &str) {
    let before = if old == "null" { Vec::new() } else { members(old) };
    let after = members(new);
    let after = match after.split_first() {
        Some(((key, value), rest)) if !before.iter().any(|(key, _)| key == "include_usage") => {
            assert_eq!((key.as_str(), value.get()), ("include_usage", "true"));
            rest
        }
        _ => &after[..],
    };
    assert_eq!(after.len(), before.len(), "options were lost or added");
    for ((old_key, old), (key, new)) in before.iter().zip(after) {
        assert_eq!(key, old_key, "options stay where they are");
        assert_eq!(new.get(), if key == "include_usage" { "true" } else { old.get() }, "{key}");
    }
}

/// The same as most readers see it: of a key that comes twice the last. What such readers refuse (nesting beyond their
/// bounds, numbers beyond a float, half a surrogate pair) is none of the proxy's business, but stays refused.
fn check_values(before: &str, after: &str, model: &str, asked: bool) {
    let Ok(mut expected) = serde_json::from_str::<Value>(before) else {
        assert!(serde_json::from_str::<Value>(after).is_err() || before.contains("\\u"), "it has become readable");
        return;
    };
    expected["model"] = json!(model);
    if asked {
        match &mut expected["stream_options"] {
            Value::Object(options) => _ = options.insert("include_usage".to_owned(), json!(true)),
            other => *other = json!({ "include_usage": true }),
        }
    }
    assert_eq!(serde_json::from_str::<Value>(after).expect("it stays readable"), expected);
}
