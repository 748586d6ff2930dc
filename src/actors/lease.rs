//! A lease: the right to make one call, held for as long as the call lasts and given back exactly once.

use actix::Recipient;
use tokio::sync::oneshot;

use super::msg::Settle;
use crate::domain::cooldown::Cooldown;
use crate::domain::outcome::Verdict;
use crate::domain::time::Mono;

/// How a call ended, for the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It served the request.
    Served,
    /// It did not.
    Failed {
        /// What the answer means.
        verdict: Verdict,
        /// HTTP status; 0 when there was no answer.
        status: u16,
    },
    /// Nobody saw its end: the client left, or the worker was stopped.
    Abandoned,
}

/// A granted reservation. Dropping it anywhere settles it as abandoned, so that no path can forget it.
#[derive(Debug)]
pub struct Lease {
    entry: Recipient<Settle>,
    granted: Mono,
    outcome: Outcome,
    learnt: Option<oneshot::Sender<Option<Cooldown>>>,
}

impl Lease {
    /// A lease that `entry` granted at `granted`.
    #[must_use]
    pub fn new(entry: Recipient<Settle>, granted: Mono) -> Self {
        Self { entry, granted, outcome: Outcome::Abandoned, learnt: None }
    }

    /// Ends the call.
    pub fn settle(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }

    /// Ends the call and waits until the entry has drawn its conclusions: returns the cooldown that now keeps the entry
    /// from being called. The books are settled even if the caller stops waiting.
    pub async fn settle_and_learn(mut self, outcome: Outcome) -> Option<Cooldown> {
        let (learnt, answer) = oneshot::channel();
        self.outcome = outcome;
        self.learnt = Some(learnt);
        drop(self);
        answer.await.ok().flatten()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let outcome = std::mem::replace(&mut self.outcome, Outcome::Abandoned);
        // Not `send()`: its future cancels the message when it is dropped before it was polled.
        self.entry.do_send(Settle { granted: self.granted, outcome, learnt: self.learnt.take() });
    }
}
