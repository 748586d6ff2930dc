//! Single calls that somebody makes by hand, to see whether an entry works. They are charged like all others, and wait for
//! nobody: an entry that cannot be called now is not called.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use super::attempt::Served;
use super::waterfall::{Asked, Walked, Worker};
use crate::actors::journal::Note;
use crate::actors::lease::Outcome;
use crate::actors::msg::Explain;
use crate::actors::route::Unselected;
use crate::config::model::{Config, Queue, Settings};
use crate::domain::endpoint::Endpoint;
use crate::domain::ids::EntryId;
use crate::domain::request::Document;
use crate::domain::trail::{Seen, Step};

/// How a single call has ended.
#[derive(Clone, Debug)]
pub struct Probed {
    /// What came of it, or why the entry was not called.
    pub step: Step,
    /// Of its row in the log; `None` when nobody was called.
    pub request: Option<String>,
}

impl Worker {
    /// Asks one entry for one token. `open` opens the request's note; it is not called when the entry cannot be called
    /// now. `None` when there is no such entry, or the process is on its way out.
    pub async fn probe(&self, entry: &EntryId, config: &Arc<Config>, open: impl FnOnce() -> Note) -> Option<Probed> {
        let body = json!({
            "model": entry.label(),
            "messages": [{ "role": "user", "content": "Hi" }],
            "max_tokens": 1,
        });
        let body = Bytes::from(body.to_string());
        let document = Document::parse(Endpoint::Chat, &body).ok()?;
        let asked = Explain { model: entry.label(), demand: document.demand, prompt_tokens: None };
        let explained = self.keeper.send(asked).await.ok()?.ok()?;
        let step = explained.trail.0.into_iter().find(|step| step.entry == *entry)?;
        if step.seen != Seen::Able {
            return Some(Probed { step, request: None });
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
        Some(Probed { step, request: called.then(|| note.row.id.clone()) })
    }
}
