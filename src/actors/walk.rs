//! One walk along a route: the first entry that grants a lease ends it.

use std::sync::Arc;
use std::time::Duration;

use actix::Recipient;
use tracing::error;

use super::lease::Lease;
use super::msg::{Forecast, Reserve, Revive};
use super::route::{Entry, Route};
use crate::clock::Clock;
use crate::domain::cooldown::Deadline;
use crate::domain::demand::Demand;
use crate::domain::forecast::Horizon;
use crate::domain::ids::ProviderId;
use crate::domain::refusal::Refusal;
use crate::domain::time::Mono;
use crate::domain::trail::{Seen, Step};

/// The walk.
pub(super) struct Walk {
    pub(super) route: Arc<Route>,
    pub(super) demand: Demand,
    pub(super) from: usize,
    pub(super) avoid: Option<ProviderId>,
    pub(super) excluded: Vec<usize>,
    /// Requests may not wait: rather than to fail, they press an entry whose limits are unknown.
    pub(super) pressing: bool,
    pub(super) clock: Clock,
    pub(super) keeper: Recipient<Revive>,
}

/// How it ended.
pub(super) enum Walked {
    /// At this place, with a lease.
    Granted { place: usize, lease: Lease, skipped: Vec<Step> },
    /// At the end of the route.
    Exhausted { skipped: Vec<Step> },
}

/// What the entries of a route say of the future.
pub(super) struct Prospects {
    /// Why each cannot take the request now.
    pub(super) skipped: Vec<Step>,
    /// Whether one of them could take it at once.
    pub(super) able: bool,
    horizons: Vec<Horizon>,
}

impl Walk {
    pub(super) async fn run(self) -> Walked {
        let mut skipped = Vec::new();
        for (place, at) in self.route.places.iter().zip(0..).skip(self.from) {
            if self.excluded.contains(&at) {
                continue;
            }
            match self.knock(&place.entry, false).await {
                Ok(lease) => return Walked::Granted { place: at, lease, skipped },
                Err(seen) => skipped.push(step(&place.entry, seen)),
            }
        }
        if self.pressing {
            for (place, at) in self.route.places.iter().zip(0..).skip(self.from) {
                let is_spared = |step: &Step| {
                    step.entry == place.entry.id && matches!(step.seen, Seen::Skipped(Refusal::Probing { .. }))
                };
                if skipped.iter().any(is_spared)
                    && let Ok(lease) = self.knock(&place.entry, true).await
                {
                    return Walked::Granted { place: at, lease, skipped };
                }
            }
        }
        Walked::Exhausted { skipped }
    }

    async fn knock(&self, entry: &Entry, urgent: bool) -> Result<Lease, Seen> {
        if self.avoid.as_ref() == Some(&entry.id.provider) {
            return Err(Seen::SameProvider);
        }
        let handle = entry.handle.as_ref().ok_or(Seen::Skipped(Refusal::Off))?;
        if let Some(refusal) = handle.refusal(self.demand, self.clock.mono()) {
            return Err(Seen::Skipped(refusal));
        }
        match handle.door.send(Reserve { demand: self.demand, urgent }).await {
            Ok(answer) => answer.map_err(Seen::Skipped),
            Err(fault) => {
                error!(entry.id = %entry.id, %fault, "{} does not answer and is restarted", entry.id);
                self.keeper.do_send(Revive(entry.id.clone()));
                Err(Seen::Skipped(Refusal::Gone))
            }
        }
    }

    /// Asks all entries for their future, and for exact reasons.
    pub(super) async fn look_ahead(self) -> Prospects {
        let mut prospects = Prospects { skipped: Vec::new(), able: false, horizons: Vec::new() };
        for (place, at) in self.route.places.iter().zip(0..) {
            if self.excluded.contains(&at) {
                continue;
            }
            let refusal = match &place.entry.handle {
                None => Refusal::Off,
                Some(handle) => match handle.outlook.send(Forecast(self.demand)).await {
                    Ok(outlook) => {
                        prospects.able |= outlook.refusal.is_none();
                        if outlook.refusal.is_none_or(|refusal| refusal.passes()) {
                            prospects.horizons.push(outlook.horizon);
                        }
                        outlook.refusal.unwrap_or(Refusal::Queued)
                    }
                    Err(_) => Refusal::Gone,
                },
            };
            prospects.skipped.push(step(&place.entry, Seen::Skipped(refusal)));
        }
        prospects
    }
}

impl Prospects {
    /// When it will be the turn of a request with so many in front.
    pub(super) fn turn(&self, ahead: usize) -> Wait {
        if ahead == 0 || self.horizons.is_empty() {
            return Wait::of(&self.skipped);
        }
        let count = u64::try_from(ahead).unwrap_or(u64::MAX).saturating_add(1);
        match Horizon::nth(self.horizons.iter(), count) {
            Some(eta) => Wait { known: Some(eta), any_moment: false },
            None => Wait::default(),
        }
    }
}

/// How long until one of the entries of a route can take a request, as far as quota is what keeps them from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wait {
    /// The first time at which one of them can.
    pub(super) known: Option<Mono>,
    /// It may happen any moment before that: a call that is under way has to end.
    pub(super) any_moment: bool,
}

impl Wait {
    /// What these refusals say.
    pub(super) fn of(skipped: &[Step]) -> Self {
        let mut wait = Self::default();
        for step in skipped {
            let Seen::Skipped(refusal) = &step.seen else { continue };
            match refusal.end() {
                _ if !refusal.passes() => {}
                Some(Deadline::At(end)) => wait.known = Some(wait.known.map_or(end, |known| known.min(end))),
                _ => wait.any_moment = true,
            }
        }
        wait
    }

    /// Whichever comes first.
    pub(super) fn or(self, other: Self) -> Self {
        let known = self.known.into_iter().chain(other.known).min();
        Self { known, any_moment: self.any_moment || other.any_moment }
    }

    /// Whether waiting until `deadline` is worth it.
    pub(super) fn is_worth_it(self, deadline: Mono, now: Mono) -> bool {
        deadline > now && (self.any_moment || self.known.is_some_and(|eta| eta <= deadline))
    }
}

fn step(entry: &Entry, seen: Seen) -> Step {
    Step { entry: entry.id.clone(), seen, took: Duration::ZERO }
}
