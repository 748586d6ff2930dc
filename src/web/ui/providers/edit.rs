//! Adding a provider, and the page of one.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Form, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use super::super::did::done;
use super::super::fault::Fault;
use super::super::fields::{Fields, Wrong};
use super::super::paper::{self, Paper};
use super::super::shell::{Shell, answer, state, wants_part, worker};
use super::super::standing::{Status, standing};
use super::form::{self, FIELDS};
use super::models::Models;
use super::row::{Sign, key};
use super::trial::Tried;
use super::{HERE, unknown};
use crate::config::edit::Change;
use crate::config::presets::{PRESETS, Preset};
use crate::web::error::ApiError;
use crate::web::state::State;

/// Which service is to be added.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Which {
    preset: String,
}

#[derive(Template)]
#[template(path = "provider_choice.html")]
struct Choice {
    shell: Shell,
}

impl Choice {
    fn presets(&self) -> &'static [Preset] {
        &PRESETS
    }
}

/// The page of a provider, or of one that is being added.
#[derive(Template)]
#[template(path = "provider.html")]
pub(super) struct Page {
    pub(super) shell: Shell,
    pub(super) form: Card,
    /// `None` for one that is being added.
    pub(super) about: Option<About>,
}

/// The form by itself.
#[derive(Template)]
#[template(path = "provider_form.html")]
pub(super) struct Card {
    pub(super) csrf: String,
    pub(super) revision: String,
    pub(super) locked: bool,
    pub(super) it: form::Provider,
    pub(super) tried: Option<Tried>,
}

/// What there is to say of a provider that is in use.
pub(super) struct About {
    pub(super) name: String,
    pub(super) enabled: bool,
    pub(super) state: Sign,
    pub(super) models: Models,
}

/// `GET /ui/providers/new`
pub(super) async fn new(request: HttpRequest, which: Query<Which>) -> HttpResponse {
    let Some(state) = state(&request) else { return Fault::from(&ApiError::ShuttingDown).page(&request) };
    let paper = Paper::read(state).await;
    let Some(preset) = Preset::find(&which.preset) else {
        let shell = Shell::of(&request, "Add provider", HERE).with_paper(&paper);
        return answer(&request, StatusCode::OK, &Choice { shell });
    };
    let form = form::Provider::new(preset, free_id(preset.id, &paper));
    show(&request, StatusCode::OK, paper, form, None).await
}

/// `groq`, or `groq-2` when there is one already.
fn free_id(id: &str, paper: &Paper) -> String {
    let is_free = |id: &String| {
        paper.provider(id).is_none() && !paper.config.providers.iter().any(|it| it.id.as_str() == id.as_str())
    };
    let numbered = (2..100).map(|number| format!("{id}-{number}"));
    std::iter::once(id.to_owned()).chain(numbered).find(is_free).unwrap_or_default()
}

/// `POST /ui/providers`
pub(super) async fn create(request: HttpRequest, fields: Form<Fields>) -> HttpResponse {
    let Some(state) = state(&request) else { return Fault::from(&ApiError::ShuttingDown).page(&request) };
    let paper = Paper::read(state).await;
    let form = form::Provider::filled(&fields, "", String::new());
    let taken = match form.id.as_str() {
        "new" | "test" => Some("These pages have a word like that in their addresses: choose another ID.".to_owned()),
        id => paper.provider(id).map(|_| format!("There is already a provider `{id}`: choose another ID.")),
    };
    if let Some(taken) = taken {
        let wrong = Wrong::of("id", taken);
        return show(&request, StatusCode::UNPROCESSABLE_ENTITY, paper, form.with(vec![wrong]), None).await;
    }
    let to = format!("{HERE}/{}", form.id);
    put(&request, state, &fields, form, paper, &to, "added").await
}

/// `GET /ui/providers/{id}`
pub(super) async fn one(request: HttpRequest, id: Path<String>) -> HttpResponse {
    let Some(state) = state(&request) else { return Fault::from(&ApiError::ShuttingDown).page(&request) };
    let paper = Paper::read(state).await;
    let Some(form) = saved(&paper, &id) else { return unknown(&request, &id) };
    show(&request, StatusCode::OK, paper, form, None).await
}

