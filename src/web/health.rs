//! `GET /health`: for monitors and container health checks. Open, so it tells nothing that is not public, and more to those
//! with a key.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::error::ApiError;
use super::keys::{Keys, Visitor};
use super::reload;
use super::state::State;

/// 200 while requests are taken, 503 on the way out.
pub async fn health(request: HttpRequest) -> HttpResponse {
    let Some(state) = request.app_data::<Arc<State>>() else { return ApiError::ShuttingDown.response() };
    let (mut builder, status) = match state.drain.draining() {
        false => (HttpResponse::Ok(), "ok"),
        true => (HttpResponse::ServiceUnavailable(), "draining"),
    };
    let active = state.live.get();
    let mut body = json!({
        "status": status,
        "version": env!("CARGO_PKG_VERSION"),
        "uptime": state.clock.mono().since(state.started.mono).as_secs(),
        "providers": active.config.providers.iter().filter(|provider| provider.enabled).count(),
        "chains": active.config.chains.len(),
    });
    let visitor = Keys::of(&active).visitor(request.headers());
    if let (Visitor::Client(_) | Visitor::Admin, Some(body)) = (visitor, body.as_object_mut()) {
        body.insert("config".to_owned(), reload::standing(&state.live));
    }
    builder.json(body)
}
