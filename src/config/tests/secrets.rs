//! Secrets stay secret, whatever is wrong and wherever they were put.

use super::*;

/// Stands in for every secret of these tests.
const SECRET: &str = "gsk_7hIsMustNeverBePrinted0123456789";

/// What people see of a configuration that is refused or accepted.
fn everything_printed(text: &str) -> String {
    match read_with(text, &[("KEY", SECRET)]) {
        Ok(config) => format!("{config:?}"),
        Err(errors) => format!("{errors} {errors:?}"),
    }
}

#[test]
fn o23_o24_secrets_never_appear_in_debug_or_error_output() {
    let places = [
        ("apiKey: groq-key", "apiKey: @"),
        ("apiKey: groq-key", "apiKeys: [@, @]"),
        ("apiKey: groq-key", "apiKey: '@ '"),
        ("apiKey: groq-key", "apiKey: [@]"),
        ("apiKey: groq-key", "apiKeys: @"),
        ("apiKey: groq-key", "apiKey: k\n    headers: { X-Key: '@' }"),
        ("apiKey: groq-key", "apiKey: k\n    headers: { X-Key: \"@\\n\" }"),
        ("apiKey: groq-key", "apiKey: k\n    headers: @"),
        ("apiKey: groq-key", "apiKey: k\n    timeout: @"),
        ("apiKey: groq-key", "apiKey: k\n    rateLimits: @"),
        ("apiKey: groq-key", "apiKey: k\n    rateLimits: { scope: @ }"),
        ("apiKey: groq-key", "apiKey: k\n    baseUrl: @"),
        ("apiKey: groq-key", "apiKey: k\n    baseUrl: https://me:@@host/"),
        ("apiKey: groq-key", "apiKey: k\n    baseUrl: https://host/?key=@"),
        ("apiKey: groq-key", "apiKey: k\n    @: x"),
        ("apiKey: groq-key", "apiKeyFile: @"),
        ("apiKey: groq-key", "apiKeyFile: keys/@"),
        ("apiKey: groq-key", "apiKey: k\n    apiKey: @"),
        ("id: groq\n", "id: @/@\n"),
        ("type: groq", "type: @"),
        ("[client-key]", "[@]"),
        ("[client-key]", "[@, @ @]"),
        ("[client-key]", "[client-key]\n  adminKeys: [@]"),
        ("[client-key]", "[@]\n  adminKeys: [@]"),
        ("[client-key]", "@"),
        ("[client-key]", "['sha256:@']"),
        ("provider: groq", "provider: @"),
        ("name: default", "name: @"),
        ("version: 1", "version: @"),
        ("version: 1", "@"),
    ];
    for (old, new) in places {
        for (kind, written) in [("written", SECRET.to_owned()), ("from the environment", "${KEY}".to_owned())] {
            let printed = everything_printed(&with(old, &new.replace('@', &written)));
            // Names of chains and providers are public: as such they are shown, and only in a good configuration.
            let public = printed.starts_with("Config") && new.starts_with("name:");
            assert!(public || !printed.contains("MustNeverBePrinted"), "{kind} {new}: {printed}");
        }
    }
    // A name that is nearly the right one is answered with the right one, which may be a key as well.
    let almost = SECRET.trim_end_matches('9');
    let id =
        LEAST.replace("id: groq", &format!("id: {SECRET}")).replace("provider: groq", &format!("provider: {almost}"));
    let name = LEAST.replace("name: default", &format!("name: {SECRET}"));
    let name = name.replace("settings:\n", &format!("settings:\n  defaultChain: {almost}\n"));
    for printed in [id, name].map(|text| everything_printed(&text)) {
        assert!(printed.contains("did you mean `***`") && !printed.contains("MustNeverBePrinted"), "{printed}");
    }
    let printed = everything_printed(&with("groq-key", &format!("${{{SECRET}}}")));
    assert!(!printed.contains("MustNeverBePrinted"), "{printed}");
}
