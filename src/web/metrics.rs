//! `GET /metrics`: what was counted since the start, and how things stand now, for Prometheus.

mod gauges;
mod process;

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse};
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

use super::error::ApiError;
use super::state::State;
use crate::actors::msg::{Lines, Routes, Survey};
use crate::upstream::waterfall::Worker;

/// Everything, in the text format of Prometheus.
pub async fn metrics(request: HttpRequest) -> HttpResponse {
    let (Some(worker), Some(state)) = (request.app_data::<Rc<Worker>>(), request.app_data::<Arc<State>>()) else {
        return ApiError::ShuttingDown.response();
    };
    let table = worker.router.send(Routes).await;
    let lines = worker.router.send(Lines).await;
    let reports = worker.keeper.send(Survey).await;
    let (Ok(table), Ok(lines), Ok(reports)) = (table, lines, reports) else {
        return ApiError::ShuttingDown.response();
    };
    let now = worker.clock.now();
    let mut registry = Registry::default();
    let ours = registry.sub_registry_with_prefix("chain429");
    gauges::entries(ours, &reports, now);
    gauges::lines(ours, &table, &lines);
    own(ours, state);
    process::figures(&mut registry, state.started.wall);
    match text(state, &registry) {
        Ok(text) => HttpResponse::Ok().insert_header((CONTENT_TYPE, prometheus_text::CONTENT_TYPE)).body(text),
        Err(fmt::Error) => ApiError::Internal.response(),
    }
}

fn text(state: &State, registry: &Registry) -> Result<String, fmt::Error> {
    let mut text = String::new();
    state.metrics.write_to(&mut text)?;
    prometheus_text::encode(&mut text, registry)?;
    Ok(text)
}

/// What the proxy knows of itself.
fn own(registry: &mut Registry, state: &State) {
    let build: Family<[(&str, &str); 1], Gauge> = Family::default();
    build.get_or_create(&[("version", env!("CARGO_PKG_VERSION"))]).set(1);
    registry.register("build_info", "Which version runs; always 1", build);
    let in_flight = state.drain.in_flight() as u64;
    registry.register("in_flight_requests", "Requests under way", ConstGauge::new(in_flight));
    let pages = state.ui.pages() as u64;
    registry.register("ui_streams", "Pages of the UI that are told what is new", ConstGauge::new(pages));
    let backlog = state.metrics.backlog();
    registry.register(
        "recorder_failing",
        "1 while the database cannot be used, so that nothing is recorded; else 0",
        ConstGauge::new(u64::from(backlog.fault().is_some())),
    );
    registry.register(
        "recorder_backlog_rows",
        "Rows of requests that have ended and are not in the database yet",
        ConstGauge::new(backlog.waiting()),
    );
    registry.register(
        "recorder_written_rows",
        "Rows of requests that were written to the database",
        ConstCounter::new(backlog.written()),
    );
    registry.register(
        "recorder_dropped_rows",
        "Rows of requests that were given up, because the database could not be written in time",
        ConstCounter::new(backlog.dropped()),
    );
}
