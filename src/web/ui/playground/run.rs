//! One request on its way.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use askama::Template;
use tokio::sync::mpsc::{Sender, UnboundedReceiver, channel, unbounded_channel};
use tokio::time::Instant;

use super::pieces::Pieces;
use crate::actors::journal::{Note, Progress};
use crate::actors::row::Row;
use crate::config::model::Config;
use crate::domain::endpoint::Endpoint;
use crate::domain::time::Now;
use crate::upstream::apart::apart;
use crate::upstream::waterfall::Worker;
use crate::web::completions;
use crate::web::gate::Admitted;
use crate::web::state::State;
use crate::web::ui::sse::{self, Message, Pouring, escaped};
use crate::web::ui::trail::{self, Trail};
use crate::web::ui::words;

/// Text is sent at most this often: a message for each token would keep the browser busy with nothing else.
const EVERY: Duration = Duration::from_millis(40);

/// A request that is about to be made.
pub(super) struct Run {
    worker: Rc<Worker>,
    config: Arc<Config>,
    body: String,
    note: Note,
    progress: UnboundedReceiver<Progress>,
}

/// What came of it.
#[derive(Template)]
#[template(path = "playground_outcome.html")]
pub(super) struct Outcome {
    served_by: Option<String>,
    facts: Vec<String>,
    trail: Trail,
    pub(super) text: String,
    error: Option<String>,
    head: String,
    raw: String,
    id: String,
    /// For those who do not see it.
    summary: String,
    /// Without the text, which is on the page already.
    streamed: bool,
}

impl Run {
    /// Takes note of it.
    pub(super) fn begin(request: &HttpRequest, worker: &Rc<Worker>, state: &State, body: String) -> Self {
        let Admitted { id, client } = request.extensions().get::<Admitted>().cloned().unwrap_or_default();
        let (watcher, progress) = unbounded_channel();
        let mut note = worker.journal.open(id);
        note.row.client = client;
        note.follow(Endpoint::Chat, || None);
        note.watch(watcher);
        Self { worker: Rc::clone(worker), config: state.config(), body, note, progress }
    }

    /// All of it at once.
    pub(super) async fn finish(self) -> Outcome {
        let (sender, mut receiver) = channel(8);
        let running = apart(self.run(sender));
        while receiver.recv().await.is_some() {}
        running.await.unwrap_or_else(|_| Outcome::lost())
    }

    /// Piece by piece. Who leaves ends it, and the call of the provider with it.
    pub(super) fn stream(self) -> HttpResponse {
        let (sender, pieces) = channel(8);
        let running = apart(async move {
            let mut outcome = self.run(sender.clone()).await;
            outcome.streamed = true;
            let mut message = Message::default();
            message.part("#pg-outcome", "innerHTML", &outcome.render().unwrap_or_default());
            message.part("#pg-trail", "innerHTML", &outcome.trail.render().unwrap_or_default());
            message.part("#announce", "innerHTML", &escaped(&outcome.summary));
            let _ = sender.send(message.event("").into()).await;
        });
        sse::stream().body(Pouring::of(pieces, running))
    }

