//! The router: knows which chain a model selects, walks it, and keeps the lines of those who wait.
//!
//! Who waits is served in the order of arrival: a new request does not look for quota while others wait for the same
//! chain. The first of a line is looked after by one walk at a time, whenever quota has come back or is due: nobody
//! polls, and nobody is served twice. The table is swapped in one message; a request goes on with the route that it
//! started on.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::fut::wrap_future;
use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, MessageResult, Recipient, ResponseFuture};

use super::entry::Bell;
use super::line::{Line, Turn, Waiter};
use super::msg::{Acquire, Acquired, Freed, Install, Join, Leave, Lines, Revive, Routes};
use super::route::{Route, RouteTable};
use super::walk::{Prospects, Wait, Walk, Walked};
use crate::clock::Clock;
use crate::config::model::Queue;
use crate::domain::demand::Demand;
use crate::domain::ids::ProviderId;

/// The actor.
#[derive(Debug)]
pub struct RouterActor {
    table: Arc<RouteTable>,
    clock: Clock,
    keeper: Recipient<Revive>,
    queue: Queue,
    bell: Bell,
    /// By label of the route; only those in which somebody waits.
    lines: BTreeMap<String, Line>,
    next: u64,
}

impl RouterActor {
    /// A router that starts with `table` and tells `keeper` of entries that do not answer.
    #[must_use]
    pub fn new(table: Arc<RouteTable>, clock: Clock, keeper: Recipient<Revive>, queue: Queue, bell: Bell) -> Self {
        Self { table, clock, keeper, queue, bell, lines: BTreeMap::new(), next: 0 }
    }

    fn walk(&self, route: &Arc<Route>, demand: Demand, from: usize, avoid: Option<ProviderId>) -> Walk {
        Walk {
            route: Arc::clone(route),
            demand,
            from,
            avoid,
            excluded: Vec::new(),
            pressing: !self.queue.enabled,
            clock: self.clock.clone(),
            keeper: self.keeper.clone(),
        }
    }

    fn next(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Looks for quota for the first of a line.
    fn serve(&mut self, label: String, ctx: &mut Context<Self>) {
        let Some(line) = self.lines.get_mut(&label) else { return };
        if line.busy {
            line.again = true;
            return;
        }
        if let Some(alarm) = line.alarm.take() {
            ctx.cancel_future(alarm);
        }
        let Some(first) = line.first() else {
            self.lines.remove(&label);
            self.bell.waiting.set(!self.lines.is_empty());
            return;
        };
        let id = first.id;
        let walk = walk_of(first, &self.clock, &self.keeper);
        line.busy = true;
        line.again = false;
        ctx.spawn(wrap_future(walk.run()).map(move |walked, router: &mut Self, ctx| {
            router.served(label, id, walked, ctx);
        }));
    }

    fn served(&mut self, label: String, id: u64, walked: Walked, ctx: &mut Context<Self>) {
        let now = self.clock.mono();
        let Some(line) = self.lines.get_mut(&label) else { return };
        line.busy = false;
        match walked {
            Walked::Granted { place, lease, skipped } => {
                // Whoever has left meanwhile gives the lease back by dropping it.
                if let Some(waiter) = line.remove(id) {
                    waiter.end(Turn::Granted { place, lease, skipped });
                }
            }
            Walked::Exhausted { skipped } if !line.again => {
                let wait = Wait::of(&skipped);
                if line.get(id).is_some_and(|waiter| wait.is_worth_it(waiter.deadline, now)) {
                    line.alarm = wait.known.map(|eta| {
                        let ring = wrap_future(self.clock.until(eta));
                        ctx.spawn(ring.map(move |(), router: &mut Self, ctx| {
                            if let Some(line) = router.lines.get_mut(&label) {
                                line.alarm = None;
                            }
                            router.serve(label, ctx);
                        }))
                    });
                    return;
                }
                if let Some(waiter) = line.remove(id) {
                    waiter.end(Turn::TurnedAway { eta: None, full: false, skipped });
                }
            }
            Walked::Exhausted { .. } => {}
        }
        self.serve(label, ctx);
    }

    /// Decides whether one who has just joined may stay.
    fn looked_ahead(&mut self, label: String, id: u64, prospects: Prospects, ctx: &mut Context<Self>) {
        let now = self.clock.mono();
        let Some(line) = self.lines.get_mut(&label) else { return };
        let (Some(ahead), Some(waiter)) = (line.ahead_of(id), line.get(id)) else { return };
        let wait = prospects.turn(ahead);
        let stays = (prospects.able && ahead == 0) || wait.is_worth_it(waiter.deadline, now);
        if !stays && let Some(waiter) = line.remove(id) {
            // Nobody is in front of the first: then the entries' own deadlines are the whole truth.
            let eta = wait.known.filter(|_| ahead > 0);
            waiter.end(Turn::TurnedAway { eta, full: false, skipped: prospects.skipped });
        }
        self.serve(label, ctx);
    }
}

fn walk_of(waiter: &Waiter, clock: &Clock, keeper: &Recipient<Revive>) -> Walk {
    Walk {
        route: Arc::clone(&waiter.route),
        demand: waiter.demand,
        from: 0,
        avoid: None,
        excluded: waiter.excluded.clone(),
        pressing: false,
        clock: clock.clone(),
        keeper: keeper.clone(),
    }
}

impl Actor for RouterActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(4_096);
        *self.bell.router.borrow_mut() = Some(ctx.address().recipient());
    }
}

