//! `POST /ui/chains/{name}/test`: asks every entry of a chain for one token, and tells what came of each as it does.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use tokio::sync::mpsc::{Sender, channel};

use super::desk::Desk;
use super::edit::{Told, show};
use crate::actors::msg::{Frozen, Thaw};
use crate::domain::ids::{EntryId, ModelId, ProviderId};
use crate::domain::trail::StepOutcome;
use crate::upstream::apart::apart;
use crate::upstream::waterfall::Worker;
use crate::web::admin::trial::{TrialView, try_out};
use crate::web::error::ApiError;
use crate::web::state::State;
use crate::web::ui::fields::Fields;
use crate::web::ui::sse::{self, Message, Pouring, escaped};
use crate::web::ui::words;

/// All rows, and the sentence below them.
#[derive(Template)]
#[template(path = "chain_tried.html")]
pub(super) struct Tried {
    rows: Vec<Row>,
    summary: String,
}

/// One entry.
#[derive(Clone, Template)]
#[template(path = "chain_tried_row.html")]
struct Row {
    n: usize,
    entry: String,
    class: &'static str,
    word: &'static str,
    said: String,
    /// When it may be called again.
    back: Option<String>,
    took: Option<String>,
    tokens: Option<String>,
    request: Option<String>,
}

/// What is to be tried.
struct Trial {
    worker: Rc<Worker>,
    state: Arc<State>,
    entries: Vec<EntryId>,
    /// Ends the cooldown of each before it is tried.
    thaw: bool,
}

/// Tests it: row by row for who has scripts, as a page for others.
pub(super) async fn test(request: HttpRequest, name: Path<String>, fields: Form<Fields>) -> HttpResponse {
    let trial = Desk::open(&request).await.and_then(|desk| {
        let entries = desk.chain(&name)?.places.iter();
        let entries = entries
            .map(|place| EntryId {
                provider: ProviderId::new(place.provider.as_str()),
                model: ModelId::new(place.model.as_str()),
            })
            .collect();
        Ok(Trial { worker: desk.worker, state: desk.state, entries, thaw: fields.is_on("thaw") })
    });
    let trial = match trial {
        Ok(trial) => trial,
        Err(fault) => return fault.page(&request),
    };
    let (sender, mut pieces) = channel(8);
    if request.headers().contains_key("hx-request") {
        let running = apart(async move { drop(trial.run(sender).await) });
        return sse::stream().body(Pouring::of(pieces, running));
    }
    let running = apart(trial.run(sender));
    while pieces.recv().await.is_some() {}
    let told = Told { tried: running.await.ok(), ..Told::default() };
    show(&request, &name, StatusCode::OK, told).await
}

impl Trial {
    /// Who leaves ends it, and the call of the provider with it.
    async fn run(self, out: Sender<Bytes>) -> Tried {
        let rows = self.entries.iter().enumerate().map(|(at, entry)| Row::waiting(at + 1, entry));
        let mut tried = Tried { rows: rows.collect(), summary: String::new() };
        let mut begun = Message::default();
        begun.part("#tried", "innerHTML", &tried.render().unwrap_or_default());
        tell(&out, &begun).await;
        for (at, entry) in self.entries.iter().enumerate() {
            let Some(row) = tried.rows.get_mut(at) else { break };
            (row.class, row.word) = ("busy", "trying…");
            row.send(&out).await;
            let came = self.try_it(entry).await;
            row.fill(came);
            row.send(&out).await;
        }
        let count = |class| tried.rows.iter().filter(|row| row.class == class).count();
        let (well, passed, all) = (count("ready"), count("skipped"), tried.rows.len());
        tried.summary = format!("{well} of {all} answered");
        if passed > 0 {
            tried.summary += &format!(", {passed} not asked");
        }
        let mut ended = Message::default();
        ended.part("#tried-sum", "innerHTML", &escaped(&tried.summary));
        tell(&out, &ended).await;
        tried
    }

    async fn try_it(&self, entry: &EntryId) -> Result<Option<TrialView>, ApiError> {
        if self.thaw {
            // Nothing happens to an entry that does not cool down, or is not there.
            let _ = self.worker.keeper.send(Thaw(Frozen::Entry(entry.label()))).await;
        }
        try_out(&self.worker, &self.state, &self.state.config(), entry.clone()).await
    }
}

async fn tell(out: &Sender<Bytes>, message: &Message) {
    // Nobody may look on; it goes on all the same until it is dropped.
    let _ = out.send(message.event("").into()).await;
}

impl Row {
    /// Without scripts, the time as it is in UTC.
    fn clock<'a>(&self, time: &'a str) -> &'a str {
        words::clock(time)
    }

    fn waiting(n: usize, entry: &EntryId) -> Self {
        Self {
            n,
            entry: format!("{} / {}", entry.provider, entry.model),
            class: "untried",
            word: "waits",
            said: String::new(),
            back: None,
            took: None,
            tokens: None,
            request: None,
        }
    }

    fn fill(&mut self, came: Result<Option<TrialView>, ApiError>) {
        let view = match came {
            Ok(Some(view)) => view,
            Ok(None) => {
                (self.class, self.word, self.said) = ("skipped", "not asked", "it is not in use".to_owned());
                return;
            }
            Err(fault) => {
                (self.class, self.word, self.said) = ("auth", "failed", fault.to_string());
                return;
            }
        };
        (self.class, self.word) = match view.outcome {
            StepOutcome::Served => ("ready", "answered"),
            StepOutcome::Failed => ("auth", "failed"),
            StepOutcome::Skipped | StepOutcome::Able => ("skipped", "not asked"),
        };
        let status = Some(view.status.to_string()).filter(|_| !view.ok && view.status > 0);
        let message = view.message.filter(|_| !view.ok).unwrap_or_default();
        self.said = match status.filter(|status| !message.contains(status)) {
            Some(status) if message.is_empty() => status,
            Some(status) => format!("{status}, {message}"),
            None => message,
        };
        self.back = view.retry_at;
        self.took = view.ms.map(words::span);
        self.tokens = view.tokens.map(|tokens| format!("{} tokens", words::count(tokens)));
        self.request = view.request;
    }

    async fn send(&self, out: &Sender<Bytes>) {
        let mut message = Message::default();
        message.part(&format!("#tried-{}", self.n), "outerHTML", &self.render().unwrap_or_default());
        tell(out, &message).await;
    }
}
