//! The same as a file of ours.

use std::fmt::Write as _;

use super::{Account, Entry, Found};
use crate::config::environment::Environment;
use crate::config::presets::Preset;

pub(super) fn write(found: &Found, client_key: &str, environment: &dyn Environment) -> String {
    let mut text = format!(
        "# Made from a configuration of LiteLLM's proxy by `429chain init --from-litellm`.\n\
         # config.example.yaml explains all keys; `429chain check` tells what is wrong with this file, if anything is.\n\
         {}\nversion: 1\n\nsettings:\n  host: 127.0.0.1                   # this machine only; 0.0.0.0 for all networks\n  \
         port: 3429\n  apiKeys:\n    - {}\n",
        found.notes.lines().iter().fold(String::new(), |all, note| all + "# Note: " + note + "\n"),
        scalar(client_key)
    );
    // Writing to a String cannot fail.
    let mut line = |line: std::fmt::Arguments<'_>| _ = writeln!(text, "{line}");
    if !found.chains.iter().any(|(name, _)| name == "default")
        && let Some((first, _)) = found.chains.first()
    {
        line(format_args!("  defaultChain: {}               # for models that are no chain", scalar(first)));
    }
    for (key, value) in &found.settings {
        line(format_args!("  {key}: {value}"));
    }
    line(format_args!("\nproviders:"));
    for account in &found.accounts {
        let preset = Preset::of(account.service.dialect);
        if let Some((page, plan)) = preset.and_then(|preset| Some((preset.key_page?, preset.plan))) {
            line(format_args!("  # {page}\n  # {plan}"));
        }
        line(format_args!("  - id: {}\n    type: {}", account.id, account.service.dialect.word()));
        let missing: Vec<&str> = account.missing(environment).collect();
        let optional = |text: &str, instead: &str| {
            let with =
                |text: String, name: &&str| text.replace(&format!("${{{name}}}"), &format!("${{{name}:-{instead}}}"));
            missing.iter().fold(text.to_owned(), with)
        };
        if let Some(url) = &account.base_url {
            // Either all of it stands in a variable, or the id of an account in the middle.
            let instead = if url.starts_with("${") { "http://localhost" } else { "ACCOUNT_ID" };
            line(format_args!("    baseUrl: {}", scalar(&optional(url, instead))));
        }
        if let Some(key) = &account.key {
            line(format_args!("    apiKey: {}", scalar(&optional(key, ""))));
        }
        if !missing.is_empty() {
            let names = missing.join(" and ");
            line(format_args!("    enabled: false                  # set {names}, then say true here"));
        }
        if !account.terms.is_empty() {
            line(format_args!("    models:"));
        }
        for (model, terms) in &account.terms {
            line(format_args!("      {}:", scalar(model)));
            if let Some(window) = terms.window {
                line(format_args!("        contextWindow: {window}"));
            }
            if !terms.limits.is_empty() {
                line(format_args!("        rateLimits:"));
            }
            for (key, value) in &terms.limits {
                line(format_args!("          {key}: {value}"));
            }
        }
        line(format_args!(""));
    }
    line(format_args!(
        "# Entries are tried from the top. Whoever is out of quota, broken or slow is passed over.\nchains:"
    ));
    for (name, entries) in &found.chains {
        line(format_args!("  - name: {}\n    entries:", scalar(name)));
        for Entry { account, model, timeout } in entries {
            let timeout = timeout.map(|timeout| format!(", timeout: {timeout}")).unwrap_or_default();
            line(format_args!("      - {{ provider: {account}, model: {}{timeout} }}", scalar(model)));
        }
    }
    text
}

/// Whether a variable has no value.
pub(super) fn is_missing(name: &str, environment: &dyn Environment) -> bool {
    environment.get(name).is_none_or(|value| value.trim().is_empty())
}

impl Account {
    /// What has to be set before it can be used.
    pub(super) fn missing<'a>(&'a self, environment: &'a dyn Environment) -> impl Iterator<Item = &'a str> {
        self.variables.iter().map(String::as_str).filter(|name| is_missing(name, environment))
    }
}

/// In quotes unless it is plain in every place.
fn scalar(text: &str) -> String {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/' | b'-'));
    let reference = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let reference = reference.map(|name| name.strip_suffix(":-").unwrap_or(name));
    let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let begins = text.starts_with(|sign: char| sign.is_ascii_alphabetic());
    match (plain && begins) || reference.is_some_and(is_name) {
        true => text.to_owned(),
        false => serde_json::Value::from(text).to_string(),
    }
}
