//! What is known, over a restart.
//!
//! Each ledger is kept under a name that says whose it is. A key is named by a part of its hash: it must not be found in
//! the database, and a key that was replaced has a quota of its own.

use std::rc::Rc;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tracing::{debug, warn};

use super::{Books, Place};
use crate::actors::estimate::EstimateGauge;
use crate::actors::posted::{Owner, Posted, Shared};
use crate::config::model::{KeyDigest, Secret};
use crate::domain::demand::Estimate;
use crate::domain::ids::{EntryId, ModelId, ProviderId};
use crate::domain::ledger::Ledger;
use crate::domain::ledger::memory::Memory;
use crate::domain::time::Now;
use crate::store::state::State;

/// Changes to what is kept: names with what to keep, or with `None` to forget it.
pub type Changes = Vec<(String, Option<Vec<u8>>)>;

/// More ledgers of entries that are gone nobody keeps for their coming back.
const MOST_RETIRED: usize = 4_096;

/// A ledger that is remembered by a name.
#[derive(Debug)]
pub(super) struct Named {
    provider: ProviderId,
    /// Under what limits it counts, in words.
    limits: String,
    pub(super) shared: Shared,
    /// What was kept last.
    kept: Option<Vec<u8>>,
}

impl Named {
    pub(super) fn is_of(&self, provider: &ProviderId) -> bool {
        self.provider == *provider
    }
}

/// The estimate of an entry.
#[derive(Debug)]
pub(super) struct NamedEstimate {
    estimate: Arc<EstimateGauge>,
    kept: Option<Vec<u8>>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Learnt {
    estimate: Estimate,
}

impl Place<'_> {
    fn name(&self) -> String {
        let part = |text: Option<&str>| text.unwrap_or("*").replace('|', "||");
        let hash = self.key.and_then(|key| self.provider.keys.get(key)).map(hashed);
        let owner = match self.owner {
            Owner::Lane | Owner::Model => "entry",
            Owner::Key => "key",
            Owner::Provider => "provider",
            Owner::Pool(name) => name,
        };
        let (id, model) = (self.provider.id.as_str(), self.model.map(ModelId::as_str));
        ["ledger", owner, &part(Some(id)), &part(model), &part(hash.as_deref())].join(" | ")
    }

    /// The limits that hold, in words.
    fn limits(&self) -> String {
        let own = self.model.map_or(&self.provider.limits, |model| self.provider.limits_of(model));
        format!("{} {} {own:?}", self.provider.base_url, self.provider.dialect as u8)
    }
}

impl Books {
    /// The ledger of this place. One that is there already counts on, under the limits of `fresh`; another is `fresh` itself,
    /// with what is remembered of it.
    pub(super) fn ledger(&mut self, place: Place<'_>, fresh: Ledger, now: Now) -> Shared {
        let (name, limits) = (place.name(), place.limits());
        if let Some(named) = self.ledgers.get_mut(&(name.clone(), place.owner)) {
            named.limits = limits;
            named.shared.borrow_mut().change(now, |ledger| ledger.retune(fresh, now));
            return Shared::clone(&named.shared);
        }
        let shared = Posted::shared(place.owner, fresh, now);
        self.clock_was_set(now);
        let kept = self.recall(&name);
        let memory = kept.as_deref().and_then(|bytes| serde_json::from_slice::<Memory>(bytes).ok());
        if let Some(memory) = memory {
            let restored = shared.borrow_mut().change(now, |ledger| ledger.restore(&memory, &limits, now));
            debug!(name, restored, "remembered");
        } else if kept.is_some() {
            warn!(name, "what was remembered cannot be read, and is forgotten");
        }
        let named = Named { provider: place.provider.id.clone(), limits, shared: Shared::clone(&shared), kept };
        self.ledgers.insert((name, place.owner), named);
        shared
    }

    /// Whether there is a ledger of this place.
    pub(super) fn knows(&self, place: Place<'_>) -> bool {
        self.ledgers.contains_key(&(place.name(), place.owner))
    }

