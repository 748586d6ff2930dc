//! The running entries of a configuration, and what they share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::Actor;

use super::books::{Books, Changes};
use super::desk::{Desk, Terms};
use super::entry::{Bell, EntryActor};
use super::estimate::EstimateGauge;
use super::lane::Lane;
use super::msg::Install;
use super::route::{Entry, EntryHandle, Place, Route, RouteTable};
use crate::clock::Clock;
use crate::config::diff::{self, Fate};
use crate::config::model::{Chain, Config, Provider, Secret};
use crate::domain::ids::{EntryId, ModelId};
use crate::domain::time::Now;
use crate::store::state::State;

mod supply;
mod survey;
mod thaw;

/// All entries that a configuration names. Lives on the thread of the entry actors.
#[derive(Debug)]
pub struct Fleet {
    config: Arc<Config>,
    clock: Clock,
    bell: Bell,
    books: Books,
    entries: BTreeMap<EntryId, Running>,
    next_serial: u64,
}

#[derive(Debug)]
struct Running {
    entry: Arc<Entry>,
    /// Kept here so that they outlive the actor.
    lanes: Vec<Lane>,
    estimate: Arc<EstimateGauge>,
}

impl Fleet {
    /// Starts an actor on the current thread for every entry of `config`. `remembered` is what was known at the last
    /// stop; the entries ring `bell` when quota comes back.
    #[must_use]
    pub fn start(config: Arc<Config>, clock: Clock, bell: Bell, remembered: State) -> Self {
        let mut fleet = Self {
            config: Arc::clone(&config),
            clock,
            bell,
            books: Books::new(remembered),
            entries: BTreeMap::new(),
            next_serial: 0,
        };
        for provider in &config.providers {
            for model in config.models_of(provider) {
                fleet.launch(provider, model);
            }
        }
        fleet
    }

    /// Runs `config` from now on. An entry whose terms have changed gets a new actor that charges its calls to the same
    /// ledgers; calls that the old one has granted are settled there, and with the last of them it ends by itself, since
    /// nobody knows its address any more. So do entries that `config` does not name.
    pub fn adopt(&mut self, config: Arc<Config>) {
        let old = std::mem::replace(&mut self.config, Arc::clone(&config));
        let (fates, now) = (diff::fates(&old, &config), self.clock.now());
        self.entries.retain(|id, _| fates.contains_key(id));
        for provider in &config.providers {
            for model in config.models_of(provider) {
                let id = EntryId { provider: provider.id.clone(), model };
                if fates.get(&id) != Some(&Fate::Kept) {
                    self.launch(provider, id.model);
                }
            }
        }
        for provider in diff::mended(&old, &config) {
            self.books.mend(&provider, now);
        }
    }

    /// Starts the actor of an entry again, if it is dead: several requests may have met the closed door. Its cooldowns
    /// are kept; the leases of the old actor can never be settled, so they are written off. True when it was dead.
    pub fn revive(&mut self, id: &EntryId) -> bool {
        let Some(running) = self.entries.get(id) else { return false };
        if running.entry.handle.as_ref().is_none_or(|handle| handle.door.connected()) {
            return false;
        }
        let now = self.clock.now();
        for lane in &running.lanes {
            let own = lane.ledgers.first().map(|own| own.borrow());
            let (calls, tokens) = own.map_or((0, 0), |own| (own.ledger().in_flight(), own.ledger().held()));
            for shared in &lane.ledgers {
                shared.borrow_mut().change(now, |ledger| ledger.write_off(calls, tokens));
            }
        }
        let handle = self.open(id, &running.entry.provider, &running.lanes, &running.estimate);
        if let Some(running) = self.entries.get_mut(id) {
            running.entry = Arc::new(Entry { handle: Some(handle), ..Entry::clone(&running.entry) });
        }
        true
    }

    /// What the router works by, as of now.
    #[must_use]
    pub fn plan(&self) -> Install {
        Install { table: Arc::new(self.routes()), queue: self.config.settings.queue.clone() }
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
        let id = EntryId { provider: provider.id.clone(), model };
        let (lanes, estimate) = self.books.open(provider, &id.model, self.clock.now());
        let handle = provider.enabled.then(|| self.open(&id, provider, &lanes, &estimate));
        self.next_serial += 1;
        let before = self.entries.get(&id).map(|running| &running.entry);
        let before = before.filter(|before| diff::same_server(&before.provider, provider));
        let entry = Entry {
            id: id.clone(),
            provider: Arc::clone(provider),
            model_json: serde_json::Value::from(id.model.as_str()).to_string(),
            serial: self.next_serial,
            handle,
            refuses_stream_options: before
                .map_or_else(Arc::default, |before| Arc::clone(&before.refuses_stream_options)),
        };
        self.entries.insert(id, Running { entry: Arc::new(entry), lanes, estimate });
    }

    /// What has changed since this was asked last, to be remembered. The first time it also forgets what belongs to
    /// nobody any more.
    pub(super) fn changes(&mut self) -> Changes {
        self.books.changes(self.clock.now())
    }

    /// Takes up what was known at the last stop, where it could not be read until now.
    pub(super) fn catch_up(&mut self, late: State) {
        self.books.catch_up(late, self.clock.now());
    }

    fn now(&self) -> Now {
        self.clock.now()
    }

    /// Starts an actor that charges its calls to `lanes`, and gives the doors to it.
    fn open(&self, id: &EntryId, provider: &Provider, lanes: &[Lane], estimate: &Arc<EstimateGauge>) -> EntryHandle {
        let gauges = lanes.iter().map(Lane::gauges).collect();
        let settings = &self.config.settings;
        let terms = Terms {
            unknown_429: settings.cooldown_default,
            mid_stream: settings.mid_stream,
            reserves_output: provider.dialect.reserves_output(),
        };
        let reserves_output = terms.reserves_output;
        let desk = Desk::new(id.clone(), lanes.to_vec(), Arc::clone(estimate), terms);
        let actor = EntryActor::new(desk, self.clock.clone(), self.bell.clone()).start();
        EntryHandle {
            door: actor.clone().recipient(),
            outlook: actor.recipient(),
            lanes: gauges,
            estimate: Arc::clone(estimate),
            reserves_output,
        }
    }
}

/// `gsk_...1234`: enough to tell keys apart, not enough to use one.
fn masked(key: &Secret) -> String {
    let key = key.expose();
    let shown = |range: Option<&str>| range.unwrap_or_default().to_owned();
    match key.len() {
        0..12 => "...".to_owned(),
        length => format!("{}...{}", shown(key.get(..4)), shown(key.get(length - 4..))),
    }
}

#[cfg(test)]
mod tests;