/// What the file says about it; without a file what is in use.
pub(super) fn saved(paper: &Paper, id: &str) -> Option<form::Provider> {
    let live = paper.config.providers.iter().find(|provider| provider.id.as_str() == id);
    match (paper.provider(id), live) {
        (Some(written), Some(live)) => Some(form::Provider::of(id, written, key(Some(written), live))),
        (Some(written), None) => Some(form::Provider::of(id, written, String::new())),
        (None, Some(live)) => Some(form::Provider {
            saved: id.to_owned(),
            id: id.to_owned(),
            name: live.name.clone(),
            kind: live.dialect.word(),
            saved_key: key(None, live),
            base_url: live.base_url.clone(),
            limits: vec![String::new(); form::LIMITS.len()],
            ..form::Provider::default()
        }),
        (None, None) => None,
    }
}

/// `POST /ui/providers/{id}`
pub(super) async fn save(request: HttpRequest, id: Path<String>, fields: Form<Fields>) -> HttpResponse {
    let Some(state) = state(&request) else { return Fault::from(&ApiError::ShuttingDown).page(&request) };
    let paper = Paper::read(state).await;
    let Some(before) = saved(&paper, &id) else { return unknown(&request, &id) };
    let form = form::Provider::filled(&fields, &id, before.saved_key);
    let to = format!("{HERE}/{id}");
    put(&request, state, &fields, form, paper, &to, "saved").await
}

/// Writes what the form says, or shows it again with what is wrong.
async fn put(
    request: &HttpRequest,
    state: &Arc<State>,
    fields: &Fields,
    form: form::Provider,
    paper: Paper,
    to: &str,
    word: &str,
) -> HttpResponse {
    let written = paper.provider(&form.saved);
    if written.is_none() && !form.saved.is_empty() && paper.locked.is_none() {
        // It is in use and not in the file any more: what the form has no field for would be lost.
        let advice = "The file does not have it any more, although it is still in use. Read the file again on the page Settings.";
        return Fault::of(409, format!("`{}` is not in the configuration file", form.saved), advice).page(request);
    }
    let provider = match form.value(fields, written) {
        Ok(provider) => provider,
        Err(wrongs) => return show(request, StatusCode::UNPROCESSABLE_ENTITY, paper, form.with(wrongs), None).await,
    };
    let change = Change::PutProvider { id: form.id.clone(), provider };
    match paper::changes(state, fields.revision(), vec![change]).await {
        Ok(adopted) => done(request, to, if adopted.changed.is_empty() { "same" } else { word }),
        Err(ApiError::ConfigChanged { .. }) => {
            let message = "The configuration was changed elsewhere meanwhile, so nothing was saved. What you have \
                           written is still here: save again to put it over what the file says now.";
            show(request, StatusCode::CONFLICT, paper, form.with(vec![Wrong::of("", message)]), None).await
        }
        Err(fault @ ApiError::InvalidConfig { .. }) => {
            let wrongs = Wrong::all(&fault, &paper.place_of_provider(&form.id), &FIELDS);
            show(request, StatusCode::UNPROCESSABLE_ENTITY, paper, form.with(wrongs), None).await
        }
        Err(fault) => Fault::from(&fault).page(request),
    }
}

/// The page with this form; for htmx the form alone.
pub(super) async fn show(
    request: &HttpRequest,
    status: StatusCode,
    paper: Paper,
    it: form::Provider,
    tried: Option<Tried>,
) -> HttpResponse {
    let shell = Shell::of(request, if it.saved.is_empty() { "Add provider" } else { "Provider" }, HERE);
    let shell = shell.with_paper(&paper);
    let (csrf, locked, id) = (shell.csrf.clone(), paper.locked.is_some(), it.saved.clone());
    let form = Card { csrf, revision: paper.revision.clone(), locked, it, tried };
    if wants_part(request) {
        return answer(request, status, &form);
    }
    // A whole page takes the place of the field, and a key is never sent back.
    let form = Card { it: form::Provider { again: form.it.typed, ..form.it }, ..form };
    match about(request, &paper, &id).await {
        Ok(about) => answer(request, status, &Page { shell, form, about }),
        Err(fault) => Fault::from(&fault).page(request),
    }
}

async fn about(request: &HttpRequest, paper: &Paper, id: &str) -> Result<Option<About>, ApiError> {
    let (Some(worker), Some(state)) = (worker(request), state(request)) else { return Err(ApiError::ShuttingDown) };
    let Some(provider) = paper.config.providers.iter().find(|provider| provider.id.as_str() == id) else {
        return Ok(None);
    };
    let standing = standing(worker, state).await?;
    let entries = standing.ratelimits.iter().filter(|entry| entry.provider == id);
    let statuses: Vec<Status> = entries.map(|entry| entry.status).collect();
    let models = Models::of(request, provider, paper, &standing, state, "");
    let (name, enabled) = (provider.name.clone(), provider.enabled);
    Ok(Some(About { name, enabled, state: Sign::of(&statuses, enabled), models }))
}