    async fn run(self, out: Sender<Bytes>) -> Outcome {
        let Self { worker, config, body, note, mut progress } = self;
        let clock = worker.clock.clone();
        let tell = async |message: &Message| {
            // Nobody may look on; the request is made all the same until it is dropped.
            let _ = out.send(message.event("").into()).await;
        };
        let mut begun = Message::default();
        begun.part("#pg-error", "innerHTML", "").part("#pg-outcome", "innerHTML", "").part("#pg-out", "innerHTML", "");
        begun.part("#pg-trail", "innerHTML", "");
        tell(&begun).await;
        let answering = completions::answer(&worker, config, Endpoint::Chat, body.into(), note);
        tokio::pin!(answering);
        let response = loop {
            tokio::select! {
                biased;
                Some(news) = progress.recv() => {
                    let (trail, trying) = match news {
                        Progress::Calls(entry, trail) => (trail, format!("trying {} / {}", entry.provider, entry.model)),
                        Progress::Waits(trail) => (trail, "waiting for quota to come back".to_owned()),
                        Progress::Ended(_) => continue,
                    };
                    let mut shown = trail_of(&trail, clock.now());
                    shown.trying = Some(trying);
                    let mut message = Message::default();
                    message.part("#pg-trail", "innerHTML", &shown.render().unwrap_or_default());
                    tell(&message).await;
                }
                response = &mut answering => break response,
            }
        };
        let (head, mut body) = response.into_parts();
        let streams = head.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let mut lines = format!("{}\n", head.status());
        for (name, value) in head.headers() {
            lines += &format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()));
        }
        let (mut pieces, mut text) = (Pieces::default(), String::new());
        let mut whole = Vec::new();
        let mut last = Instant::now() - EVERY;
        loop {
            // What waits to be sent does not wait for the next piece.
            let next = std::future::poll_fn(|cx| Pin::new(&mut body).poll_next(cx));
            match tokio::time::timeout(EVERY, next).await {
                Ok(Some(Ok(chunk))) if streams => pieces.stream(&chunk),
                Ok(Some(Ok(chunk))) => whole.extend_from_slice(&chunk),
                Ok(Some(Err(_)) | None) => break,
                Err(_) => {}
            }
            if last.elapsed() >= EVERY {
                last = Instant::now();
                pour(&mut pieces, &mut text, &out).await;
            }
        }
        if !streams {
            pieces.whole(&whole);
        }
        pour(&mut pieces, &mut text, &out).await;
        // The row is complete when nobody holds the answer any more.
        drop(body);
        let mut row = None;
        while let Some(news) = progress.recv().await {
            if let Progress::Ended(ended) = news {
                row = Some(ended);
            }
        }
        match row {
            Some(row) => Outcome::of(&row, text, pieces, lines, clock.now()),
            None => Outcome::lost(),
        }
    }
}

/// Sends what is new of the text.
async fn pour(pieces: &mut Pieces, text: &mut String, out: &Sender<Bytes>) {
    let new = pieces.take();
    if new.is_empty() {
        return;
    }
    text.push_str(&new);
    let mut message = Message::default();
    message.part("#pg-out", "beforeend", &escaped(&new));
    let _ = out.send(message.event("").into()).await;
}

fn trail_of(trail: &crate::domain::trail::Trail, now: Now) -> Trail {
    Trail::of(&trail.view(now))
}

impl Outcome {
    fn of(row: &Row, text: String, pieces: Pieces, head: String, now: Now) -> Self {
        let steps = row.trail.view(now);
        let served_by = row.served_by.as_ref().map(|entry| format!("{} / {}", entry.provider, entry.model));
        let ms = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let tries = row.trail.attempts();
        let mut facts = vec![format!("{tries} {}", if tries == 1 { "try" } else { "tries" })];
        if !row.waited.is_zero() {
            facts.push(format!("waited {}", words::span(ms(row.waited))));
        }
        facts.extend(row.first_token.map(|first| format!("first token {}", words::span(ms(first)))));
        facts.push(format!("total {}", words::span(ms(row.took))));
        if let Some(usage) = row.usage {
            let about = if usage.estimated { "about " } else { "" };
            let (prompt, answer) = (words::count(usage.prompt_tokens), words::count(usage.completion_tokens));
            facts.push(format!("{about}{prompt} + {answer} tokens"));
            let writing = ms(row.took).saturating_sub(row.first_token.map_or(0, ms));
            // What is written in an instant says nothing of the pace.
            let paced = writing >= 100 && usage.completion_tokens > 0;
            if let Some(rate) = (usage.completion_tokens * 1_000).checked_div(writing).filter(|_| paced) {
                facts.push(format!("{} tok/s", words::count(rate)));
            }
        }
        let failed = row.code.is_some();
        let error = pieces
            .error
            .filter(|_| failed)
            .or_else(|| row.code.map(|code| trail::sentence(&steps).unwrap_or_else(|| code.to_owned())));
        let summary = match (&served_by, failed) {
            (Some(entry), false) => format!("Answer complete, served by {entry}"),
            (Some(entry), true) => format!("The answer of {entry} broke off"),
            (None, _) => "No answer".to_owned(),
        };
        let raw = String::from_utf8_lossy(&pieces.raw).into_owned();
        let (trail, id) = (Trail::of(&steps), row.id.clone());
        Self { served_by, facts, trail, text, error, head, raw, id, summary, streamed: false }
    }

    /// Of a request that nobody knows any more: a defect.
    fn lost() -> Self {
        Self {
            served_by: None,
            facts: Vec::new(),
            trail: Trail::of(&[]),
            text: String::new(),
            error: Some("429chain failed on this request. Its log says more; please report it.".to_owned()),
            head: String::new(),
            raw: String::new(),
            id: String::new(),
            summary: "No answer".to_owned(),
            streamed: false,
        }
    }
}
