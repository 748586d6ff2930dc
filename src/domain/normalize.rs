//! `normalizeResponses`: what a model thinks is shown as the beginning of its answer, for clients that show `content`
//! and nothing else.
//!
//! Reasoning stands in `reasoning_content` (DeepSeek, Z.ai, vLLM) or `reasoning` (Groq, OpenRouter). Only the delta or
//! message that holds it is written anew; all other bytes stay as the provider sent them.

use std::borrow::Cow;
use std::fmt;

use memchr::memmem;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// What stands between the thoughts and the answer, as it is written in JSON.
const GAP: &str = r"\n\n";

/// Names of reasoning, the one that is preferred first.
const NAMES: [&str; 2] = ["reasoning_content", "reasoning"];

/// The state of one stream.
#[derive(Clone, Debug, Default)]
pub struct Normalizer {
    /// One bit for each choice whose last word was a thought.
    thinking: u64,
    /// One bit for each choice whose last word was part of its answer.
    answering: u64,
}

impl Normalizer {
    /// The chunk with its reasoning as content; `None` when it stays as it is.
    pub fn chunk(&mut self, json: &[u8]) -> Option<Vec<u8>> {
        self.rewrite(json)
    }

    fn rewrite(&mut self, json: &[u8]) -> Option<Vec<u8>> {
        if self.thinking == 0 && memmem::find(json, br#""reasoning"#).is_none() {
            return None;
        }
        let text = std::str::from_utf8(json).ok()?;
        let top: Top<'_> = serde_json::from_str(text).ok()?;
        let mut out = Vec::new();
        let mut copied = 0;
        for (place, choice) in top.choices.iter().enumerate() {
            let index = choice.index.and_then(|index| index.get().parse().ok()).unwrap_or(place as u64);
            let bit = 1 << index.min(63);
            for part in [choice.delta, choice.message].into_iter().flatten() {
                let Some(new) = self.members(part, bit) else { continue };
                let start = (part.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
                out.extend_from_slice(json.get(copied..start)?);
                out.extend_from_slice(new.as_bytes());
                copied = start + part.get().len();
            }
        }
        if copied == 0 {
            return None;
        }
        out.extend_from_slice(json.get(copied..)?);
        Some(out)
    }

    /// The members of one delta or message, written anew where that is needed.
    fn members(&mut self, part: &RawValue, bit: u64) -> Option<String> {
        let Members(members) = serde_json::from_str(part.get()).ok()?;
        let member = |name: &str| members.iter().find(|(key, _)| key == name).map(|(_, value)| *value);
        let string = |name: &str| member(name).and_then(inside);
        if member("content").is_some_and(|content| !is_text(content)) {
            // Of a content that is no text nothing is taken away.
            return None;
        }
        let thought = NAMES.iter().find_map(|name| string(name));
        let said = string("content");
        let before = if thought.is_some() && self.answering & bit != 0 { GAP } else { "" };
        let (was_thinking, new) = (self.thinking & bit != 0, thought.is_some());
        (self.thinking, self.answering) = match (new, said.is_some()) {
            (_, true) => (self.thinking & !bit, self.answering | bit),
            (true, false) => (self.thinking | bit, self.answering & !bit),
            (false, false) => return None,
        };
        let content = match (thought, said) {
            (Some(thought), None) => format!("\"{before}{thought}\""),
            (Some(thought), Some(said)) => format!("\"{before}{thought}{GAP}{said}\""),
            (None, Some(said)) if was_thinking => format!("\"{GAP}{said}\""),
            (None, _) => return None,
        };
        let mut out = String::with_capacity(part.get().len() + GAP.len());
        let mut placed = false;
        for (key, value) in &members {
            let value = match key.as_ref() {
                name if NAMES.contains(&name) && is_text(value) => continue,
                "content" => {
                    placed = true;
                    &content
                }
                _ => value.get(),
            };
            push(&mut out, key, value);
        }
        if !placed {
            push(&mut out, "content", &content);
        }
        out.push('}');
        Some(out)
    }
}

/// A whole answer with its reasoning before its content; `None` when it stays as it is.
#[must_use]
pub fn whole(json: &[u8]) -> Option<Vec<u8>> {
    Normalizer::default().rewrite(json)
}

fn push(out: &mut String, key: &str, value: &str) {
    out.push(if out.is_empty() { '{' } else { ',' });
    out.push_str(&serde_json::Value::from(key).to_string());
    out.push(':');
    out.push_str(value);
}

fn is_text(value: &RawValue) -> bool {
    matches!(value.get().as_bytes(), [b'"', ..] | b"null")
}

/// What stands between the quotes of a string that is not empty, escaped as it was.
fn inside(value: &RawValue) -> Option<&str> {
    value.get().strip_prefix('"')?.strip_suffix('"').filter(|inside| !inside.is_empty())
}

#[derive(Deserialize)]
struct Top<'a> {
    #[serde(borrow)]
    choices: Vec<Choice<'a>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    index: Option<&'a RawValue>,
    #[serde(borrow)]
    delta: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
}

