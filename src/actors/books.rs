//! The books: the ledgers of all entries, which of them every call is charged to, and what of it outlives a restart.
//!
//! Synchronous, and time is an argument: what decides about quota can be run through years of histories without an
//! actor.

use std::collections::HashMap;
use std::sync::Arc;

use super::estimate::EstimateGauge;
use super::lane::Lane;
use super::posted::{Owner, Posted, Shared};
use crate::config::model::Provider;
use crate::domain::ids::{EntryId, ModelId, ProviderId};
use crate::domain::ledger::Ledger;
use crate::domain::limits::{Limits, Scope};
use crate::domain::time::{Mono, Now, Wall};
use crate::store::state::State;

mod limits;
mod memory;

pub use memory::Changes;

/// All ledgers of a configuration.
#[derive(Debug)]
pub struct Books {
    /// By provider, the place of the key, and owner; the entries of that provider hold them too.
    shared: HashMap<(ProviderId, usize, Owner), Shared>,
    /// What was known at the last stop, by name; taken up by the ledgers as they are made.
    remembered: State,
    /// Every ledger by the name that it is remembered by.
    named: Vec<memory::Named>,
    estimates: Vec<memory::NamedEstimate>,
    /// What the wall clock showed at the zero of the other one when all was written down: a clock that was set since makes
    /// all times wrong that are kept.
    zero: Option<Wall>,
}

impl Books {
    /// Books without a page. `remembered` is what was known at the last stop.
    #[must_use]
    pub fn new(remembered: State) -> Self {
        Self { shared: HashMap::new(), remembered, named: Vec::new(), estimates: Vec::new(), zero: None }
    }

    /// What calls of `model` are charged to, for each of the provider's keys. Once per entry.
    pub fn open(&mut self, provider: &Provider, model: &ModelId, now: Now) -> (Vec<Lane>, Arc<EstimateGauge>) {
        let id = EntryId { provider: provider.id.clone(), model: model.clone() };
        // A server that needs no key has one lane, too.
        let keys = provider.keys.len().max(1);
        let lanes = (0..keys).map(|key| self.lane(provider, model, key, now)).collect();
        (lanes, self.estimate(&id))
    }

    /// Everything that a call of `model` with one key is charged to.
    fn lane(&mut self, provider: &Provider, model: &ModelId, key: usize, now: Now) -> Lane {
        let overrides = provider.models.get(model);
        let context = overrides.and_then(|own| own.context_window);
        let limits = provider.limits_of(model);
        // What all models share is the provider's to say, whichever of them is the first: a model with limits of its own
        // keeps within both.
        let pool = (provider.limits.scope == Scope::Provider).then_some(&provider.limits);
        let own = match pool {
            Some(_) => overrides.and_then(|own| own.limits.as_ref()),
            None => Some(limits),
        };
        let announced = match (pool, limits.scope) {
            (Some(_), Scope::Provider) => Owner::Key,
            _ => Owner::Lane,
        };
        let ledger = own.map_or_else(Ledger::default, |own| limits::ledger(own, now)).called(context);
        let own = Posted::shared(Owner::Lane, ledger, now);
        self.name(provider, Some(model), Some(key), &own, now);
        let mut ledgers = vec![own];
        if provider.keys.len() > 1 {
            ledgers.push(self.share_model(provider, model, now));
        }
        ledgers.push(self.share(provider, key, Owner::Key, pool, now));
        ledgers.push(self.share(provider, ALL_KEYS, Owner::Provider, None, now));
        if let Some(pool) = provider.dialect.pool_of(model.as_str()) {
            ledgers.push(self.share(provider, key, Owner::Pool(pool), None, now));
        }
        Lane { ledgers, announced, steady: provider.dialect.refills_steadily() }
    }

    /// True when the wall clock was set since this was true last.
    fn clock_was_set(&mut self, now: Now) -> bool {
        let zero = now.wall_of(Mono(0));
        let was_set = self.zero.is_some_and(|known| known.0.abs_diff(zero.0) > MOST_DRIFT);
        if was_set || self.zero.is_none() {
            self.zero = Some(zero);
        }
        was_set
    }

    fn share(&mut self, provider: &Provider, key: usize, owner: Owner, limits: Option<&Limits>, now: Now) -> Shared {
        let place = (provider.id.clone(), key, owner);
        if let Some(shared) = self.shared.get(&place) {
            return Shared::clone(shared);
        }
        let ledger = limits.map_or_else(Ledger::default, |limits| limits::ledger(limits, now));
        let shared = Posted::shared(owner, ledger, now);
        self.name(provider, None, (key != ALL_KEYS).then_some(key), &shared, now);
        self.shared.insert(place, Shared::clone(&shared));
        shared
    }

    /// What all keys of an entry share: whether the model is there, and up to it.
    fn share_model(&mut self, provider: &Provider, model: &ModelId, now: Now) -> Shared {
        let id = EntryId { provider: provider.id.clone(), model: model.clone() };
        let known = self.named.iter().find(|named| named.is_model(&id)).map(|named| Shared::clone(&named.shared));
        known.unwrap_or_else(|| {
            let shared = Posted::shared(Owner::Model, Ledger::default(), now);
            self.name(provider, Some(model), None, &shared, now);
            shared
        })
    }
}

/// Clocks are always being set right by a little.
const MOST_DRIFT: u64 = 1_000;

/// In place of the number of a key: for what all keys share.
const ALL_KEYS: usize = usize::MAX;
