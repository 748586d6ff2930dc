//! Chains resolved to doors that can be knocked at.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use actix::Recipient;

use super::estimate::EstimateGauge;
use super::gauge::{self, Gauge};
use super::msg::{Forecast, Reserve};
use crate::config::model::{Provider, UnknownModel};
use crate::domain::demand::Demand;
use crate::domain::ids::{ChainName, EntryId};
use crate::domain::refusal::Refusal;
use crate::domain::time::Mono;

/// All that anyone may know of an entry: doors and windows.
#[derive(Clone, Debug)]
pub struct EntryHandle {
    /// Asks for a lease.
    pub door: Recipient<Reserve>,
    /// Asks for the future.
    pub outlook: Recipient<Forecast>,
    /// For each key the gauge of the lane's own ledger, then those of what it shares with others.
    pub lanes: Arc<[Vec<Arc<Gauge>>]>,
    /// The learnt size of requests.
    pub estimate: Arc<EstimateGauge>,
    /// Whether the provider counts all output that is asked for before it is produced.
    pub reserves_output: bool,
}

impl EntryHandle {
    /// Why a request would be refused now, without asking. Of several keys the one that is back first counts.
    #[must_use]
    pub fn refusal(&self, demand: Demand, now: Mono) -> Option<Refusal> {
        gauge::refusal(&self.lanes, self.estimate.need(demand, self.reserves_output), now)
    }
}

/// What a worker has to know to call an entry.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Provider + model.
    pub id: EntryId,
    /// The account.
    pub provider: Arc<Provider>,
    /// The model's name as a JSON string, ready to be spliced into a request.
    pub model_json: String,
    /// Unique per process and configuration: workers keep prepared requests by it.
    pub serial: u64,
    /// `None` when the provider is switched off.
    pub handle: Option<EntryHandle>,
    /// Its provider has refused `stream_options`, and is asked without them.
    pub refuses_stream_options: Arc<AtomicBool>,
}

/// An entry at its place in a chain.
#[derive(Clone, Debug)]
pub struct Place {
    /// The entry.
    pub entry: Arc<Entry>,
    /// To the response head; for a whole answer, to its end.
    pub timeout: Duration,
}

/// An ordered list of places to walk.
#[derive(Clone, Debug)]
pub struct Route {
    /// The chain's name, or `provider/model` for a request that names an entry.
    pub label: String,
    /// In the order in which they are tried.
    pub places: Vec<Place>,
}

impl Route {
    /// Where the entries at these places stand on another route; those that it does not have are left out.
    #[must_use]
    pub fn translate(&self, places: &[usize], other: &Self) -> Vec<usize> {
        let id = |at: usize| self.places.get(at).map(|place| &place.entry.id);
        let translated = places.iter().filter_map(|at| {
            let wanted = id(*at)?;
            // A chain may name an entry more than once, with different timeouts.
            let before = (0..*at).filter(|at| id(*at) == Some(wanted)).count();
            let same = other.places.iter().zip(0..).filter(|(place, _)| place.entry.id == *wanted);
            same.map(|(_, at)| at).nth(before)
        });
        translated.collect()
    }
}

/// Everything that requests can select.
#[derive(Debug)]
pub struct RouteTable {
    /// By name.
    pub chains: HashMap<ChainName, Arc<Route>>,
    /// Names of the chains in the order of the file.
    pub order: Vec<ChainName>,
    /// Single entries by `provider/model`.
    pub entries: BTreeMap<String, Arc<Route>>,
    /// For models that are neither.
    pub default: ChainName,
    /// What to do with models that are neither.
    pub unknown: UnknownModel,
}

/// Why a model selects nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unselected {
    /// It names nothing, and such requests are to be refused.
    UnknownModel,
    /// There is no chain yet that such requests could go to.
    NoChain,
}

impl RouteTable {
    /// The route with this label.
    #[must_use]
    pub fn labelled(&self, label: &str) -> Option<&Arc<Route>> {
        self.chains.get(label).or_else(|| self.entries.get(label))
    }

    /// The route that `model` selects.
    ///
    /// # Errors
    /// Why there is none.
    pub fn select(&self, model: &str) -> Result<&Arc<Route>, Unselected> {
        match (self.labelled(model), self.unknown) {
            (Some(route), _) => Ok(route),
            (None, UnknownModel::Reject) => Err(Unselected::UnknownModel),
            (None, UnknownModel::DefaultChain) => self.chains.get(&self.default).ok_or(Unselected::NoChain),
        }
    }
}
