//! The router: knows which chain a model selects, walks it, and keeps the lines of those who wait.
//!
//! Who waits is served in the order of arrival: a new request does not look for quota while others wait for the same
//! chain, but goes to the end of their line, and gets from there what nobody in front of it waits for. A line is looked
//! after by one walk at a time, whenever quota has come back or is due: nobody polls, and nobody is served twice. Of
//! several lines that wait for the same entry the one goes first whose first has waited for longest. The table is swapped in one message; a request goes on with the route that it
//! started on.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::fut::wrap_future;
use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, MessageResult, Recipient, ResponseFuture};

use super::entry::Bell;
use super::line::{Line, Turn, Waiter};
use super::msg::{Acquire, Acquired, Freed, Install, Join, Leave, Lines, Revive, Routes};
use super::round::{Round, walk_of};
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
    /// A router that starts with `plan` and tells `keeper` of entries that do not answer.
    #[must_use]
    pub fn new(plan: Install, clock: Clock, keeper: Recipient<Revive>, bell: Bell) -> Self {
        let Install { table, queue } = plan;
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

    /// Looks for quota for all lines, for those first that have waited for longest.
    fn serve_all(&mut self, ctx: &mut Context<Self>) {
        let mut lines: Vec<_> = self.lines.iter().map(|(label, line)| (line.order(), label.clone())).collect();
        lines.sort_unstable();
        for (_, label) in lines {
            self.serve(label, ctx);
        }
    }

    /// Looks for quota for a line.
    fn serve(&mut self, label: String, ctx: &mut Context<Self>) {
        let Some(line) = self.lines.get_mut(&label) else { return };
        if line.busy {
            line.again = true;
            return;
        }
        if let Some(alarm) = line.alarm.take() {
            ctx.cancel_future(alarm);
        }
        if line.is_empty() {
            self.lines.remove(&label);
            self.bell.waiting.set(!self.lines.is_empty());
            return;
        }
        line.busy = true;
        line.again = false;
        self.offer(label, Round::default(), ctx);
    }

    /// Looks for quota for the next of a line that may use any which those in front do not wait for.
    fn offer(&mut self, label: String, mut round: Round, ctx: &mut Context<Self>) {
        let Some(line) = self.lines.get_mut(&label) else { return };
        let Some((id, walk)) = round.next(line, &self.clock, &self.keeper) else {
            line.busy = false;
            line.alarm = round.wait.known.map(|eta| {
                let ring = wrap_future(self.clock.until(eta));
                ctx.spawn(ring.map(move |(), router: &mut Self, ctx| {
                    if let Some(line) = router.lines.get_mut(&label) {
                        line.alarm = None;
                    }
                    router.serve_all(ctx);
                }))
            });
            return;
        };
        let route = Arc::clone(&walk.route);
        ctx.spawn(wrap_future(walk.run()).map(move |walked, router: &mut Self, ctx| {
            router.served(route, round, id, walked, ctx);
        }));
    }

    fn served(&mut self, route: Arc<Route>, mut round: Round, id: u64, walked: Walked, ctx: &mut Context<Self>) {
        let (label, now) = (route.label.clone(), self.clock.mono());
        let Some(line) = self.lines.get_mut(&label) else { return };
        match walked {
            Walked::Granted { place, lease, skipped } => {
                // Whoever has left meanwhile gives the lease back by dropping it.
                if let Some(waiter) = line.remove(id) {
                    waiter.end(Turn::Granted { route, place, lease, skipped });
                }
            }
            Walked::Exhausted { skipped } if !line.again => {
                let wait = Wait::of(&skipped);
                let stays = line.get(id).is_some_and(|waiter| wait.is_worth_it(waiter.deadline, now));
                // Those behind wait for more than what is left to them now.
                if stays || line.ahead_of(id).is_some_and(|ahead| ahead > 0) {
                    round.exhausted(&skipped, wait);
                    return self.offer(label, round, ctx);
                }
                if let Some(waiter) = line.remove(id) {
                    waiter.end(Turn::TurnedAway { eta: None, full: false, skipped });
                }
            }
            Walked::Exhausted { .. } => {}
        }
        line.busy = false;
        self.serve(label, ctx);
    }

    /// A request that started on the routes of an earlier configuration waits on those of this one. `None`, and told so, if
    /// its chain is gone.
    fn up_to_date(&self, mut waiter: Waiter) -> Option<Waiter> {
        let Some(route) = self.table.labelled(&waiter.route.label) else {
            waiter.end(Turn::Dissolved);
            return None;
        };
        if !Arc::ptr_eq(route, &waiter.route) {
            waiter.move_to(route);
        }
        Some(waiter)
    }

    /// Asks whether waiting is worth it. The request is in nobody's way before it is known to wait.
    fn look_ahead(&self, waiter: Waiter, ctx: &mut Context<Self>) {
        let ahead = walk_of(&waiter, waiter.excluded.clone(), &self.clock, &self.keeper);
        ctx.spawn(wrap_future(ahead.look_ahead()).map(move |prospects, router: &mut Self, ctx| {
            router.looked_ahead(waiter, prospects, ctx);
        }));
    }

    /// Decides whether one who wants to wait may.
    fn looked_ahead(&mut self, waiter: Waiter, prospects: Prospects, ctx: &mut Context<Self>) {
        if waiter.has_left() {
            return;
        }
        let looked_at = Arc::clone(&waiter.route);
        let Some(waiter) = self.up_to_date(waiter) else { return };
        if !Arc::ptr_eq(&looked_at, &waiter.route) {
            return self.look_ahead(waiter, ctx);
        }
        let (label, now) = (waiter.route.label.clone(), self.clock.mono());
        let ahead = self.lines.get(&label).map_or(0, |line| line.ahead_of_new(&waiter));
        let wait = prospects.turn(ahead);
        let full = self.lines.get(&label).is_some_and(|line| line.len() >= self.queue.max_size.max(1));
        if !prospects.able && !wait.is_worth_it(waiter.deadline, now) {
            // Nobody is in front of the first: then the entries' own deadlines are the whole truth.
            let eta = wait.known.filter(|_| ahead > 0);
            return waiter.end(Turn::TurnedAway { eta, full: false, skipped: prospects.skipped });
        }
        if full {
            return waiter.end(Turn::TurnedAway { eta: wait.known, full: true, skipped: prospects.skipped });
        }
        self.lines.entry(label.clone()).or_default().join(waiter);
        self.bell.waiting.set(true);
        self.serve(label, ctx);
    }
}

