//! One look through a waiting line for whoever can be served now.
//!
//! What somebody in front waits for is not offered to those behind: a small request that always fits would keep a large
//! one out for ever. But an entry that those in front can never use is free for the next.

use std::sync::Arc;

use actix::Recipient;

use super::line::{Line, Waiter};
use super::msg::Revive;
use super::walk::{Wait, Walk};
use crate::clock::Clock;
use crate::domain::ids::EntryId;
use crate::domain::refusal::Refusal;
use crate::domain::trail::{Seen, Step};

/// The look, as far as it has come.
#[derive(Debug, Default)]
pub(super) struct Round {
    last: Option<u64>,
    /// Entries that somebody in front waits for.
    awaited: Vec<EntryId>,
    /// When anything comes back for those who were asked.
    pub(super) wait: Wait,
}

impl Round {
    /// The next of the line for whom there is anything to ask.
    pub(super) fn next(&mut self, line: &Line, clock: &Clock, keeper: &Recipient<Revive>) -> Option<(u64, Walk)> {
        let (id, walk) = line.behind(self.last).find_map(|waiter| {
            let mut excluded = waiter.excluded.clone();
            let places = waiter.route.places.iter().zip(0..);
            let awaited = places.filter(|(place, _)| self.awaited.contains(&place.entry.id)).map(|(_, at)| at);
            excluded.extend(awaited);
            let free = (0..waiter.route.places.len()).any(|at| !excluded.contains(&at));
            // The first is asked whatever it has been refused: it learns so when to give up.
            let asks = free || self.last.is_none() && line.ahead_of(waiter.id) == Some(0);
            asks.then(|| (waiter.id, walk_of(waiter, excluded, clock, keeper)))
        })?;
        self.last = Some(id);
        Some((id, walk))
    }

    /// The one who was asked last found nothing.
    pub(super) fn exhausted(&mut self, skipped: &[Step], wait: Wait) {
        let awaits = |step: &&Step| !matches!(step.seen, Seen::Skipped(Refusal::TooLarge { .. }));
        self.awaited.extend(skipped.iter().filter(awaits).map(|step| step.entry.clone()));
        self.wait = self.wait.or(wait);
    }
}

/// A walk for one who waits, around some places.
pub(super) fn walk_of(waiter: &Waiter, excluded: Vec<usize>, clock: &Clock, keeper: &Recipient<Revive>) -> Walk {
    Walk {
        route: Arc::clone(&waiter.route),
        demand: waiter.demand,
        from: 0,
        avoid: None,
        excluded,
        pressing: false,
        clock: clock.clone(),
        keeper: keeper.clone(),
    }
}
