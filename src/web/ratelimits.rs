//! `GET /v1/ratelimits`: what is known about every entry right now.

mod chains;
pub(super) mod entries;

use std::rc::Rc;

use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::error::ApiError;
use crate::actors::msg::{Lines, Routes, Survey};
use crate::upstream::waterfall::Worker;

/// The state of all entries, and what it means for each chain.
pub async fn ratelimits(request: HttpRequest) -> HttpResponse {
    let Some(worker) = request.app_data::<Rc<Worker>>() else { return ApiError::ShuttingDown.response() };
    let table = worker.router.send(Routes).await;
    let lines = worker.router.send(Lines).await;
    let reports = worker.keeper.send(Survey).await;
    let (Ok(table), Ok(lines), Ok(reports)) = (table, lines, reports) else {
        return ApiError::ShuttingDown.response();
    };
    let now = worker.clock.now();
    HttpResponse::Ok().json(json!({
        "now": now.wall.to_string(),
        "ratelimits": reports.iter().map(|report| entries::view(report, now)).collect::<Vec<_>>(),
        "chains": chains::view(&table, &reports, &lines, now),
    }))
}
