//! What is different between two configurations, as far as anybody has to do something about it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::model::{Config, Provider, Settings};
use crate::domain::ids::{EntryId, ProviderId};

/// The differences. Lists are in the order of the new file, what is gone behind them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ConfigChanges)]
#[serde(rename_all = "camelCase")]
pub struct Diff {
    /// Settings that have another value, by their keys in the file.
    pub settings: Vec<&'static str>,
    /// Accounts, by id.
    pub providers: Changes,
    /// Chains, by name.
    pub chains: Changes,
    /// Provider + model, as far as calls are made.
    pub entries: Changes,
}

/// What became of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ListChanges)]
pub struct Changes {
    /// Not there before.
    pub added: Vec<String>,
    /// There before, and different.
    pub changed: Vec<String>,
    /// Not there any more.
    pub removed: Vec<String>,
}

/// What is to be done with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes on as it is.
    Kept,
    /// It goes on under other terms.
    Retuned,
    /// It is new.
    Started,
}

impl Diff {
    /// From `old` to `new`.
    #[must_use]
    pub fn of(old: &Config, new: &Config) -> Self {
        Self {
            settings: differing(&old.settings, &new.settings),
            providers: Changes::of(
                old.providers.iter().map(|provider| (provider.id.to_string(), provider)),
                new.providers.iter().map(|provider| (provider.id.to_string(), provider)),
            ),
            chains: Changes::of(
                old.chains.iter().map(|chain| (chain.name.to_string(), chain)),
                new.chains.iter().map(|chain| (chain.name.to_string(), chain)),
            ),
            entries: entries(old, new),
        }
    }

    /// True when nothing is different.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Changes {
    fn of<T: PartialEq>(old: impl Iterator<Item = (String, T)>, new: impl Iterator<Item = (String, T)>) -> Self {
        let mut rest: Vec<_> = old.collect();
        let mut changes = Self::default();
        for (name, value) in new {
            match rest.iter().position(|(known, _)| *known == name) {
                None => changes.added.push(name),
                Some(place) => {
                    if rest.remove(place).1 != value {
                        changes.changed.push(name);
                    }
                }
            }
        }
        changes.removed = rest.into_iter().map(|(name, _)| name).collect();
        changes
    }
}

/// What is to be done with every entry of `new`. Entries of `old` that are not among them retire.
#[must_use]
pub fn fates(old: &Config, new: &Config) -> BTreeMap<EntryId, Fate> {
    let before: BTreeMap<EntryId, &Arc<Provider>> = all(old).collect();
    let same_terms = old.settings.cooldown_default == new.settings.cooldown_default
        && old.settings.mid_stream == new.settings.mid_stream;
    let fate = |id: &EntryId, provider: &Arc<Provider>| match before.get(id) {
        None => Fate::Started,
        Some(known) if **known == *provider && same_terms => Fate::Kept,
        Some(_) => Fate::Retuned,
    };
    all(new).map(|(id, provider)| (id.clone(), fate(&id, provider))).collect()
}

/// Providers that are reached or called in another way than before, or again: what failed there for other reasons than
/// quota may go well now.
#[must_use]
pub fn mended(old: &Config, new: &Config) -> BTreeSet<ProviderId> {
    let mended = new.providers.iter().filter(|provider| {
        let known = old.providers.iter().find(|known| known.id == provider.id);
        known.is_some_and(|known| !same_server(known, provider) || (provider.enabled && !known.enabled))
    });
    mended.map(|provider| provider.id.clone()).collect()
}

/// Whether calls go to the same server in the same way.
#[must_use]
pub fn same_server(old: &Provider, new: &Provider) -> bool {
    (&old.base_url, old.dialect, &old.headers) == (&new.base_url, new.dialect, &new.headers)
}

/// Settings that take effect at the next start only and differ from those of the last one, by their keys in the file.
#[must_use]
pub fn needs_restart(started: &Settings, new: &Settings) -> Vec<&'static str> {
    const FIXED: [&str; 5] =
        ["settings.host", "settings.port", "settings.workers", "settings.logFormat", "settings.dbPath"];
    differing(started, new).into_iter().filter(|key| FIXED.contains(key)).collect()
}

