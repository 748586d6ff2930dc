//! An entry through one of its provider's keys: everything that one call is charged to.

use std::sync::Arc;
use std::time::Duration;

use super::gauge::Gauge;
use super::lease::Hold;
use super::posted::{Owner, Shared};
use crate::domain::bucket::Source;
use crate::domain::cooldown::{Change, Cooldown};
use crate::domain::demand::Need;
use crate::domain::evidence::{Evidence, Stated};
use crate::domain::ledger::{Answered, Mark, Policy, Used};
use crate::domain::outcome::{Basis, Hint, Reason, Verdict};
use crate::domain::refusal::Refusal;
use crate::domain::time::{Mono, Now};

/// The ledgers of one lane, its own first.
#[derive(Clone, Debug)]
pub struct Lane {
    /// The lane's own ledger first.
    pub ledgers: Vec<Shared>,
    /// Whose are the limits that headers announce.
    pub announced: Owner,
    /// Whether the provider's buckets refill all the time.
    pub steady: bool,
}

impl Lane {
    /// The gauges of its ledgers, in their order.
    #[must_use]
    pub fn gauges(&self) -> Vec<Arc<Gauge>> {
        self.ledgers.iter().map(|shared| shared.borrow().gauge()).collect()
    }

    /// Whether all ledgers can take a call now. `urgent` says that nobody else can be asked and the request may not wait.
    ///
    /// # Errors
    /// Of several refusals the one that ends last.
    pub fn check(&self, need: Need, urgent: bool, now: Now) -> Result<(), Refusal> {
        // Whichever ledger knows a limit holds calls back: the others need not feel their way to it.
        let free = urgent || self.ledgers.iter().any(|shared| shared.borrow().ledger().is_guided());
        let refusals = self.ledgers.iter().rev().filter_map(|shared| {
            let mut posted = shared.borrow_mut();
            posted.consult(|ledger| ledger.check_as(need, free, now)).err()
        });
        refusals.max_by_key(Refusal::end).map_or(Ok(()), Err)
    }

    /// Charges one call to all ledgers. Returns what each knew then, and a cooldown that this call is the first after.
    pub fn charge(&self, need: Need, now: Now) -> (Vec<Mark>, Option<Cooldown>) {
        let mut over = None;
        let marks = self.ledgers.iter().map(|shared| {
            let (mark, ended) = shared.borrow_mut().change(now, |ledger| ledger.charge(need, now.mono));
            over = over.or(ended);
            mark
        });
        (marks.collect(), over)
    }

    /// The part of the scarcest bucket that is left, in thousandths.
    #[must_use]
    pub fn headroom(&self) -> u32 {
        self.ledgers.iter().map(|shared| shared.borrow().ledger().headroom()).min().unwrap_or(1_000)
    }

