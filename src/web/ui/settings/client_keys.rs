//! The keys that clients send: made, shown once, and revoked.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Form, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use tracing::info;

use super::super::did::done;
use super::super::fault::Fault;
use super::super::fields::{Fields, Wrong};
use super::super::paper::{self, Paper};
use super::super::shell::state;
use super::super::words;
use super::once::Once;
use super::question::Question;
use super::{HERE, STALE, Said, show};
use crate::config::edit::{Change, Value};
use crate::config::model::{ClientKey, KeyDigest};
use crate::config::revision::Revision;
use crate::config::starter::random_key;
use crate::store::totals::{Kind, Sums};
use crate::web::admin::editing::{invalid, stale};
use crate::web::admin::look;
use crate::web::error::ApiError;
use crate::web::query::Query as Asked;
use crate::web::state::State;
use crate::web::stats;

/// All of them, in the order of the file.
pub(super) struct ClientKeys {
    pub(super) rows: Vec<Row>,
    /// Why nothing is known of what they have done.
    pub(super) unread: Option<String>,
    /// What the next one is called if nobody says it.
    pub(super) next: String,
}

/// One of them.
pub(super) struct Row {
    /// Counted from 1.
    pub(super) place: usize,
    pub(super) label: String,
    /// The label is its own, and not its place.
    pub(super) named: bool,
    /// As the file has it, masked; nothing without a file.
    pub(super) written: String,
    /// What that means.
    pub(super) how: &'static str,
    pub(super) requests: String,
    pub(super) tokens: String,
}

impl Row {
    fn of(place: usize, item: &Value) -> Self {
        let label = item.text("label").map(str::to_owned);
        let written = item.as_text().or_else(|| item.text("key")).unwrap_or_default().to_owned();
        let how = match written.as_str() {
            "" => "",
            digest if digest.starts_with("sha256:") => "its digest",
            reference if reference.contains("${") => "from the environment",
            _ => "in plain text",
        };
        let named = label.is_some();
        let label = label.unwrap_or_else(|| ClientKey::label_of(place - 1));
        Self { place, label, named, written, how, requests: words::NONE.to_owned(), tokens: words::NONE.to_owned() }
    }
}

impl ClientKeys {
    /// Those of the file, or else those in use, and what they have done in the last 24 hours.
    pub(super) async fn read(state: &State, paper: &Paper) -> Self {
        let mut keys = Self::of(paper);
        match last_day(state).await {
            Ok(sums) => {
                for row in &mut keys.rows {
                    let Some(totals) = sums.totals.get(&row.label) else { continue };
                    row.requests = words::count(totals.requests);
                    row.tokens = words::known(Some(totals.total_tokens).filter(|count| *count > 0));
                }
            }
            Err(fault) => keys.unread = Some(fault.to_string()),
        }
        keys
    }

    fn of(paper: &Paper) -> Self {
        let written = paper.document.get("settings").and_then(|settings| settings.get("apiKeys"));
        let in_use = &paper.config.settings.api_keys;
        let mut rows: Vec<Row> = match written.map(Value::items).unwrap_or_default() {
            [] => {
                let labels = in_use.iter().map(|key| Value::from([("label", key.label.as_str().into())]));
                labels.zip(1..).map(|(item, place)| Row::of(place, &item)).collect()
            }
            items => items.iter().zip(1..).map(|(item, place)| Row::of(place, item)).collect(),
        };
        for (row, key) in rows.iter_mut().zip(in_use).filter(|(row, _)| row.label.contains("${")) {
            row.label.clone_from(&key.label);
        }
        let next = ClientKey::label_of(rows.len());
        Self { rows, unread: None, next }
    }
}

async fn last_day(state: &State) -> Result<Sums, ApiError> {
    let now = state.clock.now().wall;
    let range = Asked::parse("range=24h", &["range"])?.range(now)?;
    stats::read(state, move |database| database.totals(Kind::Client, range.from, range.to, now)).await
}

/// `POST /ui/settings/keys`: makes a key, and shows it.
pub(super) async fn make(request: HttpRequest, fields: Form<Fields>) -> HttpResponse {
    let label = fields.text("label");
    match new_key(&request, fields.revision(), label).await {
        Ok(key) => {
            info!(label, "a client key was made in the UI");
            Once::client_key(&request, key, label).page(&request)
        }
        Err((status, wrongs)) => show(&request, status, Said { wrongs, label: label.to_owned(), refused: None }).await,
    }
}

const MADE_ALREADY: &str = "The configuration file has changed since this form was made, so no key was made this time. If you \
                            have loaded the page of a new key again: that key works, but it was shown only once. If it is \
                            lost, revoke it and make another.";

