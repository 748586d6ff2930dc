//! The accounts: who there is, how they are doing, and everything that can be done about them.

mod delete;
mod edit;
mod form;
mod models;
mod row;
mod trial;

use actix_web::http::StatusCode;
use actix_web::web::{self, Form, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use self::row::{Row, Show};
use super::did::done;
use super::door::form_encoded;
use super::fault::Fault;
use super::fields::Fields;
use super::paper::{self, Paper};
use super::shell::{Shell, answer, state, worker};
use super::standing::standing;
use super::{at, view};
use crate::config::edit::Change;
use crate::config::presets::{PRESETS, Preset};
use crate::web::error::ApiError;

/// Where it is in the navigation.
const HERE: &str = "/ui/providers";

/// All pages about providers.
pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(at("/ui/providers").route(view().to(list)).route(web::post().to(edit::create)))
        .service(at("/ui/providers/new").route(view().to(edit::new)))
        .service(at("/ui/providers/test").route(web::post().to(trial::unsaved)))
        .service(at("/ui/providers/{id}").route(view().to(edit::one)).route(web::post().to(edit::save)))
        .service(at("/ui/providers/{id}/test").route(web::post().to(trial::saved)))
        .service(at("/ui/providers/{id}/enable").route(web::post().to(enable)))
        .service(
            at("/ui/providers/{id}/delete").route(view().to(delete::question)).route(web::post().to(delete::delete)),
        )
        .service(at("/ui/providers/{id}/models").route(view().to(models::list)))
        .service(at("/ui/providers/{id}/models/refresh").route(web::post().to(models::refresh)))
        .service(at("/ui/providers/{id}/add").route(web::post().to(models::add)));
}

/// The list, by what is to be seen of it.
#[derive(Deserialize)]
#[serde(default)]
struct Wanted {
    show: String,
    q: String,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { show: "all".to_owned(), q: String::new() }
    }
}

#[derive(Template)]
#[template(path = "providers.html")]
struct Page {
    shell: Shell,
    revision: String,
    rows: Vec<Row>,
    /// How many there are in all.
    count: usize,
    show: Show,
    q: String,
}

impl Page {
    fn presets(&self) -> &'static [Preset] {
        &PRESETS
    }

    fn shows(&self) -> [Show; 4] {
        Show::ALL
    }

    /// To the list with other providers in it.
    fn link(&self, show: Show) -> String {
        let search = if self.q.is_empty() { String::new() } else { format!("&q={}", form_encoded(&self.q)) };
        format!("{HERE}?show={}{search}", show.word())
    }
}

/// `GET /ui/providers`
async fn list(request: HttpRequest, wanted: Query<Wanted>) -> HttpResponse {
    let (Some(worker), Some(state)) = (worker(&request), state(&request)) else {
        return Fault::from(&ApiError::ShuttingDown).page(&request);
    };
    let paper = Paper::read(state).await;
    let standing = match standing(worker, state).await {
        Ok(standing) => standing,
        Err(fault) => return Fault::from(&fault).page(&request),
    };
    let (show, q) = (Show::of(&wanted.show), wanted.q.trim().to_owned());
    let rows = paper.config.providers.iter().map(|provider| Row::of(provider, &paper, &standing, state));
    let rows: Vec<Row> = rows.filter(|row| row.is_shown(show) && row.matches(&q)).collect();
    let shell = Shell::of(&request, "Providers", HERE).with_paper(&paper);
    let (count, revision) = (paper.config.providers.len(), paper.revision);
    answer(&request, StatusCode::OK, &Page { shell, revision, rows, count, show, q })
}

/// `POST /ui/providers/{id}/enable`: switches it on or off.
async fn enable(request: HttpRequest, id: Path<String>, fields: Form<Fields>) -> HttpResponse {
    let Some(state) = state(&request) else { return Fault::from(&ApiError::ShuttingDown).page(&request) };
    let paper = Paper::read(state).await;
    let on = fields.text("to") == "on";
    let Some(mut provider) = paper.provider(&id).cloned() else { return unknown(&request, &id) };
    // What is on need not be said.
    match (on, provider.get("enabled").is_some()) {
        (true, false) => {}
        _ => provider.set("enabled", on.into()),
    }
    forget_keys(&mut provider);
    // As it is called in use: in the file it may be a reference.
    provider.set("id", id.as_str().into());
    let change = Change::PutProvider { id: id.into_inner(), provider };
    match paper::changes(state, fields.revision(), vec![change]).await {
        Ok(_) => done(&request, HERE, if on { "on" } else { "off" }),
        Err(fault) => Fault::from(&fault).page(&request),
    }
}

/// What is left out about where its key comes from stays as it is.
fn forget_keys(provider: &mut crate::config::edit::Value) {
    for key in ["apiKey", "apiKeys", "apiKeyFile"] {
        provider.set(key, crate::config::edit::Value::Null);
    }
}

fn unknown(request: &HttpRequest, id: &str) -> HttpResponse {
    Fault::of(404, format!("There is no provider `{id}`"), "It may have been deleted or renamed.").page(request)
}
