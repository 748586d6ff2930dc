//! The actor of one entry: owns its ledgers, one for each key, and has a share in those of its keys and its provider.
//!
//! What several entries share lies in `Rc<RefCell<..>>`: all entries live on one thread and answer synchronously, so a
//! reservation over several ledgers is checked and charged in one go, and nothing can come in between.

use std::cell::Cell;
use std::rc::Rc;

use actix::{Actor, AsyncContext, Context, Handler, MessageResult, Recipient};

use super::desk::Desk;
use super::lease::Lease;
use super::msg::{Forecast, Freed, Reserve, Settle};
use crate::clock::Clock;
use crate::domain::refusal::Refusal;

/// Tells the router that quota has come back, while somebody waits for it.
#[derive(Clone, Debug, Default)]
pub struct Bell {
    /// Whether somebody waits.
    pub waiting: Rc<Cell<bool>>,
    /// Who is told.
    pub router: Rc<std::cell::RefCell<Option<Recipient<Freed>>>>,
}

impl Bell {
    /// Tells the router, if anybody waits.
    pub(super) fn ring(&self) {
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
    desk: Desk,
    clock: Clock,
    bell: Bell,
}

impl EntryActor {
    /// An actor that sits at this desk.
    #[must_use]
    pub fn new(desk: Desk, clock: Clock, bell: Bell) -> Self {
        Self { desk, clock, bell }
    }
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
        let hold = self.desk.reserve(reserve.demand, reserve.urgent, self.clock.now())?;
        Ok(Lease::new(ctx.address().recipient(), hold))
    }
}

impl Handler<Settle> for EntryActor {
    type Result = ();

    fn handle(&mut self, settle: Settle, _: &mut Self::Context) {
        let cooldown = self.desk.take_in(&settle.hold, &settle.news, self.clock.now());
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
        MessageResult(self.desk.outlook(forecast.0, self.clock.now()))
    }
}

#[cfg(test)]
mod tests;