async fn new_key(request: &HttpRequest, revision: &str, label: &str) -> Result<String, (StatusCode, Vec<Wrong>)> {
    let refused = |fault: ApiError| (fault.status(), Said::of(&fault, MADE_ALREADY).wrongs);
    let state = state(request).ok_or_else(|| refused(ApiError::ShuttingDown))?;
    let paper = Paper::read(state).await;
    if paper.locked.is_none() && paper.revision == revision {
        let wrong = |message: String| (StatusCode::UNPROCESSABLE_ENTITY, vec![Wrong::of("label", message)]);
        let keys = ClientKeys::of(&paper);
        let taken = |label: &str| keys.rows.iter().any(|row| row.label == label);
        if taken(label) {
            return Err(wrong(format!("There is a key called {label} already: choose another label.")));
        }
        if label.is_empty() && taken(&keys.next) {
            return Err(wrong(format!("Another key is called {} already: give this one a label.", keys.next)));
        }
    }
    let key = random_key("sk-429-").map_err(|_| refused(ApiError::Internal))?;
    let label = Some(label.to_owned()).filter(|label| !label.is_empty());
    let change = Change::AddClientKey { digest: KeyDigest::of(&key), label };
    paper::changes(state, revision, vec![change]).await.map_err(refused)?;
    Ok(key)
}

/// Which file somebody has seen.
#[derive(Deserialize)]
pub(super) struct Seen {
    #[serde(default)]
    rev: String,
}

/// `GET /ui/settings/keys/{place}/revoke`: asks before.
pub(super) async fn ask(request: HttpRequest, place: Path<usize>, seen: Query<Seen>) -> HttpResponse {
    let Some(state) = state(&request) else { return Fault::from(&ApiError::ShuttingDown).page(&request) };
    let paper = Paper::read(state).await;
    if !seen.rev.is_empty() && seen.rev != paper.revision {
        return match request.headers().contains_key("hx-request") {
            true => Fault::of(409, "The file has changed", "Load this page again: its keys may be others now.")
                .page(&request),
            false => {
                show(&request, StatusCode::CONFLICT, Said { wrongs: vec![Wrong::of("", STALE)], ..Said::default() })
                    .await
            }
        };
    }
    let keys = ClientKeys::of(&paper);
    let Some(row) = keys.rows.iter().find(|row| row.place == *place) else {
        return Fault::of(404, "There is no such key", "It may be revoked already: look at the settings.")
            .page(&request);
    };
    question(&keys, row, &paper).page(&request, &paper)
}

fn question(keys: &ClientKeys, row: &Row, paper: &Paper) -> Question {
    let mut lines = vec![format!(
        "Apps that use it are refused from then on. What it has done stays in the log, under {}.",
        row.label
    )];
    if row.how == "from the environment" {
        lines.push(format!(
            "It comes from {}: that is taken out of the file, and the variable counts no more.",
            row.written
        ));
    }
    let behind: Vec<&Row> = keys.rows.iter().filter(|other| other.place > row.place && !other.named).collect();
    if !behind.is_empty() {
        let renamed: Vec<String> = behind
            .iter()
            .map(|other| format!("{} becomes {}", other.label, ClientKey::label_of(other.place - 2)))
            .collect();
        lines.push(format!("Keys without a label are called by their place: {}.", renamed.join(", ")));
    }
    let only = keys.rows.len() == 1;
    if only {
        lines = vec![
            "It is the only client key, and 429chain does not run without one: everybody who reaches it could spend your \
             quota. Make another key first."
                .to_owned(),
        ];
    }
    Question {
        title: format!("Revoke the key {}?", row.label),
        lines,
        action: format!("{HERE}/keys/{}/revoke", row.place),
        button: "Revoke",
        revision: paper.revision.clone(),
        may: !only && paper.locked.is_none(),
    }
}

/// `POST /ui/settings/keys/{place}/revoke`
pub(super) async fn revoke(request: HttpRequest, place: Path<usize>, fields: Form<Fields>) -> HttpResponse {
    let Some(state) = state(&request) else { return Fault::from(&ApiError::ShuttingDown).page(&request) };
    let revoked = async {
        let digest = digest_at(state, fields.revision(), *place).await?;
        paper::changes(state, fields.revision(), vec![Change::RemoveClientKey { digest }]).await
    };
    match revoked.await {
        Ok(_) => {
            info!(place = *place, "a client key was revoked in the UI");
            done(&request, HERE, "revoked")
        }
        Err(fault) => show(&request, fault.status(), Said::of(&fault, STALE)).await,
    }
}

/// Which key stands at that place of the file as somebody has seen it. Places move when a key goes: of another file none is
/// told.
async fn digest_at(state: &Arc<State>, revision: &str, place: usize) -> Result<KeyDigest, ApiError> {
    let based_on = Revision::parse(revision);
    let found = look(state, move |source, file| {
        let (text, current) =
            file.read().map_err(|errors| invalid("The configuration file cannot be read.", &errors))?;
        if based_on.is_some_and(|based_on| based_on != current) {
            return Ok(Err(current));
        }
        let loaded =
            source.parse(&text).map_err(|errors| invalid("The configuration file has to be mended first.", &errors))?;
        let key = place.checked_sub(1).and_then(|at| loaded.config.settings.api_keys.get(at).map(|key| key.digest));
        key.map(Ok).ok_or_else(|| ApiError::Unknown("There is no such client key.".to_owned()))
    });
    match found.await? {
        Ok(digest) => Ok(digest),
        Err(current) => Err(stale(state, current).await),
    }
}
