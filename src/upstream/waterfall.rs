//! The walk of one request along its chain: lease, call, and on failure the next entry.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix::Addr;
use bytes::Bytes;
use rustls::ClientConfig;

use super::attempt::{Call, Failed, Served, Whole};
use super::client::Clients;
use super::wait::{Applicant, Unserved, Waited};
use crate::actors::journal::{Journal, Note};
use crate::actors::keeper::{Control, KeeperActor};
use crate::actors::lease::{Lease, Outcome};
use crate::actors::line::Turn;
use crate::actors::msg::{Acquire, Acquired};
use crate::actors::route::{Entry, Place, Route, Unselected};
use crate::actors::router::RouterActor;
use crate::clock::Clock;
use crate::config::live::Live;
use crate::config::model::Settings;
use crate::domain::endpoint::Endpoint;
use crate::domain::ids::{EntryId, ProviderId};
use crate::domain::outcome::{Action, Reason, Verdict};
use crate::domain::request::{AskUsage, Document};
use crate::domain::time::Mono;
use crate::domain::trail::{Failure, Seen, Step, Trail};

/// What a worker thread has for all its requests. It cannot leave its thread.
pub struct Worker {
    /// HTTP clients, as the configuration was when they were asked for last.
    clients: RefCell<Rc<Clients>>,
    /// Whom providers are trusted by.
    tls: Arc<ClientConfig>,
    /// The configuration in use.
    live: Arc<Live>,
    /// Grants leases.
    pub router: Addr<RouterActor>,
    /// Knows the entries.
    pub keeper: Addr<KeeperActor>,
    /// Takes note of requests.
    pub journal: Rc<Journal>,
    /// For measurements and absolute times.
    pub clock: Clock,
}

/// A request to be served, and the settings that it is served by from its beginning to its end.
pub struct Asked<'a> {
    /// Timeouts and bounds.
    pub settings: &'a Settings,
    /// What for.
    pub endpoint: Endpoint,
    /// What it says.
    pub document: &'a Document,
    /// As it came.
    pub body: &'a Bytes,
}

/// How the walk ended.
pub enum Walked {
    /// An entry serves the request.
    Served {
        /// Which.
        entry: Arc<Entry>,
        /// Its answer.
        answer: Served,
        /// To be settled when the answer has been passed on.
        lease: Lease,
    },
    /// The request itself is at fault: the provider's own answer.
    Refused {
        /// Who said so.
        entry: EntryId,
        /// What it said.
        answer: Whole,
    },
    /// No entry can serve it now. The trail says why.
    Exhausted {
        /// What came of waiting.
        why: Unserved,
        /// When it would have been its turn, where anybody can tell.
        eta: Option<Mono>,
    },
    /// The model selects nothing.
    Nowhere(Unselected),
    /// The router is gone; the process is going down.
    Unavailable,
}

/// What is remembered between the attempts of one request.
#[derive(Default)]
struct Memory {
    /// The answer that goes back if the request is at fault: of the first provider that was sure of it, else of the
    /// first that refused it.
    refusal: Option<(EntryId, Whole)>,
    /// A provider called the request malformed: one other provider is asked to confirm it, and no more than one.
    doubted_by: Option<ProviderId>,
    /// Places that have failed and do not rest: they have refused the request itself.
    refused: Vec<usize>,
    /// When the request came, among others.
    turn: Option<u64>,
    /// The place that was called last, and how often in a row.
    calls: (usize, usize),
    /// The place that has refused `stream_options`: it is asked once more, without them.
    without_usage: Option<usize>,
}

impl Worker {
    /// A worker of the current thread.
    #[must_use]
    pub fn new(tls: Arc<ClientConfig>, live: Arc<Live>, control: Control, journal: Rc<Journal>, clock: Clock) -> Self {
        let clients = Rc::new(Clients::new(&tls, &live.config().settings));
        let Control { router, keeper } = control;
        Self { clients: RefCell::new(clients), tls, live, router, keeper, journal, clock }
    }

    /// The HTTP clients. How long they try to connect, and whom they may call, is theirs for life: when that changes they
    /// are replaced, and calls under way end with those that they began with.
    pub(super) fn clients(&self) -> Rc<Clients> {
        let active = self.live.get();
        let mut clients = self.clients.borrow_mut();
        if !clients.fits(&active.config.settings) {
            *clients = Rc::new(Clients::new(&self.tls, &active.config.settings));
        }
        Rc::clone(&clients)
    }

