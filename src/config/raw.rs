//! The file as it is written: every key there is, and nothing resolved.
//!
//! This is the only list of keys. Whether a value is needed, and what else must fit together, is checked afterwards,
//! so that a file gets all its complaints in one go; only [`Settings`] have defaults that need no other key.

use std::collections::BTreeMap;

use garde::Validate;
use serde::{Deserialize, Serialize};

use super::day_reset;
use super::model::{LogFormat, LogLevel, Secret, Strategy, UnknownModel};
use super::rules;
use crate::domain::dialect::Dialect;
use crate::domain::limits;

/// The top of the file. Items of lists are optional because a faulty item leaves a gap.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) version: Option<u64>,
    pub(super) settings: Settings,
    pub(super) providers: Vec<Option<Provider>>,
    pub(super) chains: Vec<Option<Chain>>,
}

/// `settings:`
#[derive(Debug, Deserialize, Serialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Settings {
    #[garde(custom(rules::host))]
    pub(super) host: String,
    #[garde(custom(rules::between(0, 65_535)))]
    pub(super) port: u64,
    #[garde(custom(rules::between(1, 64)))]
    pub(super) workers: u64,
    #[garde(skip)]
    #[serde(skip_serializing)]
    pub(super) api_keys: Vec<Option<ClientKey>>,
    #[garde(inner(inner(custom(rules::client_key))))]
    #[serde(skip_serializing)]
    pub(super) admin_keys: Vec<Option<Secret>>,
    #[garde(inner(custom(rules::handle)))]
    #[serde(skip_serializing)]
    pub(super) default_chain: Option<String>,
    #[garde(skip)]
    pub(super) unknown_model: UnknownModel,
    #[garde(skip)]
    pub(super) allow_private_urls: bool,
    #[garde(skip)]
    pub(super) log_level: LogLevel,
    #[garde(skip)]
    pub(super) log_format: LogFormat,
    #[garde(custom(rules::between(1, 86_400_000)))]
    pub(super) cooldown_default_ms: u64,
    #[garde(custom(rules::milliseconds))]
    pub(super) connect_timeout_ms: u64,
    #[garde(custom(rules::milliseconds))]
    pub(super) request_timeout_ms: u64,
    #[garde(custom(rules::milliseconds))]
    pub(super) first_token_timeout_ms: u64,
    #[garde(custom(rules::milliseconds))]
    pub(super) stream_idle_timeout_ms: u64,
    #[garde(custom(rules::milliseconds))]
    pub(super) client_stall_timeout_ms: u64,
    #[garde(custom(rules::between(1_024, 1_073_741_824)))]
    pub(super) max_body_bytes: u64,
    #[garde(custom(rules::between(1_024, 1_073_741_824)))]
    pub(super) max_answer_bytes: u64,
    #[garde(skip)]
    pub(super) queue_mode: bool,
    #[garde(custom(rules::wait))]
    pub(super) queue_max_wait_ms: u64,
    #[garde(custom(rules::between(0, 100_000)))]
    pub(super) queue_max_size: u64,
    #[garde(inner(custom(rules::non_empty)))]
    #[serde(skip_serializing)]
    pub(super) db_path: Option<String>,
    #[garde(custom(rules::between(1, 3_650)))]
    pub(super) retention_days: u64,
    #[garde(skip)]
    pub(super) normalize_responses: bool,
    #[garde(custom(rules::between(1, 1_000)))]
    pub(super) mid_stream_failure_threshold: u64,
    #[garde(custom(rules::wait))]
    pub(super) mid_stream_cooldown_ms: u64,
    #[garde(custom(rules::wait))]
    pub(super) mid_stream_cooldown_max_ms: u64,
    #[garde(skip)]
    #[serde(skip_serializing)]
    pub(super) reference_prices: BTreeMap<String, Option<Price>>,
}

/// An item of `apiKeys:` of the settings; see [`super::client_key`] for how it may be written.
#[derive(Debug, Default)]
pub(super) struct ClientKey {
    pub(super) key: Option<Secret>,
    pub(super) label: Option<String>,
}

/// A value of `referencePrices:`, in US dollars per million tokens.
#[derive(Debug, Default, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Price {
    #[garde(inner(custom(rules::price)))]
    pub(super) input: Option<f64>,
    #[garde(inner(custom(rules::price)))]
    pub(super) output: Option<f64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 3429,
            workers: 1,
            api_keys: Vec::new(),
            admin_keys: Vec::new(),
            default_chain: None,
            unknown_model: UnknownModel::DefaultChain,
            allow_private_urls: true,
            log_level: LogLevel::Info,
            log_format: LogFormat::Text,
            cooldown_default_ms: 60_000,
            connect_timeout_ms: 5_000,
            request_timeout_ms: 30_000,
            first_token_timeout_ms: 30_000,
            stream_idle_timeout_ms: 30_000,
            client_stall_timeout_ms: 120_000,
            max_body_bytes: 33_554_432,
            max_answer_bytes: 67_108_864,
            queue_mode: true,
            queue_max_wait_ms: 30_000,
            queue_max_size: 100,
            db_path: None,
            retention_days: 30,
            normalize_responses: false,
            mid_stream_failure_threshold: 3,
            mid_stream_cooldown_ms: 120_000,
            mid_stream_cooldown_max_ms: 1_800_000,
            reference_prices: BTreeMap::new(),
        }
    }
}

