//! The actor of one entry: owns its ledgers, one for each key, and has a share in those of its keys and its provider.
//!
//! What several entries share lies in `Rc<RefCell<..>>`: all entries live on one thread and answer synchronously, so a
//! reservation over several ledgers is checked and charged in one go, and nothing can come in between.

use std::cell::Cell;
use std::cmp::Reverse;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Handler, MessageResult, Recipient};
use tracing::{info, warn};

use super::estimate::EstimateGauge;
use super::lane::Lane;
use super::lease::{Hold, Lease, Outcome};
use super::msg::{Forecast, Freed, News, Outlook, Reserve, Settle};
use super::posted::Owner;
use crate::clock::Clock;
use crate::domain::cooldown::{Cooldown, Deadline};
use crate::domain::demand::Need;
use crate::domain::forecast::Horizon;
use crate::domain::ids::EntryId;
use crate::domain::ledger::{Policy, Used};
use crate::domain::outcome::{Reason, Verdict};
use crate::domain::refusal::Refusal;
use crate::domain::time::{Mono, Now};
use crate::domain::trail::Span;
use crate::domain::usage::Usage;

/// What an entry is run with.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Time.
    pub clock: Clock,
    /// First guess for a 429 that says nothing about time.
    pub unknown_429: Duration,
    /// What broken streams lead to.
    pub mid_stream: Policy,
    /// Whether the provider counts all output that is asked for before it is produced.
    pub reserves_output: bool,
}

/// Tells the router that quota has come back, while somebody waits for it.
#[derive(Clone, Debug, Default)]
pub struct Bell {
    /// Whether somebody waits.
    pub waiting: Rc<Cell<bool>>,
    /// Who is told.
    pub router: Rc<std::cell::RefCell<Option<Recipient<Freed>>>>,
}

impl Bell {
    fn ring(&self) {
        if self.waiting.get()
            && let Some(router) = &*self.router.borrow()
        {
            router.do_send(Freed);
        }
    }
}

/// The actor.
#[derive(Debug)]
pub struct EntryActor {
    id: EntryId,
    /// One for each key of the provider.
    lanes: Vec<Lane>,
    estimate: Arc<EstimateGauge>,
    terms: Terms,
    bell: Bell,
}

impl EntryActor {
    /// An actor for `id` that makes its calls on these lanes.
    #[must_use]
    pub fn new(id: EntryId, lanes: Vec<Lane>, estimate: Arc<EstimateGauge>, terms: Terms, bell: Bell) -> Self {
        Self { id, lanes, estimate, terms, bell }
    }

    /// Takes what the call needs from the lane with most headroom.
    fn reserve(&self, reserve: Reserve, now: Now) -> Result<Hold, Refusal> {
        let need = self.estimate.need(reserve.demand, self.terms.reserves_output);
        let (place, lane) = self.best(need, reserve.urgent, now)?;
        let (marks, over) = lane.charge(need, now);
        if over.is_some() {
            info!(entry.id = %self.id, key = place + 1, "{} is back", self.id);
        }
        Ok(Hold { lane: place, granted: now.mono, demand: reserve.demand, need, marks, heard: false })
    }

    fn best(&self, need: Need, urgent: bool, now: Now) -> Result<(usize, &Lane), Refusal> {
        let mut first_back: Option<Refusal> = None;
        let mut able = Vec::new();
        for (place, lane) in self.lanes.iter().enumerate() {
            match lane.check(need, urgent, now) {
                Ok(()) => able.push((place, lane)),
                Err(refusal) if first_back.is_none_or(|first| refusal.end() < first.end()) => {
                    first_back = Some(refusal)
                }
                Err(_) => {}
            }
        }
        let best = match able.as_slice() {
            [only] => Some(*only),
            _ => able
                .into_iter()
                .max_by_key(|(place, lane)| (lane.headroom(), Reverse(lane.in_flight()), Reverse(*place))),
        };
        best.ok_or(first_back.unwrap_or(Refusal::Off))
    }

    fn settle(&self, hold: &Hold, outcome: &Outcome, now: Now) -> Option<Cooldown> {
        let lane = self.lanes.get(hold.lane)?;
        let good = matches!(outcome, Outcome::Served { .. });
        let tried = !matches!(outcome, Outcome::Unused | Outcome::Abandoned { .. });
        if !hold.heard {
            lane.heard(good, hold.granted, now);
        }
        lane.settle(hold, used(outcome), now);
        if let Some(own) = lane.ledgers.first().filter(|_| tried) {
            own.borrow().mark_tried();
        }
        if let Outcome::Served { usage, .. } | Outcome::Broken { usage, .. } = outcome {
            self.learn(hold, usage.as_ref());
        }
        match outcome {
            Outcome::Served { evidence, .. } => {
                lane.warm(hold.granted);
                lane.merge(evidence, None, hold, Need::default(), now);
                None
            }
            Outcome::Failed { verdict, status, evidence, .. } => {
                lane.merge(evidence, Some(verdict), hold, Need::default(), now);
                if let Some((owner, cooldown)) = lane.chill(verdict, *status, hold, now, self.terms.unknown_429) {
                    log_cooldown(&self.id, hold.lane, owner, &cooldown, now.mono);
                }
                lane.cooldown(now.mono).filter(|_| Owner::blamed(verdict).is_some())
            }
            Outcome::Broken { verdict, .. } => self.break_off(lane, hold, verdict, now),
            Outcome::Unused | Outcome::Abandoned { .. } => None,
        }
    }

