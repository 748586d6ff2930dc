//! How things are called in messages: in the user's words, and without giving a secret away.

use super::document::{Content, Document};
use super::path::{Step, YamlPath};

/// Everything below these keys is secret.
pub(super) const SECRET_KEYS: [&str; 4] = ["apiKey", "apiKeys", "adminKeys", "headers"];

/// What API keys of the known services begin with.
const KEY_PREFIXES: [&str; 14] = [
    "sk-",
    "sk_",
    "gsk_",
    "csk-",
    "csk_",
    "AIza",
    "AQ.",
    "hf_",
    "nvapi-",
    "ghp_",
    "github_pat_",
    "xai-",
    "pk-",
    "sha256:",
];

impl Document {
    /// What stands at `path`, to follow "found".
    pub(super) fn describe(&self, path: &YamlPath) -> String {
        match self.get(path).map(|node| &node.content) {
            None | Some(Content::Null) => "nothing".to_owned(),
            Some(Content::List(_)) => "a list".to_owned(),
            Some(Content::Map(_)) => "a mapping".to_owned(),
            Some(Content::Text(_)) if is_secret(path) => "text".to_owned(),
            Some(Content::Text(text)) => match self.written(path) {
                Some(written) => format!("the value of {written}"),
                None => shown(&text.value),
            },
        }
    }

    /// The text in the file, where the value at `path` was filled in from the environment.
    pub(super) fn written(&self, path: &YamlPath) -> Option<String> {
        match &self.get(path)?.content {
            Content::Text(text) => text.written.as_deref().map(shown),
            _ => None,
        }
    }
}

fn is_secret(path: &YamlPath) -> bool {
    path.steps().iter().any(|step| matches!(step, Step::Key(key) if SECRET_KEYS.contains(&key.as_str())))
}

/// Text of the file as it may appear in a message: in one line, not too long, and masked if it might be a key that
/// ended up in the wrong place.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 60;
    if may_be_a_key(text) {
        return "`***` (not shown: it looks like a key)".to_owned();
    }
    let line: String = text.chars().take(MOST).map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let more = if text.chars().nth(MOST).is_some() { "..." } else { "" };
    format!("`{line}{more}`")
}

/// Rather one word too many than one key. Names of models are long too, but their parts are short.
pub(super) fn may_be_a_key(text: &str) -> bool {
    const LONG: usize = 20;
    let mut parts = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    begins_like_a_key(text) || parts.any(|part| part.len() >= LONG && part.bytes().any(|byte| byte.is_ascii_digit()))
}

/// Whether one of its words begins as keys of the known services do.
pub(super) fn begins_like_a_key(text: &str) -> bool {
    text.split(|letter: char| letter.is_whitespace() || "${}\"'=/@".contains(letter))
        .any(|word| KEY_PREFIXES.iter().any(|prefix| word.len() > prefix.len() + 3 && word.starts_with(prefix)))
}

/// The word that was probably meant.
pub(super) fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const NEAR_ENOUGH: f64 = 0.6;
    let given = given.to_lowercase();
    known
        .into_iter()
        .map(|word| (strsim::normalized_damerau_levenshtein(&given, &word.to_lowercase()), word))
        .filter(|(nearness, _)| *nearness >= NEAR_ENOUGH)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, word)| word)
}

/// Names of things in the file, for the user to choose from.
pub(super) fn listed(names: &[&str]) -> String {
    names.iter().copied().filter(|name| !may_be_a_key(name)).collect::<Vec<_>>().join(", ")
}

/// `a, b or c`
pub(super) fn alternatives<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut words: Vec<&str> = words.into_iter().collect();
    match words.pop() {
        None => String::new(),
        Some(only) if words.is_empty() => only.to_owned(),
        Some(last) => format!("{} or {last}", words.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_finds_the_word_that_was_meant() {
        let keys = ["requestsPerMinute", "requestsPerDay", "tokensPerMinute"];
        assert_eq!(nearest("requestPerMinute", keys), Some("requestsPerMinute"));
        assert_eq!(nearest("requests_per_day", keys), Some("requestsPerDay"));
        assert_eq!(nearest("gorq", ["groq", "openai"]), Some("groq"));
        assert_eq!(nearest("Groq", ["groq", "openai"]), Some("groq"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(nearest("", keys), None);
    }

    #[test]
    fn what_looks_like_a_key_is_not_shown() {
        for key in ["gsk_abc123", "sk-or-v1-0123", "AIzaSyX123", "${gsk_abc123}", "0123456789abcdef0123456789abcdef"] {
            assert!(!shown(key).contains("abc") && !shown(key).contains("0123"), "{key}");
        }
        for word in
            ["groq", "${GROQ_API_KEY}", "llama-4-maverick-17b-128e-instruct", "qwen/qwen3-80b-a3b-instruct:free"]
        {
            assert_eq!(shown(word), format!("`{word}`"));
        }
        assert_eq!(shown("two\nlines"), "`two lines`");
        assert_eq!(shown(&"ü".repeat(70)), format!("`{}...`", "ü".repeat(60)));
    }

    #[test]
    fn alternatives_read_like_a_sentence() {
        assert_eq!(alternatives(["a", "b", "c"]), "a, b or c");
        assert_eq!(alternatives(["a"]), "a");
        assert_eq!(alternatives([]), "");
    }
}
