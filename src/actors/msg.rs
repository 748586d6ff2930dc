//! The messages between workers and actors. Whoever sends one depends on the message and not on the actor.

use std::sync::Arc;

use actix::Message;
use tokio::sync::oneshot;

use super::lease::{Lease, Outcome};
use super::route::{Route, RouteTable};
use super::row::Row;
use crate::domain::cooldown::Cooldown;
use crate::domain::ids::{EntryId, ProviderId};
use crate::domain::ledger::Refusal;
use crate::domain::time::Mono;
use crate::domain::trail::Step;

/// To an entry: may I call now? The reservation is made before the answer leaves.
#[derive(Debug, Message)]
#[rtype(result = "Result<Lease, Refusal>")]
pub struct Reserve;

/// To an entry: a call has ended. Sent by [`Lease`] alone.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Settle {
    /// When the call was granted: later evidence is told from earlier by it.
    pub granted: Mono,
    /// How it ended.
    pub outcome: Outcome,
    /// Who wants to know what follows from it.
    pub learnt: Option<oneshot::Sender<Option<Cooldown>>>,
}

/// To the router: a lease for the next entry of a request.
#[derive(Debug, Message)]
#[rtype(result = "Acquired")]
pub enum Acquire {
    /// A new request that names this model.
    Start(String),
    /// The entry at `from - 1` failed: go on from there.
    Resume {
        /// The route that the request started on.
        route: Arc<Route>,
        /// First place to look at.
        from: usize,
        /// A provider that is not asked again.
        avoid: Option<ProviderId>,
    },
}

/// The router's answer.
#[derive(Debug)]
pub enum Acquired {
    /// Call this entry.
    Granted {
        /// The route of the request.
        route: Arc<Route>,
        /// Which place of it.
        place: usize,
        /// The right to call; settles itself when dropped.
        lease: Lease,
        /// Entries passed over on the way.
        skipped: Vec<Step>,
    },
    /// No entry from there on can take the request.
    Exhausted {
        /// The route of the request.
        route: Arc<Route>,
        /// Entries passed over on the way.
        skipped: Vec<Step>,
    },
    /// The model names neither a chain nor an entry, and such requests are to be refused.
    UnknownModel,
}

/// To the router: use this table from now on.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Install(pub Arc<RouteTable>);

/// To the router: the table in use.
#[derive(Debug, Message)]
#[rtype(result = "Arc<RouteTable>")]
pub struct Routes;

/// To the keeper: this entry's actor does not answer any more.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Revive(pub EntryId);

/// To the recorder: requests that have ended.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Record(pub Vec<Row>);

/// To the recorder: keep the latest value of these keys for the next run; `None` forgets one.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Remember(pub Vec<(String, Option<Vec<u8>>)>);

/// To the recorder: everything sent before this has been recorded, and the database is
/// closed, when the answer comes.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Close;
