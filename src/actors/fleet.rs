//! The running entries of a configuration, and what they share.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use actix::Actor;

use super::entry::{EntryActor, Posted, Shared};
use super::route::{Entry, EntryHandle, Place, Route, RouteTable};
use crate::clock::Clock;
use crate::config::model::{Chain, Config, Provider};
use crate::domain::ids::{EntryId, ModelId, ProviderId};
use crate::domain::limits::Scope;
use crate::domain::outcome::Target;

/// All entries that a configuration names. Lives on the thread of the entry actors.
#[derive(Debug)]
pub struct Fleet {
    config: Arc<Config>,
    clock: Clock,
    entries: BTreeMap<EntryId, Running>,
    /// By provider and target; the entries of that provider hold them too.
    shared: HashMap<(ProviderId, Target), Shared>,
    next_serial: u64,
}

#[derive(Debug)]
struct Running {
    entry: Arc<Entry>,
    /// Its own ledger first. Kept here so that they outlive the actor.
    ledgers: Vec<Shared>,
}

impl Fleet {
    /// Starts an actor on the current thread for every entry of `config`.
    #[must_use]
    pub fn start(config: Arc<Config>, clock: Clock) -> Self {
        let mut fleet = Self {
            config: Arc::clone(&config),
            clock,
            entries: BTreeMap::new(),
            shared: HashMap::new(),
            next_serial: 0,
        };
        for provider in &config.providers {
            for model in models_of(&config, provider) {
                fleet.launch(provider, model);
            }
        }
        fleet
    }

    /// Starts the actor of an entry again, if it is dead: several requests may have met the closed door. Its cooldowns
    /// are kept; the leases of the old actor can never be settled, so they are written off. True when it was dead.
    pub fn revive(&mut self, id: &EntryId) -> bool {
        let Some(running) = self.entries.get_mut(id) else { return false };
        if running.entry.handle.as_ref().is_none_or(|handle| handle.door.connected()) {
            return false;
        }
        let now = self.clock.mono();
        let lost = running.ledgers.first().map_or(0, |own| own.borrow().in_flight());
        for shared in &running.ledgers {
            shared.borrow_mut().write_off(lost, now);
        }
        let handle = open(id, &running.ledgers, &self.clock, self.config.settings.cooldown_default);
        running.entry = Arc::new(Entry { handle: Some(handle), ..Entry::clone(&running.entry) });
        true
    }

    /// Everything that requests can select, with the doors as they are now.
    #[must_use]
    pub fn routes(&self) -> RouteTable {
        let settings = &self.config.settings;
        RouteTable {
            chains: self.config.chains.iter().map(|chain| (chain.name.clone(), Arc::new(self.route(chain)))).collect(),
            order: self.config.chains.iter().map(|chain| chain.name.clone()).collect(),
            entries: self
                .entries
                .iter()
                .map(|(id, running)| {
                    let place = self.place(running, None);
                    (id.to_string(), Arc::new(Route { label: id.to_string(), places: vec![place] }))
                })
                .collect(),
            default: settings.default_chain.clone(),
            unknown: settings.unknown_model,
        }
    }

    fn route(&self, chain: &Chain) -> Route {
        let places = chain.entries.iter().filter_map(|wanted| {
            let id = EntryId { provider: wanted.provider.clone(), model: wanted.model.clone() };
            self.entries.get(&id).map(|running| self.place(running, wanted.timeout))
        });
        Route { label: chain.name.to_string(), places: places.collect() }
    }

    fn place(&self, running: &Running, timeout: Option<Duration>) -> Place {
        let entry = Arc::clone(&running.entry);
        let timeout = timeout.or(entry.provider.timeout).unwrap_or(self.config.settings.request_timeout);
        Place { entry, timeout }
    }

    fn launch(&mut self, provider: &Arc<Provider>, model: ModelId) {
        let limits = provider.limits_of(&model);
        let concurrent = limits.concurrent_requests.map(|limit| u32::try_from(limit.get()).unwrap_or(u32::MAX));
        let (own, key) = match limits.scope {
            Scope::Model => (concurrent, None),
            Scope::Provider => (None, concurrent),
        };
        let mut ledgers = vec![Posted::shared(Target::Entry, own)];
        ledgers.push(self.share(provider, Target::Key, key));
        ledgers.push(self.share(provider, Target::Provider, None));
        if let Some(pool) = provider.dialect.pool_of(model.as_str()) {
            ledgers.push(self.share(provider, Target::Pool(pool), None));
        }
        let id = EntryId { provider: provider.id.clone(), model };
        let handle = provider.enabled.then(|| open(&id, &ledgers, &self.clock, self.config.settings.cooldown_default));
        self.next_serial += 1;
        let entry = Entry {
            id: id.clone(),
            provider: Arc::clone(provider),
            model_json: serde_json::Value::from(id.model.as_str()).to_string(),
            serial: self.next_serial,
            handle,
        };
        self.entries.insert(id, Running { entry: Arc::new(entry), ledgers });
    }

    fn share(&mut self, provider: &Provider, target: Target, limit: Option<u32>) -> Shared {
        let key = (provider.id.clone(), target);
        Shared::clone(self.shared.entry(key).or_insert_with(|| Posted::shared(target, limit)))
    }
}

/// Starts an actor that charges its calls to `ledgers`, and gives the door to it.
fn open(id: &EntryId, ledgers: &[Shared], clock: &Clock, unknown_429: Duration) -> EntryHandle {
    let gauges = ledgers.iter().map(|shared| shared.borrow().gauge()).collect();
    let actor = EntryActor::new(id.clone(), ledgers.to_vec(), clock.clone(), unknown_429);
    EntryHandle { door: actor.start().recipient(), gauges }
}

/// Models that chains use, then those that only the provider's own section names; each once.
fn models_of(config: &Config, provider: &Provider) -> Vec<ModelId> {
    let in_chains = config.chains.iter().flat_map(|chain| &chain.entries).filter(|entry| entry.provider == provider.id);
    let mut models: Vec<ModelId> = Vec::new();
    for model in in_chains.map(|entry| &entry.model).chain(provider.models.keys()) {
        if !models.contains(model) {
            models.push(model.clone());
        }
    }
    models
}

#[cfg(test)]
mod tests;
