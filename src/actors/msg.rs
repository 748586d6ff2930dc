//! The messages between workers and actors. Whoever sends one depends on the message and not on the actor.

use std::sync::Arc;
use std::time::Duration;

use actix::{Message, Recipient};
use tokio::sync::oneshot;

use super::lease::{Hold, Lease, Outcome};
use super::line::{LineView, Ticket};
use super::report::{EntryReport, Explained, Supply, Thawed};
use super::route::{Route, RouteTable, Unselected};
use super::row::Row;
use crate::config::model::{Config, Queue};
use crate::domain::cooldown::Cooldown;
use crate::domain::demand::Demand;
use crate::domain::evidence::Evidence;
use crate::domain::forecast::Horizon;
use crate::domain::ids::{EntryId, ProviderId};
use crate::domain::refusal::Refusal;
use crate::domain::time::Mono;
use crate::domain::trail::Step;
use crate::store::state::State;

/// To an entry: may I call now? The reservation is made before the answer leaves.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Result<Lease, Refusal>")]
pub struct Reserve {
    /// The size of the request.
    pub demand: Demand,
    /// Nobody else can be asked, and the request may not wait.
    pub urgent: bool,
}

/// To an entry: news of a call. Sent by [`Lease`] alone.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Settle {
    /// What was taken for the call.
    pub hold: Hold,
    /// What has happened.
    pub news: News,
    /// Who wants to know what follows from it.
    pub learnt: Option<oneshot::Sender<Option<Cooldown>>>,
}

/// What has happened to a call.
#[derive(Debug)]
pub enum News {
    /// The answer has begun, and is good so far. This is what its head says about quota.
    Heard(Evidence),
    /// It is over.
    Ended(Outcome),
}

/// To an entry: could a request of this size be taken, and how many of them until when?
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Outlook")]
pub struct Forecast(pub Demand);

/// What an entry says of its future.
#[derive(Debug)]
pub struct Outlook {
    /// Why not now.
    pub refusal: Option<Refusal>,
    /// How many until when.
    pub horizon: Horizon,
}

/// To the router: a lease for the next entry of a request.
#[derive(Debug, Message)]
#[rtype(result = "Acquired")]
pub enum Acquire {
    /// A new request.
    Start {
        /// What it asks for.
        model: String,
        /// Its size.
        demand: Demand,
    },
    /// An entry failed: go on behind it, or at it with another key.
    Resume {
        /// The route that the request started on.
        route: Arc<Route>,
        /// Its size.
        demand: Demand,
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
        /// When the request came, among others.
        turn: u64,
    },
    /// No entry from there on can take the request.
    Exhausted {
        /// The route of the request.
        route: Arc<Route>,
        /// Entries passed over on the way.
        skipped: Vec<Step>,
        /// When the request came, among others.
        turn: u64,
    },
    /// Others wait for the same chain: no entry was asked.
    Behind {
        /// The route of the request.
        route: Arc<Route>,
        /// When the request came, among others.
        turn: u64,
    },
    /// The model selects no route.
    Nothing(Unselected),
}

/// To the router: wait in the line of this route.
#[derive(Debug, Message)]
#[rtype(result = "Ticket")]
pub struct Join {
    /// The route of the request.
    pub route: Arc<Route>,
    /// Its size.
    pub demand: Demand,
    /// Places that have refused this very request.
    pub excluded: Vec<usize>,
    /// When it came, among others.
    pub turn: u64,
    /// Until when it waits at most.
    pub deadline: Mono,
}

/// To the router: whoever has this ticket does not wait any longer.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Leave {
    /// Label of the route.
    pub line: String,
    /// Of the ticket.
    pub id: u64,
}

/// To the router: some quota has come back.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Freed;

/// To the router: the waiting lines.
#[derive(Debug, Message)]
#[rtype(result = "Vec<LineView>")]
pub struct Lines;

/// To the router: use these from now on. When the answer comes, the next request does.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Install {
    /// Everything that requests can select.
    pub table: Arc<RouteTable>,
    /// How requests wait.
    pub queue: Queue,
}

/// To the router: the table in use.
#[derive(Debug, Message)]
#[rtype(result = "Arc<RouteTable>")]
pub struct Routes;

/// To the keeper: this entry's actor does not answer any more.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Revive(pub EntryId);

/// To the keeper: run this configuration. When the answer comes, the next request does.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Adopt(pub Arc<Config>);

/// To the keeper: everything that is known about every entry.
#[derive(Debug, Message)]
#[rtype(result = "Vec<EntryReport>")]
pub struct Survey;

/// To the keeper: what every chain has left.
#[derive(Debug, Message)]
#[rtype(result = "Vec<Supply>")]
pub struct LookAhead;

/// To the keeper: who would serve such a request now, and why would the others not?
#[derive(Debug, Message)]
#[rtype(result = "Result<Explained, Unselected>")]
pub struct Explain {
    /// What it asks for.
    pub model: String,
    /// Its size.
    pub demand: Demand,
    /// The length of its prompt in tokens, in place of that in bytes.
    pub prompt_tokens: Option<u64>,
}

/// To the keeper: end cooldowns by hand. No answer when there is no such entry.
#[derive(Debug, Message)]
#[rtype(result = "Option<Thawed>")]
pub struct Thaw(pub Frozen);

/// Whose cooldowns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frozen {
    /// Of one entry, by `provider/model`.
    Entry(String),
    /// Of all entries of a provider, by its id.
    Provider(String),
}

/// To the recorder: requests that have ended.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Record(pub Vec<Row>);

/// To the recorder: everything sent before this has been recorded, and the database is
/// closed, when the answer comes.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Close;

/// To the recorder: rows older than this are forgotten from now on.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Retain(pub Duration);

/// To the recorder: keep the latest value of these keys for the next run; `None` forgets one.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Remember(pub Vec<(String, Option<Vec<u8>>)>);

/// To the keeper: write down what is known now. When the answer comes, it is on its way.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct NoteDown;

/// To the recorder: who is to have what was known at the last stop, should it be found only later.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Heir(pub Recipient<CatchUp>);

/// To the keeper: what was known at the last stop.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct CatchUp(pub State);
