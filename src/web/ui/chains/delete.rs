//! Deleting a chain: a page that asks, which stands in a dialog where there are scripts.

use actix_web::http::StatusCode;
use actix_web::web::{Form, Path};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use askama::Template;

use super::desk::{Desk, refusal};
use crate::config::edit::Change;
use crate::config::model::UnknownModel;
use crate::web::ui::did;
use crate::web::ui::door::Caller;
use crate::web::ui::fields::Fields;
use crate::web::ui::shell::{Shell, answer, wants_part};

#[derive(Template)]
#[template(path = "chain_delete.html")]
struct Page {
    shell: Shell,
    question: Question,
}

/// What is asked.
#[derive(Template)]
#[template(path = "chain_question.html")]
struct Question {
    csrf: String,
    revision: String,
    locked: bool,
    name: String,
    is_default: bool,
    entries: usize,
    /// Chains that could be the default.
    others: Vec<String>,
    /// What requests that name it come to afterwards.
    clients: String,
    refused: String,
}

/// `GET /ui/chains/{name}/delete`
pub(super) async fn page(request: HttpRequest, name: Path<String>) -> HttpResponse {
    ask(&request, &name, StatusCode::OK, String::new()).await
}

/// `POST /ui/chains/{name}/delete`
pub(super) async fn delete(request: HttpRequest, name: Path<String>, fields: Form<Fields>) -> HttpResponse {
    let desk = match Desk::open(&request).await {
        Ok(desk) => desk,
        Err(fault) => return fault.page(&request),
    };
    let chain = match desk.chain(&name) {
        Ok(chain) => chain,
        Err(fault) => return fault.page(&request),
    };
    let mut changes = Vec::new();
    if chain.is_default && desk.chains.len() > 1 {
        let next = fields.text("default");
        if next == chain.name || desk.chains.iter().all(|other| other.name != next) {
            let words = "It is the default chain. Make another chain the default first.".to_owned();
            return ask(&request, &name, StatusCode::UNPROCESSABLE_ENTITY, words).await;
        }
        changes.push(Change::SetDefaultChain { name: next.to_owned() });
    }
    changes.push(Change::DeleteChain { name: name.clone() });
    match desk.change(fields.revision(), changes).await {
        Ok(()) => did::done(&request, "/ui/chains", "deleted"),
        Err(fault) => {
            let (status, words) = refusal(&fault, "The chain was not deleted.");
            ask(&request, &name, status, words).await
        }
    }
}

async fn ask(request: &HttpRequest, name: &str, status: StatusCode, refused: String) -> HttpResponse {
    let desk = match Desk::open(request).await {
        Ok(desk) => desk,
        Err(fault) => return fault.page(request),
    };
    let chain = match desk.chain(name) {
        Ok(chain) => chain,
        Err(fault) => return fault.page(request),
    };
    let others: Vec<String> =
        desk.chains.iter().filter(|other| other.name != name).map(|other| other.name.clone()).collect();
    let settings = &desk.paper.config.settings;
    let clients = match settings.unknown_model {
        _ if others.is_empty() => "get an error, since there is no other chain".to_owned(),
        UnknownModel::Reject => "get 404 (model_not_found)".to_owned(),
        UnknownModel::DefaultChain if chain.is_default => "are served by the new default chain".to_owned(),
        UnknownModel::DefaultChain => format!("are served by the default chain `{}`", settings.default_chain),
    };
    let question = Question {
        csrf: request.extensions().get::<Caller>().map(|caller| caller.token.clone()).unwrap_or_default(),
        revision: desk.paper.revision.clone(),
        locked: desk.paper.locked.is_some(),
        name: name.to_owned(),
        is_default: chain.is_default,
        entries: chain.places.len(),
        others,
        clients,
        refused,
    };
    match wants_part(request) {
        true => answer(request, status, &question),
        false => {
            let shell = Shell::of(request, "Chains", "/ui/chains").with_paper(&desk.paper);
            answer(request, status, &Page { shell, question })
        }
    }
}