    /// Walks the chain that the document's model selects, and waits for quota where that helps. The trail is kept in
    /// `note` as it grows.
    pub async fn walk(&self, asked: &Asked<'_>, note: &mut Note) -> Walked {
        let mut memory = Memory::default();
        let mut next = Acquire::Start { model: asked.document.model.clone(), demand: asked.document.demand };
        loop {
            let acquired = match self.router.send(next).await {
                Ok(acquired) => acquired,
                Err(_) => return Walked::Unavailable,
            };
            let granted = match acquired {
                Acquired::Nothing(why) => return Walked::Nowhere(why),
                Acquired::Granted { route, place, lease, skipped, turn } => {
                    memory.turn.get_or_insert(turn);
                    note.row.trail.skip(skipped);
                    Granted { route, place, lease }
                }
                Acquired::Exhausted { route, skipped, turn } => {
                    note.row.trail.skip(skipped);
                    if let Some((entry, answer)) = memory.final_refusal(&note.row.trail) {
                        name(note, &route);
                        return Walked::Refused { entry, answer };
                    }
                    match self.wait_for(route, asked, turn, &mut memory, note).await {
                        Ok(granted) => granted,
                        Err(walked) => return walked,
                    }
                }
                Acquired::Behind { route, turn } => match self.wait_for(route, asked, turn, &mut memory, note).await {
                    Ok(granted) => granted,
                    Err(walked) => return walked,
                },
            };
            next = match self.attempt(granted, asked, &mut memory, note).await {
                Ok(next) => next,
                Err(walked) => return walked,
            };
        }
    }

    /// Waits for an entry that can take the request.
    async fn wait_for(
        &self,
        route: Arc<Route>,
        asked: &Asked<'_>,
        turn: u64,
        memory: &mut Memory,
        note: &mut Note,
    ) -> Result<Granted, Walked> {
        name(note, &route);
        let turn = *memory.turn.get_or_insert(turn);
        let (excluded, arrived) = (memory.refused.clone(), note.began);
        note.waiting();
        let began = self.clock.mono();
        let demand = asked.document.demand;
        let applicant = Applicant { route: Arc::clone(&route), demand, excluded, turn, arrived };
        let waited = self.wait(applicant, &asked.settings.queue).await;
        note.row.waited += self.clock.mono().since(began);
        match waited {
            Waited::Turn(Turn::Granted { route: by_now, place, lease, skipped }) => {
                note.row.trail.skip(skipped);
                if !Arc::ptr_eq(&route, &by_now) {
                    memory.translate(&route, &by_now);
                }
                Ok(Granted { route: by_now, place, lease })
            }
            Waited::Turn(Turn::Dissolved) => Err(Walked::Exhausted { why: Unserved::ChainGone, eta: None }),
            Waited::Turn(Turn::TurnedAway { eta, skipped, .. }) => {
                note.row.trail.skip(skipped);
                Err(Walked::Exhausted { why: Unserved::NoQuota, eta })
            }
            Waited::Unserved { why, eta, skipped } => {
                note.row.trail.skip(skipped);
                match memory.final_refusal(&note.row.trail) {
                    Some((entry, answer)) => Err(Walked::Refused { entry, answer }),
                    None => Err(Walked::Exhausted { why, eta }),
                }
            }
            Waited::Unavailable => Err(Walked::Unavailable),
        }
    }

    /// Makes one call. A good answer ends the walk, a failure says where to go on.
    async fn attempt(
        &self,
        granted: Granted,
        asked: &Asked<'_>,
        memory: &mut Memory,
        note: &mut Note,
    ) -> Result<Acquire, Walked> {
        let Granted { route, place: at, mut lease } = granted;
        let document = asked.document;
        name(note, &route);
        let Some(place) = route.places.get(at) else { return Err(Walked::Unavailable) };
        let began = self.clock.mono();
        lease.begin();
        let ask_usage = memory.ask_usage(at, &place.entry, document);
        let trace = note.calling(&place.entry, began);
        let clients = self.clients();
        let call = Call { trace, ..self.call(&clients, place, lease.lane(), asked, ask_usage) };
        let result = call.run().await;
        let took = self.clock.mono().since(began);
        match result {
            Ok(answer) => {
                let entry = Arc::clone(&place.entry);
                if memory.without_usage == Some(at) && !document.other_options {
                    // That it serves without them tells that they were at fault, and not what the client put into them.
                    entry.refuses_stream_options.store(true, Ordering::Relaxed);
                }
                note.row.trail.0.push(Step { entry: entry.id.clone(), seen: Seen::Served, took });
                note.row.served_by = Some(entry.id.clone());
                Err(Walked::Served { entry, answer, lease })
            }
            Err(mut failed) => {
                let again = memory.without_usage != Some(at)
                    && document.asks_usage(ask_usage)
                    && failed.names("stream_options");
                if again {
                    // Perhaps not the request is at fault, but what was asked beside it.
                    memory.without_usage = Some(at);
                    failed.verdict = Verdict::skip(Reason::UnsupportedParameter);
                    failed.detail = Some("stream_options".to_owned());
                    failed.answer = None;
                }
                let asked_to_confirm = memory.doubted_by.is_some();
                let final_word = failed.verdict.action == Action::ReturnToClient
                    && failed.verdict.reason == Some(Reason::ContentPolicy);
                let keys = place.entry.provider.keys.len();
                let of_key = failed.verdict.reason.is_some_and(Reason::is_of_key);
                let from = if again { at } else { memory.go_on(at, keys, of_key) };
                let rests = self.conclude(&place.entry, *failed, lease, took, note, memory).await;
                if !rests && !again {
                    // Nothing else would keep this request from being sent there again and again.
                    memory.refused.push(at);
                }
                if (asked_to_confirm && !again) || final_word {
                    return Err(match memory.refusal.take() {
                        Some((entry, answer)) => Walked::Refused { entry, answer },
                        None => Walked::Exhausted { why: Unserved::NoQuota, eta: None },
                    });
                }
                let avoid = memory.doubted_by.clone();
                Ok(Acquire::Resume { route, demand: document.demand, from, avoid })
            }
        }
    }

