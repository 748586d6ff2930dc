//! From a file that has passed all checks to the configuration that the program runs on.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::check::digest;
use super::day_reset;
use super::layers::Overrides;
use super::model::{
    Chain, ChainEntry, ClientKey, Config, KeyDigest, ModelOverrides, Provider, Queue, Secret, Settings,
};
use super::raw;
use super::traces::Traces;
use crate::config::reach::Fence;
use crate::domain::ids::{ChainName, ModelId, ProviderId};
use crate::domain::ledger::Policy;
use crate::domain::limits::{DayReset, Limits};
use crate::domain::prices::{Price, PriceList};

/// `None` if something is missing that the checks should have asked for.
pub(super) fn resolve(
    file: raw::File,
    overrides: &Overrides,
    notices: Vec<String>,
    traces: Option<Traces>,
) -> Option<Config> {
    let default_chain = ChainName::new(file.default_chain());
    Some(Config {
        settings: settings(file.settings, default_chain, overrides)?,
        providers: file.providers.into_iter().map(|it| provider(it?).map(Arc::new)).collect::<Option<_>>()?,
        chains: file.chains.into_iter().map(|it| chain(it?)).collect::<Option<_>>()?,
        notices,
        traces,
        key_files: Vec::new(),
    })
}

fn settings(raw: raw::Settings, default_chain: ChainName, overrides: &Overrides) -> Option<Settings> {
    let (data_dir, db_path) = places(raw.db_path.map(PathBuf::from), overrides.data_dir.clone());
    let cooldown = millis(raw.mid_stream_cooldown_ms);
    Some(Settings {
        host: raw.host,
        port: raw.port.try_into().ok()?,
        workers: raw.workers.try_into().ok()?,
        api_keys: client_keys(raw.api_keys)?,
        admin_keys: digests(&raw.admin_keys)?,
        default_chain,
        unknown_model: raw.unknown_model,
        fence: Fence { private: raw.allow_private_urls },
        log_level: raw.log_level,
        log_format: raw.log_format,
        cooldown_default: millis(raw.cooldown_default_ms),
        connect_timeout: millis(raw.connect_timeout_ms),
        request_timeout: millis(raw.request_timeout_ms),
        first_token_timeout: millis(raw.first_token_timeout_ms),
        stream_idle_timeout: millis(raw.stream_idle_timeout_ms),
        client_stall_timeout: millis(raw.client_stall_timeout_ms),
        max_body_bytes: raw.max_body_bytes.try_into().ok()?,
        max_answer_bytes: raw.max_answer_bytes.try_into().ok()?,
        queue: Queue {
            enabled: raw.queue_mode,
            max_wait: millis(raw.queue_max_wait_ms),
            max_size: raw.queue_max_size.try_into().ok()?,
        },
        data_dir,
        static_dir: overrides.static_dir.clone(),
        db_path,
        retention_days: raw.retention_days.try_into().ok()?,
        normalize_responses: raw.normalize_responses,
        mid_stream: Policy {
            threshold: raw.mid_stream_failure_threshold.try_into().ok()?,
            cooldown,
            // A file that gives only the first cooldown need not know the default of the longest.
            cooldown_max: millis(raw.mid_stream_cooldown_max_ms).max(cooldown),
        },
        reference_prices: prices(raw.reference_prices)?,
    })
}

/// Where data lives, and the database in it. Both are relative to the working directory, not to the file.
pub(super) fn places(db_path: Option<PathBuf>, data_dir: Option<PathBuf>) -> (PathBuf, PathBuf) {
    let beside = db_path.as_deref().and_then(Path::parent).map(|parent| match parent.as_os_str().is_empty() {
        true => PathBuf::from("."),
        false => parent.to_owned(),
    });
    let data_dir = data_dir.or(beside).unwrap_or_else(|| PathBuf::from("./data"));
    let db_path = db_path.unwrap_or_else(|| data_dir.join("usage.redb"));
    (data_dir, db_path)
}

