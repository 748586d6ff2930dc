//! Token counts as providers report them: a courtesy, never relied upon to have any particular shape.

use memchr::memmem;
use serde::de::MapAccess;
use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Serialize};

use super::lenient::{Lenient, Member};

/// A count above this is a defect of the sender. It keeps every sum of counts far from an overflow.
const MAX_TOKENS: u64 = 1 << 32;

/// `"usage"` occurs a handful of times in an honest body; more are not looked at.
const MAX_PLACES: usize = 8;

/// What one answer cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: u64,
    /// Tokens of the answer, reasoning included.
    pub completion_tokens: u64,
    /// Both, as the provider counts them.
    pub total_tokens: u64,
    /// Tokens of the prompt that came from the provider's cache.
    pub cached_tokens: Option<u64>,
    /// Tokens of the answer that went into reasoning.
    pub reasoning_tokens: Option<u64>,
    /// The provider did not say: these counts are estimated.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
}

/// Reads the usage of a complete body without parsing the rest of it.
///
/// The object stands near the end of the body, so the search goes backwards. The quotes of a `"usage"` inside a text
/// are escaped there, hence the needle finds keys only. Returns `None` for missing, null or malformed usage.
#[must_use]
pub fn read(body: &[u8]) -> Option<Usage> {
    const KEY: &[u8] = b"\"usage\"";
    static FINDER: std::sync::LazyLock<memmem::FinderRev<'static>> =
        std::sync::LazyLock::new(|| memmem::FinderRev::new(KEY));
    let key = &*FINDER;
    let mut before = body;
    for _ in 0..MAX_PLACES {
        let at = key.rfind(before)?;
        let value = body.get(at + KEY.len()..).map(<[u8]>::trim_ascii_start).and_then(|rest| rest.strip_prefix(b":"));
        if let Some(usage) = value.and_then(parse) {
            return Some(usage);
        }
        before = body.get(..at)?;
    }
    None
}

/// Reads the usage object at the start of `json`; whatever follows it does not matter.
pub(super) fn parse(json: &[u8]) -> Option<Usage> {
    // A derived struct would also accept an array.
    if json.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    let mut source = serde_json::Deserializer::from_slice(json);
    Reported::deserialize(&mut source).ok()?.check()
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reported {
    prompt_tokens: Lenient<Count>,
    completion_tokens: Lenient<Count>,
    total_tokens: Lenient<Count>,
    prompt_tokens_details: Lenient<PromptDetails>,
    completion_tokens_details: Lenient<CompletionDetails>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Lenient<Count>,
}

impl<'de> Member<'de> for PromptDetails {
    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        Self::deserialize(MapAccessDeserializer::new(map))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CompletionDetails {
    reasoning_tokens: Lenient<Count>,
}

impl<'de> Member<'de> for CompletionDetails {
    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        Self::deserialize(MapAccessDeserializer::new(map))
    }
}

impl Reported {
    fn check(self) -> Option<Usage> {
        let (prompt, completion, total) = (self.prompt_tokens.0.0, self.completion_tokens.0.0, self.total_tokens.0.0);
        prompt.or(completion).or(total)?;
        let prompt_tokens = prompt.unwrap_or_else(|| rest_of(total, completion));
        let completion_tokens = completion.unwrap_or_else(|| rest_of(total, prompt));
        Some(Usage {
            prompt_tokens,
            completion_tokens,
            total_tokens: total.unwrap_or(prompt_tokens.saturating_add(completion_tokens)),
            cached_tokens: self.prompt_tokens_details.0.cached_tokens.0.0,
            reasoning_tokens: self.completion_tokens_details.0.reasoning_tokens.0.0,
            estimated: false,
        })
    }
}

/// The one part of a total that was not stated; an embedding has no completion, and says so by leaving it out.
fn rest_of(total: Option<u64>, known: Option<u64>) -> u64 {
    match (total, known) {
        (Some(total), Some(known)) => total.saturating_sub(known),
        _ => 0,
    }
}

/// A count, or nothing where something else stands in its place.
#[derive(Clone, Copy, Default)]
struct Count(Option<u64>);

impl<'de> Member<'de> for Count {
    fn from_count(count: u64) -> Self {
        Self((count <= MAX_TOKENS).then_some(count))
    }

    fn from_float(count: f64) -> Self {
        // Some gateways let their JSON encoder print whole numbers as `12.0`.
        let whole = count.fract() == 0.0 && (0.0..=MAX_TOKENS as f64).contains(&count);
        Self(whole.then_some(count as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(body: &str) -> Option<(u64, u64, u64)> {
        read(body.as_bytes()).map(|usage| (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens))
    }

    #[test]
    fn reads_the_last_usage_of_a_body_and_its_details() {
        let body = br#"{"choices":[{"message":{"content":"the \"usage\": {\"prompt_tokens\":9} field"}}],
            "usage" : {"prompt_tokens":12,"completion_tokens":3,"total_tokens":15,
            "prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}}"#;
        let usage = Usage {
            prompt_tokens: 12,
            completion_tokens: 3,
            total_tokens: 15,
            cached_tokens: Some(4),
            reasoning_tokens: Some(2),
            estimated: false,
        };
        assert_eq!(read(body), Some(usage));
    }

    #[test]
    fn a_null_usage_behind_a_real_one_hides_nothing() {
        let body = r#"{"usage":{"prompt_tokens":1,"completion_tokens":2},"x_groq":{"usage":null}}"#;
        assert_eq!(counts(body), Some((1, 2, 3)));
    }

    #[test]
    fn o20_missing_null_or_absurd_usage_is_none_and_never_an_error() {
        for usage in [
            r#"null"#,
            r#""none""#,
            r#"[1,2,3]"#,
            r#"{}"#,
            r#"{"prompt_tokens":-4,"completion_tokens":1e30,"total_tokens":"x"}"#,
            r#"{"prompt_tokens":[1],"completion_tokens":{"a":1},"total_tokens":true}"#,
            r#"{"prompt_tokens":99999999999999999999}"#,
            r#"{"prompt_tokens":1,"#,
        ] {
            assert_eq!(counts(&format!(r#"{{"usage":{usage}}}"#)), None, "{usage}");
        }
        assert_eq!(counts("{}"), None);
        assert_eq!(counts(""), None);
    }

    #[test]
    fn one_bad_number_costs_only_itself() {
        assert_eq!(
            counts(r#"{"usage":{"prompt_tokens":12.0,"completion_tokens":-1,"total_tokens":15}}"#),
            Some((12, 3, 15))
        );
    }

    #[test]
    fn an_embedding_has_no_completion() {
        assert_eq!(counts(r#"{"data":[],"usage":{"prompt_tokens":8,"total_tokens":8}}"#), Some((8, 0, 8)));
    }
}
