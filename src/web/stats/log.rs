//! The log of requests: pages of it, one row, and all of it as a file.

use std::ops::RangeInclusive;
use std::sync::Arc;

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tracing::warn;
use utoipa::ToSchema;

use super::row::{COLUMNS, Shown};
use super::{answer, read, state};
use crate::store::requests::{self, Request, first_id_at};
use crate::web::error::ApiError;
use crate::web::query::{Query, Range};
use crate::web::state::State;

/// Parameters of the log.
pub(in crate::web) const PARAMETERS: [&str; 14] = [
    "from", "to", "range", "limit", "before", "format", "chain", "provider", "entry", "client", "status", "code",
    "outcome", "q",
];

/// So many rows a page may have.
pub(in crate::web) const LIMIT: RangeInclusive<u64> = 1..=500;

/// So many it has if nothing is said.
pub(in crate::web) const USUAL_LIMIT: u64 = 50;

/// HTTP statuses that a row can have.
pub(in crate::web) const STATUS: RangeInclusive<u64> = 100..=599;

/// Forms that the log is given in; the first is the usual one.
pub(in crate::web) const FORMATS: [&str; 3] = ["json", "jsonl", "csv"];

/// Rows that are looked at for one page: a search for what hardly occurs must not take long.
const LOOK_AT: usize = 2_500;

/// Rows of an export that are read at once.
const PORTION: usize = 500;

/// A page of the log.
#[derive(Serialize, ToSchema)]
#[schema(as = RequestLog)]
#[serde(rename_all = "camelCase")]
pub(in crate::web) struct Page<'a> {
    /// The newest first.
    requests: Vec<Shown<'a>>,
    /// What `before` must be for the next page; null on the last one.
    next_before: Option<String>,
    /// Rows that are damaged, and missing here; absent when all is well.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(nullable = false, required = false)]
    unreadable: usize,
}

/// `GET /v1/stats/requests`
pub async fn list(request: HttpRequest) -> HttpResponse {
    answer(async {
        let state = state(&request)?;
        let query = Query::parse(request.query_string(), &PARAMETERS)?;
        let filter = Filter::of(&query)?;
        let range = range(&query, state)?;
        match query.text("format") {
            None | Some("json") => page(state, &query, range, filter).await,
            Some("csv" | "jsonl") if query.text("limit").or(query.text("before")).is_some() => {
                let message = "a file has all rows of the time: leave `limit` and `before` out, or `format`".to_owned();
                Err(ApiError::Query { param: "format", message })
            }
            Some("csv") => Ok(export(Arc::clone(state), range, filter, Form::Csv)),
            Some("jsonl") => Ok(export(Arc::clone(state), range, filter, Form::Lines)),
            Some(_) => {
                Err(ApiError::Query { param: "format", message: "`format` must be json, jsonl or csv".to_owned() })
            }
        }
    })
    .await
}

/// `GET /v1/stats/requests/{id}`
pub async fn one(request: HttpRequest) -> HttpResponse {
    answer(async {
        let id = request.match_info().query("id").to_owned();
        let asked = id.clone();
        match read(state(&request)?, move |database| database.request(&asked)).await? {
            Some(row) => Ok(HttpResponse::Ok().json(Shown::of(&row))),
            None => Err(ApiError::NotRecorded { what: "the request", name: id }),
        }
    })
    .await
}

async fn page(state: &State, query: &Query, range: Option<Range>, filter: Filter) -> Result<HttpResponse, ApiError> {
    let limit = query.number("limit", LIMIT)?.unwrap_or(USUAL_LIMIT);
    let limit = usize::try_from(limit).unwrap_or(PORTION);
    let before = query.text("before").map(str::to_owned);
    if before.as_deref().is_some_and(|id| !id.starts_with("req_")) {
        let message = "`before` must be the id of a request: `nextBefore` of the page in front".to_owned();
        return Err(ApiError::Query { param: "before", message });
    }
    let end = range.map(|range| first_id_at(range.to));
    let before = before.into_iter().chain(end).min();
    let from = range.map(|range| first_id_at(range.from)).unwrap_or_default();
    let found = rows(state, filter, before, from, limit).await?;
    Ok(HttpResponse::Ok().json(Page {
        requests: found.rows.iter().map(Shown::of).collect(),
        next_before: found.next,
        unreadable: found.unreadable,
    }))
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// What is missing from a page is said in it; a file has no place for that.
fn complain(unreadable: usize) {
    if unreadable > 0 {
        warn!(unreadable, "rows of the log are damaged, and left out");
    }
}

/// Rows before an id and not before another, newest first.
pub(in crate::web) async fn rows(
    state: &State,
    filter: Filter,
    before: Option<String>,
    from: String,
    limit: usize,
) -> Result<requests::Page, ApiError> {
    let found = read(state, move |database| {
        database.search_requests(before.as_deref(), &from, limit, LOOK_AT, |row| filter.keeps(row))
    })
    .await?;
    complain(found.unreadable);
    Ok(found)
}

/// Nothing, if the query names no time: a page is of the newest rows.
fn range(query: &Query, state: &State) -> Result<Option<Range>, ApiError> {
    let named = ["from", "to", "range"].iter().any(|name| query.text(name).is_some());
    if named { query.range(state.clock.now().wall).map(Some) } else { Ok(None) }
}

/// Which rows are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::web) struct Filter {
    pub(in crate::web) chain: Option<String>,
    pub(in crate::web) provider: Option<String>,
    entry: Option<String>,
    client: Option<String>,
    status: Option<u64>,
    code: Option<String>,
    pub(in crate::web) outcome: Option<Outcome>,
    /// In lower case; to be found in any of the names.
    pub(in crate::web) text: Option<String>,
}

