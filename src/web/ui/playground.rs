//! A request by hand, on the very way that requests of clients go: through the same chain, quota and log, where it is
//! marked as `ui`.

mod pieces;
mod question;
mod run;

use actix_web::http::StatusCode;
use actix_web::web::{Form, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use self::question::Question;
use self::run::{Outcome, Run};
use super::dashboard::address;
use super::fault::Fault;
use super::shell::{Shell, answer, state, worker};
use crate::actors::msg::Routes;
use crate::web::error::ApiError;

#[derive(Template)]
#[template(path = "playground.html")]
struct Page {
    shell: Shell,
    question: Question,
    chains: Vec<String>,
    entries: Vec<String>,
    curl: String,
    wrong: Option<String>,
    outcome: Option<Outcome>,
}

#[derive(Template)]
#[template(path = "playground_wrong.html")]
struct Wrong {
    message: String,
}

#[derive(Template)]
#[template(path = "playground_curl.html")]
struct Curl {
    curl: String,
}

/// `GET /ui/playground`
pub(super) async fn page(request: HttpRequest, question: Query<Question>) -> HttpResponse {
    let mut question = question.into_inner();
    if question.message.is_empty() {
        question = Question::first(question.model);
    }
    whole(&request, StatusCode::OK, question, None, None).await
}

/// `POST /ui/playground/curl`: the same as a command. Asks nobody.
pub(super) async fn curl(request: HttpRequest, question: Form<Question>) -> HttpResponse {
    match question.curl(&address(&request)) {
        Ok(curl) => answer(&request, StatusCode::OK, &Curl { curl }),
        Err(message) => answer(&request, StatusCode::OK, &Curl { curl: message }),
    }
}

/// `POST /ui/playground/send`: piece by piece for who has scripts, as a page for others.
pub(super) async fn send(request: HttpRequest, question: Form<Question>) -> HttpResponse {
    let (Some(worker), Some(state)) = (worker(&request), state(&request)) else {
        return Fault::from(&ApiError::ShuttingDown).page(&request);
    };
    let htmx = request.headers().contains_key("hx-request");
    let question = question.into_inner();
    let streams = htmx && question.stream.is_some();
    let body = match question.body(streams) {
        Ok(body) => body,
        Err(message) if htmx => return answer(&request, StatusCode::UNPROCESSABLE_ENTITY, &Wrong { message }),
        Err(message) => {
            return whole(&request, StatusCode::UNPROCESSABLE_ENTITY, question, Some(message), None).await;
        }
    };
    let run = Run::begin(&request, worker, state, body);
    if htmx {
        return run.stream();
    }
    let outcome = run.finish().await;
    whole(&request, StatusCode::OK, question, None, Some(outcome)).await
}

async fn whole(
    request: &HttpRequest,
    status: StatusCode,
    mut question: Question,
    wrong: Option<String>,
    outcome: Option<Outcome>,
) -> HttpResponse {
    let Some(worker) = worker(request) else { return Fault::from(&ApiError::ShuttingDown).page(request) };
    let Ok(table) = worker.router.send(Routes).await else {
        return Fault::from(&ApiError::ShuttingDown).page(request);
    };
    let chains: Vec<String> = table.order.iter().map(ToString::to_string).collect();
    let mut entries: Vec<String> = table.entries.keys().map(ToString::to_string).collect();
    entries.sort_unstable();
    if question.model.is_empty() {
        // What the form shows first.
        question.model = chains.iter().chain(&entries).next().map_or_else(|| "default".to_owned(), String::clone);
    }
    let curl = question.curl(&address(request)).unwrap_or_default();
    let shell = Shell::of(request, "Playground", "/ui/playground");
    answer(request, status, &Page { shell, question, chains, entries, curl, wrong, outcome })
}
