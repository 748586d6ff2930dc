//! What the chains have left: now, and until each next reset.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use super::Fleet;
use crate::actors::lane::Lane;
use crate::actors::posted::Shared;
use crate::actors::report::{Ahead, Left, Supply};
use crate::config::model::Chain;
use crate::domain::evidence::Dimension;
use crate::domain::forecast::together;
use crate::domain::ids::EntryId;
use crate::domain::time::Mono;

impl Fleet {
    /// What every chain has left.
    #[must_use]
    pub fn supplies(&self) -> Vec<Supply> {
        let now = self.now();
        for shared in self.entries.values().flat_map(|running| &running.lanes).flat_map(|lane| &lane.ledgers) {
            shared.borrow_mut().consult(|ledger| ledger.advance(now));
        }
        self.config.chains.iter().map(|chain| self.of_chain(chain, now.mono)).collect()
    }

    fn of_chain(&self, chain: &Chain, now: Mono) -> Supply {
        let lanes = self.lanes_of(chain);
        let left = |at| Left {
            requests: left_by(&lanes, Dimension::Requests, now, at),
            tokens: left_by(&lanes, Dimension::Tokens, now, at),
        };
        let mut resets: BTreeMap<Option<Duration>, Mono> = BTreeMap::new();
        for shared in lanes.iter().flat_map(|lane| &lane.ledgers) {
            for bucket in shared.borrow().ledger().buckets() {
                if let Some(end) = bucket.next_reset(now) {
                    resets.entry(bucket.window()).and_modify(|first| *first = end.min(*first)).or_insert(end);
                }
            }
        }
        let mut ahead: Vec<Ahead> =
            resets.into_iter().map(|(window, until)| Ahead { window, until, left: left(until) }).collect();
        ahead.sort_by_key(|ahead| ahead.until);
        Supply { route: chain.name.to_string(), now: left(now), ahead }
    }

    /// All lanes of a chain's entries that can be asked; an entry that stands in it twice counts once.
    fn lanes_of(&self, chain: &Chain) -> Vec<&Lane> {
        let mut ids: Vec<EntryId> = Vec::new();
        for entry in &chain.entries {
            let id = EntryId { provider: entry.provider.clone(), model: entry.model.clone() };
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let running = ids.iter().filter_map(|id| self.entries.get(id));
        running.filter(|running| running.entry.handle.is_some()).flat_map(|running| &running.lanes).collect()
    }
}

/// What the lanes have left together, ledgers that several of them share counted once.
fn left_by(lanes: &[&Lane], dimension: Dimension, now: Mono, at: Mono) -> Option<u64> {
    let able = lanes.iter().filter_map(|lane| Some((*lane, begins(lane, now).filter(|begin| *begin <= at)?)));
    let able: Vec<(&Lane, Mono)> = able.collect();
    let mut ledgers: Vec<(&Shared, Mono, Vec<usize>)> = Vec::new();
    for (index, (lane, begin)) in able.iter().enumerate() {
        for shared in &lane.ledgers {
            match ledgers.iter_mut().find(|(known, ..)| Rc::ptr_eq(known, shared)) {
                Some((_, first, holders)) => {
                    *first = *begin.min(first);
                    holders.push(index);
                }
                None => ledgers.push((shared, *begin, vec![index])),
            }
        }
    }
    let supplies = ledgers.into_iter().filter_map(|(shared, begin, holders)| {
        let left = shared.borrow().ledger().left_by(dimension, now, begin, at)?;
        Some((holders, left))
    });
    together(able.len(), &supplies.collect::<Vec<_>>())
}

/// When all ledgers of a lane have got over their cooldowns; `None`: not by waiting.
fn begins(lane: &Lane, now: Mono) -> Option<Mono> {
    lane.ledgers.iter().try_fold(now, |latest, shared| shared.borrow().ledger().begins(now).map(|end| end.max(latest)))
}
