//! The recorder: takes note of every request that has ended, and of what entries have learnt. It has a thread of its own,
//! because writing blocks.
//!
//! Requests never wait for it and never fail because of it. A database that cannot be used is opened again from time to
//! time; until then rows wait in memory, up to a bound.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorFutureExt, Addr, Arbiter, AsyncContext, Context, Handler, Recipient, WrapFuture};
use tracing::{error, info, warn};

use super::backlog::Backlog;
use super::msg::{CatchUp, Close, Heir, Record, Remember, Retain};
use super::pending::{BATCH, Pending};
use crate::clock::Clock;
use crate::domain::time::Wall;
use crate::store::database::Database;
use crate::store::error::StoreError;
use crate::store::requests::first_id_at;
use crate::store::shelf::Shelf;
use crate::store::state::State;

/// How long a row may wait for others to share its commit. With the time in a worker's buffer it stays well below the
/// second after which nothing may be lost.
pub const COMMIT_EVERY: Duration = Duration::from_millis(100);

/// From one attempt to open a database to the next.
pub const REOPEN_EVERY: Duration = Duration::from_secs(10);

/// From one search for rows that are too old to the next.
pub const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// Opens the database, again and again if need be.
pub type Open = Box<dyn Fn() -> Result<Database, StoreError> + Send>;

/// The actor.
pub struct RecorderActor {
    open: Open,
    /// Others read what is written here.
    shelf: Shelf,
    pending: Pending,
    retention: Duration,
    clock: Clock,
    /// A commit is on its way.
    due: bool,
    /// The database could not be used, and that has been said.
    failing: bool,
    /// Nothing is written any more.
    closed: bool,
    /// What was known at the last stop has not been read yet.
    owing: bool,
    /// What was known at the last stop, and could be read only after the start.
    late: Option<State>,
    /// Who is to have it.
    heir: Option<Recipient<CatchUp>>,
}

impl RecorderActor {
    /// Opens the database; returns what is remembered in it. When that fails the recorder goes on without, and tries
    /// again once it runs.
    #[must_use]
    pub fn open(open: Open, retention: Duration, clock: Clock) -> (Self, State) {
        let mut recorder = Self {
            open,
            shelf: Shelf::default(),
            pending: Pending::default(),
            retention,
            clock,
            due: false,
            failing: false,
            closed: false,
            owing: false,
            late: None,
            heir: None,
        };
        let opened = (recorder.open)().and_then(|database| {
            let state = database.load_state()?;
            Ok((database, state))
        });
        match opened {
            Ok((database, state)) => {
                let path = database.path().display();
                info!("requests are recorded in {path}");
                if let Some(other) = database.instead_of() {
                    let other = other.display();
                    warn!("{other} is no database of this version and is left alone: {path} is used in its place");
                }
                recorder.shelf.put(database);
                (recorder, state)
            }
            Err(fault) => {
                recorder.complain(&fault);
                recorder.owing = true;
                (recorder, State::new())
            }
        }
    }

    /// Where the database lies for whoever wants to read it.
    #[must_use]
    pub fn shelf(&self) -> Shelf {
        self.shelf.clone()
    }

    /// How far it is behind, for others to read.
    #[must_use]
    pub fn backlog(&self) -> Arc<Backlog> {
        self.pending.backlog()
    }

    /// Starts the recorder on a thread of its own.
    #[must_use]
    pub fn start_on(self, arbiter: &Arbiter) -> Addr<Self> {
        Self::start_in_arbiter(&arbiter.handle(), |_| self)
    }

    /// Says once what is wrong, however often it happens.
    fn complain(&mut self, fault: &StoreError) {
        self.pending.backlog().set_fault(Some(fault.to_string().into()));
        if !self.failing {
            let again = REOPEN_EVERY.as_secs();
            error!("nothing is recorded for now, requests are served all the same; next attempt in {again} s: {fault}");
        }
        self.failing = true;
    }

    /// Writes what there is.
    fn write(&mut self) -> Result<(), StoreError> {
        let Some(database) = self.shelf.get() else { return Ok(()) };
        self.pending.write_to(&database)?;
        let dropped = self.pending.take_dropped();
        if std::mem::take(&mut self.failing) || dropped > 0 {
            warn!(dropped, "requests are recorded again in {}", database.path().display());
            self.pending.backlog().set_fault(None);
        }
        Ok(())
    }

    /// Writes what there is; a database that fails is given up, because it answers nothing any more.
    fn commit(&mut self, ctx: &mut Context<Self>) {
        self.due = false;
        if let Err(fault) = self.write() {
            self.give_up(&fault, ctx);
        }
    }

    fn commit_soon(&mut self, ctx: &mut Context<Self>) {
        if self.pending.fills_a_batch() {
            self.commit(ctx);
        } else if !self.due && self.shelf.get().is_some() {
            self.due = true;
            ctx.run_later(COMMIT_EVERY, Self::commit);
        }
    }

