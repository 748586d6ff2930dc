//! `GET /v1/stats/...`: what requests add up to, and the log of them.

pub mod log;
pub(super) mod ranged;
pub(super) mod row;
pub(super) mod sums;

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};

use super::error::ApiError;
use super::query::{Query, Range};
use super::state::State;
use crate::store::database::Database;
use crate::store::error::StoreError;
use crate::store::totals::{Kind, Sums};
use ranged::{List, Ranged};
use sums::Shown;

/// Parameters of everything that is told of a range.
pub(super) const PARAMETERS: [&str; 3] = ["from", "to", "range"];

/// `GET /v1/stats/summary`
pub async fn summary(request: HttpRequest) -> HttpResponse {
    answer(async {
        let (range, sums) = sums_of(&request, Kind::All).await?;
        let all = sums.totals.get("").cloned().unwrap_or_default();
        Ok(HttpResponse::Ok().json(Ranged::of(range, &sums, Shown::of(Kind::All, "", &all))))
    })
    .await
}

/// `GET /v1/stats/providers` and its kin
pub async fn all(request: HttpRequest) -> HttpResponse {
    answer(async {
        let kind = kind(&request)?;
        let (range, sums) = sums_of(&request, kind).await?;
        Ok(HttpResponse::Ok().json(Ranged::of(range, &sums, List::of(kind, &sums))))
    })
    .await
}

/// `GET /v1/stats/providers/{id}` and its kin
pub async fn one(request: HttpRequest) -> HttpResponse {
    answer(async {
        let kind = kind(&request)?;
        let (range, sums) = sums_of(&request, kind).await?;
        let name = request.match_info().query("name");
        match sums.totals.get(name) {
            Some(totals) => Ok(HttpResponse::Ok().json(Ranged::of(range, &sums, Shown::of(kind, name, totals)))),
            None => Err(ApiError::NotRecorded { what: singular(kind), name: name.to_owned() }),
        }
    })
    .await
}

async fn answer(work: impl Future<Output = Result<HttpResponse, ApiError>>) -> HttpResponse {
    work.await.unwrap_or_else(|fault| fault.response())
}

async fn sums_of(request: &HttpRequest, kind: Kind) -> Result<(Range, Sums), ApiError> {
    let state = state(request)?;
    let now = state.clock.now().wall;
    let range = Query::parse(request.query_string(), &PARAMETERS)?.range(now)?;
    let sums = read(state, move |database| database.totals(kind, range.from, range.to, now)).await?;
    Ok((range, sums))
}

fn state(request: &HttpRequest) -> Result<&Arc<State>, ApiError> {
    request.app_data::<Arc<State>>().ok_or(ApiError::ShuttingDown)
}

/// Asks the database in a thread that may block.
async fn read<T: Send + 'static>(
    state: &State,
    ask: impl FnOnce(&Database) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, ApiError> {
    let Some(database) = state.shelf.get() else {
        return Err(ApiError::NoRecords("its database is not open; the log of the proxy says why".to_owned()));
    };
    match web::block(move || ask(&database)).await {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(fault)) => Err(ApiError::NoRecords(fault.to_string())),
        Err(_) => Err(ApiError::ShuttingDown),
    }
}

fn kind(request: &HttpRequest) -> Result<Kind, ApiError> {
    match request.match_info().query("kind") {
        "providers" => Ok(Kind::Provider),
        "chains" => Ok(Kind::Chain),
        "entries" => Ok(Kind::Entry),
        "clients" => Ok(Kind::Client),
        _ => Err(ApiError::UnknownPath { method: request.method().to_string(), path: request.path().to_owned() }),
    }
}

fn singular(kind: Kind) -> &'static str {
    match kind {
        Kind::All => "anything",
        Kind::Chain => "the chain",
        Kind::Provider => "the provider",
        Kind::Entry => "the entry",
        Kind::Client => "the client",
    }
}
