//! Every mistake gets a message that says what, where and what to do instead.

use super::*;

/// The problems of `text`, without the name of the file.
fn mistakes(text: &str) -> String {
    let errors = read(text).expect_err("this configuration should have been refused");
    assert_eq!(errors.kind(), ConfigErrorKind::Invalid);
    errors.to_string().replace("test.yaml:", "")
}

/// One mistake, made by replacing a piece of `LEAST`, is exactly one problem that says all of `says`.
fn one_mistake(old: &str, new: &str, says: &[&str]) {
    let text = with(old, new);
    let errors = read(&text).expect_err(new);
    assert_eq!(errors.problems().len(), 1, "{new}:\n{errors}");
    let printed = errors.to_string();
    for piece in says {
        assert!(printed.contains(piece), "{new}:\n{printed}\n  does not say: {piece}");
    }
    assert!(!printed.contains("hunter2"), "{new}:\n{printed}\n  tells a key");
}

#[test]
fn mistakes_in_the_shape_of_the_file() {
    let settings = |line: &str| format!("settings:\n  {line}\n");
    for (line, says) in [
        ("prot: 1", ["3:3", "settings.prot: unknown key `prot`", "did you mean `port`?"]),
        ("port: abc", ["3:9", "settings.port: expected a whole number", "found `abc`"]),
        ("port: 3429.5", ["3:9", "settings.port: expected a whole number", "found `3429.5`"]),
        ("port: true", ["3:9", "settings.port: expected a whole number", "found `true`"]),
        ("port: -1", ["3:9", "settings.port: expected a whole number", "found `-1`"]),
        ("port: [1]", ["3:3", "settings.port: expected a whole number", "found a list"]),
        ("port: {}", ["3:3", "settings.port: expected a whole number", "found a mapping"]),
        ("port: 70000", ["3:9", "settings.port: must be from 0 to 65535", ""]),
        ("port: ${WORD}", ["3:9", "settings.port: expected a whole number", "found the value of `${WORD}`"]),
        ("port: ${NONE}", ["3:9", "settings.port: the environment variable `NONE` is not set", "`${NAME:-default}`"]),
        ("port: ${NONE", ["3:9", "settings.port: `${` without its `}`", "close it"]),
        ("workers: 0", ["3:12", "settings.workers: must be from 1 to 64", ""]),
        ("workers: 65", ["3:12", "settings.workers: must be from 1 to 64", ""]),
        ("queueMode: yes", ["3:14", "settings.queueMode: expected true or false", "found `yes`"]),
        ("logLevel: loud", ["3:13", "unknown logLevel: `loud`", "trace, debug, info, warn, error"]),
        ("logLevel: Info", ["3:13", "unknown logLevel: `Info`", "did you mean `info`?"]),
        ("unknownModel: refuse", ["3:17", "unknown unknownModel: `refuse`", "defaultChain or reject"]),
        ("requestTimeoutMs: 0", ["3:21", "must be from 1 to 3600000 milliseconds", "30000"]),
        ("requestTimeoutMs: 3600001", ["3:21", "must be from 1 to 3600000 milliseconds", "30000"]),
        ("maxBodyBytes: 1", ["3:17", "must be from 1024 to", ""]),
        ("host: 127.0.0.1:80", ["3:9", "without a port", "settings.port"]),
        ("adminKeys: [client-key]", ["3:15", "settings.adminKeys[0]: this is also a client key", "admin-key"]),
        ("adminKeys: [os.environ/ADMIN_KEY]", ["3:15", "is no key", "write `${ADMIN_KEY}`"]),
        ("adminKeys: [a b]", ["3:15", "without spaces", ""]),
        ("adminKeys: ['sha256:12']", ["3:15", "64 hex digits", "sha256sum"]),
        ("adminKeys: [~]", ["3:15", "settings.adminKeys[0]: this key is empty", ""]),
        ("adminKeys: ['']", ["3:15", "settings.adminKeys[0]: this key is empty", ""]),
        ("adminKeys: key", ["3:14", "settings.adminKeys: expected a list", "found text"]),
        ("defaultChain: smart", ["3:17", "no chain has the name `smart`", "name one of: default"]),
        ("defaultChain: defualt", ["3:17", "no chain has the name `defualt`", "did you mean `default`?"]),
        ("defaultChain: a/b", ["3:17", "must be 1 to 64 characters", ""]),
    ] {
        one_mistake("settings:\n", &settings(line), &says);
    }
}

