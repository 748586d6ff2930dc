//! `GET /v1/ratelimits`: what is known about every entry right now.

mod chains;
pub(in crate::web) mod entries;
pub(crate) mod lately;
mod watch;

use std::rc::Rc;
use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::error::ApiError;
use super::query::Query;
use super::state::State;
use crate::actors::msg::{Lines, LookAhead, Routes, Survey};
use crate::upstream::waterfall::Worker;

/// Parameters of it.
pub(super) const PARAMETERS: [&str; 1] = ["watch"];

/// The state of all entries, and of all chains.
#[derive(Serialize, ToSchema)]
#[schema(as = RateLimits)]
pub(super) struct Snapshot<'a> {
    #[schema(format = DateTime)]
    now: String,
    ratelimits: Vec<entries::EntryView<'a>>,
    chains: Vec<chains::ChainView<'a>>,
}

/// The state of all entries, and what it means for each chain; with `watch=1` again whenever it has changed.
pub async fn ratelimits(request: HttpRequest) -> HttpResponse {
    let (Some(worker), Some(state)) = (request.app_data::<Rc<Worker>>(), request.app_data::<Arc<State>>()) else {
        return ApiError::ShuttingDown.response();
    };
    let watch = Query::parse(request.query_string(), &PARAMETERS).and_then(|query| query.number("watch", 0..=1));
    match watch {
        Ok(Some(1)) => watch::stream(Rc::clone(worker), Arc::clone(state)),
        Ok(_) => match snapshot(worker, state).await {
            Ok(state) => HttpResponse::Ok().json(state),
            Err(fault) => fault.response(),
        },
        Err(fault) => fault.response(),
    }
}

/// The state of all entries and chains, as it is answered.
pub(in crate::web) async fn snapshot(worker: &Worker, state: &State) -> Result<Value, ApiError> {
    let lately = state.lately.get(&state.shelf, worker.clock.now().wall).await;
    let table = worker.router.send(Routes).await;
    let lines = worker.router.send(Lines).await;
    let reports = worker.keeper.send(Survey).await;
    let supplies = worker.keeper.send(LookAhead).await;
    let (Ok(table), Ok(lines), Ok(reports), Ok(supplies)) = (table, lines, reports, supplies) else {
        return Err(ApiError::ShuttingDown);
    };
    let now = worker.clock.now();
    let snapshot = Snapshot {
        now: now.wall.to_string(),
        ratelimits: reports.iter().map(|report| entries::view(report, &lately, now)).collect(),
        chains: chains::view(&table, &reports, &supplies, &lines, &lately, now),
    };
    serde_json::to_value(snapshot).map_err(|_| ApiError::Internal)
}
