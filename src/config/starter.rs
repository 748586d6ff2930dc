//! The file that `429chain init` writes: short, commented, and good to go with the keys that are in the environment.
//!
//! A provider whose key is missing is written as disabled, so that one key is enough to be served. With no key at all the
//! proxy starts as well; it says that all providers are disabled, and keys can be given in the UI.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use ring::rand::{SecureRandom, SystemRandom};

use super::environment::Environment;
use super::presets::{PRESETS, Preset};

/// A configuration to start from.
#[derive(Clone, PartialEq, Eq)]
pub struct Starter {
    /// The contents of the file.
    pub text: String,
    /// The client key in it, fresh and random: to be shown once.
    pub client_key: String,
    /// Variables that are set: their providers are enabled.
    pub present: Vec<&'static str>,
    /// Variables that are not: their providers are disabled until they are.
    pub missing: Vec<&'static str>,
}

/// The services that are written when nobody picks any: those with a free plan that a key is enough for.
pub fn usual() -> impl Iterator<Item = &'static Preset> {
    PRESETS.iter().filter(|preset| preset.is_free() && preset.base_url.is_none())
}

/// The services of these names: ids of presets or types of providers.
///
/// # Errors
/// The first name that is neither.
pub fn picked(names: &[String]) -> Result<Vec<&'static Preset>, String> {
    let find = |name: &String| {
        let found = PRESETS.iter().find(|preset| preset.id == name || preset.kind() == *name);
        found.ok_or_else(|| name.clone())
    };
    names.iter().map(find).collect()
}

/// Makes a configuration with these services, for the keys that are there.
///
/// # Errors
/// When the operating system has no random numbers for the client key.
pub fn starter<'a>(
    environment: &dyn Environment,
    services: impl IntoIterator<Item = &'a Preset>,
) -> io::Result<Starter> {
    let client_key = random_key("sk-429-")?;
    let mut starter = Starter { text: head(&client_key), client_key, present: Vec::new(), missing: Vec::new() };
    let mut entries = String::new();
    for preset in services {
        let is_set = |name: &str| environment.get(name).is_some_and(|value| !value.trim().is_empty());
        let enabled = preset.is_complete() && preset.variable.is_none_or(is_set);
        if let Some(name) = preset.variable.filter(|_| preset.is_complete()) {
            if enabled { &mut starter.present } else { &mut starter.missing }.push(name);
        }
        provider(&mut starter.text, preset, enabled);
        if let Some(model) = preset.models.first() {
            // Writing to a String cannot fail.
            _ = writeln!(entries, "      - {{ provider: {}, model: {model} }}", preset.id);
        }
    }
    if starter.text.ends_with("providers:\n") {
        starter.text.truncate(starter.text.len() - 1);
        starter.text.push_str(" []\n");
    }
    starter.text.push_str(match entries.is_empty() {
        true => "\n# A chain is an ordered list of entries: - { provider: ID, model: MODEL }\nchains: []\n",
        false => {
            "\n# Entries are tried from the top. Whoever is out of quota, broken or slow is passed over; disabled providers, \
             too.\nchains:\n  - name: default\n    entries:\n"
        }
    });
    starter.text.push_str(&entries);
    Ok(starter)
}

fn head(client_key: &str) -> String {
    format!(
        "# The configuration of 429chain. There are more keys than these: config.example.yaml explains them all.
#
# To use a provider: get a free key, set its environment variable where 429chain is started, and let `enabled` be true.
# Or do all of it in the browser, at http://127.0.0.1:3429/ui: it changes this file and leaves your comments alone.
# `429chain check` tells what is wrong with this file, if anything is.
#
# Limits are those of the free plans, as published or measured at the time that is given. They change every few months:
# they are yours to edit. When a provider refuses and says for how long, that counts in any case.

version: 1

settings:
  host: 127.0.0.1                   # this machine only; 0.0.0.0 for all networks
  port: 3429
  apiKeys:
    - {client_key} # made for you; give it to your clients as their API key

providers:
"
    )
}

fn provider(text: &mut String, preset: &Preset, enabled: bool) {
    // Writing to a String cannot fail.
    let mut line = |line: std::fmt::Arguments<'_>| _ = writeln!(text, "{line}");
    match preset.key_page {
        Some(page) => line(format_args!("  # {}: {page}", preset.name)),
        None => line(format_args!("  # {}", preset.name)),
    }
    line(format_args!("  # {}", preset.plan));
    line(format_args!("  - id: {}", preset.id));
    line(format_args!("    type: {}", preset.kind()));
    if let Some(url) = preset.base_url {
        line(format_args!("    baseUrl: {url}"));
    }
    match (preset.variable, enabled) {
        (None, _) => {}
        (Some(name), false) if !preset.is_complete() => line(format_args!(
            "    apiKey: ${{{name}:-}}\n    enabled: false                  # set {name}, complete baseUrl, then say true here"
        )),
        (Some(name), true) => line(format_args!("    apiKey: ${{{name}}}\n    enabled: true")),
        (Some(name), false) => line(format_args!(
            "    apiKey: ${{{name}:-}}\n    enabled: false                  # set {name}, then say true here"
        )),
    }
    if !preset.limits.is_empty() {
        line(format_args!("    rateLimits:"));
        for (key, value) in preset.limits {
            line(format_args!("      {key}: {value}"));
        }
    }
    line(format_args!(""));
}

/// `prefix` and 192 random bits in hex.
///
/// # Errors
/// When the operating system has no random numbers.
pub fn random_key(prefix: &str) -> io::Result<String> {
    let mut bytes = [0; 24];
    let no_numbers = |_| io::Error::other("the operating system has no random numbers");
    SystemRandom::new().fill(&mut bytes).map_err(no_numbers)?;
    Ok(bytes.iter().fold(prefix.to_owned(), |key, byte| format!("{key}{byte:02x}")))
}

/// Writes `text` to a new file that only its owner can read, and makes the folders on the way.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when there is something at `path`: it is left alone.
pub fn write_new(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a file would keep the next attempt from writing a whole one.
        _ = fs::remove_file(path);
    }
    written
}

#[cfg(test)]
mod tests;
