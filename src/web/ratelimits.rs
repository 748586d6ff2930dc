//! `GET /v1/ratelimits`: what is known about every entry right now.

mod chains;
pub(super) mod entries;
pub(super) mod lately;
mod watch;

use std::rc::Rc;
use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::error::ApiError;
use super::query::Query;
use super::state::State;
use crate::actors::msg::{Lines, Routes, Survey};
use crate::upstream::waterfall::Worker;

/// The state of all entries, and what it means for each chain; with `watch=1` again whenever it has changed.
pub async fn ratelimits(request: HttpRequest) -> HttpResponse {
    let (Some(worker), Some(state)) = (request.app_data::<Rc<Worker>>(), request.app_data::<Arc<State>>()) else {
        return ApiError::ShuttingDown.response();
    };
    let watch = Query::parse(request.query_string(), &["watch"]).and_then(|query| query.number("watch", 0, 1));
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
    let (Ok(table), Ok(lines), Ok(reports)) = (table, lines, reports) else {
        return Err(ApiError::ShuttingDown);
    };
    let now = worker.clock.now();
    Ok(json!({
        "now": now.wall.to_string(),
        "ratelimits": reports.iter().map(|report| entries::view(report, &lately, now)).collect::<Vec<_>>(),
        "chains": chains::view(&table, &reports, &lines, &lately, now),
    }))
}
