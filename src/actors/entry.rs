//! The actor of one entry: owns its ledger, and has a share in those of its key and its provider.
//!
//! What several entries share lies in `Rc<RefCell<..>>`: all entries live on one thread and answer synchronously, so a
//! reservation over several ledgers is checked and charged in one go, and nothing can come in between.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Handler};
use tracing::{info, warn};

use super::gauge::Gauge;
use super::lease::{Lease, Outcome};
use super::msg::{Reserve, Settle};
use crate::clock::Clock;
use crate::domain::cooldown::{Change, Cooldown, Deadline};
use crate::domain::ids::EntryId;
use crate::domain::ledger::{Ledger, Refusal};
use crate::domain::outcome::{Target, Verdict};
use crate::domain::time::Mono;
use crate::domain::trail::Span;

/// A ledger whose state is shown on a gauge after every change.
#[derive(Debug)]
pub struct Posted {
    target: Target,
    ledger: Ledger,
    gauge: Arc<Gauge>,
}

/// A posted ledger with one or more owners on the same thread.
pub type Shared = Rc<RefCell<Posted>>;

impl Posted {
    /// A fresh ledger of `target` that grants at most `limit` calls at the same time.
    #[must_use]
    pub fn shared(target: Target, limit: Option<u32>) -> Shared {
        let posted = Self { target, ledger: Ledger::new(limit), gauge: Arc::default() };
        posted.gauge.publish(&posted.ledger, Mono(0));
        Rc::new(RefCell::new(posted))
    }

    /// The gauge that shows it.
    #[must_use]
    pub fn gauge(&self) -> Arc<Gauge> {
        Arc::clone(&self.gauge)
    }

    /// Gives back `calls` calls whose leases can no longer be settled.
    pub fn write_off(&mut self, calls: u32, now: Mono) {
        self.change(now, |ledger| (0..calls).for_each(|_| ledger.release()));
    }

    /// Calls under way.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.ledger.in_flight()
    }

    fn change<R>(&mut self, now: Mono, change: impl FnOnce(&mut Ledger) -> R) -> R {
        let result = change(&mut self.ledger);
        self.gauge.publish(&self.ledger, now);
        result
    }
}

/// The actor.
#[derive(Debug)]
pub struct EntryActor {
    id: EntryId,
    /// Its own ledger first.
    ledgers: Vec<Shared>,
    clock: Clock,
    unknown_429: Duration,
}

impl EntryActor {
    /// An actor for `id` whose calls are charged to all of `ledgers`, its own one first.
    #[must_use]
    pub fn new(id: EntryId, ledgers: Vec<Shared>, clock: Clock, unknown_429: Duration) -> Self {
        Self { id, ledgers, clock, unknown_429 }
    }

    fn reserve(&self, now: Mono) -> Result<(), Refusal> {
        let refusals = self.ledgers.iter().rev().filter_map(|shared| shared.borrow().ledger.check(now).err());
        if let Some(refusal) = refusals.max_by_key(Refusal::end) {
            return Err(refusal);
        }
        for shared in &self.ledgers {
            let mut posted = shared.borrow_mut();
            if posted.change(now, |ledger| {
                ledger.charge();
                ledger.cooldowns.recover(now)
            }) {
                info!(entry.id = %self.id, target = ?posted.target, "{} is back", self.id);
            }
        }
        Ok(())
    }

    fn settle(&self, granted: Mono, outcome: &Outcome, now: Mono) -> Option<Cooldown> {
        for shared in &self.ledgers {
            shared.borrow_mut().change(now, |ledger| {
                ledger.release();
                if *outcome == Outcome::Served {
                    ledger.cooldowns.warm(granted);
                }
            });
        }
        if let Some(own) = self.ledgers.first().filter(|_| *outcome != Outcome::Abandoned) {
            own.borrow().gauge.mark_tried();
        }
        match outcome {
            Outcome::Failed { verdict, status } => self.chill(verdict, *status, granted, now),
            Outcome::Served | Outcome::Abandoned => None,
        }
    }

    /// Puts the target of the verdict on cooldown; returns the last to end of those that are then in force here.
    fn chill(&self, verdict: &Verdict, status: u16, granted: Mono, now: Mono) -> Option<Cooldown> {
        if verdict.target == Target::Request {
            return None;
        }
        // A target that this entry does not share with anybody is the entry itself.
        let shared = self.ledgers.iter().find(|shared| shared.borrow().target == verdict.target);
        let mut posted = shared.or(self.ledgers.first())?.borrow_mut();
        let change =
            posted.change(now, |ledger| ledger.cooldowns.chill(verdict, status, granted, now, self.unknown_429));
        if let Change::Cooling(cooldown) = change {
            log_cooldown(&self.id, posted.target, &cooldown, now);
        }
        drop(posted);
        let active = self.ledgers.iter().filter_map(|shared| shared.borrow().ledger.cooldowns.active(now).copied());
        active.max_by_key(|cooldown| cooldown.until)
    }
}

fn log_cooldown(id: &EntryId, target: Target, cooldown: &Cooldown, now: Mono) {
    let reason = cooldown.reason.words();
    let (wait_ms, until) = match cooldown.until {
        Deadline::At(end) => {
            let wait = end.from_now(now);
            (Some(wait.as_millis()), format!("for {}", Span(wait)))
        }
        Deadline::Never => (None, "until the configuration changes".to_owned()),
    };
    warn!(
        entry.id = %id, target = ?target, status = cooldown.status, basis = ?cooldown.basis, wait_ms,
        "{id} cools down {until}: {reason}"
    );
}

impl Actor for EntryActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(4_096);
    }
}

impl Handler<Reserve> for EntryActor {
    type Result = Result<Lease, Refusal>;

    fn handle(&mut self, _: Reserve, ctx: &mut Self::Context) -> Self::Result {
        let now = self.clock.mono();
        self.reserve(now)?;
        Ok(Lease::new(ctx.address().recipient(), now))
    }
}

impl Handler<Settle> for EntryActor {
    type Result = ();

    fn handle(&mut self, settle: Settle, _: &mut Self::Context) {
        let cooldown = self.settle(settle.granted, &settle.outcome, self.clock.mono());
        if let Some(learnt) = settle.learnt {
            // Whoever asked may have left.
            let _ = learnt.send(cooldown);
        }
    }
}

#[cfg(test)]
mod tests;