    /// A stream broke. A limit that it has met counts at once, anything else when it happens again and again.
    fn break_off(&self, lane: &Lane, hold: &Hold, verdict: &Verdict, now: Now) -> Option<Cooldown> {
        let reason = verdict.reason.unwrap_or(Reason::Truncated);
        let cooled = match reason.is_quota() && reason != Reason::Overload {
            true => lane.chill(verdict, 200, hold, now, self.terms.unknown_429),
            false => lane.break_off(reason, self.terms.mid_stream, now),
        };
        let (owner, cooldown) = cooled?;
        log_cooldown(&self.id, hold.lane, owner, &cooldown, now.mono);
        Some(cooldown)
    }

    fn learn(&self, hold: &Hold, usage: Option<&Usage>) {
        if let Some(usage) = usage {
            self.estimate.learn(hold.demand, usage.prompt_tokens, answer_tokens(usage));
        }
    }
}

/// What a call has used, as far as its end tells.
fn used(outcome: &Outcome) -> Used {
    match outcome {
        Outcome::Unused | Outcome::Failed { reached: false, .. } => Used::Nothing,
        // Refused before any work was done for it.
        Outcome::Failed { status: 400..500 | 503 | 529, .. } => Used::Request,
        Outcome::Failed { verdict: Verdict { reason: Some(reason), .. }, .. } if reason.is_quota() => Used::Request,
        Outcome::Failed { .. } => Used::Reserved,
        Outcome::Served { usage, .. } | Outcome::Broken { usage, .. } | Outcome::Abandoned { usage } => usage
            .as_ref()
            .map_or(Used::Reserved, |usage| Used::Tokens { prompt: usage.prompt_tokens, answer: answer_tokens(usage) }),
    }
}

/// Some count reasoning only in the total.
fn answer_tokens(usage: &Usage) -> u64 {
    usage.completion_tokens.max(usage.total_tokens.saturating_sub(usage.prompt_tokens))
}

fn log_cooldown(id: &EntryId, lane: usize, owner: Owner, cooldown: &Cooldown, now: Mono) {
    let reason = cooldown.reason.words();
    let (wait_ms, until) = match cooldown.until {
        Deadline::At(end) => {
            let wait = end.from_now(now);
            (Some(wait.as_millis()), format!("for {}", Span(wait)))
        }
        Deadline::Never => (None, "until the configuration changes".to_owned()),
    };
    warn!(
        entry.id = %id, key = lane + 1, owner = ?owner, status = cooldown.status, basis = ?cooldown.basis, wait_ms,
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

    fn handle(&mut self, reserve: Reserve, ctx: &mut Self::Context) -> Self::Result {
        let hold = self.reserve(reserve, self.terms.clock.now())?;
        Ok(Lease::new(ctx.address().recipient(), hold))
    }
}

impl Handler<Settle> for EntryActor {
    type Result = ();

    fn handle(&mut self, settle: Settle, _: &mut Self::Context) {
        let now = self.terms.clock.now();
        let cooldown = match &settle.news {
            News::Ended(outcome) => self.settle(&settle.hold, outcome, now),
            News::Heard(evidence) => {
                if let Some(lane) = self.lanes.get(settle.hold.lane) {
                    lane.heard(true, settle.hold.granted, now);
                    lane.merge(evidence, None, &settle.hold, settle.hold.need, now);
                    lane.ledgers.iter().take(1).for_each(|own| own.borrow().mark_tried());
                }
                None
            }
        };
        if let Some(learnt) = settle.learnt {
            // Whoever asked may have left.
            let _ = learnt.send(cooldown);
        }
        self.bell.ring();
    }
}

impl Handler<Forecast> for EntryActor {
    type Result = MessageResult<Forecast>;

    fn handle(&mut self, forecast: Forecast, _: &mut Self::Context) -> Self::Result {
        let now = self.terms.clock.now();
        let need = self.estimate.need(forecast.0, self.terms.reserves_output);
        let refusal = self.best(need, false, now).err();
        let horizon = Horizon::new(now.mono, |at| {
            let slots = self.lanes.iter().map(|lane| lane.slots_by(need, now.mono, at));
            slots.fold(0, u64::saturating_add)
        });
        MessageResult(Outlook { refusal, horizon })
    }
}

#[cfg(test)]
mod tests;
