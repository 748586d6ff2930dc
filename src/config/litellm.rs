//! A configuration of LiteLLM's proxy, read as one of ours: `429chain init --from-litellm FILE`.
//!
//! What LiteLLM calls a `model_name` becomes a chain, each of its deployments an entry, fallbacks entries at the end. What has
//! no counterpart is left out and said. Source: LiteLLM's documentation of `config.yaml`, as of autumn 2026.

mod read;
mod service;
mod write;

use std::collections::BTreeMap;
use std::io;

use super::document::Document;
use super::edit::Value;
use super::environment::Environment;
use super::error::{ConfigErrorKind, ConfigErrors};
use super::starter::random_key;

/// What has come of a file.
pub struct Imported {
    /// Our file.
    pub text: String,
    /// A client key that was made because the file names none: to be shown once.
    pub client_key: Option<String>,
    /// Variables that are not set: their providers are disabled until they are.
    pub missing: Vec<String>,
    /// What could not be taken over, and what to look at.
    pub notes: Vec<String>,
}

/// Why nothing has come of it.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is no YAML.
    #[error(transparent)]
    Unreadable(#[from] ConfigErrors),
    /// It is something else.
    #[error(
        "{0}: there is no `model_list` with a deployment that can be taken over, so it is no configuration of LiteLLM's proxy"
    )]
    Foreign(String),
    /// The system gives no random numbers.
    #[error(transparent)]
    Random(#[from] io::Error),
}

/// An account, as far as the deployments of a file tell.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Account {
    id: String,
    service: service::Service,
    base_url: Option<String>,
    /// As it is to be written.
    key: Option<String>,
    /// Variables that have to be set for it.
    variables: Vec<String>,
    /// By model: keys and values of `rateLimits`.
    limits: BTreeMap<String, Vec<(&'static str, u64)>>,
}

/// Everything that was found.
#[derive(Default)]
struct Found {
    accounts: Vec<Account>,
    /// Names, and entries as account and model.
    chains: Vec<(String, Vec<(String, String)>)>,
    /// What groups are called here.
    names: BTreeMap<String, String>,
    /// As it is to be written, and the variable that it is in.
    master_key: Option<(String, Option<String>)>,
    notes: Vec<String>,
}

/// Reads the text of a file, which is called `origin` in messages.
///
/// # Errors
/// When it is no configuration of LiteLLM's proxy.
pub fn import(text: &str, origin: &str, environment: &dyn Environment) -> Result<Imported, ImportError> {
    let unreadable = |problem| ConfigErrors::new(origin, ConfigErrorKind::Invalid, vec![problem]);
    let (document, _) = Document::parse(text).map_err(unreadable)?;
    let mut found = read::read(&Value::of(&document.root));
    if found.chains.is_empty() {
        return Err(ImportError::Foreign(origin.to_owned()));
    }
    let (client_key, made) = match found.master_key.take() {
        Some((key, variable)) => {
            let is_missing = |name: &String| write::is_missing(name, environment);
            if let Some(name) = variable.filter(is_missing) {
                found.notes.push(format!("{name} is not set: 429chain needs it, since it holds the key of your apps"));
            }
            (key, None)
        }
        None => {
            let key = random_key("sk-429-")?;
            (key.clone(), Some(key))
        }
    };
    let text = write::write(&found, &client_key, environment);
    let mut missing: Vec<String> =
        found.accounts.iter().flat_map(|account| account.missing(environment)).map(str::to_owned).collect();
    missing.sort_unstable();
    missing.dedup();
    Ok(Imported { text, client_key: made, missing, notes: found.notes })
}

#[cfg(test)]
mod tests;
