//! Deleting a provider: what would go with it, and whether that is meant.

use actix_web::http::StatusCode;
use actix_web::web::{Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::did::done;
use super::super::fault::Fault;
use super::super::fields::Fields;
use super::super::paper::{self, Paper};
use super::super::shell::{Shell, answer, state, wants_part};
use super::{HERE, unknown};
use crate::config::edit::Change;
use crate::web::error::ApiError;

#[derive(Template)]
#[template(path = "provider_delete.html")]
struct Page {
    shell: Shell,
    question: Question,
}

/// The question by itself.
#[derive(Template)]
#[template(path = "provider_question.html")]
struct Question {
    csrf: String,
    revision: String,
    locked: bool,
    id: String,
    name: String,
    uses: Vec<Use>,
    /// In a dialog, which goes away when nothing is to be done.
    dialog: bool,
}

/// A chain that has it.
struct Use {
    chain: String,
    /// `#1, #3`
    places: String,
    count: usize,
    /// It has nothing else.
    all: bool,
}

impl Question {
    fn of(request: &HttpRequest, paper: &Paper, id: &str, shell: &Shell) -> Option<Self> {
        let provider = paper.config.providers.iter().find(|provider| provider.id.as_str() == id)?;
        Some(Self {
            csrf: shell.csrf.clone(),
            revision: paper.revision.clone(),
            locked: paper.locked.is_some(),
            id: id.to_owned(),
            name: provider.name.clone(),
            uses: uses(paper, id),
            dialog: wants_part(request),
        })
    }

    fn entries(&self) -> usize {
        self.uses.iter().map(|found| found.count).sum()
    }

    /// Chains that would be left with nothing.
    fn emptied(&self) -> Vec<&str> {
        self.uses.iter().filter(|found| found.all).map(|found| found.chain.as_str()).collect()
    }
}

fn uses(paper: &Paper, id: &str) -> Vec<Use> {
    let found = paper.names.chains.iter().map(|chain| {
        let places = chain.entries.iter().zip(1..).filter(|((provider, _), _)| provider == id);
        let places: Vec<String> = places.map(|(_, place)| format!("#{place}")).collect();
        let (count, all) = (places.len(), places.len() == chain.entries.len());
        Use { chain: chain.name.clone(), places: places.join(", "), count, all }
    });
    found.filter(|found| found.count > 0).collect()
}

/// `GET /ui/providers/{id}/delete`
pub(super) async fn question(request: HttpRequest, id: Path<String>) -> HttpResponse {
    let Some(state) = state(&request) else { return Fault::from(&ApiError::ShuttingDown).page(&request) };
    let paper = Paper::read(state).await;
    let shell = Shell::of(&request, "Delete provider", HERE).with_paper(&paper);
    match Question::of(&request, &paper, &id, &shell) {
        Some(question) if question.dialog => answer(&request, StatusCode::OK, &question),
        Some(question) => answer(&request, StatusCode::OK, &Page { shell, question }),
        None => unknown(&request, &id),
    }
}

/// `POST /ui/providers/{id}/delete`: with the entries that use it, if the question has named them.
pub(super) async fn delete(request: HttpRequest, id: Path<String>, fields: Form<Fields>) -> HttpResponse {
    let Some(state) = state(&request) else { return Fault::from(&ApiError::ShuttingDown).page(&request) };
    let change = Change::DeleteProvider { id: id.into_inner(), with_entries: fields.is_on("entries") };
    match paper::changes(state, fields.revision(), vec![change]).await {
        Ok(_) => done(&request, HERE, "deleted"),
        Err(fault) => Fault::from(&fault).page(&request),
    }
}
