//! The books: the ledgers of all entries, which of them every call is charged to, and what of it outlives a restart.
//!
//! Synchronous, and time is an argument: what decides about quota can be run through years of histories without an
//! actor.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::estimate::EstimateGauge;
use super::lane::Lane;
use super::posted::Owner;
use crate::config::model::Provider;
use crate::domain::ids::{EntryId, ModelId, ProviderId};
use crate::domain::ledger::Ledger;
use crate::domain::limits::{Limits, Scope};
use crate::domain::time::{Mono, Now, Wall};
use crate::store::state::State;

mod limits;
mod memory;

pub use memory::Changes;

/// All ledgers of a configuration, and those of entries that have left it while calls of theirs are under way.
#[derive(Debug)]
pub struct Books {
    /// What was known at the last stop, by name; taken up by the ledgers as they are made.
    remembered: State,
    /// What those knew that nobody needs any more, by name; taken up if they come back.
    retired: State,
    /// Every ledger by the name that it is remembered by.
    ledgers: BTreeMap<(String, Owner), memory::Named>,
    estimates: BTreeMap<EntryId, memory::NamedEstimate>,
    /// What the wall clock showed at the zero of the other one when all was written down: a clock that was set since makes
    /// all times wrong that are kept.
    zero: Option<Wall>,
}

/// Whose ledger is asked for.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    provider: &'a Provider,
    owner: Owner,
    /// Of an entry's own.
    model: Option<&'a ModelId>,
    /// Which of the provider's keys; `None` for what all keys share.
    key: Option<usize>,
}

impl Books {
    /// Books without a page. `remembered` is what was known at the last stop.
    #[must_use]
    pub fn new(remembered: State) -> Self {
        let (retired, ledgers, estimates) = (State::new(), BTreeMap::new(), BTreeMap::new());
        Self { remembered, retired, ledgers, estimates, zero: None }
    }

    /// What calls of `model` are charged to, for each of the provider's keys. Ledgers that are there already count on, under
    /// the limits as they are now.
    pub fn open(&mut self, provider: &Provider, model: &ModelId, now: Now) -> (Vec<Lane>, Arc<EstimateGauge>) {
        let id = EntryId { provider: provider.id.clone(), model: model.clone() };
        // A server that needs no key has one lane, too.
        let keys = provider.keys.len().max(1);
        let lanes = (0..keys).map(|key| self.lane(provider, model, key, now)).collect();
        (lanes, self.estimate(id))
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
        let ledger = |limits: Option<&Limits>| limits.map_or_else(Ledger::default, |it| limits::ledger(it, now));
        let of_model = Place { provider, owner: Owner::Model, model: Some(model), key: None };
        let of_key = Place { provider, owner: Owner::Key, model: None, key: Some(key) };
        let of_lane = Place { owner: Owner::Lane, key: Some(key), ..of_model };
        let mut ledgers = vec![self.ledger(of_lane, ledger(own).called(context), now)];
        // Where a second key has been taken away, what both have shared still holds.
        if provider.keys.len() > 1 || self.knows(of_model) {
            ledgers.push(self.ledger(of_model, Ledger::default(), now));
        }
        ledgers.push(self.ledger(of_key, ledger(pool), now));
        ledgers.push(self.ledger(Place { owner: Owner::Provider, key: None, ..of_key }, Ledger::default(), now));
        if let Some(pool) = provider.dialect.pool_of(model.as_str()) {
            ledgers.push(self.ledger(Place { owner: Owner::Pool(pool), ..of_key }, Ledger::default(), now));
        }
        Lane { ledgers, announced, steady: provider.dialect.refills_steadily() }
    }

    /// How many ledgers and estimates there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.ledgers.len() + self.estimates.len()
    }

    /// Ends whatever keeps calls from a provider for another reason than quota: it is called in another way from now on.
    pub fn mend(&mut self, provider: &ProviderId, now: Now) {
        for named in self.ledgers.values().filter(|named| named.is_of(provider)) {
            named.shared.borrow_mut().change(now, Ledger::mend);
        }
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
}

/// Clocks are always being set right by a little.
const MOST_DRIFT: u64 = 1_000;
