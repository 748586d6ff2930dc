//! Any text is a configuration that can be used, or a list of what is wrong with it that gives no key away.

use std::collections::HashSet;
use std::path::Path;

use chain429::config::error::{ConfigErrorKind, ConfigErrors};
use chain429::config::model::{Config, KeyDigest};
use chain429::config::{Overrides, parse};

/// A key of a provider: what `${KEY}` stands for, and what some seeds hold in plain.
const SECRET: &str = "gsk_7hIsMustNeverBePrinted0123456789";
/// The part of it that is masked on its own as well, whatever a mutation puts before or behind it.
const CORE: &str = "7hIsMustNeverBePrinted0123456789";

const ENVIRONMENT: [(&str, &str); 4] = [("KEY", SECRET), ("PORT", "4000"), ("EMPTY", ""), ("WORD", "word")];

/// Loads the text twice.
pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let first = load(&text);
    match &first {
        Ok(config) => {
            check_config(config);
            check_masks(config, &text);
        }
        Err(errors) => check_errors(errors, &text),
    }
    assert_eq!(format!("{first:?}"), format!("{:?}", load(&text)), "the same text, read again");
}

/// Key files are looked for where there are none.
fn load(text: &str) -> Result<Config, ConfigErrors> {
    parse(text, "fuzz.yaml", Path::new("/nonexistent"), &ENVIRONMENT, &Overrides::default())
}

fn check_errors(errors: &ConfigErrors, text: &str) {
    assert_eq!(errors.kind(), ConfigErrorKind::Invalid);
    assert!(!errors.problems().is_empty(), "refused without a reason");
    let printed = format!("{errors}\n{errors:?}");
    assert!(!printed.contains(CORE), "a key is shown: {printed}");
    let breaks = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
    let lines = text.matches(breaks).count() + 2;
    for problem in errors.problems() {
        assert!(!problem.message.trim().is_empty(), "{problem:?}");
        assert!(problem.help.as_ref().is_none_or(|help| !help.trim().is_empty()), "{problem:?}");
        let shown = format!("{}{}{}", problem.path, problem.message, problem.help.as_deref().unwrap_or_default());
        assert!(!shown.contains(|letter: char| letter.is_control()), "what a terminal obeys: {problem:?}");
        assert!(problem.line.is_none_or(|line| (1..=lines).contains(&line)), "no such line: {problem:?}");
        assert!(problem.column.is_none_or(|column| column > 0), "{problem:?}");
    }
}

/// What the program relies on.
fn check_config(config: &Config) {
    let mut ids = HashSet::new();
    for provider in &config.providers {
        assert!(ids.insert(&provider.id), "{} twice", provider.id.as_str());
        assert!(
            provider.base_url.starts_with("http") || provider.base_url.starts_with("HTTP"),
            "{}",
            provider.base_url
        );
        assert!(!provider.base_url.ends_with('/'));
        let graphic = |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
        assert!(!provider.enabled || provider.keys.iter().all(|key| graphic(key.expose())));
    }
    let mut names = HashSet::new();
    for chain in &config.chains {
        assert!(names.insert(&chain.name), "{} twice", chain.name.as_str());
        assert!(!chain.entries.is_empty(), "nothing to walk");
        for entry in &chain.entries {
            assert!(ids.contains(&entry.provider), "{} is nowhere", entry.provider.as_str());
            assert!(!entry.model.as_str().trim().is_empty());
        }
    }
    let default = &config.settings.default_chain;
    assert!(names.is_empty() || names.contains(default), "{}", default.as_str());
    // What is missing before a request can be served is said.
    let missing = [config.providers.iter().all(|provider| !provider.enabled), names.is_empty()];
    let said = config.notices.iter().filter(|notice| notice.contains("in the UI at /ui")).count();
    assert_eq!(said, missing.into_iter().filter(|missing| *missing).count(), "{:?}", config.notices);
    assert!(!config.settings.api_keys.is_empty(), "open to everybody");
    assert!(config.settings.workers > 0 && config.settings.max_body_bytes > 0);
}

/// A key that stands nowhere but where keys belong is not shown. An alias may repeat it somewhere else.
fn check_masks(config: &Config, text: &str) {
    let places = text.matches("${KEY").count() + text.matches(CORE).count();
    let clients = config.settings.api_keys.iter().map(|key| key.digest);
    let settings: Vec<KeyDigest> = clients.chain(config.settings.admin_keys.iter().copied()).collect();
    let of_provider = config.providers.iter().any(|provider| {
        let headers = provider.headers.iter().map(|(_, value)| value);
        provider.keys.iter().chain(headers).any(|key| key.expose() == SECRET)
    });
    if places == 1 && !text.contains('*') && (of_provider || settings.contains(&KeyDigest::of(SECRET))) {
        assert!(!format!("{config:?}").contains(CORE), "a key is shown");
    }
}
