//! The walk of one request along its chain: lease, call, and on failure the next entry.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use bytes::Bytes;

use super::attempt::{Call, Failed, Served, StreamCall, Whole};
use super::client::Clients;
use crate::actors::journal::{Journal, Note};
use crate::actors::lease::{Lease, Outcome};
use crate::actors::msg::{Acquire, Acquired};
use crate::actors::route::{Entry, Place};
use crate::actors::router::RouterActor;
use crate::clock::Clock;
use crate::config::model::Settings;
use crate::domain::endpoint::Endpoint;
use crate::domain::ids::{EntryId, ProviderId};
use crate::domain::outcome::{Action, Reason};
use crate::domain::request::Document;
use crate::domain::trail::{Failure, Seen, Step};

/// What a worker thread has for all its requests. It cannot leave its thread.
pub struct Worker {
    /// HTTP clients.
    pub clients: Clients,
    /// Grants leases.
    pub router: Addr<RouterActor>,
    /// Takes note of requests.
    pub journal: Rc<Journal>,
    /// For measurements and absolute times.
    pub clock: Clock,
    /// Timeouts.
    pub settings: Arc<Settings>,
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
    Exhausted,
    /// The model names nothing.
    UnknownModel,
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
}

impl Worker {
    /// Walks the chain that the document's model selects. The trail is kept in `note` as it grows.
    pub async fn walk(&self, endpoint: Endpoint, document: &Document, body: &Bytes, note: &mut Note) -> Walked {
        let mut memory = Memory::default();
        let mut next = Acquire::Start(document.model.clone());
        loop {
            let (route, at, lease) = match self.router.send(next).await {
                Ok(Acquired::Granted { route, place, lease, skipped }) => {
                    note.row.trail.0.extend(skipped);
                    (route, place, lease)
                }
                Ok(Acquired::Exhausted { route, skipped }) => {
                    note.row.chain.clone_from(&route.label);
                    note.row.trail.0.extend(skipped);
                    let blamed = memory.doubted_by.is_some() || note.row.trail.blames_request();
                    return match memory.refusal.filter(|_| blamed) {
                        Some((entry, answer)) => Walked::Refused { entry, answer },
                        None => Walked::Exhausted,
                    };
                }
                Ok(Acquired::UnknownModel) => return Walked::UnknownModel,
                Err(_) => return Walked::Unavailable,
            };
            if note.row.chain.is_empty() {
                note.row.chain.clone_from(&route.label);
            }
            let Some(place) = route.places.get(at) else { return Walked::Unavailable };
            let began = self.clock.mono();
            let result = self.call(place, endpoint, document, body).await;
            let took = self.clock.mono().since(began);
            match result {
                Ok(answer) => {
                    let entry = Arc::clone(&place.entry);
                    note.row.trail.0.push(Step { entry: entry.id.clone(), seen: Seen::Served, took });
                    note.row.served_by = Some(entry.id.clone());
                    return Walked::Served { entry, answer, lease };
                }
                Err(failed) => {
                    let asked_to_confirm = memory.doubted_by.is_some();
                    let final_word = failed.verdict.action == Action::ReturnToClient
                        && failed.verdict.reason == Some(Reason::ContentPolicy);
                    self.conclude(&place.entry.id, *failed, lease, took, note, &mut memory).await;
                    if asked_to_confirm || final_word {
                        return match memory.refusal {
                            Some((entry, answer)) => Walked::Refused { entry, answer },
                            None => Walked::Exhausted,
                        };
                    }
                }
            }
            next = Acquire::Resume { route, from: at + 1, avoid: memory.doubted_by.clone() };
        }
    }

    /// Settles a failed call and writes it into the trail.
    async fn conclude(
        &self,
        entry: &EntryId,
        failed: Failed,
        lease: Lease,
        took: Duration,
        note: &mut Note,
        memory: &mut Memory,
    ) {
        let Failed { verdict, status, detail, answer } = failed;
        let cooldown = lease.settle_and_learn(Outcome::Failed { verdict, status }).await;
        let reason = verdict.reason.unwrap_or(Reason::Unknown);
        let sure = verdict.action == Action::ReturnToClient && memory.doubted_by.is_none();
        if sure || (reason.blames_request() && memory.refusal.is_none()) {
            memory.refusal = answer.map(|answer| (entry.clone(), answer));
        }
        if sure {
            memory.doubted_by = Some(entry.provider.clone());
        }
        let failure = Failure { reason, status, detail, cooldown };
        note.row.trail.0.push(Step { entry: entry.clone(), seen: Seen::Failed(failure), took });
    }

    async fn call(
        &self,
        place: &Place,
        endpoint: Endpoint,
        document: &Document,
        body: &Bytes,
    ) -> Result<Served, Box<Failed>> {
        let Entry { provider, model_json, .. } = &*place.entry;
        let ask_usage = document.can_ask_usage() && provider.dialect.accepts_stream_usage();
        let stream = document
            .stream
            .then_some(StreamCall { first_token_timeout: self.settings.first_token_timeout, strip_usage: ask_usage });
        let body = document.rewrite(body, model_json, ask_usage);
        Call { clients: &self.clients, place, endpoint, body, stream, clock: &self.clock }.run().await
    }
}