/// The members of an object in their order.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((Key(key), value)) = map.next_entry()? {
            members.push((key, value));
        }
        Ok(Members(members))
    }
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(delta: &str) -> String {
        format!(r#"{{"id":"c","choices":[{{"index":0,"delta":{delta},"finish_reason":null}}],"usage":null}}"#)
    }

    fn changed(normalizer: &mut Normalizer, delta: &str) -> Option<String> {
        normalizer.chunk(chunk(delta).as_bytes()).map(|new| String::from_utf8(new).unwrap())
    }

    #[test]
    fn thoughts_come_first_and_a_gap_before_the_answer() {
        let mut stream = Normalizer::default();
        for (delta, expected) in [
            (r#"{"role":"assistant","content":""}"#, None),
            (
                r#"{"role":"assistant","content":null,"reasoning_content":"h\u00e9"}"#,
                Some(r#"{"role":"assistant","content":"h\u00e9"}"#),
            ),
            (r#"{"reasoning_content":"m","x":[1, 2]}"#, Some(r#"{"x":[1, 2],"content":"m"}"#)),
            (r#"{"reasoning":"m","reasoning_content":"m"}"#, Some(r#"{"content":"m"}"#)),
            (r#"{"content":"So"}"#, Some(r#"{"content":"\n\nSo"}"#)),
            (r#"{"content":" it"}"#, None),
            (r#"{"content":"is","reasoning_content":null}"#, None),
            (r#"{"reasoning":"hm","content":"ok"}"#, Some(r#"{"content":"\n\nhm\n\nok"}"#)),
            (r#"{"reasoning":{"a":1},"reasoning_content":"m"}"#, Some(r#"{"reasoning":{"a":1},"content":"\n\nm"}"#)),
            (r#"{}"#, None),
        ] {
            assert_eq!(changed(&mut stream, delta), expected.map(chunk), "{delta}");
        }
    }

    #[test]
    fn each_choice_thinks_for_itself() {
        let mut stream = Normalizer::default();
        let two = |first: &str, second: &str| {
            format!(r#"{{"choices":[{{"index":0,"delta":{first}}},{{"index":1,"delta":{second}}}]}}"#)
        };
        let thought = stream.chunk(two(r#"{"reasoning":"a"}"#, r#"{"content":"b"}"#).as_bytes()).unwrap();
        assert_eq!(String::from_utf8(thought).unwrap(), two(r#"{"content":"a"}"#, r#"{"content":"b"}"#));
        let said = stream.chunk(two(r#"{"content":"c"}"#, r#"{"content":"d"}"#).as_bytes()).unwrap();
        assert_eq!(String::from_utf8(said).unwrap(), two(r#"{"content":"\n\nc"}"#, r#"{"content":"d"}"#));
    }

    #[test]
    fn a_whole_answer_is_one_text_and_all_else_stays() {
        let answer =
            |message: &str| format!(r#"{{ "choices":[ {{"message": {message} ,"logprobs":null}} ], "n": 1.0 }}"#);
        let both = answer(r#"{"role":"assistant","reasoning_content":"Hm.","content":"Four.","tool_calls":[]}"#);
        let one = answer(r#"{"role":"assistant","content":"Hm.\n\nFour.","tool_calls":[]}"#);
        assert_eq!(whole(both.as_bytes()), Some(one.into_bytes()));
        for same in [
            answer(r#"{"content":"the \"reasoning\" member"}"#),
            answer(r#"{"content":[{"type":"text"}],"reasoning":"x"}"#),
            answer(r#"{"content":"x","reasoning":{"a":1}}"#),
            "{\"reasoning\":1}".into(),
            "not json \"reasoning\"".into(),
        ] {
            assert_eq!(whole(same.as_bytes()), None, "{same}");
        }
    }
}
