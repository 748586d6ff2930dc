//! `GET /health`: for monitors and container health checks. Open, so it tells nothing that is not public; more is told to
//! whoever has a key.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
use super::keys::{Keys, Visitor};
use super::reload::Standing;
use super::state::State;

/// How the proxy is.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    status: Life,
    version: &'static str,
    /// Seconds since the start.
    uptime: u64,
    /// Providers that are switched on.
    providers: usize,
    chains: usize,
    /// Which configuration is in use; only for those with a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    config: Option<Standing>,
    /// Whether requests are recorded; only for those with a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    recorder: Option<Recorder>,
}

/// Whether requests are taken.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Life {
    Ok,
    Draining,
}

/// Whether requests are recorded, since the start.
#[derive(Serialize, ToSchema)]
struct Recorder {
    status: Recording,
    /// Why nothing is recorded for now.
    error: Option<String>,
    /// Rows that wait to be written.
    waiting: u64,
    written: u64,
    /// Rows that are lost, because there was no room for them.
    dropped: u64,
}

/// Whether rows can be written.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Recording {
    Recording,
    Failing,
}

/// 200 while requests are taken, 503 on the way out. Without its records the proxy still does what it is there for.
pub async fn health(request: HttpRequest) -> HttpResponse {
    let Some(state) = request.app_data::<Arc<State>>() else { return ApiError::ShuttingDown.response() };
    let (mut builder, status) = match state.drain.draining() {
        false => (HttpResponse::Ok(), Life::Ok),
        true => (HttpResponse::ServiceUnavailable(), Life::Draining),
    };
    let active = state.live.get();
    let known = matches!(Keys::of(&active).visitor(request.headers()), Visitor::Client(_) | Visitor::Admin);
    builder.json(Health {
        status,
        version: env!("CARGO_PKG_VERSION"),
        uptime: state.clock.mono().since(state.started.mono).as_secs(),
        providers: active.config.providers.iter().filter(|provider| provider.enabled).count(),
        chains: active.config.chains.len(),
        config: known.then(|| Standing::of(&state.live)),
        recorder: known.then(|| Recorder::of(state)),
    })
}

impl Recorder {
    fn of(state: &State) -> Self {
        let backlog = state.metrics.backlog();
        let error = backlog.fault().map(|fault| fault.to_string());
        Self {
            status: if error.is_some() { Recording::Failing } else { Recording::Recording },
            error,
            waiting: backlog.waiting(),
            written: backlog.written(),
            dropped: backlog.dropped(),
        }
    }
}
