//! Typical files, before and after.

use super::*;

const EXAMPLE: &str = include_str!("../../../../config/config.example.yaml");
const STARTER: &str = include_str!("starter.yaml");

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

/// It is not the line at fault where the change would go.
#[test]
fn what_would_be_too_large_is_refused_for_that() {
    let text = "version: 1\nproviders: [{ id: a, type: local }]\n";
    let models: Vec<String> = (0..6_000).map(|at| format!(r#""m{at}":{{"contextWindow":{}}}"#, at + 1)).collect();
    let error = edit(text, &[put_provider("a", &format!(r#"{{"type":"local","models":{{{}}}}}"#, models.join(",")))]);
    assert_eq!(error, Err(EditError::TooLarge { most: 20_000 }));
}

#[test]
fn o24_a_setting_changes_in_its_line_and_nothing_else_does() {
    for (change, expected) in [
        (set("port", "4000"), vec!["-  port: 3429\t# behind a tab", "+  port: 4000\t# behind a tab"]),
        (set("host", "\"::1\""), vec!["-  host: '127.0.0.1'", "+  host: '::1'"]),
        (set("host", "\"0.0.0.0\""), vec!["-  host: '127.0.0.1'", "+  host: '0.0.0.0'"]),
        (set("requestTimeoutMs", "5"), vec!["-  requestTimeoutMs: 30000", "+  requestTimeoutMs: 5"]),
        (set("queueMode", "false"), vec!["+  queueMode: false"]),
        (
            set("adminKeys", r#"["sha256:0000000000000000000000000000000000000000000000000000000000000000"]"#),
            vec!["+  adminKeys:", "+    - sha256:0000000000000000000000000000000000000000000000000000000000000000"],
        ),
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
        put_provider(
            "groq",
            r#"{"type":"groq","name":"Fast: one","rateLimits":{"requestsPerMinute":3,"tokensPerMinute":6000}}"#,
        ),
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
        put_provider(
            "new",
            r#"{"type":"mistral","apiKey":"it's\"new\"","rateLimits":{"requestsPerMinute":1},"models":{"a/b:free":{"contextWindow":5}}}"#,
        ),
        &[
            "+  - id: new",
            "+    type: mistral",
            "+    apiKey: it's\"new\"",
            "+    rateLimits:",
            "+      requestsPerMinute: 1",
            "+    models:",
            "+      a/b:free:",
            "+        contextWindow: 5",
            "+",
        ],
    );
}

fn unchanged(text: &str, change: Change) -> EditError {
    let shown = format!("{change:?}");
    edit(text, &[change]).map(|new| panic!("{shown}\n{new}")).unwrap_err()
}

#[test]
fn o24_the_example_changes_in_single_lines() {
    for (change, expected) in [
        (
            set("port", "4001"),
            vec![
                "-  port: 3429                        # [restart] 0 takes any free port. Also --port, CHAIN429_PORT",
                "+  port: 4001                        # [restart] 0 takes any free port. Also --port, CHAIN429_PORT",
            ],
        ),
        (
            set("dbPath", "\"./a/path/that/is/long.redb\""),
            vec![
                "-  dbPath: ./data/usage.redb         # [restart] relative to the working directory; default: usage.redb in --data-dir",
                "+  dbPath: ./a/path/that/is/long.redb # [restart] relative to the working directory; default: usage.redb in --data-dir",
            ],
        ),
        (
            set("adminKeys", "[\"k-1\"]"),
            vec![
                "-  adminKeys: []                     # for the admin pages; none: one is made at the first start and shown once",
                "+  adminKeys:                        # for the admin pages; none: one is made at the first start and shown once",
                "+    - k-1",
            ],
        ),
        (
            remove("default", 0),
            vec![
                "-      - provider: groq",
                "-        model: openai/gpt-oss-120b  # as the provider spells it",
                "-        timeout: 8000               # requestTimeoutMs of this entry",
            ],
        ),
        (remove("default", 3), vec!["-      - { provider: home, model: qwen3 }"]),
        (insert("default", 1, r#"{"provider":"groq","model":"${M}"}"#), vec![]),
        (
            insert("default", 1, r#"{"provider":"groq","model":"x"}"#),
            vec!["+      - provider: groq", "+        model: x"],
        ),
        (
            delete_provider("home"),
            vec![
                "-  - id: home",
                "-    type: local                     # default baseUrl: http://127.0.0.1:11434/v1",
                "-",
                "-      - { provider: home, model: qwen3 }",
            ],
        ),
        (
            shift("default", 1, 2),
            vec![
                "-      - { provider: mistral, model: ministral-8b-latest }",
                "+      - { provider: mistral, model: ministral-8b-latest }",
            ],
        ),
    ] {
        match expected.is_empty() {
            true => assert!(matches!(unchanged(EXAMPLE, change), EditError::Refused(_))),
            false => changed(EXAMPLE, change, &expected),
        }
    }
}

#[test]
fn a_comment_goes_with_the_item_below_it() {
    changed(
        HOUSE,
        shift("default", 1, 0),
        &[
            "-      # first choice",
            "-      - { provider: groq, model: a } # cheap",
            "+      # first choice",
            "+      - { provider: groq, model: a } # cheap",
        ],
    );
    changed(HOUSE, remove("default", 1), &["-      # second choice", "-      - { provider: home, model: b } # slow"]);
    let turned = edited(HOUSE, Change::OrderProviders { ids: vec!["home".into(), "groq".into()] });
    let (home, groq) = (turned.find("# The one in the cellar.").unwrap(), turned.find("# Ours since spring.").unwrap());
    assert!(home < groq && turned.find("# models: {}").unwrap() > groq, "{turned}");
    assert!(turned.contains("    type: local\n\n  # Ours since spring.\n"), "{turned}");
    // Of a provider of the starter, the links and limits above it.
    let starter = STARTER.replace("_API_KEY}", "_API_KEY:-k}");
    let gone = edited(&starter, Change::DeleteProvider { id: "cerebras".into(), with_entries: true });
    assert!(!gone.contains("cloud.cerebras.ai") && gone.contains("console.groq.com"), "{gone}");
    assert!(!gone.contains("\n\n\n"), "{gone}");
}

#[test]
fn empty_lists_and_missing_sections_are_filled() {
    let rest = "version: 1\nsettings: { apiKeys: [k] }\n";
    let chain = r#"{"entries":[{"provider":"a","model":"m"}]}"#;
    for (old, new) in [
        (
            "providers:\nchains:   # none yet\n",
            "providers:\n  - id: a\n    type: local\nchains:   # none yet\n  - name: c\n    entries:\n      - { provider: a, model: m }\n",
        ),
        (
            "providers: []  # none\nchains: []",
            "providers:     # none\n  - id: a\n    type: local\nchains:\n  - name: c\n    entries:\n      - { provider: a, model: m }",
        ),
        (
            "",
            "providers:\n  - id: a\n    type: local\nchains:\n  - name: c\n    entries:\n      - { provider: a, model: m }\n",
        ),
        (
            "providers: ~\n",
            "providers:\n  - id: a\n    type: local\nchains:\n  - name: c\n    entries:\n      - { provider: a, model: m }\n",
        ),
    ] {
        let changes = [put_provider("a", r#"{"type":"local"}"#), put_chain("c", chain)];
        assert_eq!(edit(&format!("{rest}{old}"), &changes).as_deref(), Ok(format!("{rest}{new}").as_str()), "{old}");
    }
    let nothing = "# only a comment";
    let changes = [put_provider("a", r#"{"type":"local"}"#), put_chain("c", chain), set("apiKeys", "[\"k\"]")];
    assert!(matches!(edit(nothing, &changes), Err(EditError::Refused(_))));
}

#[test]
fn lines_end_as_they_did() {
    let crlf = HOUSE.replace('\n', "\r\n");
    for change in [
        set("queueMode", "false"),
        insert("default", 0, r#"{"provider":"home","model":"new"}"#),
        put_provider("new", r#"{"type":"local"}"#),
        remove("night", 0),
        delete_provider("home"),
        put_chain(
            "night",
            r#"{"entries":[{"provider":"home","model":"c"},{"provider":"groq","model":"x","timeout":1}]}"#,
        ),
    ] {
        let plain = edit(HOUSE, std::slice::from_ref(&change));
        let windows = edit(&crlf, std::slice::from_ref(&change));
        assert_eq!(windows.ok(), plain.clone().ok().map(|text| text.replace('\n', "\r\n")), "{change:?}");
        let open = edit(HOUSE.trim_end(), std::slice::from_ref(&change));
        assert_eq!(open.ok(), plain.clone().ok().map(|text| text.trim_end().to_owned()), "{change:?}");
        let marked = edit(&format!("\u{feff}{HOUSE}"), std::slice::from_ref(&change));
        assert_eq!(marked.ok(), plain.ok().map(|text| format!("\u{feff}{text}")), "{change:?}");
    }
    assert!(matches!(unchanged("version: 1\rsettings: {}\r", set("port", "1")), EditError::Layout { line: None }));
}

#[test]
fn what_an_alias_repeats_is_left_alone() {
    let text = "\
version: 1
settings: { apiKeys: [&k key-1] }
providers:
  - { id: a, type: local, rateLimits: &limits { requestsPerMinute: 5 } }
  - { id: b, type: local, rateLimits: *limits, name: &unused B }
chains:
  - name: c
    entries:
      - { provider: a, model: m }
";
    for (change, line) in [
        (put_provider("a", r#"{"type":"local","rateLimits":{"requestsPerMinute":6}}"#), 4),
        (put_provider("b", r#"{"type":"local","rateLimits":{"requestsPerMinute":6}}"#), 5),
        (put_provider("a", r#"{"type":"local"}"#), 4),
        (delete_provider("a"), 0),
    ] {
        let error = unchanged(text, change);
        match line {
            0 => assert!(matches!(error, EditError::LastEntry { .. }), "{error}"),
            line => assert_eq!(error, EditError::Aliased { line }),
        }
    }
    let without = edited(text, put_provider("b", r#"{"type":"local","name":"C"}"#));
    assert!(without.contains("  - { id: b, type: local, name: &unused C }\n"), "{without}");
}

#[test]
fn o25_names_stay_unique_and_uses_are_told() {
    let taken = unchanged(HOUSE, Change::RenameChain { from: "night".into(), to: "default".into() });
    assert_eq!(taken, EditError::Taken { what: "chain", name: "default".into() });
    let used = unchanged(HOUSE, Change::DeleteProvider { id: "groq".into(), with_entries: false });
    assert_eq!(
        used.to_string(),
        "provider `groq` is used in `default` (#1): remove these entries first, or together with it"
    );
    assert_eq!(unchanged(HOUSE, delete_provider("home")), EditError::LastEntry { chain: "night".into() });
    assert_eq!(unchanged(HOUSE, remove("night", 0)), EditError::LastEntry { chain: "night".into() });
    let default = unchanged(HOUSE, Change::DeleteChain { name: "default".into() });
    assert_eq!(default, EditError::DefaultChain { chain: "default".into() });
    let twice = format!("{HOUSE}  - name: night\n");
    assert!(matches!(unchanged(&twice, set("port", "1")), EditError::Refused(_)));
    let key = HOUSE.replace("  port:", "  port: 1\n  port:");
    assert!(matches!(unchanged(&key, set("port", "1")), EditError::Unreadable(_)));
}

#[test]
fn a_new_chain_does_not_change_which_one_is_the_default() {
    let text = "version: 1\nsettings: { apiKeys: [k] }\nproviders: [{ id: a, type: local }]\nchains:\n- name: only\n  entries: [{ provider: a, model: m }]\n";
    let new = edited(text, put_chain("second", r#"{"entries":[{"provider":"a","model":"x"}]}"#));
    assert!(new.contains("settings: { apiKeys: [k], defaultChain: only }\n"), "{new}");
    assert!(new.ends_with("- name: second\n  entries:\n  - { provider: a, model: x }\n"), "{new}");
    let renamed = edited(HOUSE, Change::RenameChain { from: "default".into(), to: "main".into() });
    assert_eq!(difference(HOUSE, &renamed), ["+  defaultChain: main", "-  - name: default", "+  - name: main"]);
}
