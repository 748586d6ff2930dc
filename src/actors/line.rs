//! A waiting line: requests of one chain that no entry can take now, in the order in which they came.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use actix::{Recipient, SpawnHandle};
use tokio::sync::oneshot;

use super::lease::Lease;
use super::msg::{Join, Leave};
use super::route::Route;
use crate::domain::demand::Demand;
use crate::domain::time::Mono;
use crate::domain::trail::Step;

/// How waiting ends, unless the one who waits gives up.
#[derive(Debug)]
pub enum Turn {
    /// Call this entry.
    Granted {
        /// The route by now: it is another one when the configuration has changed meanwhile.
        route: Arc<Route>,
        /// Which place of it.
        place: usize,
        /// The right to call; settles itself when dropped.
        lease: Lease,
        /// Entries passed over on the way.
        skipped: Vec<Step>,
    },
    /// Waiting would take too long, or would not help.
    TurnedAway {
        /// When it would have been its turn behind those in front, where anybody can tell. `None` for the first of a
        /// line: it would have been its turn as soon as any entry is back.
        eta: Option<Mono>,
        /// The line has as many as it takes.
        full: bool,
        /// Why each entry cannot take it.
        skipped: Vec<Step>,
    },
    /// The chain has been taken out of the configuration.
    Dissolved,
}

/// A place in the line. Dropping it leaves the line.
#[derive(Debug)]
pub struct Ticket {
    /// How waiting ends.
    pub turn: oneshot::Receiver<Turn>,
    line: String,
    id: u64,
    router: Recipient<Leave>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.router.do_send(Leave { line: std::mem::take(&mut self.line), id: self.id });
    }
}

/// One line as others may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineView {
    /// Label of the route.
    pub label: String,
    /// How many wait.
    pub depth: usize,
    /// How long the first of them has waited.
    pub oldest: Duration,
}

/// One who waits.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) id: u64,
    pub(super) route: Arc<Route>,
    pub(super) demand: Demand,
    pub(super) excluded: Vec<usize>,
    pub(super) deadline: Mono,
    order: u64,
    joined: Mono,
    turn: oneshot::Sender<Turn>,
}

impl Waiter {
    /// A request that joins at `now`, and its ticket.
    pub(super) fn new(join: Join, id: u64, router: Recipient<Leave>, now: Mono) -> (Self, Ticket) {
        let (turn, receiver) = oneshot::channel();
        let ticket = Ticket { turn: receiver, line: join.route.label.clone(), id, router };
        let Join { route, demand, excluded, turn: order, deadline } = join;
        (Self { id, route, demand, excluded, deadline, order, joined: now, turn }, ticket)
    }

    /// Goes on to wait on another route with the same label.
    pub(super) fn move_to(&mut self, route: &Arc<Route>) {
        self.excluded = self.route.translate(&self.excluded, route);
        self.route = Arc::clone(route);
    }

    /// True when nobody waits any longer for how this ends.
    pub(super) fn has_left(&self) -> bool {
        self.turn.is_closed()
    }

    /// Ends the wait. Whoever has left meanwhile gets nothing, and a lease settles itself as unused.
    pub(super) fn end(self, turn: Turn) {
        let _ = self.turn.send(turn);
    }
}

/// The line of one route.
#[derive(Debug, Default)]
pub(super) struct Line {
    waiters: VecDeque<Waiter>,
    /// The line is being looked after: nobody else may do so at the same time.
    pub(super) busy: bool,
    /// Something came back meanwhile.
    pub(super) again: bool,
    pub(super) alarm: Option<SpawnHandle>,
}

impl Line {
    /// Puts a request where it belongs: behind all that came before it.
    pub(super) fn join(&mut self, waiter: Waiter) {
        let place = self.ahead_of_new(&waiter);
        self.waiters.insert(place, waiter);
    }

    /// When its first came, among others.
    pub(super) fn order(&self) -> u64 {
        self.waiters.front().map_or(u64::MAX, |waiter| waiter.order)
    }

    /// Who stands behind `last`, or at the front; in order.
    pub(super) fn behind(&self, last: Option<u64>) -> impl Iterator<Item = &Waiter> {
        let from = last.map_or(0, |id| self.ahead_of(id).map_or(usize::MAX, |place| place + 1));
        self.waiters.iter().skip(from)
    }

    /// How many this one would find in front of it.
    pub(super) fn ahead_of_new(&self, waiter: &Waiter) -> usize {
        self.waiters.iter().rposition(|other| other.order <= waiter.order).map_or(0, |place| place + 1)
    }

    /// How many stand in front of this one; `None` if it has left.
    pub(super) fn ahead_of(&self, id: u64) -> Option<usize> {
        self.waiters.iter().position(|waiter| waiter.id == id)
    }

    pub(super) fn get(&self, id: u64) -> Option<&Waiter> {
        self.waiters.iter().find(|waiter| waiter.id == id)
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Waiter> {
        let place = self.ahead_of(id)?;
        self.waiters.remove(place)
    }

    /// All of them go on to wait on another route.
    pub(super) fn move_to(&mut self, route: &Arc<Route>) {
        self.waiters.iter_mut().for_each(|waiter| waiter.move_to(route));
    }

    /// There is nothing any more that they wait for.
    pub(super) fn dissolve(&mut self) {
        self.waiters.drain(..).for_each(|waiter| waiter.end(Turn::Dissolved));
    }

    pub(super) fn len(&self) -> usize {
        self.waiters.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    pub(super) fn view(&self, label: &str, now: Mono) -> LineView {
        let oldest = self.waiters.iter().map(|waiter| now.since(waiter.joined)).max().unwrap_or_default();
        LineView { label: label.to_owned(), depth: self.len(), oldest }
    }
}
