//! The keeper: owns the running entries and restarts those whose actor has died.

use std::sync::Arc;

use actix::{Actor, Addr, AsyncContext, Context, Handler, Recipient};
use tracing::warn;

use super::fleet::Fleet;
use super::msg::{Install, Remember, Revive};
use super::router::RouterActor;
use crate::clock::Clock;
use crate::config::model::Config;
use crate::store::state::State;

/// The actor.
#[derive(Debug)]
pub struct KeeperActor {
    fleet: Fleet,
    router: Addr<RouterActor>,
    /// What entries had learnt when the last run ended: they start from it.
    #[expect(dead_code, reason = "entries start with empty ledgers")]
    remembered: State,
    /// Takes what entries learn, for the next run.
    #[expect(dead_code, reason = "entries tell nothing of what they learn")]
    memory: Option<Recipient<Remember>>,
}

impl KeeperActor {
    /// Starts the entries of `config`, their keeper and a router on the current thread; returns the router.
    #[must_use]
    pub fn start_all(
        config: Arc<Config>,
        clock: Clock,
        remembered: State,
        memory: Recipient<Remember>,
    ) -> Addr<RouterActor> {
        Self::keep(Fleet::start(config, clock.clone()), clock, remembered, Some(memory))
    }

    pub(super) fn keep(
        fleet: Fleet,
        clock: Clock,
        remembered: State,
        memory: Option<Recipient<Remember>>,
    ) -> Addr<RouterActor> {
        // Keeper and router know each other: the keeper's address exists before the keeper does.
        let context = Context::new();
        let router = RouterActor::new(Arc::new(fleet.routes()), clock, context.address().recipient()).start();
        context.run(Self { fleet, router: router.clone(), remembered, memory });
        router
    }
}

impl Actor for KeeperActor {
    type Context = Context<Self>;
}

impl Handler<Revive> for KeeperActor {
    type Result = ();

    fn handle(&mut self, revive: Revive, _: &mut Self::Context) {
        if self.fleet.revive(&revive.0) {
            warn!(entry.id = %revive.0, "{} was restarted", revive.0);
            self.router.do_send(Install(Arc::new(self.fleet.routes())));
        }
    }
}
