//! The module as others see it: a text in, a configuration or a list of problems out.

mod example;
mod mistakes;
mod properties;
mod secrets;
mod unfinished;

use std::path::PathBuf;
use std::time::Duration;

use super::error::ConfigErrors;
use super::model::{ClientKey, Config, KeyDigest, LogFormat, LogLevel, Strategy, UnknownModel};
use super::*;
use crate::domain::dialect::Dialect;
use crate::domain::ids::ModelId;
use crate::domain::limits::{DayReset, Scope};

/// The least that a file must hold.
const LEAST: &str = "\
version: 1
settings:
  apiKeys: [client-key]
providers:
  - id: groq
    type: groq
    apiKey: groq-key
chains:
  - name: default
    entries:
      - { provider: groq, model: openai/gpt-oss-120b }
";

fn read(text: &str) -> Result<Config, ConfigErrors> {
    read_with(text, &[("KEY", "value-of-KEY"), ("PORT", "4000"), ("EMPTY", ""), ("WORD", "word")])
}

fn read_with(text: &str, environment: &dyn Environment) -> Result<Config, ConfigErrors> {
    parse(text, "test.yaml", Path::new(""), environment, &Overrides::default())
}

fn good(text: &str) -> Config {
    read(text).unwrap_or_else(|errors| panic!("{errors}"))
}

/// `LEAST` with one piece of its text replaced.
fn with(old: &str, new: &str) -> String {
    assert!(LEAST.contains(old), "{old}");
    LEAST.replacen(old, new, 1)
}

#[test]
fn what_a_file_leaves_out_has_the_documented_default() {
    let config = good(LEAST);
    let settings = &config.settings;
    assert_eq!(settings.host, "127.0.0.1");
    assert_eq!(settings.port, 3429);
    assert_eq!(settings.workers, 1);
    assert_eq!(settings.api_keys, [ClientKey::numbered(0, "client-key")]);
    assert_eq!(settings.admin_keys, []);
    assert_eq!(settings.default_chain.as_str(), "default");
    assert_eq!(settings.unknown_model, UnknownModel::DefaultChain);
    assert_eq!(settings.log_level, LogLevel::Info);
    assert_eq!(settings.log_format, LogFormat::Text);
    assert_eq!(settings.cooldown_default, Duration::from_secs(60));
    assert_eq!(settings.connect_timeout, Duration::from_secs(5));
    assert_eq!(settings.request_timeout, Duration::from_secs(30));
    assert_eq!(settings.first_token_timeout, Duration::from_secs(30));
    assert_eq!(settings.stream_idle_timeout, Duration::from_secs(30));
    assert_eq!(settings.max_body_bytes, 32 << 20);
    assert!(settings.queue.enabled);
    assert_eq!(settings.queue.max_wait, Duration::from_secs(30));
    assert_eq!(settings.queue.max_size, 100);
    assert_eq!(settings.data_dir, PathBuf::from("./data"));
    assert_eq!(settings.db_path, PathBuf::from("./data/usage.redb"));
    assert_eq!(settings.retention_days, 30);
    assert!(!settings.normalize_responses);
    assert_eq!(settings.mid_stream.threshold, 3);
    assert_eq!(settings.mid_stream.cooldown, Duration::from_secs(120));
    assert_eq!(settings.mid_stream.cooldown_max, Duration::from_secs(1_800));

    let [provider] = config.providers.as_slice() else { panic!("one provider") };
    assert_eq!(provider.name, "groq");
    assert_eq!(provider.base_url, "https://api.groq.com/openai/v1");
    assert_eq!(provider.keys.iter().map(|key| key.expose()).collect::<Vec<_>>(), ["groq-key"]);
    assert_eq!((provider.timeout, provider.enabled), (None, true));
    assert_eq!(provider.limits, crate::domain::limits::Limits::default());
    assert_eq!(config.chains.first().map(|chain| chain.strategy), Some(Strategy::Ordered));
    assert_eq!(config.notices, [""; 0]);
}

