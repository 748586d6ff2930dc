//! The configuration as the rest of the program sees it: checked, complete, with secrets that cannot be printed.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use super::traces::Traces;
use crate::config::reach::Fence;
use crate::domain::dialect::Dialect;
use crate::domain::ids::{ChainName, ModelId, ProviderId};
use crate::domain::ledger::Policy;
use crate::domain::limits::Limits;
use crate::domain::prices::PriceList;

/// A whole configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Proxy-wide settings.
    pub settings: Settings,
    /// In the order of the file; disabled ones included.
    pub providers: Vec<Arc<Provider>>,
    /// In the order of the file.
    pub chains: Vec<Chain>,
    /// What is missing before a request can be served, and keys of the file that are accepted but do nothing in this
    /// version: one sentence each, for the start-up log.
    pub notices: Vec<String>,
    /// What the environment wants to know of each request; `None` when nothing.
    pub traces: Option<Traces>,
    /// Files that keys were read from.
    pub key_files: Vec<PathBuf>,
}

impl Config {
    /// Models of a provider that chains use, then those that only its own section names; each once.
    #[must_use]
    pub fn models_of(&self, provider: &Provider) -> Vec<ModelId> {
        let in_chains =
            self.chains.iter().flat_map(|chain| &chain.entries).filter(|entry| entry.provider == provider.id);
        let mut models: Vec<ModelId> = Vec::new();
        for model in in_chains.map(|entry| &entry.model).chain(provider.models.keys()) {
            if !models.contains(model) {
                models.push(model.clone());
            }
        }
        models
    }
}

/// Proxy-wide settings; see `config/config.example.yaml` for what each does.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "each field is documented as a key in config/config.example.yaml")]
pub struct Settings {
    pub host: String,
    pub port: u16,
    pub workers: usize,
    pub api_keys: Vec<ClientKey>,
    /// Empty: one is generated at the first start.
    pub admin_keys: Vec<KeyDigest>,
    pub default_chain: ChainName,
    pub unknown_model: UnknownModel,
    /// Which addresses providers may have.
    pub fence: Fence,
    pub log_level: LogLevel,
    pub log_format: LogFormat,
    pub cooldown_default: Duration,
    pub connect_timeout: Duration,
    pub request_timeout: Duration,
    pub first_token_timeout: Duration,
    pub stream_idle_timeout: Duration,
    pub client_stall_timeout: Duration,
    pub max_body_bytes: usize,
    pub max_answer_bytes: usize,
    pub queue: Queue,
    /// For all that 429chain writes.
    pub data_dir: PathBuf,
    /// Where the files of the web UI are served from, in place of those in the binary.
    pub static_dir: Option<PathBuf>,
    pub db_path: PathBuf,
    pub retention_days: u32,
    pub normalize_responses: bool,
    pub mid_stream: Policy,
    /// Those of the file first, then the built-in ones.
    pub reference_prices: PriceList,
}

/// Label of requests that are sent from the admin pages.
pub const UI_CLIENT: &str = "ui";

/// A key that clients present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientKey {
    /// Unique; what the log and the sums say instead of the key. `key-1`, `key-2` ... by their places where the file
    /// gives none.
    pub label: String,
    /// All that is kept of the key itself.
    pub digest: KeyDigest,
}

/// Waiting for quota instead of failing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Whether requests wait at all.
    pub enabled: bool,
    /// The longest wait.
    pub max_wait: Duration,
    /// Waiting requests per chain.
    pub max_size: usize,
}

/// What a `model` that names neither a chain nor an entry selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UnknownModel {
    /// The default chain.
    DefaultChain,
    /// Nothing: 404 `model_not_found`.
    Reject,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the usual five levels")]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    #[serde(alias = "fatal")]
    Error,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// An upstream account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Unique.
    pub id: ProviderId,
    /// For people; the id when the file gives none.
    pub name: String,
    /// How its answers are read.
    pub dialect: Dialect,
    /// Without a trailing slash.
    pub base_url: String,
    /// In the order of the file; empty for servers that need none.
    pub keys: Vec<Secret>,
    /// Extra static request headers, lower-case names. Values may hold secrets.
    pub headers: Vec<(String, Secret)>,
    /// Overrides `requestTimeoutMs` for all its entries.
    pub timeout: Option<Duration>,
    /// A disabled provider is never called.
    pub enabled: bool,
    /// For each of its models unless the model has its own.
    pub limits: Limits,
    /// Overrides per model.
    pub models: BTreeMap<ModelId, ModelOverrides>,
}

/// What the file says about one model of a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelOverrides {
    /// The provider's limits with this model's laid over them, key by key. Where all models of a key share the provider's,
    /// these hold beside the shared ones.
    pub limits: Option<Limits>,
    /// In tokens.
    pub context_window: Option<u64>,
}

impl Provider {
    /// The limits that hold for `model`.
    #[must_use]
    pub fn limits_of(&self, model: &ModelId) -> &Limits {
        self.models.get(model).and_then(|own| own.limits.as_ref()).unwrap_or(&self.limits)
    }
}

/// An ordered list of entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Unique.
    pub name: ChainName,
    /// In which order entries are tried.
    pub strategy: Strategy,
    /// At least one.
    pub entries: Vec<ChainEntry>,
}

/// In which order the entries of a chain are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// As written.
    #[default]
    Ordered,
    /// Fastest first.
    Latency,
}

/// One place in a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainEntry {
    /// Which account.
    pub provider: ProviderId,
    /// Which model there.
    pub model: ModelId,
    /// Overrides the provider's timeout in this chain.
    pub timeout: Option<Duration>,
}

impl ClientKey {
    /// A key that is called by its place in the list, which is counted from 0.
    #[must_use]
    pub fn numbered(index: usize, key: &str) -> Self {
        Self { label: Self::label_of(index), digest: KeyDigest::of(key) }
    }

    /// What a key without a label is called.
    pub(crate) fn label_of(index: usize) -> String {
        format!("key-{}", index + 1)
    }
}

/// Text that must not be shown: `Debug` prints a mask, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Wraps it.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// SHA-256 of a client or admin key: all that is kept of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyDigest(pub [u8; 32]);

impl KeyDigest {
    /// The digest of a key in plain text.
    #[must_use]
    pub fn of(key: &str) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, key.as_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest.as_ref());
        Self(bytes)
    }

    /// As the configuration file has it: `sha256:` and 64 hex digits.
    #[must_use]
    pub fn written(&self) -> String {
        self.0.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(***)")
    }
}
