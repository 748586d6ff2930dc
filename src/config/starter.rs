//! The file that `429chain init` writes: short, commented, and good to go with the keys that are in the environment.
//!
//! A provider whose key is missing is written as disabled, so that one key is enough to be served. With no key at all the
//! proxy starts as well; it says that all providers are disabled, and keys can be given in the UI.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use ring::rand::{SecureRandom, SystemRandom};

use super::environment::Environment;

/// A valid configuration where all of [`VARIABLES`] are set, but for the client key.
const TEMPLATE: &str = include_str!("starter.yaml");
const PLACEHOLDER: &str = "CLIENT_KEY ";
const VARIABLES: [&str; 5] =
    ["GROQ_API_KEY", "CEREBRAS_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY", "MISTRAL_API_KEY"];

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

/// Makes a configuration for the keys that are there.
///
/// # Errors
/// When the operating system has no random numbers for the client key.
pub fn starter(environment: &dyn Environment) -> io::Result<Starter> {
    let client_key = random_key("sk-429-")?;
    let is_set = |name: &&str| environment.get(name).is_some_and(|value| !value.trim().is_empty());
    let (present, missing): (Vec<_>, Vec<_>) = VARIABLES.into_iter().partition(is_set);
    let mut text = TEMPLATE.replace(PLACEHOLDER, &format!("{client_key} "));
    for name in &missing {
        let enabled = format!("${{{name}}}\n    enabled: true");
        let disabled = format!("${{{name}:-}}\n    enabled: false                  # set {name}, then say true here");
        text = text.replace(&enabled, &disabled);
    }
    Ok(Starter { text, client_key, present, missing })
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