fn client_keys(keys: Vec<Option<raw::ClientKey>>) -> Option<Vec<ClientKey>> {
    let keys = keys.into_iter().enumerate().map(|(index, key)| {
        let raw::ClientKey { key, label } = key?;
        Some(ClientKey { digest: digest(key.as_ref()?)?, label: label.unwrap_or_else(|| ClientKey::label_of(index)) })
    });
    keys.collect()
}

fn prices(prices: BTreeMap<String, Option<raw::Price>>) -> Option<PriceList> {
    let prices = prices.into_iter().map(|(models, price)| {
        let raw::Price { input, output } = price?;
        Some((models, Price { input: input?, output: output? }))
    });
    Some(PriceList::new(prices.collect::<Option<Vec<_>>>()?))
}

fn digests(keys: &[Option<Secret>]) -> Option<Vec<KeyDigest>> {
    keys.iter().map(|key| digest(key.as_ref()?)).collect()
}

fn provider(raw: raw::Provider) -> Option<Provider> {
    let id = ProviderId::new(raw.id?);
    let dialect = raw.dialect?;
    let base_url = raw.base_url.as_deref().or(dialect.default_base_url())?;
    let limits = limits(&raw.rate_limits, &Limits::default())?;
    let models = raw.models.iter().map(|(name, overrides)| model(name, overrides, &limits));
    Some(Provider {
        name: raw.name.unwrap_or_else(|| id.as_str().to_owned()),
        id,
        dialect,
        base_url: base_url.trim_end_matches('/').to_owned(),
        keys: raw.api_key.into_iter().chain(raw.file_key).chain(raw.api_keys.into_iter().flatten().flatten()).collect(),
        headers: raw
            .headers
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_ascii_lowercase(), value?)))
            .collect(),
        timeout: raw.timeout.map(millis),
        enabled: raw.enabled.unwrap_or(true),
        models: models.collect::<Option<BTreeMap<_, _>>>()?,
        limits,
    })
}

fn model(name: &str, raw: &raw::ModelOverrides, of_provider: &Limits) -> Option<(ModelId, ModelOverrides)> {
    let limits = match &raw.rate_limits {
        Some(own) => Some(limits(own, of_provider)?),
        None => None,
    };
    Some((ModelId::new(name), ModelOverrides { limits, context_window: raw.context_window }))
}

/// What the file says, and `otherwise` where it says nothing.
fn limits(raw: &raw::RateLimits, otherwise: &Limits) -> Option<Limits> {
    let limit = |own: Option<u64>, otherwise: Option<NonZeroU64>| own.and_then(NonZeroU64::new).or(otherwise);
    Some(Limits {
        scope: raw.scope.map_or(otherwise.scope, Into::into),
        requests_per_minute: limit(raw.requests_per_minute, otherwise.requests_per_minute),
        requests_per_hour: limit(raw.requests_per_hour, otherwise.requests_per_hour),
        requests_per_day: limit(raw.requests_per_day, otherwise.requests_per_day),
        requests_per_month: limit(raw.requests_per_month, otherwise.requests_per_month),
        tokens_per_minute: limit(raw.tokens_per_minute, otherwise.tokens_per_minute),
        tokens_per_hour: limit(raw.tokens_per_hour, otherwise.tokens_per_hour),
        tokens_per_day: limit(raw.tokens_per_day, otherwise.tokens_per_day),
        tokens_per_month: limit(raw.tokens_per_month, otherwise.tokens_per_month),
        concurrent_requests: limit(raw.concurrent_requests, otherwise.concurrent_requests),
        day_resets_at: match &raw.day_resets_at {
            Some(text) => day_reset::parse(text).ok()?,
            None => DayReset::clone(&otherwise.day_resets_at),
        },
    })
}

fn chain(raw: raw::Chain) -> Option<Chain> {
    Some(Chain {
        name: ChainName::new(raw.name?),
        strategy: raw.strategy,
        entries: raw.entries.into_iter().map(|it| entry(it?)).collect::<Option<_>>()?,
    })
}

fn entry(raw: raw::Entry) -> Option<ChainEntry> {
    Some(ChainEntry {
        provider: ProviderId::new(raw.provider?),
        model: ModelId::new(raw.model?),
        timeout: raw.timeout.map(millis),
    })
}

fn millis(number: u64) -> Duration {
    Duration::from_millis(number)
}