#[test]
fn a_file_of_an_earlier_version_starts_unchanged() {
    let config = good(include_str!("../../tests/fixtures/config/earlier-version.yaml"));
    assert_eq!(config.settings.log_level, LogLevel::Error);
    assert_eq!(config.settings.stream_idle_timeout, Duration::from_secs(20));
    assert_eq!(config.settings.db_path, PathBuf::from("./data/observability.db"));
    let dialects: Vec<Dialect> = config.providers.iter().map(|provider| provider.dialect).collect();
    use Dialect::{Cerebras, GenericOpenai, GoogleAi, Groq, Openai, Openrouter};
    assert_eq!(dialects, [Openrouter, Groq, Cerebras, Openai, GoogleAi, GenericOpenai]);
    assert_eq!(config.providers[1].timeout, Some(Duration::from_secs(10)));
    assert_eq!(config.providers[3].base_url, "https://api.openai.com/v1");
    assert_eq!(config.chains[0].entries[0].model.as_str(), "meta-llama/llama-3.3-70b-instruct:free");
    assert_eq!(config.notices, [""; 0]);
}

#[test]
fn o2_concurrent_requests_reach_the_limits_with_all_others() {
    let config = good(&with(
        "    apiKey: groq-key\n",
        "    apiKey: groq-key
    rateLimits: { scope: provider, requestsPerMinute: 1, requestsPerHour: 2, requestsPerDay: 3, requestsPerMonth: 4,
      tokensPerMinute: 5, tokensPerHour: 6, tokensPerDay: 7, tokensPerMonth: 8, concurrentRequests: 9,
      dayResetsAt: 00:00 America/Los_Angeles }
    models:
      gpt-4.1: { rateLimits: { concurrentRequests: 1, scope: model }, contextWindow: 8192 }
      plain:\n",
    ));
    let provider = &config.providers[0];
    let numbers = |model: &str| {
        let limits = provider.limits_of(&ModelId::new(model));
        [
            limits.requests_per_minute,
            limits.requests_per_hour,
            limits.requests_per_day,
            limits.requests_per_month,
            limits.tokens_per_minute,
            limits.tokens_per_hour,
            limits.tokens_per_day,
            limits.tokens_per_month,
            limits.concurrent_requests,
        ]
        .map(|limit| limit.unwrap().get())
    };
    assert_eq!(numbers("plain"), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(numbers("any other"), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(numbers("gpt-4.1"), [1, 2, 3, 4, 5, 6, 7, 8, 1]);
    assert_eq!(provider.limits.scope, Scope::Provider);
    assert_eq!(provider.limits_of(&ModelId::new("gpt-4.1")).scope, Scope::Model);
    assert_eq!(provider.models[&ModelId::new("gpt-4.1")].context_window, Some(8192));
    let zone = "America/Los_Angeles".to_owned();
    assert_eq!(provider.limits.day_resets_at, DayReset::At { hour: 0, minute: 0, zone });
}

#[test]
fn values_come_from_the_environment_and_take_the_type_of_their_key() {
    let config = good(&with(
        "settings:\n",
        "settings:\n  port: ${PORT:-3429}\n  workers: \"${WORKERS:-2}\"\n  queueMode: ${QUEUE:-false}\n  host: ${EMPTY}\n",
    ));
    assert_eq!(config.settings.port, 4000);
    assert_eq!(config.settings.workers, 2);
    assert!(!config.settings.queue.enabled);
    assert_eq!(config.settings.host, "127.0.0.1");
    let provider = &good(&with("groq-key", "${KEY}")).providers[0];
    assert_eq!(provider.keys[0].expose(), "value-of-KEY");
}

#[test]
fn scalars_are_what_was_written() {
    for (written, key) in [("0123", "0123"), ("1e5", "1e5"), ("true", "true"), ("'null'", "null"), ("1.10", "1.10")] {
        assert_eq!(good(&with("groq-key", written)).providers[0].keys[0].expose(), key);
    }
}

#[test]
fn every_type_is_written_in_kebab_case() {
    for (written, dialect) in [
        ("groq", Dialect::Groq),
        ("openrouter", Dialect::Openrouter),
        ("cerebras", Dialect::Cerebras),
        ("openai", Dialect::Openai),
        ("google-ai", Dialect::GoogleAi),
        ("mistral", Dialect::Mistral),
        ("nvidia", Dialect::Nvidia),
        ("cohere", Dialect::Cohere),
        ("cloudflare", Dialect::Cloudflare),
        ("sambanova", Dialect::Sambanova),
        ("huggingface", Dialect::Huggingface),
        ("together", Dialect::Together),
        ("zai", Dialect::Zai),
        ("ollama-cloud", Dialect::OllamaCloud),
        ("local", Dialect::Local),
        ("generic-openai", Dialect::GenericOpenai),
    ] {
        let base = if dialect.default_base_url().is_none() { "\n    baseUrl: https://example.com/v1" } else { "" };
        let config = good(&with("type: groq", &format!("type: {written}{base}")));
        assert_eq!(config.providers[0].dialect, dialect);
        let expected = dialect.default_base_url().unwrap_or("https://example.com/v1");
        assert_eq!(config.providers[0].base_url, expected);
    }
}

#[test]
fn the_command_line_wins_over_the_file() {
    let overrides = Overrides {
        host: Some("::1".to_owned()),
        port: Some(0),
        data_dir: Some("/srv".into()),
        ..Overrides::default()
    };
    let text = with("settings:\n", "settings:\n  host: 0.0.0.0\n  port: 80\n");
    let config = parse(&text, "test.yaml", Path::new(""), &[], &overrides).unwrap();
    assert_eq!((config.settings.host.as_str(), config.settings.port), ("::1", 0));
    assert_eq!(config.settings.data_dir, PathBuf::from("/srv"));
    assert_eq!(config.settings.db_path, PathBuf::from("/srv/usage.redb"));
}

#[test]
fn data_lives_beside_the_database_unless_told_otherwise() {
    let places = |db_path: &str, data_dir: Option<&str>| {
        let overrides = Overrides { data_dir: data_dir.map(Into::into), ..Overrides::default() };
        let text = with("settings:\n", &format!("settings:\n  dbPath: {db_path}\n"));
        let settings = parse(&text, "test.yaml", Path::new(""), &[], &overrides).unwrap().settings;
        (settings.data_dir, settings.db_path)
    };
    assert_eq!(places("var/x.redb", None), ("var".into(), "var/x.redb".into()));
    assert_eq!(places("x.redb", None), (".".into(), "x.redb".into()));
    assert_eq!(places("var/x.redb", Some("/srv")), ("/srv".into(), "var/x.redb".into()));
    assert_eq!(places("", Some("/srv")), ("/srv".into(), "/srv/usage.redb".into()));
}

#[test]
fn a_single_chain_is_the_default_whatever_its_name() {
    assert_eq!(good(&with("name: default", "name: smart")).settings.default_chain.as_str(), "smart");
}

#[test]
fn a_disabled_provider_may_lack_a_key_and_still_stand_in_a_chain() {
    let more = "  - { id: off, type: mistral, enabled: false, apiKey: '${NONE:-}' }\n  - { id: off2, type: zai, enabled: false, apiKeyFile: none }\nchains:\n";
    let text = with("chains:\n", more).replace("entries:\n", "entries:\n      - { provider: off, model: m }\n");
    let config = good(&text);
    assert!(!config.providers[1].enabled);
    assert_eq!(config.providers[1].keys, []);
}

#[test]
fn servers_without_keys_need_none() {
    let config = good(&with("type: groq\n    apiKey: groq-key", "type: local"));
    assert_eq!(config.providers[0].keys, []);
    good(&with("type: groq\n    apiKey: groq-key", "type: generic-openai\n    baseUrl: http://localhost:1234"));
}

#[test]
fn several_keys_and_headers_come_through() {
    let config = good(&with(
        "apiKey: groq-key",
        "apiKeys: [one, '${KEY}']\n    headers: { X-Title: my app, HTTP-Referer: https://example.com }",
    ));
    let provider = &config.providers[0];
    assert_eq!(provider.keys.iter().map(|key| key.expose()).collect::<Vec<_>>(), ["one", "value-of-KEY"]);
    let headers: Vec<(&str, &str)> =
        provider.headers.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
    assert_eq!(headers, [("http-referer", "https://example.com"), ("x-title", "my app")]);
}

#[test]
fn client_keys_may_be_given_as_digests() {
    let digest = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
    let config = good(&with("client-key", digest));
    assert_eq!(config.settings.api_keys, [ClientKey::numbered(0, "foo")]);
}

#[test]
fn client_keys_may_have_labels() {
    let labels = |items: &str| {
        let keys = good(&with("client-key", items)).settings.api_keys;
        keys.into_iter().map(|key| (key.label, key.digest)).collect::<Vec<_>>()
    };
    let of = |label: &str, key| (label.to_owned(), KeyDigest::of(key));
    let items = "a, { key: b, label: the laptop }, { label: phone, key: '${KEY}' }, { key: d }";
    let expected = [of("key-1", "a"), of("the laptop", "b"), of("phone", "value-of-KEY"), of("key-4", "d")];
    assert_eq!(labels(items), expected);
    assert_eq!(labels("{ key: a, label: key-2 }, { key: b, label: x }")[0].0, "key-2", "it is nobody else's");
}

#[test]
fn reference_prices_come_before_the_built_in_ones() {
    let prices =
        "[client-key]\n  referencePrices: { 'gpt-4o': { input: 1, output: 2.5 }, 'x.y*': { input: 0, output: .5 } }";
    let list = good(&with("[client-key]", prices)).settings.reference_prices;
    let of = |model| list.of(model).map(|line| (line.price.input, line.price.output, line.built_in));
    assert_eq!(of("openai/gpt-4o"), Some((1.0, 2.5, false)));
    assert_eq!(of("x.y-z"), Some((0.0, 0.5, false)));
    assert_eq!(of("gpt-4o-mini"), Some((0.15, 0.60, true)));
}

#[test]
fn aliases_repeat_what_they_name() {
    let config = good(&with(
        "apiKey: groq-key\n",
        "apiKey: groq-key\n    rateLimits: &free { requestsPerMinute: 3 }\n  - { id: two, type: zai, apiKey: k, rateLimits: *free }\n",
    ));
    assert_eq!(config.providers[0].limits, config.providers[1].limits);
}

#[test]
fn a_file_is_found_with_the_key_file_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("secrets")).unwrap();
    std::fs::write(dir.path().join("secrets/groq"), "key-of-file\n").unwrap();
    let path = dir.path().join("config.yaml");
    std::fs::write(&path, with("apiKey: groq-key", "apiKeyFile: secrets/groq")).unwrap();
    let config = load(&path, &[], &Overrides::default()).unwrap();
    assert_eq!(config.providers[0].keys[0].expose(), "key-of-file");
}