    /// Calls under way.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.ledgers.first().map_or(0, |own| own.borrow().ledger().in_flight())
    }

    /// How many calls of this size could be made until `at`.
    #[must_use]
    pub fn slots_by(&self, need: Need, now: Mono, at: Mono) -> u64 {
        self.ledgers.iter().map(|shared| shared.borrow().ledger().slots_by(need, now, at)).min().unwrap_or(0)
    }

    /// The first word on a call has come, and `told` how many requests are left.
    pub fn heard(&self, good: bool, told: bool, granted: Mono, now: Now) {
        for shared in &self.ledgers {
            shared.borrow_mut().change(now, |ledger| ledger.heard(good, told, granted, now.mono));
        }
    }

    /// A call has ended.
    pub fn settle(&self, hold: &Hold, used: Used, now: Now) {
        for shared in &self.ledgers {
            shared.borrow_mut().change(now, |ledger| ledger.settle(hold.need, used, hold.granted, now.mono));
        }
    }

    /// A call went well.
    pub fn warm(&self, granted: Mono) {
        for shared in &self.ledgers {
            shared.borrow_mut().consult(|ledger| ledger.warm(granted));
        }
    }

    /// Merges what an answer says about quota. `own` are tokens of its call that may have been used after the answer's head
    /// was written.
    pub fn merge(&self, evidence: &Evidence, verdict: Option<&Verdict>, hold: &Hold, own: u64, now: Now) {
        if evidence.is_empty() {
            return;
        }
        let blamed = verdict.and_then(Owner::blamed).filter(|owner| matches!(owner, Owner::Pool(_) | Owner::Key));
        let Some(place) = self.place_of(blamed.unwrap_or(self.announced)) else { return };
        let (Some(shared), Some(mark)) = (self.ledgers.get(place), hold.marks.get(place)) else { return };
        let answered = Answered { mark: *mark, granted: hold.granted, own, steady: self.steady };
        shared.borrow_mut().change(now, |ledger| {
            for stated in evidence.stated.iter().filter(|stated| !matches!(stated, Stated::Context(_))) {
                ledger.learn(*stated, self.steady, now);
            }
            for reading in &evidence.readings {
                let from_text = evidence.stated.iter().any(|stated| stated.is_of(reading));
                let source = if from_text { Source::Learnt } else { Source::Header };
                ledger.observe(reading, source, &answered, now);
            }
        });
        let context = evidence.stated.iter().find(|stated| matches!(stated, Stated::Context(_)));
        if let (Some(stated), Some(own)) = (context, self.ledgers.first()) {
            own.borrow_mut().change(now, |ledger| ledger.learn(*stated, self.steady, now));
        }
    }

    /// Puts whoever is to blame on cooldown.
    pub fn chill(
        &self,
        verdict: &Verdict,
        status: u16,
        hold: &Hold,
        now: Now,
        unknown_429: Duration,
    ) -> Option<(Owner, Cooldown)> {
        let shared = self.ledgers.get(self.place_of(self.cooled(verdict)?)?)?;
        let mut posted = shared.borrow_mut();
        let change = posted.change(now, |ledger| {
            let mut verdict = *verdict;
            if verdict.hint.is_none() && verdict.reason == Some(Reason::RateLimit) {
                // The answer names no time, but earlier ones have told when a request fits.
                let known = ledger.knows_end(hold.need, now.mono).map(|end| end.from_now(now.mono));
                verdict.hint = known.map(|wait| Hint { wait, basis: Basis::WindowLength });
            }
            ledger.chill(&verdict, status, hold.granted, now.mono, unknown_429)
        });
        match change {
            Change::Cooling(cooldown) => Some((posted.owner(), cooldown)),
            Change::Unchanged => None,
        }
    }

    /// Who cools down by this verdict; `None` for nobody. A quota that all models of a key share is used up for all.
    fn cooled(&self, verdict: &Verdict) -> Option<Owner> {
        let is_quota = matches!(verdict.reason, Some(Reason::RateLimit | Reason::Quota));
        Some(match Owner::blamed(verdict)? {
            Owner::Lane if is_quota => self.announced,
            owner => owner,
        })
    }

    /// A stream broke after its first content.
    pub fn break_off(&self, reason: Reason, policy: Policy, now: Now) -> Option<(Owner, Cooldown)> {
        let mut own = self.ledgers.first()?.borrow_mut();
        match own.change(now, |ledger| ledger.broke_off(reason, policy, now.mono)) {
            Change::Cooling(cooldown) => Some((own.owner(), cooldown)),
            Change::Unchanged => None,
        }
    }

    /// The cooldown that ends last of those in force here.
    #[must_use]
    pub fn cooldown(&self, now: Mono) -> Option<Cooldown> {
        let active = self.ledgers.iter().filter_map(|shared| shared.borrow().cooldown(now));
        active.max_by_key(|cooldown| cooldown.until)
    }

    /// Where an owner's ledger stands. An owner that this entry does not share anything with is the entry itself.
    fn place_of(&self, owner: Owner) -> Option<usize> {
        let place = self.ledgers.iter().position(|shared| shared.borrow().owner() == owner);
        place.or((!self.ledgers.is_empty()).then_some(0))
    }
}
