//! Chains: which there are, how their entries stand, and everything that can be changed about them.

mod delete;
mod desk;
mod edit;
mod entries;
mod listed;
mod make;
pub(super) mod picks;
mod trial;

use actix_web::http::StatusCode;
use actix_web::web::{self, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use self::desk::Desk;
use self::listed::Listed;
use self::picks::Known;
use super::fields::{Fields, Wrong, wrong_with};
use super::shell::{Shell, answer, wants_part};
use super::{at, view};

pub(super) fn routes(config: &mut ServiceConfig) {
    let post = web::post;
    config
        .service(at("/ui/chains").route(view().to(all)).route(post().to(make::create)))
        .service(at("/ui/start/chain").route(post().to(make::from_providers)))
        .service(at("/ui/chains/{name}").route(view().to(edit::page)).route(post().to(edit::rename)))
        .service(at("/ui/chains/{name}/entries").route(post().to(entries::add)))
        .service(at("/ui/chains/{name}/entries/{n}/move").route(post().to(entries::move_to)))
        .service(at("/ui/chains/{name}/entries/{n}/delete").route(post().to(entries::delete)))
        .service(at("/ui/chains/{name}/order").route(post().to(entries::order)))
        .service(at("/ui/chains/{name}/default").route(post().to(edit::default)))
        .service(at("/ui/chains/{name}/test").route(post().to(trial::test)))
        .service(at("/ui/chains/{name}/delete").route(view().to(delete::page)).route(post().to(delete::delete)));
}

#[derive(Template)]
#[template(path = "chains.html")]
struct Page {
    shell: Shell,
    revision: String,
    chains: Vec<Listed>,
    known: Vec<Known>,
    draft: Draft,
}

/// What of the page is another as time goes on.
#[derive(Template)]
#[template(path = "chain_cards.html")]
struct Cards {
    chains: Vec<Listed>,
}

/// A chain that is about to be made, as its form has it.
#[derive(Clone, Debug, Default)]
struct Draft {
    name: String,
    /// Each `provider/model`.
    entries: Vec<String>,
    provider: String,
    model: String,
    /// The chain that it takes its entries from.
    copy: String,
    wrongs: Vec<Wrong>,
}

impl Draft {
    fn of(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name).to_owned();
        Self {
            name: text("name"),
            entries: fields.all("entry").map(str::to_owned).collect(),
            provider: text("provider"),
            model: text("model"),
            copy: text("copy"),
            wrongs: Vec::new(),
        }
    }

    fn has(&self, provider: &str, model: &str) -> bool {
        self.entries.iter().any(|entry| entry.split_once('/') == Some((provider, model)))
    }

    fn wrong(&self, field: &str) -> Option<&str> {
        wrong_with(&self.wrongs, field)
    }

    /// Whether somebody is about to fill in the form.
    fn is_begun(&self) -> bool {
        !self.copy.is_empty() || !self.name.is_empty() || !self.wrongs.is_empty()
    }
}

impl Page {
    /// The chain that is to be copied.
    fn copied(&self) -> Option<&Listed> {
        self.chains.iter().find(|chain| chain.name == self.draft.copy)
    }
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    copy: String,
}

/// `GET /ui/chains`
async fn all(request: HttpRequest, wanted: Query<Wanted>) -> HttpResponse {
    let copy = wanted.into_inner().copy;
    let name = if copy.is_empty() { String::new() } else { format!("{copy}-copy") };
    list(&request, StatusCode::OK, Draft { name, copy, ..Draft::default() }).await
}

async fn list(request: &HttpRequest, status: StatusCode, draft: Draft) -> HttpResponse {
    let Desk { state, paper, chains, .. } = match Desk::open(request).await {
        Ok(desk) => desk,
        Err(fault) => return fault.page(request),
    };
    if wants_part(request) {
        return answer(request, status, &Cards { chains });
    }
    let shell = Shell::of(request, "Chains", "/ui/chains").with_paper(&paper);
    let known = picks::all(&state, &paper.config);
    answer(request, status, &Page { shell, revision: paper.revision, chains, known, draft })
}
