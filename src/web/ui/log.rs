//! The log of requests: pages of it, one of them, and all of them as a file.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::fault::Fault;
use super::live::view::View;
use super::shell::{Shell, answer, state, wants_part};
use super::trail::{self, Trail};
use super::words;
use crate::store::requests::{Page, Request};
use crate::web::error::ApiError;
use crate::web::state::State;
use crate::web::stats;
use crate::web::stats::log::Filter;

/// Rows of a page.
const PAGE: usize = 50;

/// Rows that a browser holds at most; for older ones it goes to another page.
const MOST_SHOWN: usize = 200;

/// The whole panel.
#[derive(Template)]
#[template(path = "log.html")]
pub(super) struct Log {
    pub(super) rows: Rows,
    pub(super) view: View,
    pub(super) chains: Vec<String>,
    pub(super) providers: Vec<String>,
    pub(super) address: String,
}

/// Some rows, and where there are more.
#[derive(Template)]
#[template(path = "log_rows.html")]
pub(super) struct Rows {
    rows: Vec<Row>,
    more: Option<More>,
    pub(super) newest: String,
}

struct More {
    page: String,
    /// The rows alone; none when the browser has enough of them.
    part: Option<String>,
}

/// One request.
#[derive(Template)]
#[template(path = "log_row.html")]
pub(super) struct Row {
    pub(super) id: String,
    time: String,
    clock: String,
    chain: String,
    client: String,
    asked: String,
    served_by: Option<String>,
    calls: usize,
    status: u16,
    ok: bool,
    tokens: Option<String>,
    estimated: bool,
    first: String,
    total: String,
}

/// What came of it, step by step, as a row below its own.
#[derive(Template)]
#[template(path = "log_detail.html")]
struct DetailRow<'a> {
    story: &'a Detail,
}

#[derive(Template)]
#[template(path = "log_story.html")]
struct Detail {
    row: Row,
    trail: Trail,
    sentence: Option<String>,
    code: Option<String>,
    waited: Option<String>,
    sizes: String,
    stream: bool,
}

#[derive(Template)]
#[template(path = "request.html")]
struct DetailPage {
    shell: Shell,
    detail: Detail,
}

impl Rows {
    fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Reads a page of them; `shown` are on the page already.
    pub(super) async fn read(
        state: &State,
        filter: Filter,
        before: Option<String>,
        shown: usize,
        query: String,
    ) -> Result<Self, ApiError> {
        let Page { rows: found, next, .. } = stats::log::rows(state, filter, before, String::new(), PAGE).await?;
        let shown = shown + found.len();
        let more = next.map(|next| {
            let lead = if query.is_empty() { "?" } else { "&" };
            let before = super::door::form_encoded(&next);
            let part =
                (shown + PAGE <= MOST_SHOWN).then(|| format!("/ui/requests{query}{lead}before={before}&page={shown}"));
            More { page: format!("/ui{query}{lead}before={before}#requests"), part }
        });
        let newest = found.first().map(|row| row.id.clone()).unwrap_or_default();
        Ok(Self { rows: found.iter().map(Row::of).collect(), more, newest })
    }
}

impl Row {
    pub(super) fn of(row: &Request) -> Self {
        let (usage, time) = (row.usage.as_ref(), row.arrived.to_string());
        let tokens = usage
            .map(|usage| format!("{} / {}", words::count(usage.prompt_tokens), words::count(usage.completion_tokens)));
        Self {
            id: row.id.clone(),
            clock: words::clock(&time).to_owned(),
            time,
            chain: row.chain.clone(),
            client: row.client.clone(),
            asked: row.model.clone(),
            served_by: row.served_by.as_deref().map(|entry| entry.replacen('/', " / ", 1)),
            calls: trail::calls(&row.trail),
            status: row.status,
            ok: row.code.is_none(),
            tokens,
            estimated: usage.is_some_and(|usage| usage.estimated),
            first: words::known_span(row.first_token_ms),
            total: words::span(row.ms),
        }
    }
}

impl Detail {
    fn of(row: &Request) -> Self {
        Self {
            row: Row::of(row),
            trail: Trail::of(&row.trail),
            sentence: row.code.as_ref().and_then(|_| trail::sentence(&row.trail)),
            code: row.code.as_deref().map(str::to_owned),
            waited: Some(row.waited_ms).filter(|ms| *ms > 0).map(words::span),
            sizes: format!("{} bytes in, {} bytes out", words::count(row.bytes_in), words::count(row.bytes_out)),
            stream: row.stream,
        }
    }
}

/// `GET /ui/requests`: more rows of the log; the whole page for who has no scripts.
pub(super) async fn list(request: HttpRequest) -> HttpResponse {
    let Some(state) = state(&request) else { return Fault::from(&ApiError::ShuttingDown).page(&request) };
    if !wants_part(&request) {
        let query = request.query_string();
        let kept: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("page=")).collect();
        let lead = if kept.is_empty() { "" } else { "?" };
        let page = format!("/ui{lead}{}#requests", kept.join("&"));
        return HttpResponse::SeeOther().insert_header((actix_web::http::header::LOCATION, page)).finish();
    }
    let shown = page_of(request.query_string());
    let rows = match View::of(request.query_string()) {
        Ok(view) => {
            let query = view.query();
            Rows::read(state, view.filter, view.before, shown, query).await
        }
        Err(fault) => Err(fault),
    };
    match rows {
        Ok(rows) => answer(&request, StatusCode::OK, &rows),
        Err(fault) => Fault::from(&fault).page(&request),
    }
}

/// How many rows the page has, as its link said.
fn page_of(query: &str) -> usize {
    let page = query.split('&').find_map(|pair| pair.strip_prefix("page="));
    page.and_then(|page| page.parse().ok()).unwrap_or_default()
}

/// `GET /ui/requests/{id}`
pub(super) async fn one(request: HttpRequest, id: Path<String>) -> HttpResponse {
    let id = id.into_inner();
    let asked = id.clone();
    let Some(state) = state(&request) else { return Fault::from(&ApiError::ShuttingDown).page(&request) };
    match stats::read(state, move |database| database.request(&asked)).await {
        Ok(Some(row)) if wants_part(&request) => {
            answer(&request, StatusCode::OK, &DetailRow { story: &Detail::of(&row) })
        }
        Ok(Some(row)) => {
            let shell = Shell::of(&request, "Request", "");
            answer(&request, StatusCode::OK, &DetailPage { shell, detail: Detail::of(&row) })
        }
        Ok(None) => {
            let advice = "It may be older than settings.retentionDays, or the id mistyped.";
            Fault::of(404, format!("There is no request {id}"), advice).page(&request)
        }
        Err(fault) => Fault::from(&fault).page(&request),
    }
}

/// `GET /ui/requests/export`: what the API gives under `/v1/stats/requests`, for who has a session in place of a key.
pub(super) async fn export(request: HttpRequest) -> HttpResponse {
    stats::log::list(request).await
}