fn all(config: &Config) -> impl Iterator<Item = (EntryId, &Arc<Provider>)> {
    config.providers.iter().flat_map(|provider| {
        let entry = move |model| (EntryId { provider: provider.id.clone(), model }, provider);
        config.models_of(provider).into_iter().map(entry)
    })
}

fn entries(old: &Config, new: &Config) -> Changes {
    let fates = fates(old, new);
    let of = |wanted| {
        let ids = all(new).map(|(id, _)| id).filter(|id| fates.get(id) == Some(&wanted));
        ids.map(|id| id.to_string()).collect()
    };
    let gone = all(old).map(|(id, _)| id).filter(|id| !fates.contains_key(id));
    Changes { added: of(Fate::Started), changed: of(Fate::Retuned), removed: gone.map(|id| id.to_string()).collect() }
}

/// Taken apart field by field, so that none can be forgotten.
fn differing(old: &Settings, new: &Settings) -> Vec<&'static str> {
    let Settings {
        host,
        port,
        workers,
        api_keys,
        admin_keys,
        default_chain,
        unknown_model,
        fence,
        log_level,
        log_format,
        cooldown_default,
        connect_timeout,
        request_timeout,
        first_token_timeout,
        stream_idle_timeout,
        client_stall_timeout,
        max_body_bytes,
        max_answer_bytes,
        queue,
        data_dir,
        db_path,
        retention_days,
        normalize_responses,
        mid_stream,
        reference_prices,
        // The command line's.
        static_dir: _,
    } = old;
    let table = [
        ("settings.host", *host != new.host),
        ("settings.port", *port != new.port),
        ("settings.workers", *workers != new.workers),
        ("settings.apiKeys", *api_keys != new.api_keys),
        ("settings.adminKeys", *admin_keys != new.admin_keys),
        ("settings.defaultChain", *default_chain != new.default_chain),
        ("settings.unknownModel", *unknown_model != new.unknown_model),
        ("settings.allowPrivateUrls", *fence != new.fence),
        ("settings.logLevel", *log_level != new.log_level),
        ("settings.logFormat", *log_format != new.log_format),
        ("settings.cooldownDefaultMs", *cooldown_default != new.cooldown_default),
        ("settings.connectTimeoutMs", *connect_timeout != new.connect_timeout),
        ("settings.requestTimeoutMs", *request_timeout != new.request_timeout),
        ("settings.firstTokenTimeoutMs", *first_token_timeout != new.first_token_timeout),
        ("settings.streamIdleTimeoutMs", *stream_idle_timeout != new.stream_idle_timeout),
        ("settings.clientStallTimeoutMs", *client_stall_timeout != new.client_stall_timeout),
        ("settings.maxBodyBytes", *max_body_bytes != new.max_body_bytes),
        ("settings.maxAnswerBytes", *max_answer_bytes != new.max_answer_bytes),
        ("settings.queueMode", queue.enabled != new.queue.enabled),
        ("settings.queueMaxWaitMs", queue.max_wait != new.queue.max_wait),
        ("settings.queueMaxSize", queue.max_size != new.queue.max_size),
        ("settings.dbPath", (data_dir, db_path) != (&new.data_dir, &new.db_path)),
        ("settings.retentionDays", *retention_days != new.retention_days),
        ("settings.normalizeResponses", *normalize_responses != new.normalize_responses),
        ("settings.midStreamFailureThreshold", mid_stream.threshold != new.mid_stream.threshold),
        ("settings.midStreamCooldownMs", mid_stream.cooldown != new.mid_stream.cooldown),
        ("settings.midStreamCooldownMaxMs", mid_stream.cooldown_max != new.mid_stream.cooldown_max),
        ("settings.referencePrices", *reference_prices != new.reference_prices),
    ];
    table.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
}

#[cfg(test)]
mod tests;
