//! What is known, over a restart.
//!
//! Each ledger is kept under a name that says whose it is. A key is named by a part of its hash: it must not be found in
//! the database, and a key that was replaced has a quota of its own.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tracing::{debug, warn};

use super::Books;
use crate::actors::estimate::EstimateGauge;
use crate::actors::posted::{Owner, Shared};
use crate::config::model::{KeyDigest, Provider, Secret};
use crate::domain::demand::Estimate;
use crate::domain::ids::{EntryId, ModelId};
use crate::domain::ledger::memory::Memory;
use crate::domain::time::Now;

/// Changes to what is kept: names with what to keep, or with `None` to forget it.
pub type Changes = Vec<(String, Option<Vec<u8>>)>;

/// A ledger with the name that it is remembered by.
#[derive(Debug)]
pub(super) struct Named {
    name: String,
    /// Under what limits it counts, in words.
    limits: String,
    model: Option<EntryId>,
    pub(super) shared: Shared,
    /// What was kept last.
    kept: Option<Vec<u8>>,
}

impl Named {
    pub(super) fn is_model(&self, id: &EntryId) -> bool {
        self.model.as_ref() == Some(id)
    }
}

#[derive(Debug, Deserialize, Serialize)]
struct Learnt {
    estimate: Estimate,
}

impl Books {
    /// Gives a ledger its name, and what is remembered under it.
    pub(super) fn name(
        &mut self,
        provider: &Provider,
        model: Option<&ModelId>,
        key: Option<usize>,
        shared: &Shared,
        now: Now,
    ) {
        let owner = shared.borrow().owner();
        let part = |text: Option<&str>| text.unwrap_or("*").replace('|', "||");
        let hash = key.and_then(|key| provider.keys.get(key)).map(hashed);
        let owner_name = match owner {
            Owner::Lane | Owner::Model => "entry",
            Owner::Key => "key",
            Owner::Provider => "provider",
            Owner::Pool(name) => name,
        };
        let name = [
            "ledger",
            owner_name,
            &part(Some(provider.id.as_str())),
            &part(model.map(ModelId::as_str)),
            &part(hash.as_deref()),
        ]
        .join(" | ");
        let own = model.map_or(&provider.limits, |model| provider.limits_of(model));
        let limits = format!("{} {} {own:?}", provider.base_url, provider.dialect as u8);
        self.clock_was_set(now);
        let kept = self.remembered.remove(&name);
        let memory = kept.as_deref().and_then(|bytes| serde_json::from_slice::<Memory>(bytes).ok());
        if let Some(memory) = memory {
            let restored = shared.borrow_mut().change(now, |ledger| ledger.restore(&memory, &limits, now));
            debug!(name, restored, "remembered");
        } else if kept.is_some() {
            warn!(name, "what was remembered cannot be read, and is forgotten");
        }
        let model = model.filter(|_| owner == Owner::Model);
        let model = model.map(|model| EntryId { provider: provider.id.clone(), model: model.clone() });
        self.named.push(Named { name, limits, model, shared: Shared::clone(shared), kept });
    }

    /// The estimate of an entry, as far as it was learnt before.
    pub(super) fn estimate(&mut self, id: &EntryId) -> Arc<EstimateGauge> {
        let name = estimate_name(id);
        let kept = self.remembered.remove(&name);
        let learnt = kept.as_deref().and_then(|bytes| serde_json::from_slice::<Learnt>(bytes).ok());
        let learnt = learnt.map(|learnt| learnt.estimate).filter(Estimate::is_sane).unwrap_or_default();
        let estimate = Arc::new(EstimateGauge::new(learnt));
        self.estimates.push(NamedEstimate { name, estimate: Arc::clone(&estimate), kept });
        estimate
    }

    /// What has changed since this was asked last. The first time it also forgets what belongs to nobody any more.
    pub fn changes(&mut self, now: Now) -> Changes {
        let mut changes: Changes = std::mem::take(&mut self.remembered).into_keys().map(|name| (name, None)).collect();
        let all = self.clock_was_set(now);
        for named in &mut self.named {
            let mut posted = named.shared.borrow_mut();
            if all {
                // Days and months end at another time now. Nobody would call a spent entry to find that out.
                posted.change(now, |ledger| ledger.advance(now));
            }
            if !posted.consult(|ledger| ledger.take_changed()) && !all {
                continue;
            }
            let memory = posted.consult(|ledger| {
                ledger.advance(now);
                ledger.remember(&named.limits, now)
            });
            keep(&named.name, &mut named.kept, memory.as_ref(), &mut changes);
        }
        for named in &mut self.estimates {
            let estimate = named.estimate.read();
            let learnt = (estimate != Estimate::default()).then_some(Learnt { estimate });
            keep(&named.name, &mut named.kept, learnt.as_ref(), &mut changes);
        }
        changes
    }
}

/// The estimate of an entry with the name that it is remembered by.
#[derive(Debug)]
pub(super) struct NamedEstimate {
    name: String,
    estimate: Arc<EstimateGauge>,
    kept: Option<Vec<u8>>,
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
