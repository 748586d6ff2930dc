//! A lease: the right to make one call, held for as long as the call lasts and given back exactly once.

use actix::Recipient;
use tokio::sync::oneshot;

use super::msg::{News, Settle};
use crate::domain::cooldown::Cooldown;
use crate::domain::demand::{Demand, Need};
use crate::domain::evidence::Evidence;
use crate::domain::ledger::Mark;
use crate::domain::outcome::Verdict;
use crate::domain::time::Mono;
use crate::domain::usage::Usage;

/// How a call ended, for the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was never made.
    Unused,
    /// It served the request.
    Served {
        /// What the answer says it cost.
        usage: Option<Usage>,
        /// What the answer says about quota.
        evidence: Evidence,
    },
    /// It did not.
    Failed {
        /// What the answer means.
        verdict: Verdict,
        /// HTTP status; 0 when there was no answer.
        status: u16,
        /// False when the request never reached the provider, which cannot have counted it then.
        reached: bool,
        /// What the answer says about quota.
        evidence: Evidence,
    },
    /// The stream broke after its first content.
    Broken {
        /// What that means.
        verdict: Verdict,
        /// What it had said of its cost by then.
        usage: Option<Usage>,
    },
    /// Nobody saw its end: the client left, or the worker was stopped.
    Abandoned {
        /// What it had said of its cost by then.
        usage: Option<Usage>,
    },
}

/// What was taken for a call, and from whom.
#[derive(Clone, Debug)]
pub struct Hold {
    /// Which of the provider's keys makes the call.
    pub lane: usize,
    /// When the call was granted: later evidence is told from earlier by it.
    pub granted: Mono,
    /// The size of the request.
    pub demand: Demand,
    /// What was taken.
    pub need: Need,
    /// What each of the lane's ledgers knew then.
    pub marks: Vec<Mark>,
    /// Whether the first word of the provider has been told.
    pub heard: bool,
}

/// A granted reservation. Dropping it anywhere settles it, so that no path can forget it: as unused before the call is
/// made, as abandoned after that.
#[derive(Debug)]
pub struct Lease {
    entry: Recipient<Settle>,
    /// Boxed: a lease is passed on from hand to hand.
    open: Option<Box<Open>>,
}

/// What is settled when the lease is dropped.
#[derive(Debug)]
struct Open {
    hold: Hold,
    outcome: Outcome,
    learnt: Option<oneshot::Sender<Option<Cooldown>>>,
}

impl Lease {
    /// A lease that `entry` has granted.
    #[must_use]
    pub fn new(entry: Recipient<Settle>, hold: Hold) -> Self {
        Self { entry, open: Some(Box::new(Open { hold, outcome: Outcome::Unused, learnt: None })) }
    }

    /// Which of the provider's keys makes the call.
    #[must_use]
    pub fn lane(&self) -> usize {
        self.open.as_ref().map_or(0, |open| open.hold.lane)
    }

    /// The call is made now: from here on the provider may count it.
    pub fn begin(&mut self) {
        self.end_as(Outcome::Abandoned { usage: None });
    }

    /// The answer has begun, and is good. What its head says about quota counts from now on; the call goes on.
    pub fn heard(&mut self, evidence: Evidence) {
        let Some(open) = &mut self.open else { return };
        self.entry.do_send(Settle { hold: open.hold.clone(), news: News::Heard(evidence), learnt: None });
        open.hold.heard = true;
    }

    /// What the call costs if nobody sees its end.
    pub fn costs(&mut self, usage: Option<Usage>) {
        self.end_as(Outcome::Abandoned { usage });
    }

    /// Ends the call.
    pub fn settle(mut self, outcome: Outcome) {
        self.end_as(outcome);
    }

    /// Ends the call and waits until the entry has drawn its conclusions: returns the cooldown that now keeps the entry
    /// from being called. The books are settled even if the caller stops waiting.
    pub async fn settle_and_learn(mut self, outcome: Outcome) -> Option<Cooldown> {
        let (learnt, answer) = oneshot::channel();
        self.end_as(outcome);
        if let Some(open) = &mut self.open {
            open.learnt = Some(learnt);
        }
        drop(self);
        answer.await.ok().flatten()
    }

    fn end_as(&mut self, outcome: Outcome) {
        if let Some(open) = &mut self.open {
            open.outcome = outcome;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(open) = self.open.take() else { return };
        let Open { hold, outcome, learnt } = *open;
        // Not `send()`: its future cancels the message when it is dropped before it was polled.
        self.entry.do_send(Settle { hold, news: News::Ended(outcome), learnt });
    }
}