/// An item of `providers:`
#[derive(Debug, Default, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Provider {
    #[garde(inner(custom(rules::handle)))]
    pub(super) id: Option<String>,
    #[garde(inner(custom(rules::non_empty)))]
    pub(super) name: Option<String>,
    #[garde(skip)]
    #[serde(rename = "type")]
    pub(super) dialect: Option<Dialect>,
    #[garde(inner(custom(rules::provider_key)))]
    pub(super) api_key: Option<Secret>,
    #[garde(inner(inner(inner(custom(rules::provider_key)))))]
    pub(super) api_keys: Option<Vec<Option<Secret>>>,
    #[garde(inner(custom(rules::non_empty)))]
    pub(super) api_key_file: Option<String>,
    /// What `api_key_file` holds.
    #[garde(skip)]
    #[serde(skip)]
    pub(super) file_key: Option<Secret>,
    #[garde(inner(custom(rules::base_url)))]
    pub(super) base_url: Option<String>,
    #[garde(inner(custom(rules::milliseconds)))]
    pub(super) timeout: Option<u64>,
    #[garde(skip)]
    pub(super) enabled: Option<bool>,
    #[garde(skip)]
    pub(super) headers: BTreeMap<String, Option<Secret>>,
    #[garde(skip)]
    pub(super) rate_limits: RateLimits,
    #[garde(skip)]
    pub(super) models: BTreeMap<String, ModelOverrides>,
}

/// `rateLimits:` of a provider or of one of its models.
#[derive(Debug, Default, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct RateLimits {
    #[garde(skip)]
    pub(super) scope: Option<Scope>,
    #[garde(inner(custom(rules::limit)))]
    pub(super) requests_per_minute: Option<u64>,
    #[garde(inner(custom(rules::limit)))]
    pub(super) requests_per_hour: Option<u64>,
    #[garde(inner(custom(rules::limit)))]
    pub(super) requests_per_day: Option<u64>,
    #[garde(inner(custom(rules::limit)))]
    pub(super) requests_per_month: Option<u64>,
    #[garde(inner(custom(rules::limit)))]
    pub(super) tokens_per_minute: Option<u64>,
    #[garde(inner(custom(rules::limit)))]
    pub(super) tokens_per_hour: Option<u64>,
    #[garde(inner(custom(rules::limit)))]
    pub(super) tokens_per_day: Option<u64>,
    #[garde(inner(custom(rules::limit)))]
    pub(super) tokens_per_month: Option<u64>,
    #[garde(inner(custom(rules::limit)))]
    pub(super) concurrent_requests: Option<u64>,
    #[garde(inner(custom(day_reset::check)))]
    pub(super) day_resets_at: Option<String>,
}

/// `scope:` of limits.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Scope {
    Model,
    Provider,
}

impl From<Scope> for limits::Scope {
    fn from(raw: Scope) -> Self {
        match raw {
            Scope::Model => Self::Model,
            Scope::Provider => Self::Provider,
        }
    }
}

/// An item of `models:` of a provider.
#[derive(Debug, Default, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct ModelOverrides {
    #[garde(skip)]
    pub(super) rate_limits: Option<RateLimits>,
    #[garde(inner(custom(rules::tokens)))]
    pub(super) context_window: Option<u64>,
}

/// An item of `chains:`
#[derive(Debug, Default, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Chain {
    #[garde(inner(custom(rules::handle)))]
    pub(super) name: Option<String>,
    #[garde(skip)]
    pub(super) strategy: Strategy,
    #[garde(skip)]
    pub(super) entries: Vec<Option<Entry>>,
}

/// An item of `entries:` of a chain.
#[derive(Debug, Default, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Entry {
    #[garde(skip)]
    pub(super) provider: Option<String>,
    #[garde(inner(custom(rules::model_name)))]
    pub(super) model: Option<String>,
    #[garde(inner(custom(rules::milliseconds)))]
    pub(super) timeout: Option<u64>,
}

impl File {
    /// The chain of requests that name none. A single chain is the default even if nothing says so.
    pub(super) fn default_chain(&self) -> &str {
        match (&self.settings.default_chain, self.chains.as_slice()) {
            (Some(name), _) => name,
            (None, [Some(Chain { name: Some(only), .. })]) => only,
            (None, _) => "default",
        }
    }
}

impl Provider {
    /// Never called, and so in need of nothing.
    pub(super) fn is_disabled(&self) -> bool {
        self.enabled == Some(false)
    }
}
