//! `GET /health`: for monitors and container health checks. Open, so it tells nothing that is not public.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
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
}

/// Whether requests are taken.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Life {
    Ok,
    Draining,
}

/// 200 while requests are taken, 503 on the way out.
pub async fn health(request: HttpRequest) -> HttpResponse {
    let Some(state) = request.app_data::<Arc<State>>() else { return ApiError::ShuttingDown.response() };
    let (mut builder, status) = match state.drain.draining() {
        false => (HttpResponse::Ok(), Life::Ok),
        true => (HttpResponse::ServiceUnavailable(), Life::Draining),
    };
    builder.json(Health {
        status,
        version: env!("CARGO_PKG_VERSION"),
        uptime: state.clock.mono().since(state.started.mono).as_secs(),
        providers: state.config.providers.iter().filter(|provider| provider.enabled).count(),
        chains: state.config.chains.len(),
    })
}
