//! Names of providers in a case: the types of the configuration, and the names under which answers were recorded.

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};

use crate::domain::dialect::Dialect;

/// Names that are no type of the configuration, and the dialect that reads them.
const RECORDED: [(&str, Dialect); 19] = [
    ("gemini", Dialect::GoogleAi),
    ("google", Dialect::GoogleAi),
    ("ollama", Dialect::Local),
    ("llamacpp", Dialect::Local),
    ("vllm", Dialect::Local),
    ("lmstudio", Dialect::Local),
    ("generic", Dialect::GenericOpenai),
    ("hostile", Dialect::GenericOpenai),
    ("github", Dialect::GenericOpenai),
    ("opencode-zen", Dialect::GenericOpenai),
    ("llm7", Dialect::GenericOpenai),
    ("modelscope", Dialect::GenericOpenai),
    ("fireworks", Dialect::GenericOpenai),
    ("fastapi", Dialect::GenericOpenai),
    ("anthropic-style", Dialect::GenericOpenai),
    ("azure-style", Dialect::GenericOpenai),
    ("digitalocean-style", Dialect::GenericOpenai),
    ("kilo", Dialect::GenericOpenai),
    ("deepseek", Dialect::GenericOpenai),
];

/// Types of the configuration, to suggest one.
const TYPES: [&str; 16] = [
    "groq",
    "openrouter",
    "cerebras",
    "openai",
    "google-ai",
    "mistral",
    "nvidia",
    "cohere",
    "cloudflare",
    "sambanova",
    "huggingface",
    "together",
    "zai",
    "ollama-cloud",
    "local",
    "generic-openai",
];

/// The dialect of a provider.
pub(super) fn dialect(name: &str) -> Option<Dialect> {
    let configured: StrDeserializer<'_, Error> = name.into_deserializer();
    let recorded = || RECORDED.iter().find(|(known, _)| *known == name).map(|(_, dialect)| *dialect);
    Dialect::deserialize(configured).ok().or_else(recorded)
}

/// The known name that is most like this one.
pub(super) fn like(name: &str) -> Option<&'static str> {
    let known = TYPES.into_iter().chain(RECORDED.iter().map(|(name, _)| *name));
    let distance = |known: &&str| strsim::damerau_levenshtein(known, name);
    known.min_by_key(distance).filter(|known| distance(known) <= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_names_are_known_and_typos_are_not() {
        assert_eq!(dialect("google-ai"), Some(Dialect::GoogleAi));
        assert_eq!(dialect("gemini"), Some(Dialect::GoogleAi));
        assert_eq!(dialect("gorq"), None);
        assert_eq!(like("gorq"), Some("groq"));
        assert_eq!(like("something else"), None);
    }

    #[test]
    fn every_suggestion_is_a_type() {
        for name in TYPES {
            assert!(dialect(name).is_some(), "{name}");
        }
    }
}