/// Of a request that may not wait: takes what has come back by now, or learns when something will.
async fn at_once(waiter: Waiter, ahead: Walk, walk: Walk) {
    let prospects = ahead.look_ahead().await;
    if prospects.able
        && let Walked::Granted { place, lease, skipped } = walk.run().await
    {
        let route = Arc::clone(&waiter.route);
        return waiter.end(Turn::Granted { route, place, lease, skipped });
    }
    waiter.end(Turn::TurnedAway { eta: None, full: false, skipped: prospects.skipped });
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
            Acquire::Start { model, demand } => match self.table.select(&model).map(Arc::clone) {
                Err(why) => return Box::pin(async move { Acquired::Nothing(why) }),
                Ok(route) if self.lines.contains_key(&route.label) => {
                    let turn = self.next();
                    return Box::pin(async move { Acquired::Behind { route, turn } });
                }
                Ok(route) => {
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
        let (id, now) = (self.next(), self.clock.mono());
        let (waiter, ticket) = Waiter::new(join, id, ctx.address().recipient(), now);
        let Some(waiter) = self.up_to_date(waiter) else { return MessageResult::<Join>(ticket) };
        if waiter.deadline <= now {
            let walk = || walk_of(&waiter, waiter.excluded.clone(), &self.clock, &self.keeper);
            let (ahead, walk) = (walk(), walk());
            ctx.spawn(wrap_future(at_once(waiter, ahead, walk)));
        } else {
            self.look_ahead(waiter, ctx);
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
        self.serve_all(ctx);
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
        let Install { table, queue } = install;
        for (label, line) in &mut self.lines {
            match table.labelled(label) {
                Some(route) => line.move_to(route),
                None => line.dissolve(),
            }
        }
        (self.table, self.queue) = (table, queue);
        self.serve_all(ctx);
    }
}

impl Handler<Routes> for RouterActor {
    type Result = MessageResult<Routes>;

    fn handle(&mut self, _: Routes, _: &mut Self::Context) -> Self::Result {
        MessageResult(Arc::clone(&self.table))
    }
}