/// How a request ended, roughly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::web) enum Outcome {
    /// With an answer.
    Served,
    /// With one of another entry than the first that was called.
    Waterfalled,
    /// Without an answer, or with a part of one.
    Failed,
}

impl Outcome {
    /// All of them, by name.
    pub(in crate::web) const ALL: [(&'static str, Self); 3] =
        [("served", Self::Served), ("waterfalled", Self::Waterfalled), ("failed", Self::Failed)];

    fn of(query: &Query) -> Result<Option<Self>, ApiError> {
        let Some(text) = query.text("outcome") else { return Ok(None) };
        let message = || format!("`outcome` must be {}", Self::ALL.map(|(name, _)| name).join(", "));
        let found = Self::ALL.into_iter().find(|(name, _)| *name == text).map(|(_, outcome)| outcome);
        found.map(Some).ok_or_else(|| ApiError::Query { param: "outcome", message: message() })
    }

    fn is_of(self, row: &Request) -> bool {
        match self {
            Self::Served => row.code.is_none(),
            Self::Failed => row.code.is_some(),
            Self::Waterfalled => row.code.is_none() && row.facts().passed_on,
        }
    }
}

impl Filter {
    pub(in crate::web) fn of(query: &Query) -> Result<Self, ApiError> {
        let text = |name| query.text(name).map(str::to_owned);
        Ok(Self {
            chain: text("chain"),
            provider: text("provider"),
            entry: text("entry"),
            client: text("client"),
            status: query.number("status", STATUS)?,
            code: text("code"),
            outcome: Outcome::of(query)?,
            text: query.text("q").map(str::to_lowercase),
        })
    }

    /// Of providers and entries it is who served that counts.
    pub(in crate::web) fn keeps(&self, row: &Request) -> bool {
        let served_by = row.served_by.as_deref();
        let provider = served_by.and_then(|entry| entry.split_once('/')).map(|(provider, _)| provider);
        let is = |wanted: &Option<String>, found: Option<&str>| wanted.as_deref().is_none_or(|it| Some(it) == found);
        is(&self.chain, Some(&row.chain))
            && is(&self.client, Some(&row.client))
            && is(&self.entry, served_by)
            && is(&self.provider, provider)
            && is(&self.code, row.code.as_deref())
            && self.status.is_none_or(|status| status == u64::from(row.status))
            && self.outcome.is_none_or(|outcome| outcome.is_of(row))
            && self.text.as_deref().is_none_or(|text| mentions(row, text))
    }
}

/// Whether one of its names holds this text, in lower case.
fn mentions(row: &Request, text: &str) -> bool {
    let names = [&row.id, &row.chain, &row.client, &row.model].map(String::as_str);
    let steps = row
        .trail
        .iter()
        .flat_map(|step| [Some(step.provider.as_str()), Some(step.model.as_str()), step.message.as_deref()]);
    let others = [row.served_by.as_deref(), row.code.as_deref()].into_iter().chain(steps).flatten();
    names.into_iter().chain(others).any(|name| name.to_lowercase().contains(text))
}

#[derive(Clone, Copy)]
enum Form {
    Csv,
    Lines,
}

/// All rows of a range, the newest first, in portions as the client takes them.
fn export(state: Arc<State>, range: Option<Range>, filter: Filter, form: Form) -> HttpResponse {
    let (send, portions) = tokio::sync::mpsc::channel::<Result<Bytes, ApiError>>(1);
    actix_rt::spawn(async move {
        if let Form::Csv = form
            && send.send(Ok(Bytes::from_static(COLUMNS.as_bytes()))).await.is_err()
        {
            return;
        }
        let from = range.map(|range| first_id_at(range.from)).unwrap_or_default();
        let mut before = range.map(|range| first_id_at(range.to));
        loop {
            let (filter, from, end) = (filter.clone(), from.clone(), before.clone());
            let portion = read(&state, move |database| {
                database.search_requests(end.as_deref(), &from, PORTION, LOOK_AT, |row| filter.keeps(row))
            });
            let portion = match portion.await {
                Ok(portion) => portion,
                // A file that breaks off must not look like a whole one.
                Err(fault) => {
                    let _ = send.send(Err(fault)).await;
                    return;
                }
            };
            complain(portion.unreadable);
            let text: String = portion.rows.iter().map(|row| line(row, form)).collect();
            if send.send(Ok(text.into())).await.is_err() {
                return;
            }
            match portion.next {
                Some(next) => before = Some(next),
                None => return,
            }
        }
    });
    let (kind, name) = match form {
        Form::Csv => ("text/csv; charset=utf-8", "requests.csv"),
        Form::Lines => ("application/jsonl", "requests.jsonl"),
    };
    let portions = ReceiverStream::new(portions).map(|portion| portion.map_err(std::io::Error::other));
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .streaming(portions)
}

fn line(row: &Request, form: Form) -> String {
    let shown = Shown::of(row);
    match form {
        Form::Csv => shown.csv(),
        Form::Lines => serde_json::to_string(&shown).map(|json| json + "\n").unwrap_or_default(),
    }
}