    /// Settles a failed call and writes it into the trail. True when the entry rests now.
    async fn conclude(
        &self,
        entry: &Entry,
        failed: Failed,
        lease: Lease,
        took: Duration,
        note: &mut Note,
        memory: &mut Memory,
    ) -> bool {
        let Failed { verdict, status, reached, evidence, detail, answer } = failed;
        let Entry { id, provider, .. } = entry;
        let key = (provider.keys.len() > 1).then(|| lease.lane() + 1);
        let cooldown = lease.settle_and_learn(Outcome::Failed { verdict, status, reached, evidence }).await;
        let reason = verdict.reason.unwrap_or(Reason::Unknown);
        let sure = verdict.action == Action::ReturnToClient && memory.doubted_by.is_none();
        if sure || (reason.blames_request() && memory.refusal.is_none()) {
            memory.refusal = answer.map(|answer| (id.clone(), answer));
        }
        if sure {
            memory.doubted_by = Some(id.provider.clone());
        }
        let failure = Failure { key, reason, status, detail, cooldown };
        note.row.trail.0.push(Step { entry: id.clone(), seen: Seen::Failed(failure), took });
        cooldown.is_some()
    }

    fn call<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a Place,
        key: usize,
        asked: &Asked<'a>,
        ask_usage: AskUsage,
    ) -> Call<'a> {
        let Asked { settings, endpoint, document, body } = *asked;
        Call {
            clients,
            settings,
            place,
            key,
            endpoint,
            body: document.rewrite(body, &place.entry.model_json, ask_usage),
            demand: document.demand,
            stream: document.stream,
            shows_usage: document.wants_usage,
            clock: &self.clock,
            trace: None,
        }
    }
}

/// The right to call the entry at a place of a route.
struct Granted {
    route: Arc<Route>,
    place: usize,
    lease: Lease,
}

impl Memory {
    /// The configuration has changed: the same places on another route.
    fn translate(&mut self, route: &Route, other: &Route) {
        let one = |at: usize| route.translate(&[at], other).first().copied();
        self.refused = route.translate(&self.refused, other);
        self.without_usage = self.without_usage.and_then(one);
        self.calls = one(self.calls.0).map_or((0, 0), |place| (place, self.calls.1));
    }

    /// Where the walk goes on after a failed call at `at`: there, as long as one of the provider's other `keys` may do
    /// better, else at the next place.
    fn go_on(&mut self, at: usize, keys: usize, of_key: bool) -> usize {
        let (place, calls) = self.calls;
        let calls = if place == at { calls + 1 } else { 1 };
        let from = if of_key && calls < keys { at } else { at + 1 };
        self.calls = (from, if from == at { calls } else { 0 });
        from
    }

    /// What is done about usage when the entry at a place is asked.
    fn ask_usage(&self, at: usize, entry: &Entry, document: &Document) -> AskUsage {
        let refused = self.without_usage == Some(at) || entry.refuses_stream_options.load(Ordering::Relaxed);
        // Whoever is to confirm that a request is malformed is asked once.
        let confirming = self.doubted_by.is_some();
        match document.stream {
            true if refused || confirming => AskUsage::Remove,
            true if entry.provider.dialect.accepts_stream_usage() => AskUsage::Add,
            _ => AskUsage::AsIs,
        }
    }

    /// The answer that goes back because the request is at fault.
    fn final_refusal(&mut self, trail: &Trail) -> Option<(EntryId, Whole)> {
        let blamed = self.doubted_by.is_some() || trail.blames_request();
        if blamed { self.refusal.take() } else { None }
    }
}

fn name(note: &mut Note, route: &Route) {
    if note.row.chain.is_empty() {
        note.row.chain.clone_from(&route.label);
    }
}
