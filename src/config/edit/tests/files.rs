//! Typical files, before and after.

use super::*;

const EXAMPLE: &str = include_str!("../../../../config/config.example.yaml");
const STARTER: &str = include_str!("../../starter.yaml");

/// Comments in all places, and everything else that people write.
const HOUSE: &str = "\
# The file of the house.
version: 1
settings:
  # --- Access ---
  apiKeys: [house-key]   # for the family
  port: 3429\t# behind a tab
  host: '127.0.0.1'

  # --- Patience ---
  requestTimeoutMs: 30000

providers:
  # Ours since spring.
  - id: groq   # fast
    type: groq
    apiKey: \"${KEY}\"  # from the environment
    rateLimits: { requestsPerMinute: 30, tokensPerMinute: 6000 } # free plan
    # models: {}

  # The one in the cellar.
  - id: home
    type: local

# What clients ask for.
chains:
  - name: default
    entries:   # from the top
      # first choice
      - { provider: groq, model: a } # cheap
      # second choice
      - { provider: home, model: b } # slow
  - name: night
    entries:
    - provider: home
      model: c
      timeout: 9000
";

fn changed(text: &str, change: Change, expected: &[&str]) {
    let shown = format!("{change:?}");
    let new = edited(text, change);
    assert_eq!(difference(text, &new), expected, "{shown}\n{new}");
}

#[test]
fn o24_a_setting_changes_in_its_line_and_nothing_else_does() {
    for (change, expected) in [
        (set("port", "4000"), vec!["-  port: 3429\t# behind a tab", "+  port: 4000\t# behind a tab"]),
        (set("host", "\"::1\""), vec!["-  host: '127.0.0.1'", "+  host: '::1'"]),
        (set("host", "\"0.0.0.0\""), vec!["-  host: '127.0.0.1'", "+  host: '0.0.0.0'"]),
        (set("requestTimeoutMs", "5"), vec!["-  requestTimeoutMs: 30000", "+  requestTimeoutMs: 5"]),
        (set("queueMode", "false"), vec!["+  queueMode: false"]),
        (set("adminKeys", r#"["sha256:0000000000000000000000000000000000000000000000000000000000000000"]"#), vec![
            "+  adminKeys:",
            "+    - sha256:0000000000000000000000000000000000000000000000000000000000000000",
        ]),
        (unset("requestTimeoutMs"), vec!["-  requestTimeoutMs: 30000"]),
        (unset("host"), vec!["-  host: '127.0.0.1'"]),
        (set("apiKeys", r#"["house-key", "x y"]"#), vec![]),
    ] {
        match expected.is_empty() {
            true => assert!(matches!(edit(HOUSE, &[change]), Err(EditError::Refused(_)))),
            false => changed(HOUSE, change, &expected),
        }
    }
}

#[test]
fn a_change_that_changes_nothing_gives_back_the_same_bytes() {
    for text in [HOUSE, HOUSE.trim_end(), &HOUSE.replace('\n', "\r\n"), &format!("\u{feff}{HOUSE}")] {
        for change in [
            set("port", "3429"),
            set("port", "\"3429\""),
            unset("logLevel"),
            set("apiKeys", "[\"house-key\"]"),
            put_provider("groq", r#"{"type":"groq","rateLimits":{"tokensPerMinute":6000,"requestsPerMinute":30}}"#),
            put_provider("home", r#"{"id":"home","type":"local","name":null}"#),
            put_chain("night", "{}"),
            shift("default", 1, 1),
            Change::OrderEntries { chain: "default".into(), order: vec![0, 1] },
            Change::OrderProviders { ids: vec!["groq".into(), "home".into()] },
            Change::OrderChains { names: vec!["default".into(), "night".into()] },
            Change::SetDefaultChain { name: "default".into() },
            Change::RenameChain { from: "night".into(), to: "night".into() },
            Change::AddClientKey { digest: super::super::super::model::KeyDigest::of("house-key"), label: None },
        ] {
            assert_eq!(edit(text, std::slice::from_ref(&change)).as_deref(), Ok(text), "{change:?}");
        }
        assert_eq!(edit(text, &[]).as_deref(), Ok(text));
    }
}

#[test]
fn a_provider_changes_in_the_members_that_differ() {
    changed(
        HOUSE,
        put_provider("groq", r#"{"type":"groq","name":"Fast: one","rateLimits":{"requestsPerMinute":3,"tokensPerMinute":6000}}"#),
        &[
            "+    name: \"Fast: one\"",
            "-    rateLimits: { requestsPerMinute: 30, tokensPerMinute: 6000 } # free plan",
            "+    rateLimits: { requestsPerMinute: 3, tokensPerMinute: 6000 } # free plan",
        ],
    );
}

#[test]
fn a_new_provider_goes_to_the_end_and_keeps_the_distance() {
    changed(
        HOUSE,
        put_provider("new", r#"{"type":"mistral","apiKey":"it's\"new\"","rateLimits":{"requestsPerMinute":1},"models":{"a/b:free":{"contextWindow":5}}}"#),
        &[
            "+",
            "+  - id: new",
            "+    type: mistral",
            "+    apiKey: it's\"new\"",
            "+    rateLimits:",
            "+      requestsPerMinute: 1",
            "+    models:",
            "+      a/b:free:",
            "+        contextWindow: 5",
        ],
    );
}