#[test]
fn a_file_that_cannot_be_read_says_why_and_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.yaml");
    let attempt = || load(&path, &[], &Overrides::default()).unwrap_err();

    let missing = attempt();
    assert_eq!(missing.kind(), ConfigErrorKind::Missing);
    assert!(missing.to_string().contains("429chain init"), "{missing}");

    std::fs::write(&path, b"version: 1\nname: \xff").unwrap();
    let foreign = attempt();
    assert_eq!(foreign.kind(), ConfigErrorKind::Unreadable);
    assert_eq!((foreign.problems()[0].line, foreign.problems()[0].column), (Some(2), Some(7)));

    std::fs::write(&path, vec![b' '; 5 << 20]).unwrap();
    assert!(attempt().to_string().contains("larger than 4 MiB"));

    let folder = load(dir.path(), &[], &Overrides::default()).unwrap_err();
    assert_eq!(folder.kind(), ConfigErrorKind::Unreadable);
    assert!(folder.to_string().contains("this is a folder, not a file"), "{folder}");

    #[cfg(target_os = "linux")]
    {
        open::tests::pipe(&dir.path().join("pipe"));
        let pipe = load(&dir.path().join("pipe"), &[], &Overrides::default()).unwrap_err();
        assert_eq!(pipe.kind(), ConfigErrorKind::Unreadable);
        assert!(pipe.to_string().contains("this is a pipe or a device, not a file"), "{pipe}");
    }
}
