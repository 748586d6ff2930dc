//! The same as a file of ours.

use std::fmt::Write as _;

use super::Found;
use crate::config::environment::Environment;
use crate::config::presets::Preset;

pub(super) fn write(found: &Found, client_key: &str, environment: &dyn Environment) -> String {
    let mut text = format!(
        "# Made from a configuration of LiteLLM's proxy by `429chain init --from-litellm`.\n\
         # config.example.yaml explains all keys; `429chain check` tells what is wrong with this file, if anything is.\n\
         {}\nversion: 1\n\nsettings:\n  host: 127.0.0.1                   # this machine only; 0.0.0.0 for all networks\n  \
         port: 3429\n  apiKeys:\n    - {}\n",
        found.notes.iter().fold(String::new(), |all, note| all + "# Note: " + &note.replace(['\n', '\r'], " ") + "\n"),
        scalar(client_key)
    );
    // Writing to a String cannot fail.
    let mut line = |line: std::fmt::Arguments<'_>| _ = writeln!(text, "{line}");
    if !found.chains.iter().any(|(name, _)| name == "default")
        && let Some((first, _)) = found.chains.first()
    {
        line(format_args!("  defaultChain: {}               # for models that are no chain", scalar(first)));
    }
    line(format_args!("\nproviders:"));
    for account in &found.accounts {
        let preset = Preset::of(account.service.dialect).filter(|_| account.service.base_url.is_none());
        if let Some((page, plan)) = preset.and_then(|preset| Some((preset.key_page?, preset.plan))) {
            line(format_args!("  # {page}\n  # {plan}"));
        }
        line(format_args!("  - id: {}\n    type: {}", account.id, account.service.dialect.word()));
        if let Some(url) = &account.base_url {
            line(format_args!("    baseUrl: {}", scalar(url)));
        }
        let missing =
            account.variable.as_ref().filter(|name| environment.get(name).is_none_or(|it| it.trim().is_empty()));
        match (&account.key, missing) {
            (Some(_), Some(name)) => line(format_args!(
                "    apiKey: ${{{name}:-}}\n    enabled: false                  # set {name}, then say true here"
            )),
            (Some(key), None) => line(format_args!("    apiKey: {}", scalar(key))),
            (None, _) => {}
        }
        if !account.limits.is_empty() {
            line(format_args!("    models:"));
        }
        for (model, limits) in &account.limits {
            line(format_args!("      {}:\n        rateLimits:", scalar(model)));
            for (key, value) in limits {
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
        for (account, model) in entries {
            line(format_args!("      - {{ provider: {account}, model: {} }}", scalar(model)));
        }
    }
    text
}

/// In quotes unless it is plain in every place.
fn scalar(text: &str) -> String {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/' | b'-'));
    let reference = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let begins = text.starts_with(|sign: char| sign.is_ascii_alphabetic());
    match (plain && begins) || reference.is_some_and(is_name) {
        true => text.to_owned(),
        false => serde_json::Value::from(text).to_string(),
    }
}
