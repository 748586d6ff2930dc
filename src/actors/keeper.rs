//! The keeper: owns the running entries, restarts those whose actor has died, and keeps what they know.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, AsyncContext, Context, Handler, MessageResult, Recipient, ResponseFuture};
use tracing::warn;

use super::entry::Bell;
use super::fleet::Fleet;
use super::msg::{Adopt, CatchUp, Explain, LookAhead, NoteDown, Remember, Revive, Survey, Thaw};
use super::router::RouterActor;
use crate::clock::Clock;
use crate::config::model::Config;
use crate::store::state::State;

/// How often what the entries know is written down. A crash loses no more than this, and the time to write.
const REMEMBER_EVERY: Duration = Duration::from_millis(500);

/// The actor.
#[derive(Debug)]
pub struct KeeperActor {
    fleet: Fleet,
    router: Addr<RouterActor>,
    /// Takes what entries learn, for the next run.
    memory: Option<Recipient<Remember>>,
}

/// Who to ask: the router for a lease, the keeper for everything else.
#[derive(Clone, Debug)]
pub struct Control {
    /// Grants leases.
    pub router: Addr<RouterActor>,
    /// Knows the entries.
    pub keeper: Addr<KeeperActor>,
}

impl KeeperActor {
    /// Starts the entries of `config`, their keeper and a router on the current thread. `remembered` is what the entries
    /// knew at the last stop; `memory` keeps what they know now.
    #[must_use]
    pub fn start_all(config: Arc<Config>, clock: Clock, remembered: State, memory: Recipient<Remember>) -> Control {
        let bell = Bell::default();
        let fleet = Fleet::start(config, clock.clone(), bell.clone(), remembered);
        Self::keep(fleet, clock, bell, Some(memory))
    }

    pub(super) fn keep(fleet: Fleet, clock: Clock, bell: Bell, memory: Option<Recipient<Remember>>) -> Control {
        // Keeper and router know each other: the keeper's address exists before the keeper does.
        let context = Context::new();
        let router = RouterActor::new(fleet.plan(), clock, context.address().recipient(), bell).start();
        let keeper = context.run(Self { fleet, router: router.clone(), memory });
        Control { router, keeper }
    }

    fn remember(&mut self) {
        let changes = self.fleet.changes();
        if let Some(memory) = self.memory.as_ref().filter(|_| !changes.is_empty()) {
            memory.do_send(Remember(changes));
        }
    }
}

impl Actor for KeeperActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(REMEMBER_EVERY, |keeper, _| keeper.remember());
    }
}

impl Handler<Revive> for KeeperActor {
    type Result = ();

    fn handle(&mut self, revive: Revive, _: &mut Self::Context) {
        if self.fleet.revive(&revive.0) {
            warn!(entry.id = %revive.0, "{} was restarted", revive.0);
            self.router.do_send(self.fleet.plan());
        }
    }
}

impl Handler<Adopt> for KeeperActor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, adopt: Adopt, _: &mut Self::Context) -> Self::Result {
        self.fleet.adopt(adopt.0);
        let installed = self.router.send(self.fleet.plan());
        Box::pin(async move {
            // Without a router there are no requests either.
            let _ = installed.await;
        })
    }
}

impl Handler<CatchUp> for KeeperActor {
    type Result = ();

    fn handle(&mut self, late: CatchUp, _: &mut Self::Context) {
        self.fleet.catch_up(late.0);
        self.remember();
    }
}

impl Handler<NoteDown> for KeeperActor {
    type Result = ();

    fn handle(&mut self, _: NoteDown, _: &mut Self::Context) {
        self.remember();
    }
}

impl Handler<Survey> for KeeperActor {
    type Result = MessageResult<Survey>;

    fn handle(&mut self, _: Survey, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.fleet.survey())
    }
}

impl Handler<LookAhead> for KeeperActor {
    type Result = MessageResult<LookAhead>;

    fn handle(&mut self, _: LookAhead, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.fleet.supplies())
    }
}

impl Handler<Explain> for KeeperActor {
    type Result = MessageResult<Explain>;

    fn handle(&mut self, explain: Explain, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.fleet.explain(&explain))
    }
}

impl Handler<Thaw> for KeeperActor {
    type Result = MessageResult<Thaw>;

    fn handle(&mut self, thaw: Thaw, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.fleet.thaw(&thaw.0))
    }
}
