//! A look at all entries from outside.

use std::time::Duration;

use super::{Fleet, Running, masked};
use crate::actors::lane::Lane;
use crate::actors::msg::Explain;
use crate::actors::posted::Posted;
use crate::actors::report::{BucketReport, EntryReport, Explained, LaneReport};
use crate::actors::route::Unselected;
use crate::domain::bucket::Source;
use crate::domain::demand::Need;
use crate::domain::evidence::Dimension;
use crate::domain::refusal::Refusal;
use crate::domain::time::Now;
use crate::domain::trail::{Seen, Step, Trail};

impl Fleet {
    /// Everything that is known about every entry.
    #[must_use]
    pub fn survey(&self) -> Vec<EntryReport> {
        let now = self.now();
        self.entries
            .iter()
            .map(|(id, running)| {
                let lanes = running.lanes.iter().enumerate();
                EntryReport {
                    id: id.clone(),
                    enabled: running.entry.provider.enabled,
                    tokens_per_byte: running.estimate.read().ratio(),
                    lanes: lanes.map(|(key, lane)| survey_lane(running, key, lane, now)).collect(),
                }
            })
            .collect()
    }

    /// Who would serve such a request now, and why the others would not.
    ///
    /// # Errors
    /// Its model selects nothing.
    pub fn explain(&self, asked: &Explain) -> Result<Explained, Unselected> {
        let table = self.routes();
        let route = table.select(&asked.model)?;
        let now = self.now();
        let mut needs = Vec::new();
        let steps = route.places.iter().map(|place| {
            let id = place.entry.id.clone();
            let running = self.entries.get(&id);
            let need = running.map(|running| {
                let (estimate, dialect) = (running.estimate.read(), running.entry.provider.dialect);
                match asked.prompt_tokens {
                    Some(tokens) => estimate.need_of(tokens, asked.demand, dialect.reserves_output()),
                    None => estimate.need(asked.demand, dialect.reserves_output()),
                }
            });
            needs.push(need.unwrap_or_default());
            let seen = match (running, need) {
                (Some(running), Some(need)) if running.entry.handle.is_some() => {
                    let refusals = running.lanes.iter().map(|lane| lane.check(need, false, now).err());
                    // One key that can is enough; else the first that is back counts.
                    let refusals: Option<Vec<Refusal>> = refusals.collect();
                    let first = refusals.map(|refusals| refusals.into_iter().min_by_key(Refusal::end));
                    first.map_or(Seen::Able, |first| Seen::Skipped(first.unwrap_or(Refusal::Off)))
                }
                _ => Seen::Skipped(Refusal::Off),
            };
            Step { entry: id, seen, took: Duration::ZERO }
        });
        let trail = Trail(steps.collect());
        Ok(Explained { route: route.label.clone(), trail, needs })
    }
}

fn survey_lane(running: &Running, key: usize, lane: &Lane, now: Now) -> LaneReport {
    let cooldowns = lane.ledgers.iter().filter_map(|shared| {
        let posted = shared.borrow();
        posted.cooldown(now.mono).map(|cooldown| (posted.owner(), cooldown))
    });
    let slots = lane.ledgers.iter().filter_map(|shared| {
        let posted = shared.borrow();
        posted.ledger().slots().map(|limit| (limit, limit.saturating_sub(posted.ledger().in_flight())))
    });
    let own = lane.ledgers.first();
    LaneReport {
        key: running.entry.provider.keys.get(key).map(masked),
        tried: own.is_some_and(|own| own.borrow().gauge().tried()),
        in_flight: lane.in_flight(),
        slots: slots.min_by_key(|(_, free)| *free),
        cooldown: cooldowns.max_by_key(|(_, cooldown)| cooldown.until),
        refusal: lane.check(Need::default(), false, now).err(),
        buckets: lane.ledgers.iter().flat_map(|shared| survey_buckets(&mut shared.borrow_mut(), now)).collect(),
    }
}

fn survey_buckets(posted: &mut Posted, now: Now) -> Vec<BucketReport> {
    let owner = posted.owner();
    posted.consult(|ledger| ledger.advance(now));
    let ledger = posted.ledger();
    let buckets = ledger.buckets().iter().map(|bucket| {
        let reserved = if bucket.dimension() == Dimension::Tokens { ledger.held() } else { 0 };
        BucketReport {
            owner,
            dimension: bucket.dimension(),
            window: bucket.window(),
            limit: bucket.told_limit(),
            used: bucket.told_limit().map(|limit| limit.saturating_sub(bucket.left())),
            reserved,
            remaining: bucket.left().saturating_sub(reserved),
            resets_at: bucket.full_again(now.mono),
            source: bucket.source(),
            told: (bucket.source() != Source::Configured).then(|| bucket.told()),
        }
    });
    buckets.collect()
}
