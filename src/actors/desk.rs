//! Where calls of one entry are granted and settled: everything that its actor decides, synchronous, with time as an
//! argument.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::estimate::EstimateGauge;
use super::lane::Lane;
use super::lease::{Hold, Outcome};
use super::msg::{News, Outlook};
use super::posted::Owner;
use crate::domain::cooldown::{Cooldown, Deadline};
use crate::domain::demand::{Demand, Need};
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
    /// First guess for a 429 that says nothing about time.
    pub unknown_429: Duration,
    /// What broken streams lead to.
    pub mid_stream: Policy,
    /// Whether the provider counts all output that is asked for before it is produced.
    pub reserves_output: bool,
}

/// The desk of one entry.
#[derive(Debug)]
pub struct Desk {
    id: EntryId,
    /// One for each key of the provider.
    lanes: Vec<Lane>,
    estimate: Arc<EstimateGauge>,
    terms: Terms,
}

impl Desk {
    /// A desk for `id` whose calls are charged to these lanes.
    #[must_use]
    pub fn new(id: EntryId, lanes: Vec<Lane>, estimate: Arc<EstimateGauge>, terms: Terms) -> Self {
        Self { id, lanes, estimate, terms }
    }

    /// The lanes, one for each key.
    #[must_use]
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// What a request of this size takes here.
    #[must_use]
    pub fn need(&self, demand: Demand) -> Need {
        self.estimate.need(demand, self.terms.reserves_output)
    }

    /// Takes what the call needs from the lane with most headroom. For `urgent` see [`check`](Lane::check).
    ///
    /// # Errors
    /// Why no lane can take it now; of several reasons the one that ends first.
    pub fn reserve(&self, demand: Demand, urgent: bool, now: Now) -> Result<Hold, Refusal> {
        let need = self.need(demand);
        let (place, lane) = self.best(need, urgent, now)?;
        let (marks, over) = lane.charge(need, now);
        if over.is_some() {
            info!(entry.id = %self.id, key = place + 1, "{} is back", self.id);
        }
        Ok(Hold { lane: place, granted: now.mono, demand, need, marks, heard: false })
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

    /// Takes in what has happened to a call; returns the cooldown that keeps the entry from being called for it.
    pub fn take_in(&self, hold: &Hold, news: &News, now: Now) -> Option<Cooldown> {
        match news {
            News::Ended(outcome) => self.settle(hold, outcome, now),
            News::Heard(evidence) => {
                let lane = self.lanes.get(hold.lane)?;
                lane.heard(true, evidence.tells_requests(), hold.granted, now);
                lane.merge(evidence, None, hold, hold.need.tokens, now);
                lane.ledgers.iter().take(1).for_each(|own| own.borrow().mark_tried());
                None
            }
        }
    }

    /// Whether such a request could be taken, and how many of them until when.
    #[must_use]
    pub fn outlook(&self, demand: Demand, now: Now) -> Outlook {
        let need = self.need(demand);
        let refusal = self.best(need, false, now).err();
        let horizon = Horizon::new(now.mono, |at| {
            let slots = self.lanes.iter().map(|lane| lane.slots_by(need, now.mono, at));
            slots.fold(0, u64::saturating_add)
        });
        Outlook { refusal, horizon }
    }

    fn settle(&self, hold: &Hold, outcome: &Outcome, now: Now) -> Option<Cooldown> {
        let lane = self.lanes.get(hold.lane)?;
        let good = matches!(outcome, Outcome::Served { .. });
        let tried = !matches!(outcome, Outcome::Unused | Outcome::Abandoned { .. });
        if !hold.heard {
            let told = matches!(outcome, Outcome::Served { evidence, .. } if evidence.tells_requests());
            lane.heard(good, told, hold.granted, now);
        }
        lane.settle(hold, used(outcome), now);
        if let Some(own) = lane.ledgers.first().filter(|_| tried) {
            own.borrow().mark_tried();
        }
        if let Outcome::Served { usage, .. } | Outcome::Broken { usage, .. } = outcome {
            self.learn(hold, usage.as_ref());
        }
        match outcome {
            Outcome::Served { usage, evidence } => {
                lane.warm(hold.granted);
                // The prompt is counted when a call arrives.
                let own = usage.as_ref().map_or(hold.need.tokens, answer_tokens);
                lane.merge(evidence, None, hold, own, now);
                None
            }
            Outcome::Failed { verdict, status, evidence, .. } => {
                lane.merge(evidence, Some(verdict), hold, 0, now);
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
