//! A configuration of LiteLLM's proxy, read as one of ours: `429chain init --from-litellm FILE`.
//!
//! What LiteLLM calls a `model_name` becomes a chain, each of its deployments an entry, fallbacks entries at the end. What has
//! no counterpart is left out and said. Source: LiteLLM's documentation of `config.yaml`, as of autumn 2026.

mod fallbacks;
mod merge;
mod notes;
mod number;
mod read;
mod service;
mod settings;
mod write;

use std::collections::BTreeMap;
use std::io;

use self::notes::Notes;
use super::document::Document;
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
    /// It is no YAML, or a key is there twice and nobody knows which one is meant.
    #[error(transparent)]
    Unreadable(#[from] ConfigErrors),
    /// It is something else.
    #[error(
        "{0}: there is no `model_list` with a deployment that can be taken over, so it is no configuration of LiteLLM's proxy"
    )]
    Foreign(String),
    /// It is one, but nothing of it has a counterpart here. The notes say why.
    #[error("{origin}: no deployment in `model_list` can be carried over, so nothing was written\n    {}", .notes.join("\n    "))]
    Nothing {
        /// What the file is called.
        origin: String,
        /// Why not, for each.
        notes: Vec<String>,
    },
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
    /// By model.
    terms: BTreeMap<String, Terms>,
}

/// What is known of a model at an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Terms {
    /// Its `contextWindow`.
    window: Option<u64>,
    /// Keys and values of its `rateLimits`.
    limits: Vec<(&'static str, u64)>,
}

/// A deployment, in a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    account: String,
    model: String,
    /// In milliseconds.
    timeout: Option<u64>,
}

/// Everything that was found.
#[derive(Default)]
struct Found {
    /// How many there are in the file, whatever they are.
    deployments: usize,
    accounts: Vec<Account>,
    /// By name.
    chains: Vec<(String, Vec<Entry>)>,
    /// What groups are called here.
    names: BTreeMap<String, String>,
    /// As it is to be written, and the variable that it is in.
    master_key: Option<(String, Option<String>)>,
    /// Keys and values of our `settings`.
    settings: Vec<(&'static str, u64)>,
    notes: Notes,
}

/// Reads the text of a file, which is called `origin` in messages.
///
/// # Errors
/// When it is no configuration of LiteLLM's proxy, or nothing of it can be carried over.
pub fn import(text: &str, origin: &str, environment: &dyn Environment) -> Result<Imported, ImportError> {
    let unreadable = |problems| ConfigErrors::new(origin, ConfigErrorKind::Invalid, problems);
    let (document, problems) = Document::parse(text).map_err(|problem| unreadable(vec![problem]))?;
    // The tree has the first of them, where LiteLLM uses the last: it could be another server's address.
    if !problems.is_empty() {
        return Err(unreadable(problems.into_iter().map(merge::advise).collect()).into());
    }
    let file = merge::merged(&document.root).map_err(|problem| unreadable(vec![problem]))?;
    let mut found = read::read(&file);
    if found.chains.is_empty() {
        return Err(match found.deployments {
            0 => ImportError::Foreign(origin.to_owned()),
            _ => ImportError::Nothing { origin: origin.to_owned(), notes: found.notes.lines() },
        });
    }
    let (client_key, made) = match found.master_key.take() {
        Some((key, variable)) => {
            let is_missing = |name: &String| write::is_missing(name, environment);
            if let Some(name) = variable.filter(is_missing) {
                let what = "429chain needs it, since it holds the key of your apps";
                found.notes.say(format!("{name} is not set"), what);
            }
            (key, None)
        }
        None => {
            let key = random_key("sk-429-")?;
            (key.clone(), Some(key))
        }
    };
    let mut missing: Vec<String> =
        found.accounts.iter().flat_map(|account| account.missing(environment)).map(str::to_owned).collect();
    missing.sort_unstable();
    missing.dedup();
    if missing.iter().any(|name| name == service::ACCOUNT_ID) {
        let what = "the account id is missing: set CLOUDFLARE_ACCOUNT_ID, or write it into `baseUrl` of the provider";
        found.notes.say("cloudflare", what);
    }
    let text = write::write(&found, &client_key, environment);
    Ok(Imported { text, client_key: made, missing, notes: found.notes.lines() })
}

#[cfg(test)]
mod tests;