impl Handler<Acquire> for RouterActor {
    type Result = ResponseFuture<Acquired>;

    fn handle(&mut self, acquire: Acquire, _: &mut Self::Context) -> Self::Result {
        let (route, walk) = match acquire {
            Acquire::Start { model, demand } => match self.table.select(&model).cloned() {
                None => return Box::pin(async { Acquired::UnknownModel }),
                Some(route) if self.lines.contains_key(&route.label) => {
                    let turn = self.next();
                    return Box::pin(async move { Acquired::Behind { route, turn } });
                }
                Some(route) => {
                    let walk = self.walk(&route, demand, 0, None);
                    (route, walk)
                }
            },
            Acquire::Resume { route, demand, from, avoid } => {
                let walk = self.walk(&route, demand, from, avoid);
                (route, walk)
            }
        };
        let turn = self.next();
        Box::pin(async move {
            match walk.run().await {
                Walked::Granted { place, lease, skipped } => Acquired::Granted { route, place, lease, skipped, turn },
                Walked::Exhausted { skipped } => Acquired::Exhausted { route, skipped, turn },
            }
        })
    }
}

impl Handler<Join> for RouterActor {
    type Result = MessageResult<Join>;

    fn handle(&mut self, join: Join, ctx: &mut Self::Context) -> Self::Result {
        let (id, label, now) = (self.next(), join.route.label.clone(), self.clock.mono());
        let (waiter, ticket) = Waiter::new(join, id, ctx.address().recipient(), now);
        let looking = wrap_future(walk_of(&waiter, &self.clock, &self.keeper).look_ahead());
        let depth = self.lines.get(&label).map_or(0, Line::len);
        if depth >= self.queue.max_size.max(1) {
            ctx.spawn(looking.map(move |prospects: Prospects, _: &mut Self, _| {
                let eta = prospects.turn(depth).known;
                waiter.end(Turn::TurnedAway { eta, full: true, skipped: prospects.skipped });
            }));
        } else {
            self.lines.entry(label.clone()).or_default().join(waiter);
            self.bell.waiting.set(true);
            ctx.spawn(looking.map(move |prospects, router: &mut Self, ctx| {
                router.looked_ahead(label, id, prospects, ctx);
            }));
        }
        MessageResult::<Join>(ticket)
    }
}

impl Handler<Leave> for RouterActor {
    type Result = ();

    fn handle(&mut self, leave: Leave, ctx: &mut Self::Context) {
        let Some(line) = self.lines.get_mut(&leave.line) else { return };
        let was_first = line.ahead_of(leave.id) == Some(0);
        if line.remove(leave.id).is_some() && (was_first || line.is_empty()) {
            self.serve(leave.line, ctx);
        }
    }
}

impl Handler<Freed> for RouterActor {
    type Result = ();

    fn handle(&mut self, _: Freed, ctx: &mut Self::Context) {
        for label in self.lines.keys().cloned().collect::<Vec<_>>() {
            self.serve(label, ctx);
        }
    }
}

impl Handler<Lines> for RouterActor {
    type Result = MessageResult<Lines>;

    fn handle(&mut self, _: Lines, _: &mut Self::Context) -> Self::Result {
        let now = self.clock.mono();
        MessageResult(self.lines.iter().map(|(label, line)| line.view(label, now)).collect())
    }
}

impl Handler<Install> for RouterActor {
    type Result = ();

    fn handle(&mut self, install: Install, ctx: &mut Self::Context) {
        self.table = install.0;
        for label in self.lines.keys().cloned().collect::<Vec<_>>() {
            self.serve(label, ctx);
        }
    }
}

impl Handler<Routes> for RouterActor {
    type Result = MessageResult<Routes>;

    fn handle(&mut self, _: Routes, _: &mut Self::Context) -> Self::Result {
        MessageResult(Arc::clone(&self.table))
    }
}
