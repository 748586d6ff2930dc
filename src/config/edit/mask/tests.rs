use super::*;

#[test]
fn a_mask_shows_at_most_a_third_and_never_more_than_four_characters_of_each_end() {
    for (secret, shown) in [
        ("", "***"),
        ("short", "***"),
        ("elevenchars", "***"),
        ("twelve-chars", "tw…rs"),
        ("sixteen-chars-16", "si…-16"),
        ("gsk_abcdefghijklmnopqrstuvwxa91f", "gsk_…a91f"),
        ("üüüüüüüüüüüüüüü", "üü…üüü"),
    ] {
        assert_eq!(mask(secret), shown);
    }
    for length in 0..200 {
        let secret: String = ('a'..='z').cycle().take(length).collect();
        let shown = mask(&secret).chars().filter(char::is_ascii_lowercase).count();
        assert!(shown * 3 <= length && shown <= 8, "{length}");
    }
}

#[test]
fn references_are_shown_but_not_what_stands_around_them() {
    for (written, shown) in [
        ("${GROQ_API_KEY}", "${GROQ_API_KEY}"),
        ("${KEY:-}", "${KEY:-}"),
        ("${KEY:-hunter2}", "${KEY:-***}"),
        ("pre${KEY}post", "***${KEY}***"),
        ("${gsk_abcdefgh}", "${***}"),
        ("${OPEN", "***"),
        ("$${not-a-reference-at-all}", "$${n…all}"),
        ("sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae", "sha256:2c26…e7ae"),
    ] {
        assert_eq!(mask_written(written), shown);
    }
}

#[test]
fn f19_a_file_is_shown_with_its_comments_and_without_its_secrets() {
    let text = "\
# gsk_oldKeyInAComment1 was the old key; hunter2hunter2 too
version: 1
settings: { apiKeys: [hunter2hunter2, \"${KEY}\"], adminKeys: ['x'] } # hunter2hunter2
providers:
  - id: a # ours
    type: groq
    name: &n gsk_7hIsMustNeverBePrinted
    apiKey: *n
    baseUrl: https://host/accounts/0123456789abcdef0123456789abcdef/v1
    headers:
      X-Org: |
        hunter3hunter3
      X-None:
    models: { 'qwen/qwen3:free': {} }
  - id: b
    # apiKey: csk-commentedOut1
    apiKey: \"a#b\\\"c\" # d
    enabled: false\r
";
    let shown = masked_text(text, "").unwrap();
    let expected = text
        .replace("gsk_oldKeyInAComment1", "***")
        .replace("hunter2hunter2 too", "*** too")
        .replace("} # hunter2hunter2", "} # ***")
        .replace("[hunter2hunter2", "[hu…r2")
        .replace("'x'", "\"***\"")
        .replace("gsk_7hIsMustNeverBePrinted", "\"***\"")
        .replace("|\n        hunter3hunter3", "hu…r3")
        .replace("csk-commentedOut1", "***")
        .replace("\"a#b\\\"c\"", "\"***\"");
    assert_eq!(shown, expected);
}

#[test]
fn a_key_in_a_place_for_names_is_not_shown_either() {
    let text = "providers:\n  - id: gsk_7hIsMustNeverBePrinted\n    gsk_7hIsMustNeverBePrinted: x\n    baseUrl: https://me:pw0@h/?gsk_7hIsMustNeverBePrinted\n";
    assert!(!masked_text(text, "").unwrap().contains("7hIs"));
    let document = serde_json::to_string(&masked_document(text, "").unwrap()).unwrap();
    assert!(!document.contains("7hIs"), "{document}");
}

#[test]
fn f19_keys_of_before_are_not_shown_in_comments() {
    let text = "\
providers:
  - id: ollama # the key: SECRET-1, and \"SECRET-1b\"
    # apiKey: a-SECRET-2 or 'SECRET 2b'
    apiKey: &k plain-key # before: 'a-SECRET-3'
    name: *k
    apiKeyFile: ${NOPE:-some-default}
    headers: { X-Org: \"${NOPE:-a-SECRET-4}\", Authorization: Bearer 0a-SECRET-5a, X-Two: ollama }
    # It was a-SECRET-4 and 0a-SECRET-5a once; x-org: SECRET 6
    # apiKeys:
    #   - SECRET-7
    # - SECRET-8 # cat
    #
    # headers:
    #   X-Any: SECRET-9
    # models: see https://host/a:b, key file: here
    # apiKey: ${GROQ_API_KEY} # or ${OTHER}
    #    apiKeys: [SECRET-10, SECRET-11]
";
    let shown = masked_text(text, "").unwrap();
    assert!(!shown.contains("SECRET"), "{shown}");
    for part in [
        "# apiKey: ***\n",
        "# before: ***\n",
        "name: *k\n",
        "# It was *** and *** once; x-org: ***\n",
        "#   - ***\n    # - *** # ***\n",
        "#   X-Any: ***\n",
        "# models: see https://host/a:b, key file: here\n",
        "# apiKey: ${GROQ_API_KEY} # *** ${OTHER}\n",
        "#    apiKeys: ***\n",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    let document = serde_json::to_string(&masked_document(text, "").unwrap()).unwrap();
    assert!(document.contains(r#""id":"ollama""#) && document.contains(r#""name":"***""#), "{document}");
}

#[test]
fn names_are_shown_however_long_unless_they_begin_as_keys_do() {
    let long = "meta/abcdef0123456789abcdef0123456789";
    let text = format!(
        "settings: {{ defaultChain: {long} }}
providers:
  - id: {long}
    name: {long}
    models: {{ {long}: {{}}, gsk_0123456789: {{}}, gsk_9876543210: {{}}, '***2': {{}} }}
    headers: {{ X-{long}: x }}
chains:
  - name: {long}
    entries: [{{ provider: {long}, model: {long} }}, {{ provider: x, model: gsk_0123456789 }}]
"
    );
    let shown = masked_text(&text, "").unwrap();
    assert_eq!((shown.matches(long).count(), shown.contains("gsk_")), (7, false), "{shown}");
    let document = masked_document(&text, "").unwrap();
    let provider = &document.get("providers").unwrap().items()[0];
    let keys =
        |key: &str| -> Vec<&str> { provider.get(key).unwrap().members().iter().map(|(key, _)| key.as_str()).collect() };
    assert_eq!(keys("models"), [long, "***", "***3", "***2"], "no two are the same");
    assert_eq!(keys("headers"), ["***"]);
    let json = serde_json::to_string(&document).unwrap();
    assert_eq!((json.matches(long).count(), json.contains("gsk_")), (7, false), "{json}");
}

#[test]
fn what_cannot_be_read_is_not_shown() {
    for text in ["a: [", "? [x]\n: gsk_7hIsMustNeverBePrinted\n"] {
        let error = masked_text(text, "c.yaml").unwrap_err();
        assert!(!error.to_string().contains("7hIs"), "{error}");
    }
}
