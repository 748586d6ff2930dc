use std::collections::BTreeMap;
use std::path::Path;

use super::super::model::Config;
use super::super::{Overrides, parse};
use super::*;

const FILE: &str = r#"
model_list:
  - model_name: gpt-4o
    litellm_params: { model: groq/openai/gpt-oss-120b, api_key: os.environ/GROQ_API_KEY, rpm: 30, tpm: 8000 }
  - model_name: gpt-4o
    litellm_params:
      model: gemini/gemini-3.1-flash-lite
      api_key: os.environ/GEMINI_API_KEY
      order: 1
  - model_name: gpt-4o
    litellm_params: { model: groq/openai/gpt-oss-120b, api_key: os.environ/GROQ_SECOND }
  - model_name: local/chat
    litellm_params: { model: ollama_chat/qwen3:8b, api_base: "http://10.0.0.2:11434" }
  - model_name: house
    litellm_params: { model: openai/big, api_base: https://llm.example/v1, api_key: "sk-${x}", max_parallel_requests: 2 }
  - model_name: claude
    litellm_params: { model: anthropic/claude-sonnet, api_key: os.environ/ANTHROPIC_API_KEY }
  - { model_name: "groq/*", litellm_params: { model: "groq/*" } }
litellm_settings:
  callbacks: [prometheus]
  fallbacks: [{ gpt-4o: [house, nobody] }]
general_settings:
  master_key: os.environ/MASTER
"#;

fn environment() -> BTreeMap<String, String> {
    let names = ["GROQ_API_KEY", "GEMINI_API_KEY", "MASTER"];
    names.iter().map(|name| ((*name).to_owned(), format!("value-of-{name}"))).collect()
}

fn read(imported: &Imported) -> Config {
    parse(&imported.text, "test.yaml", Path::new(""), &environment(), &Overrides::default())
        .unwrap_or_else(|errors| panic!("{errors}\n{}", imported.text))
}

#[test]
fn groups_become_chains_and_deployments_entries() {
    let imported = import(FILE, "litellm.yaml", &environment()).unwrap();
    let config = read(&imported);
    let entries = |name: &str| {
        let chain = config.chains.iter().find(|chain| chain.name.as_str() == name).unwrap();
        chain.entries.iter().map(|it| format!("{}/{}", it.provider, it.model)).collect::<Vec<_>>()
    };
    assert_eq!(
        entries("gpt-4o"),
        ["google/gemini-3.1-flash-lite", "groq/openai/gpt-oss-120b", "groq-2/openai/gpt-oss-120b", "server/big"]
    );
    assert_eq!(entries("local-chat"), ["ollama/qwen3:8b"]);
    assert_eq!(config.settings.default_chain.as_str(), "gpt-4o");
    let provider = |id: &str| config.providers.iter().find(|provider| provider.id.as_str() == id).unwrap();
    assert_eq!(provider("groq").keys[0].expose(), "value-of-GROQ_API_KEY");
    let limits = provider("groq").limits_of(&crate::domain::ids::ModelId::new("openai/gpt-oss-120b"));
    assert_eq!((limits.requests_per_minute, limits.tokens_per_minute), (30.try_into().ok(), 8_000.try_into().ok()));
    assert!(!provider("groq-2").enabled, "its variable is not set");
    assert_eq!(provider("ollama").base_url, "http://10.0.0.2:11434/v1");
    assert_eq!(provider("server").keys[0].expose(), "sk-${x}");
    assert!(imported.client_key.is_none());
    assert_eq!(config.settings.api_keys[0].digest, crate::config::model::KeyDigest::of("value-of-MASTER"));
}

#[test]
fn what_is_left_out_is_said() {
    let notes = import(FILE, "litellm.yaml", &environment()).unwrap().notes.join("\n");
    for part in [
        "anthropic/claude-sonnet",
        "groq/*: patterns",
        "litellm_settings.callbacks",
        "to nobody",
        "local/chat is called local-chat",
    ] {
        assert!(notes.contains(part), "{part} in {notes}");
    }
}

#[test]
fn a_file_without_a_key_gets_one_and_another_file_is_refused() {
    let text = "model_list: [{ model_name: default, litellm_params: { model: gpt-4o } }]";
    let imported = import(text, "l.yaml", &environment()).unwrap();
    let key = imported.client_key.clone().unwrap();
    assert_eq!(read(&imported).settings.api_keys[0].digest, crate::config::model::KeyDigest::of(&key));
    for text in ["", "model_list: []", "services: {}", "- 1", "model_list: [7]"] {
        assert!(matches!(import(text, "l.yaml", &environment()), Err(ImportError::Foreign(_))), "{text}");
    }
    let broken = import("a: [", "l.yaml", &environment()).err().unwrap().to_string();
    assert!(broken.contains("l.yaml:2:1: "), "{broken}");
}