    fn give_up(&mut self, fault: &StoreError, ctx: &mut Context<Self>) {
        self.complain(fault);
        // It answers nothing any more, not even how to close it.
        let _ = self.shelf.close();
        self.after(REOPEN_EVERY, Self::reopen, ctx);
    }

    fn reopen(&mut self, ctx: &mut Context<Self>) {
        if self.closed || self.shelf.get().is_some() {
            return;
        }
        match (self.open)() {
            Ok(database) => {
                // Before anything is written over it.
                let late = if self.owing { database.load_state().map(Some) } else { Ok(None) };
                self.shelf.put(database);
                match late {
                    Ok(late) => {
                        self.owing = false;
                        self.late = self.late.take().or(late);
                        self.hand_over();
                        self.commit(ctx);
                    }
                    Err(fault) => self.give_up(&fault, ctx),
                }
            }
            Err(fault) => self.give_up(&fault, ctx),
        }
    }

    /// Removes rows that are too old, now and every hour.
    fn sweep(&mut self, ctx: &mut Context<Self>) {
        self.sweep_once(ctx);
        self.after(SWEEP_EVERY, Self::sweep, ctx);
    }

    /// Hands over what was known at the last stop, if it could not be read at the start.
    fn hand_over(&mut self) {
        if let Some(heir) = &self.heir
            && let Some(late) = self.late.take()
        {
            heir.do_send(CatchUp(late));
        }
    }

    /// Removes rows that are too old, a few at a time: a commit of many would keep newer rows waiting.
    fn sweep_once(&mut self, ctx: &mut Context<Self>) {
        let now = self.clock.now().wall;
        let oldest = first_id_at(Wall(now.0.saturating_sub(Wall::default().after(self.retention).0)));
        let swept = self.shelf.get().map_or(Ok(0), |database| {
            Ok(database.forget_requests(&oldest, BATCH)?.max(database.forget_totals(now, BATCH)?))
        });
        match swept {
            Ok(BATCH..) => self.after(COMMIT_EVERY, Self::sweep_once, ctx),
            Ok(_) => {}
            Err(fault) => self.give_up(&fault, ctx),
        }
    }

    fn after(&self, wait: Duration, act: fn(&mut Self, &mut Context<Self>), ctx: &mut Context<Self>) {
        let alarm = self.clock.until(self.clock.mono().after(wait));
        ctx.spawn(alarm.into_actor(self).map(move |(), recorder, ctx| act(recorder, ctx)));
    }
}

impl Actor for RecorderActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if self.shelf.get().is_none() {
            self.after(REOPEN_EVERY, Self::reopen, ctx);
        }
        self.sweep(ctx);
    }
}

impl Handler<Record> for RecorderActor {
    type Result = ();

    fn handle(&mut self, batch: Record, ctx: &mut Self::Context) {
        crate::telemetry::together(|| batch.0.iter().for_each(super::row::Row::log));
        if self.closed {
            return self.pending.backlog().add_dropped(batch.0.len());
        }
        for row in batch.0 {
            self.pending.add(row);
            self.commit_soon(ctx);
        }
    }
}

impl Handler<Remember> for RecorderActor {
    type Result = ();

    fn handle(&mut self, changes: Remember, ctx: &mut Self::Context) {
        if !self.closed {
            changes.0.into_iter().for_each(|(key, value)| self.pending.remember(key, value));
            self.commit_soon(ctx);
        }
    }
}

impl Handler<Retain> for RecorderActor {
    type Result = ();

    fn handle(&mut self, retain: Retain, ctx: &mut Self::Context) {
        let shorter = retain.0 < self.retention;
        self.retention = retain.0;
        if shorter {
            self.sweep_once(ctx);
        }
    }
}

impl Handler<Heir> for RecorderActor {
    type Result = ();

    fn handle(&mut self, heir: Heir, _: &mut Self::Context) {
        self.heir = Some(heir.0);
        self.hand_over();
    }
}

impl Handler<Close> for RecorderActor {
    type Result = ();

    fn handle(&mut self, _: Close, ctx: &mut Self::Context) {
        if !self.pending.is_empty() {
            self.reopen(ctx);
            self.commit(ctx);
        }
        self.closed = true;
        let closed = self.shelf.close();
        let missing = self.pending.rows() as u64 + self.pending.take_dropped();
        if missing > 0 {
            error!(missing, "requests could not be recorded before the end");
        }
        if let Err(fault) = closed {
            warn!("the database was not closed in good order and will be repaired at the next start: {fault}");
        }
    }
}

impl fmt::Debug for RecorderActor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecorderActor").field("shelf", &self.shelf).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
