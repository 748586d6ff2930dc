//! `GET /v1/stats/...`: what requests add up to, and the log of them.

pub mod log;
mod row;
mod sums;

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::error::ApiError;
use super::query::{Query, Range};
use super::state::State;
use crate::store::database::Database;
use crate::store::error::StoreError;
use crate::store::totals::{Kind, Sums};
use sums::Shown;

/// `GET /v1/stats/summary`
pub async fn summary(request: HttpRequest) -> HttpResponse {
    answer(async {
        let (range, sums) = sums_of(&request, Kind::All).await?;
        let all = sums.totals.get("").cloned().unwrap_or_default();
        Ok(HttpResponse::Ok().json(with_range(range, &sums, &json!(Shown::of(Kind::All, "", &all)))))
    })
    .await
}

/// `GET /v1/stats/providers` and its kin
pub async fn all(request: HttpRequest) -> HttpResponse {
    answer(async {
        let kind = kind(&request)?;
        let (range, sums) = sums_of(&request, kind).await?;
        let list: Vec<Shown<'_>> = sums.totals.iter().map(|(name, totals)| Shown::of(kind, name, totals)).collect();
        Ok(HttpResponse::Ok().json(with_range(range, &sums, &json!({ plural(kind): list }))))
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
            Some(totals) => {
                Ok(HttpResponse::Ok().json(with_range(range, &sums, &json!(Shown::of(kind, name, totals)))))
            }
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
    let range = Query::parse(request.query_string(), &["from", "to", "range"])?.range(now)?;
    let sums = read(state, move |database| database.totals(kind, range.from, range.to, now)).await?;
    Ok((range, sums))
}

fn state(request: &HttpRequest) -> Result<&Arc<State>, ApiError> {
    request.app_data::<Arc<State>>().ok_or(ApiError::ShuttingDown)
}

/// Asks the database in a thread that may block.
pub(in crate::web) async fn read<T: Send + 'static>(
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

/// Says which time the sums are of: for what is long gone it may be more than was asked for.
fn with_range(range: Range, sums: &Sums, shown: &serde_json::Value) -> serde_json::Value {
    let mut body = json!({ "from": sums.from.to_string(), "to": sums.to.to_string(), "range": range.name });
    if let (Some(body), Some(shown)) = (body.as_object_mut(), shown.as_object()) {
        body.extend(shown.clone());
    }
    body
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

fn plural(kind: Kind) -> &'static str {
    match kind {
        Kind::All => "all",
        Kind::Chain => "chains",
        Kind::Provider => "providers",
        Kind::Entry => "entries",
        Kind::Client => "clients",
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