    /// The estimate of an entry, as far as it was learnt before.
    pub(super) fn estimate(&mut self, id: EntryId) -> Arc<EstimateGauge> {
        if let Some(known) = self.estimates.get(&id) {
            return Arc::clone(&known.estimate);
        }
        let kept = self.recall(&estimate_name(&id));
        let learnt = kept.as_deref().and_then(|bytes| serde_json::from_slice::<Learnt>(bytes).ok());
        let learnt = learnt.map(|learnt| learnt.estimate).filter(Estimate::is_sane).unwrap_or_default();
        let estimate = Arc::new(EstimateGauge::new(learnt));
        self.estimates.insert(id, NamedEstimate { estimate: Arc::clone(&estimate), kept });
        estimate
    }

    fn recall(&mut self, name: &str) -> Option<Vec<u8>> {
        self.remembered.remove(name).or_else(|| self.retired.remove(name))
    }

    /// Takes up what was known at the last stop, where it could not be read until now.
    pub fn catch_up(&mut self, mut late: State, now: Now) {
        for ((name, _), named) in &mut self.ledgers {
            let Some(bytes) = late.remove(name) else { continue };
            match serde_json::from_slice::<Memory>(&bytes) {
                Ok(memory) => {
                    named.shared.borrow_mut().change(now, |ledger| ledger.catch_up(&memory, &named.limits, now));
                }
                Err(_) => warn!(name, "what was remembered cannot be read, and is forgotten"),
            }
        }
        for (id, named) in &self.estimates {
            let learnt =
                late.remove(&estimate_name(id)).and_then(|bytes| serde_json::from_slice::<Learnt>(&bytes).ok());
            let unlearnt = named.estimate.read() == Estimate::default();
            if let Some(Learnt { estimate }) = learnt.filter(|learnt| unlearnt && learnt.estimate.is_sane()) {
                named.estimate.set(estimate);
            }
        }
        self.retired.extend(late);
    }

    /// What has changed since this was asked last. The first time it also forgets what belongs to nobody any more.
    pub fn changes(&mut self, now: Now) -> Changes {
        let mut changes: Changes = std::mem::take(&mut self.remembered).into_keys().map(|name| (name, None)).collect();
        let all = self.clock_was_set(now);
        for ((name, _), named) in &mut self.ledgers {
            let mut posted = named.shared.borrow_mut();
            if all {
                // Days and months end at another time now. Nobody would call a spent entry to find that out.
                posted.change(now, |ledger| ledger.advance(now));
            }
            if !posted.consult(Ledger::take_changed) && !all {
                continue;
            }
            let memory = posted.consult(|ledger| {
                ledger.advance(now);
                ledger.remember(&named.limits, now)
            });
            keep(name, &mut named.kept, memory.as_ref(), &mut changes);
        }
        for (id, named) in &mut self.estimates {
            let estimate = named.estimate.read();
            let learnt = (estimate != Estimate::default()).then_some(Learnt { estimate });
            keep(&estimate_name(id), &mut named.kept, learnt.as_ref(), &mut changes);
        }
        self.retire(&mut changes);
        changes
    }

    /// Lets go of what only the books still hold: its entry has left the configuration, and its last call is over. What it
    /// knew stays where it is kept.
    fn retire(&mut self, changes: &mut Changes) {
        let mut put_away = |name: String, kept: Option<Vec<u8>>| {
            let stays = kept.map(|kept| self.retired.insert(name, kept));
            if stays.is_some()
                && self.retired.len() > MOST_RETIRED
                && let Some((name, _)) = self.retired.pop_first()
            {
                changes.push((name, None));
            }
        };
        for ((name, _), named) in self.ledgers.extract_if(.., |_, named| Rc::strong_count(&named.shared) == 1) {
            put_away(name, named.kept);
        }
        for (id, named) in self.estimates.extract_if(.., |_, named| Arc::strong_count(&named.estimate) == 1) {
            put_away(estimate_name(&id), named.kept);
        }
    }
}

/// Notes a change, if it is one.
fn keep<T: Serialize>(name: &str, kept: &mut Option<Vec<u8>>, memory: Option<&T>, changes: &mut Changes) {
    let bytes = memory.and_then(|memory| serde_json::to_vec(memory).ok());
    if bytes != *kept {
        changes.push((name.to_owned(), bytes.clone()));
        *kept = bytes;
    }
}

fn estimate_name(id: &EntryId) -> String {
    format!("estimate | {id}")
}

/// The first half of the hash of a key.
fn hashed(key: &Secret) -> String {
    use std::fmt::Write as _;

    let KeyDigest(bytes) = KeyDigest::of(key.expose());
    bytes.iter().take(16).fold(String::with_capacity(32), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
