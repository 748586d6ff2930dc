use std::collections::BTreeMap;
use std::path::Path;

use super::super::model::Config;
use super::super::{Overrides, parse};
use super::*;

mod fallbacks;
mod left_out;
mod merge;
mod settings;

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

fn from(text: &str) -> Imported {
    import(text, "l.yaml", &environment()).unwrap_or_else(|fault| panic!("{fault}\n{text}"))
}

fn refusal(text: &str) -> String {
    import(text, "l.yaml", &environment()).err().unwrap().to_string()
}

/// As `name: model model`.
fn chains(imported: &Imported) -> Vec<String> {
    let of = |chain: &crate::config::model::Chain| {
        let models: Vec<&str> = chain.entries.iter().map(|entry| entry.model.as_str()).collect();
        format!("{}: {}", chain.name, models.join(" "))
    };
    read(imported).chains.iter().map(of).collect()
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
        "groq/*: wildcards",
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

/// A key goes nowhere but to whom it was given for.
#[test]
fn no_key_is_sent_to_somebody_else() {
    let text = r#"
model_list:
  - { model_name: a, litellm_params: { model: openai/mine, base_url: "http://localhost:8000/v1", api_key: private } }
  - { model_name: a, litellm_params: { model: claude-3-5-sonnet, api_key: os.environ/ANTHROPIC_API_KEY } }
  - { model_name: a, litellm_params: { model: azure/dep, api_base: "https://x.openai.azure.com", api_key: k } }
  - { model_name: a, litellm_params: { model: gpt-4o, litellm_credential_name: shared } }
"#;
    let imported = import(text, "l.yaml", &environment()).unwrap();
    let config = read(&imported);
    assert_eq!(config.providers.len(), 1);
    assert_eq!(config.providers[0].base_url, "http://localhost:8000/v1");
    assert_eq!(imported.notes.len(), 3, "{:?}", imported.notes);
}

#[test]
fn addresses_and_keys_may_stand_in_the_environment() {
    let text = r#"
model_list:
  - { model_name: a, litellm_params: { model: ollama/q, api_base: os.environ/OLLAMA_URL } }
  - { model_name: a, litellm_params: { model: openai/x, api_base: os.environ/NOT_THERE, api_key: os.environ/NEITHER } }
general_settings: { master_key: os.environ/NO_MASTER }
"#;
    let mut environment = environment();
    environment.insert("OLLAMA_URL".to_owned(), "http://10.0.0.9:11434".to_owned());
    environment.insert("MASTER_LATER".to_owned(), "x".to_owned());
    let imported = import(text, "l.yaml", &environment).unwrap();
    assert_eq!(imported.missing, ["NEITHER", "NOT_THERE"]);
    assert!(imported.notes.iter().any(|note| note.starts_with("NO_MASTER is not set")), "{:?}", imported.notes);
    environment.insert("NO_MASTER".to_owned(), "key-of-the-master".to_owned());
    let config = parse(&imported.text, "t.yaml", Path::new(""), &environment, &Overrides::default());
    let config = config.unwrap_or_else(|errors| panic!("{errors}\n{}", imported.text));
    assert_eq!(config.providers[0].base_url, "http://10.0.0.9:11434/v1");
    assert_eq!(config.providers.iter().map(|it| it.enabled).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn groups_stay_apart_aliases_are_chains_and_the_smaller_limit_holds() {
    let text = r#"
model_list:
  - { model_name: gpt-4, litellm_params: { model: groq/one, api_key: k, rpm: 30 } }
  - { model_name: "gpt 4", litellm_params: { model: groq/two, api_key: k } }
  - { model_name: other, litellm_params: { model: groq/one, api_key: k, rpm: 10 } }
  - { model_name: other, litellm_params: { model: huggingface/together/deepseek-ai/R1, api_key: k } }
router_settings:
  model_group_alias: { fast: gpt-4, none: nobody }
  fallbacks: [{ "*": [other] }]
"#;
    let imported = import(text, "l.yaml", &environment()).unwrap();
    let config = read(&imported);
    let router = "deepseek-ai/R1:together";
    assert_eq!(
        chains(&imported),
        [
            format!("gpt-4: one {router}"),
            format!("gpt-4-2: two one {router}"),
            format!("other: one {router}"),
            format!("fast: one {router}"),
        ]
    );
    let limits = config.providers[0].limits_of(&crate::domain::ids::ModelId::new("one"));
    assert_eq!(limits.requests_per_minute, 10.try_into().ok());
    assert!(imported.notes.iter().any(|note| note.contains("alias none")), "{:?}", imported.notes);
}
