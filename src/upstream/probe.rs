//! Single calls that somebody makes by hand, to see whether an entry works. They are charged like all others, and wait for
//! nobody: an entry that cannot be called now is not called.
//!
//! What is no entry yet has no ledger that it could be charged to: it is called all the same, once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::time::Instant;

use super::attempt::{Call, Served};
use super::waterfall::{Asked, Walked, Worker};
use crate::actors::journal::Note;
use crate::actors::lease::Outcome;
use crate::actors::msg::Explain;
use crate::actors::route::{Entry, Place, Unselected};
use crate::config::model::{Config, Provider, Queue, Settings};
use crate::domain::endpoint::Endpoint;
use crate::domain::evidence::Evidence;
use crate::domain::ids::{EntryId, ModelId};
use crate::domain::outcome::Reason;
use crate::domain::request::Document;
use crate::domain::trail::{Seen, Step};
use crate::domain::usage::Usage;

/// How a single call has ended.
#[derive(Clone, Debug)]
pub struct Probed {
    /// What came of it, or why the entry was not called.
    pub step: Step,
    /// Of its row in the log; `None` when nobody was called.
    pub request: Option<String>,
    /// What the answer cost; `None` when there was none.
    pub usage: Option<Usage>,
}

/// How a call has ended that was charged to nobody.
#[derive(Clone, Debug)]
pub struct Knocked {
    /// Why there was no answer that could be used; `None` when there was one. No key is in it.
    pub fault: Option<Fault>,
    /// What the answer says about quota.
    pub evidence: Evidence,
    /// How long it took.
    pub took: Duration,
}

/// Why a call brought nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What it means.
    pub reason: Reason,
    /// HTTP status; 0 when there was no answer.
    pub status: u16,
    /// For people, where there is more to say.
    pub detail: Option<String>,
}

/// Of entries that are none. Those of the configuration count from the other end.
static STRANGERS: AtomicU64 = AtomicU64::new(u64::MAX);

fn one_token(model: &str) -> Bytes {
    let messages = json!([{ "role": "user", "content": "Hi" }]);
    Bytes::from(json!({ "model": model, "messages": messages, "max_tokens": 1 }).to_string())
}

impl Worker {
    /// Asks a provider for one token that need not be in the configuration, with its first key.
    pub async fn knock(&self, provider: &Arc<Provider>, model: &ModelId, settings: &Settings) -> Knocked {
        let began = Instant::now();
        let entry = Entry {
            id: EntryId { provider: provider.id.clone(), model: model.clone() },
            provider: Arc::clone(provider),
            model_json: json!(model.as_str()).to_string(),
            serial: STRANGERS.fetch_sub(1, Ordering::Relaxed),
            handle: None,
            refuses_stream_options: Arc::default(),
        };
        let timeout = provider.timeout.unwrap_or(settings.request_timeout);
        let (place, body) = (Place { entry: Arc::new(entry), timeout }, one_token(model.as_str()));
        let demand = Document::parse(Endpoint::Chat, &body).map(|document| document.demand).unwrap_or_default();
        let clients = self.clients();
        let call = Call {
            clients: &clients,
            settings,
            place: &place,
            key: 0,
            endpoint: Endpoint::Chat,
            body,
            demand,
            stream: false,
            shows_usage: false,
            clock: &self.clock,
            trace: None,
        };
        let (fault, evidence) = match call.run().await {
            Ok(Served::Whole(complete)) => (None, complete.evidence),
            Ok(Served::Stream(opened)) => (None, opened.evidence),
            Err(failed) => {
                let reason = failed.verdict.reason.unwrap_or(Reason::Unknown);
                (Some(Fault { reason, status: failed.status, detail: failed.detail }), failed.evidence)
            }
        };
        Knocked { fault, evidence, took: began.elapsed() }
    }

    /// Asks one entry for one token. `open` opens the request's note; it is not called when the entry cannot be called
    /// now. `None` when there is no such entry, or the process is on its way out.
    pub async fn probe(&self, entry: &EntryId, config: &Arc<Config>, open: impl FnOnce() -> Note) -> Option<Probed> {
        let body = one_token(&entry.label());
        let document = Document::parse(Endpoint::Chat, &body).ok()?;
        let asked = Explain { model: entry.label(), demand: document.demand, prompt_tokens: None };
        let explained = self.keeper.send(asked).await.ok()?.ok()?;
        let step = explained.trail.0.into_iter().find(|step| step.entry == *entry)?;
        if step.seen != Seen::Able {
            return Some(Probed { step, request: None, usage: None });
        }
        let mut note = open();
        note.row.model.clone_from(&document.model);
        note.row.bytes_in = body.len() as u64;
        let queue = Queue { enabled: false, ..config.settings.queue.clone() };
        let settings = Settings { queue, ..config.settings.clone() };
        let asked = Asked { settings: &settings, endpoint: Endpoint::Chat, document: &document, body: &body };
        match self.walk(&asked, &mut note).await {
            Walked::Served { answer: Served::Whole(complete), lease, .. } => {
                note.row.bytes_out = complete.answer.body.len() as u64;
                lease.settle(Outcome::Served { usage: complete.usage, evidence: complete.evidence });
                note.row.usage = Some(complete.cost);
                note.answered(complete.answer.status, None);
            }
            // No stream was asked for: its lease settles itself.
            Walked::Served { .. } => {}
            Walked::Refused { answer, .. } => note.answered(answer.status, Some("refused_upstream")),
            Walked::Exhausted { .. } => note.answered(503, Some("all_providers_exhausted")),
            Walked::Nowhere(Unselected::UnknownModel) => note.answered(404, Some("model_not_found")),
            Walked::Nowhere(Unselected::NoChain) => note.answered(503, Some("no_chain")),
            Walked::Unavailable => note.answered(503, Some("shutting_down")),
        }
        // Of several keys the last word counts.
        let step = note.row.trail.0.iter().rfind(|step| step.entry == *entry)?.clone();
        let called = matches!(step.seen, Seen::Served | Seen::Failed(_));
        Some(Probed { step, request: called.then(|| note.row.id.clone()), usage: note.row.usage })
    }
}
