//! The router: knows which chain a model selects and walks it, entry by entry, until one grants a lease.
//!
//! The table is swapped in one message; a request goes on with the route that it started on.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context, Handler, MessageResult, Recipient, ResponseFuture};
use tracing::error;

use super::lease::Lease;
use super::msg::{Acquire, Acquired, Install, Reserve, Revive, Routes};
use super::route::{Entry, Route, RouteTable};
use crate::clock::Clock;
use crate::domain::ids::ProviderId;
use crate::domain::ledger::Refusal;
use crate::domain::trail::{Seen, Step};

/// The actor.
#[derive(Debug)]
pub struct RouterActor {
    table: Arc<RouteTable>,
    clock: Clock,
    keeper: Recipient<Revive>,
}

impl RouterActor {
    /// A router that starts with `table` and tells `keeper` of entries that do not answer.
    #[must_use]
    pub fn new(table: Arc<RouteTable>, clock: Clock, keeper: Recipient<Revive>) -> Self {
        Self { table, clock, keeper }
    }
}

/// One walk along a route.
struct Walk {
    route: Arc<Route>,
    from: usize,
    avoid: Option<ProviderId>,
    clock: Clock,
    keeper: Recipient<Revive>,
}

impl Walk {
    async fn run(self) -> Acquired {
        let mut skipped = Vec::new();
        for (place, at) in self.route.places.iter().zip(0..).skip(self.from) {
            match self.knock(&place.entry).await {
                Ok(lease) => {
                    return Acquired::Granted { place: at, lease, skipped, route: self.route };
                }
                Err(seen) => skipped.push(Step { entry: place.entry.id.clone(), seen, took: Duration::ZERO }),
            }
        }
        Acquired::Exhausted { skipped, route: self.route }
    }

    async fn knock(&self, entry: &Entry) -> Result<Lease, Seen> {
        if self.avoid.as_ref() == Some(&entry.id.provider) {
            return Err(Seen::SameProvider);
        }
        let handle = entry.handle.as_ref().ok_or(Seen::Skipped(Refusal::Off))?;
        if let Some(refusal) = handle.refusal(self.clock.mono()) {
            return Err(Seen::Skipped(refusal));
        }
        match handle.door.send(Reserve).await {
            Ok(answer) => answer.map_err(Seen::Skipped),
            Err(fault) => {
                error!(entry.id = %entry.id, %fault, "{} does not answer and is restarted", entry.id);
                self.keeper.do_send(Revive(entry.id.clone()));
                Err(Seen::Skipped(Refusal::Gone))
            }
        }
    }
}

impl Actor for RouterActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(4_096);
    }
}

impl Handler<Acquire> for RouterActor {
    type Result = ResponseFuture<Acquired>;

    fn handle(&mut self, acquire: Acquire, _: &mut Self::Context) -> Self::Result {
        let (route, from, avoid) = match acquire {
            Acquire::Start(model) => match self.table.select(&model) {
                Some(route) => (Arc::clone(route), 0, None),
                None => return Box::pin(async { Acquired::UnknownModel }),
            },
            Acquire::Resume { route, from, avoid } => (route, from, avoid),
        };
        Box::pin(Walk { route, from, avoid, clock: self.clock.clone(), keeper: self.keeper.clone() }.run())
    }
}

impl Handler<Install> for RouterActor {
    type Result = ();

    fn handle(&mut self, install: Install, _: &mut Self::Context) {
        self.table = install.0;
    }
}

impl Handler<Routes> for RouterActor {
    type Result = MessageResult<Routes>;

    fn handle(&mut self, _: Routes, _: &mut Self::Context) -> Self::Result {
        MessageResult(Arc::clone(&self.table))
    }
}