#[test]
fn mistakes_in_providers() {
    let of_groq = |line: &str| format!("apiKey: groq-key\n    {line}");
    for (line, says) in [
        ("timeout: 0", ["8:14", "providers[0].timeout: must be from 1", ""]),
        ("enabled: 1", ["8:14", "providers[0].enabled: expected true or false", ""]),
        ("apikey: x", ["8:5", "unknown key `apikey`", "did you mean `apiKey`?"]),
        ("colour: red", ["8:5", "unknown key `colour`", "known here: id, name, type, apiKey"]),
        ("<<: { a: b }", ["8:5", "unknown key `<<`", "merge keys are not supported"]),
        ("apiKeys: [a]", ["8:5", "providers[0].apiKeys: a provider takes its key from one place only", "keep one"]),
        ("apiKeyFile: nowhere", ["8:17", "a provider takes its key from one place only", "keep one"]),
        ("baseUrl: ftp://x", ["8:14", "providers[0].baseUrl: must begin with http:// or https://", ""]),
        ("rateLimits: 30", ["8:17", "providers[0].rateLimits: expected a mapping", "found `30`"]),
        ("rateLimits: { requestPerMinute: 1 }", ["8:19", "unknown key `requestPerMinute`", "`requestsPerMinute`?"]),
        ("rateLimits: { requestsPerMinute: 0 }", ["8:38", "must be at least 1", "leave the key out"]),
        ("rateLimits: { requestsPerMinute: many }", ["8:38", "rateLimits.requestsPerMinute: expected", "`many`"]),
        ("rateLimits: { scope: modle }", ["8:26", "unknown scope: `modle`", "did you mean `model`?"]),
        ("rateLimits: { dayResetsAt: noon }", ["8:32", "must be a time and a time zone", "\"00:00 UTC\""]),
        ("rateLimits: { dayResetsAt: 00:00 Mars }", ["8:32", "a time zone that does not exist", ""]),
        ("models: { gpt-4.1: { x: 1 } }", ["8:26", r#"providers[0].models["gpt-4.1"].x: unknown key"#, ""]),
        ("models: { m: { contextWindow: 0 } }", ["8:35", "models.m.contextWindow: must be at least 1", ""]),
        ("models: { m: { rateLimits: { tokensPerDay: 0 } } }", ["8:48", "models.m.rateLimits.tokensPerDay", ""]),
        (
            "models: { m: { rateLimits: { scope: provider } } }",
            ["8:41", "cannot be shared", "provider's own rateLimits"],
        ),
        ("models: { ' m': { } }", ["8:15", "must be 1 to 256 characters", "as the provider spells it"]),
        ("headers: { Authorization: x }", ["8:16", "this header cannot be set here", "apiKey"]),
        ("headers: { content-length: 5 }", ["8:16", "this header cannot be set here", "which 429chain makes"]),
        ("headers: { a b: x }", ["8:16", "is not the name of a header", "X-Title"]),
        ("headers: { X-A: x, x-a: y }", ["8:24", "this header is set twice", "upper and lower case"]),
        ("headers: { X-A: }", ["8:16", "is empty", "give the header a value"]),
        ("headers: { X-A: \"a\\nb\" }", ["8:21", "visible ASCII in one line", ""]),
    ] {
        one_mistake("apiKey: groq-key", &of_groq(line), &says);
    }
    for (old, new, says) in [
        ("type: groq", "type: gorq", ["6:11", "unknown type: `gorq`", "did you mean `groq`?"]),
        ("type: groq", "type: gemini", ["6:11", "unknown type: `gemini`", "google-ai"]),
        ("    type: groq\n", "", ["5:5", "providers[0].type: is missing", "generic-openai"]),
        ("id: groq\n    type", "type", ["5:5", "providers[0].id: is missing", "id: groq"]),
        ("id: groq\n", "id: g/q\n", ["5:9", "providers[0].id: must be 1 to 64 characters", ""]),
        ("    apiKey: groq-key\n", "", ["5:5", "providers[0].apiKey: is missing", "apiKeyFile"]),
        ("apiKey: groq-key", "apiKey:", ["7:5", "providers[0].apiKey: is empty", ""]),
        ("apiKey: groq-key", "apiKey: ''", ["7:13", "providers[0].apiKey: this key is empty", ""]),
        ("apiKey: groq-key", "apiKey: ${EMPTY}", ["7:13", "`${EMPTY}` is empty", "set that variable"]),
        ("apiKey: groq-key", "apiKey: $GROQ_API_KEY", ["7:13", "is no key", "write `${GROQ_API_KEY}`"]),
        ("apiKey: groq-key", "apiKey: os.environ/GROQ", ["7:13", "is no key", "write `${GROQ}`"]),
        (
            "apiKey: groq-key",
            "apiKeys: [a, '{{GROQ_KEY}}']",
            ["7:18", "apiKeys[1]: this names a variable", "`${GROQ_KEY}`"],
        ),
        ("apiKey: groq-key", "apiKey: ${A:-${B}}", ["7:13", "cannot hold another variable", "`${NAME:-default}`"]),
        ("apiKey: groq-key", "apiKeys: []", ["7:5", "providers[0].apiKeys: is empty", ""]),
        ("apiKey: groq-key", "apiKeys: [a, ~]", ["7:18", "providers[0].apiKeys[1]: this key is empty", ""]),
        (
            "apiKey: groq-key",
            "apiKeys: [hunter2, b, hunter2]",
            ["7:27", "providers[0].apiKeys[2]: this is the same key as providers[0].apiKeys[0] in line 7", "remove it"],
        ),
        ("apiKey: groq-key", "apiKeyFile: no/such", ["7:17", "no/such: there is no such file", "nothing but the key"]),
        ("type: groq", "type: cloudflare", ["5:5", "baseUrl: is missing", "ACCOUNT_ID"]),
        ("type: groq", "type: generic-openai", ["5:5", "baseUrl: is missing", "https://api.example.com/v1"]),
        ("chains:", "  -\nchains:", ["8:3", "providers[1]: this item is empty", "remove the `-`"]),
    ] {
        one_mistake(old, new, &says);
    }
}

#[test]
fn mistakes_in_chains() {
    const ENTRY: &str = "- { provider: groq, model: openai/gpt-oss-120b }";
    for (old, new, says) in [
        (ENTRY, "- { provider: gorq, model: m }", ["11:21", "no provider has the id `gorq`", "did you mean `groq`?"]),
        (ENTRY, "- { provider: xyz, model: m }", ["11:21", "no provider has the id `xyz`", "configured: groq"]),
        (ENTRY, "- { model: m }", ["11:9", "chains[0].entries[0].provider: is missing", "- { provider"]),
        (
            "providers:\n  - id: groq\n    type: groq\n    apiKey: groq-key\n",
            "",
            ["7:21", "no provider has the id `groq`", "no provider is configured yet"],
        ),
        (ENTRY, "- { provider: groq }", ["11:9", "chains[0].entries[0].model: is missing", "- { provider"]),
        (ENTRY, "- { provider: groq, model: '' }", ["11:34", "must be 1 to 256 characters", ""]),
        (ENTRY, "- { provider: groq, model: m, timeout: 0 }", ["11:46", "entries[0].timeout: must be", ""]),
        (ENTRY, "- groq/model", ["11:9", "entries[0]: expected a mapping", "found `groq/model`"]),
        (ENTRY, "-", ["11:7", "chains[0].entries[0]: this item is empty", ""]),
        (
            "    entries:\n      - { provider: groq, model: openai/gpt-oss-120b }\n",
            "",
            ["9:5", "at least one entry", ""],
        ),
        ("name: default", "name: a/b", ["9:11", "chains[0].name: must be 1 to 64 characters", ""]),
        ("name: default", "strategy: ordered", ["9:5", "chains[0].name: is missing", ""]),
        ("name: default", "name: x\n    strategy: fastest", ["10:15", "unknown strategy: `fastest`", "latency"]),
    ] {
        one_mistake(old, new, &says);
    }
    let twice = format!("{ENTRY}\n      - {{ model: openai/gpt-oss-120b, provider: groq, timeout: 5 }}");
    one_mistake(ENTRY, &twice, &["12:9", "the same provider and model as chains[0].entries[0]", "remove one"]);
}

#[test]
fn two_chains_need_to_know_which_one_is_the_default() {
    let text = with("name: default", "name: one") + "  - { name: two, entries: [{ provider: groq, model: m }] }\n";
    assert_eq!(
        mistakes(&text),
        "2:1: settings.defaultChain: is missing, and no chain is called `default`\n    name one of: one, two"
    );
}

#[test]
fn mistakes_at_the_top() {
    for (old, new, says) in [
        ("version: 1\n", "", ["1:1", "version: is missing", "add `version: 1`"]),
        ("version: 1", "version: 2", ["1:10", "not known", "write `version: 1`"]),
        ("version: 1", "version: one", ["1:10", "expected a whole number", ""]),
        ("version: 1", "version: 1\nport: 1", ["2:1", "unknown key `port`", "known here: version, settings"]),
        ("  apiKeys: [client-key]\n", "", ["2:1", "at least one client key is needed", "openssl rand"]),
        ("[client-key]", "[a, { label: x }]", ["3:16", "settings.apiKeys[1].key: is missing", "{ key: ..., label"]),
        ("[client-key]", "[a, { key: '', label: x }]", ["3:23", "settings.apiKeys[1].key: this key is empty", ""]),
        ("[client-key]", "[a, { key: b, lable: x }]", ["3:26", "unknown key `lable`", "did you mean `label`?"]),
        (
            "[client-key]",
            "[a, { key: b, label: key-1 }]",
            ["3:33", "settings.apiKeys[0] is called so, too", "of its own"],
        ),
        ("[client-key]", "[{ key: b, label: ui }]", ["3:30", "`ui` is what requests of the admin pages", ""]),
        ("[client-key]", "[{ key: b, label: '' }]", ["3:30", "must be 1 to 64 characters", ""]),
        ("[client-key]", "[[a]]", ["3:13", "settings.apiKeys[0]: expected text, or a mapping with `key`", "a list"]),
        ("[client-key]", "[client-key]\n  referencePrices: [1]", ["4:3", "expected a mapping", ""]),
        ("[client-key]", "[client-key]\n  referencePrices: { m: 1 }", ["4:25", "expected a mapping", "`1`"]),
        ("[client-key]", "[client-key]\n  referencePrices: { m: }", ["4:22", "has no price", "input: 0.59"]),
        (
            "[client-key]",
            "[client-key]\n  referencePrices: { m: { input: 1 } }",
            ["4:22", "output: is missing", "US dollars"],
        ),
        (
            "[client-key]",
            "[client-key]\n  referencePrices: { m: { input: -1, output: 1 } }",
            ["4:34", "must be from 0 to 1000000", ""],
        ),
        (
            "[client-key]",
            "[client-key]\n  referencePrices: { m: { input: cheap, output: 1 } }",
            ["4:34", "expected a number, found `cheap`", ""],
        ),
        ("apiKeys: [client-key]", "apiKeys: []", ["3:3", "at least one client key is needed", "429chain init"]),
    ] {
        one_mistake(old, new, &says);
    }
}

#[test]
fn a_file_without_content_says_where_to_start() {
    for text in ["", "\n# only a comment\n", "---\n", "null", "{}", "version: 1\nproviders: []\nchains:\n"] {
        let printed = mistakes(text);
        assert!(printed.contains("429chain init"), "{text}: {printed}");
    }
    for text in ["", "# only a comment\n"] {
        assert!(mistakes(text).contains("the file is empty"), "{text}");
    }
    for text in ["just words", "- a\n- list", "42"] {
        let printed = mistakes(text);
        assert!(printed.contains("expected a mapping"), "{text}: {printed}");
        assert_eq!(printed.matches("1:1: ").count(), 1, "{text}: {printed}");
    }
}

#[test]
fn what_is_not_yaml_says_where() {
    for (text, says) in [
        ("version: 1\nsettings:\n\tport: 1\n", ["3:", "spaces, never with tabs"]),
        ("version: 1\nsettings: { port: 1\n", ["3:", "not valid YAML"]),
        ("version: 1\nsettings:\n  apiKeys: [${KEY}]\n", ["3:", "put it in quotes"]),
        ("version: \"1\n", ["", "not valid YAML"]),
        ("version: *one\n", ["1:10", "unknown anchor"]),
        ("version: 1\n---\nversion: 1\n", ["2:1", "second YAML document"]),
        ("version: !one 1\n", ["1:", "YAML tags"]),
        ("version: 1\nname: \0\nx: 1", ["2:7", "control character"]),
        ("[a]: b\n", ["1:", "cannot be a key"]),
        ("version: &a [*a]\n", ["1:14", "inside what it repeats"]),
    ] {
        let printed = mistakes(text);
        for piece in says {
            assert!(printed.contains(piece), "{text}: {printed}");
        }
    }
}

#[test]
fn o25_duplicate_ids_and_names_are_refused() {
    let provider = "  - { id: groq, type: zai, apiKey: k }\nchains:";
    one_mistake(
        "chains:",
        provider,
        &["8:11", "providers[1].id: the id `groq` is already taken by providers[0] in line 5"],
    );
    let chain = "chains:\n  - { name: default, entries: [{ provider: groq, model: m }] }";
    one_mistake(
        "chains:",
        chain,
        &["10:11", "chains[1].name: the name `default` is already taken by chains[0] in line 9"],
    );
    one_mistake(
        "    type: groq\n",
        "    type: groq\n    type: zai\n",
        &["7:5", "providers[0].type", "twice", "line 6"],
    );
}

#[test]
fn all_mistakes_are_reported_at_once_in_the_order_of_the_file() {
    let text = "\
version: 3
settings:
  prot: 80
  apiKeys: ['${NONE}']
  logLevel: loud
providers:
  - id: a
    type: gorq
    timeout: soon
  - id: a
    type: groq
  - 5
chains:
  - entries:
      - { provider: b, modle: m }
";
    assert_eq!(
        mistakes(text),
        "1:10: version: this version of the file format is not known\n    write `version: 1`
3:3: settings.prot: unknown key `prot`\n    did you mean `port`?
4:13: settings.apiKeys[0]: the environment variable `NONE` is not set\n    \
set it where 429chain is started, or write a default: `${NAME:-default}`
5:13: settings.logLevel: unknown logLevel: `loud`\n    possible: trace, debug, info, warn, error or fatal
8:11: providers[0].type: unknown type: `gorq`\n    did you mean `groq`? possible: groq, openrouter, cerebras, openai, \
google-ai, mistral, nvidia, cohere, cloudflare, sambanova, huggingface, together, zai, ollama-cloud, local or generic-openai
9:14: providers[0].timeout: expected a whole number, found `soon`
10:5: providers[1].apiKey: is missing: this type of provider needs a key\n    \
write `apiKey: ${NAME_OF_A_VARIABLE}` and set that variable, use apiKeyFile, or set `enabled: false`
10:9: providers[1].id: the id `a` is already taken by providers[0] in line 7\n    every provider needs an id of its own
12:5: providers[2]: expected a mapping (`key: value` lines), found `5`
14:5: chains[0].name: is missing\n    the model name that clients ask for: `name: default`
15:24: chains[0].entries[0].modle: unknown key `modle`\n    did you mean `model`?"
    );
}

#[test]
fn a_typing_error_does_not_hide_what_is_wrong_with_the_key_that_it_resembles() {
    let printed = mistakes(&with("settings:\n", "settings:\n  Port: 1\n  port: abc\n"));
    assert!(printed.contains("unknown key `Port`") && printed.contains("4:9: settings.port: expected"), "{printed}");
}

#[test]
fn a_misfit_is_not_hidden_by_the_command_line() {
    let overrides = Overrides { port: Some(80), ..Overrides::default() };
    let text = LEAST.replace("settings:\n  apiKeys: [client-key]", "settings: [1]");
    let errors = parse(&text, "test.yaml", Path::new(""), &[], &overrides).unwrap_err();
    assert_eq!(errors.problems().len(), 1, "{errors}");
    assert!(errors.to_string().contains("settings: expected a mapping"), "{errors}");
}

#[test]
fn a_flood_of_mistakes_is_cut_off() {
    let text = (0..5_000).map(|number| format!("key{number}: x\n")).collect::<String>();
    let errors = read(&text).unwrap_err();
    assert_eq!(errors.problems().len(), 101);
    assert!(errors.to_string().ends_with("there may be more problems: correct these first"));
}
