//! The page that answers, in this order: can a request be served now, who rests and until when, how has it gone, and
//! what came of each request.

pub(super) mod chains;
pub(super) mod charts;
mod limits;
mod start;
mod sums;

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::fault::Fault;
use super::live::stage::Stage;
use super::live::view::View;
use super::log::{Log, Rows};
use super::shell::{Shell, answer, state, wants_part, worker};
use super::standing::{Status, standing};
use crate::upstream::waterfall::Worker;
use crate::web::error::ApiError;
use crate::web::state::State;

pub(super) use limits::Limits;
use start::Start;

#[derive(Template)]
#[template(path = "dashboard.html")]
struct Page {
    shell: Shell,
    view: View,
    /// Nobody is switched on who could serve a chain.
    all_off: bool,
    chains: Panel,
    limits: Panel,
    figures: Panel,
    log: Panel,
}

#[derive(Template)]
#[template(path = "dashboard_start.html")]
struct First {
    shell: Shell,
    start: Start,
}

/// A part of the page that stands for itself: when it cannot be made, the others are there all the same.
pub(super) struct Panel(Result<String, String>);

impl Panel {
    pub(super) fn of<T: Template>(made: Result<T, ApiError>) -> Self {
        Self(made.map_err(|fault| fault.to_string()).and_then(|part| part.render().map_err(|fault| fault.to_string())))
    }

    /// What is in it.
    pub(super) fn html(&self) -> String {
        let broken = |fault: &String| Broken { fault }.render().unwrap_or_default();
        self.0.as_ref().map_or_else(broken, Clone::clone)
    }
}

#[derive(Template)]
#[template(path = "broken.html")]
struct Broken<'a> {
    fault: &'a str,
}

/// `GET /ui`
pub(super) async fn page(request: HttpRequest) -> HttpResponse {
    let (Some(worker), Some(state)) = (worker(&request), state(&request)) else {
        return Fault::from(&ApiError::ShuttingDown).page(&request);
    };
    // A page that is told to load itself anew asks for a part, of which there is none.
    if wants_part(&request) {
        return HttpResponse::Ok().insert_header(("hx-refresh", "true")).finish();
    }
    let mut view = match View::of(request.query_string()) {
        Ok(view) => view,
        Err(fault) => return Fault::from(&fault).page(&request),
    };
    view.stage = Stage::of(&state.config());
    let mut shell = Shell::of(&request, "Dashboard", "/ui");
    if let Some(start) = Start::of(state, view.stage, &shell.csrf, address(&request)).await {
        shell = shell.with_live(view.live(""));
        return answer(&request, StatusCode::OK, &First { shell, start });
    }
    let all_off = view.stage == Stage::AllOff;
    let (chains, mut limits) = standings(worker, state, [view.show]).await;
    let limits = limits.remove(&view.show).unwrap_or_else(|| Panel(Err(ApiError::Internal.to_string())));
    let figures = Panel::of(figures(state, &view).await);
    let (log, newest) = log(state, &view, &address(&request)).await;
    let shell = shell.with_live(view.live(&newest));
    answer(&request, StatusCode::OK, &Page { shell, view, all_off, chains, limits, figures, log })
}

/// What is true this very moment: chains, and limits for each choice of entries.
pub(super) async fn standings(
    worker: &Worker,
    state: &State,
    shows: impl IntoIterator<Item = Option<Status>>,
) -> (Panel, BTreeMap<Option<Status>, Panel>) {
    let now = worker.clock.now().wall;
    let (standing, config) = (standing(worker, state).await, state.config());
    let unknown = |fault: &ApiError| Panel(Err(fault.to_string()));
    let chains = match &standing {
        Ok(standing) => Panel::of(Ok(chains::Chains::of(standing, &config, now))),
        Err(fault) => unknown(fault),
    };
    let limits = shows.into_iter().map(|show| match &standing {
        Ok(standing) => (show, Panel::of(Ok(Limits::of(standing, show, &config, now)))),
        Err(fault) => (show, unknown(fault)),
    });
    (chains, limits.collect())
}

/// What has come of requests over a span of time.
pub(super) async fn figures(state: &State, view: &View) -> Result<sums::Figures, ApiError> {
    sums::Figures::read(state, view.range).await
}

async fn log(state: &State, view: &View, address: &str) -> (Panel, String) {
    let rows = Rows::read(state, view.filter.clone(), view.before.clone(), 0, view.query()).await;
    let newest = rows.as_ref().map(|rows| rows.newest.clone()).unwrap_or_default();
    let config = state.config();
    let chains = config.chains.iter().map(|chain| chain.name.to_string()).collect();
    let providers = config.providers.iter().map(|provider| provider.id.to_string()).collect();
    let log = rows.map(|rows| Log { rows, view: view.clone(), chains, providers, address: address.to_owned() });
    (Panel::of(log), newest)
}

/// How this proxy is reached from where the page is.
pub(super) fn address(request: &HttpRequest) -> String {
    let scheme = if super::cookie::is_https(request.headers()) { "https" } else { "http" };
    let host = request.headers().get(actix_web::http::header::HOST).and_then(|host| host.to_str().ok());
    format!("{scheme}://{}", host.unwrap_or("127.0.0.1:3429"))
}
