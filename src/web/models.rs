//! `GET /v1/models` and `GET /v1/models/{id}`: everything that `model` can name.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
use super::state::State;
use crate::actors::msg::Routes;
use crate::actors::route::RouteTable;
use crate::upstream::waterfall::Worker;

/// Something that `model` can name.
#[derive(Serialize, ToSchema)]
pub(super) struct Model<'a> {
    /// Name of a chain, or `provider/model`.
    id: &'a str,
    /// Always `model`.
    object: &'static str,
    /// When the proxy was started, in seconds since 1970.
    created: u64,
    /// `429chain`, or id of the provider.
    owned_by: &'a str,
}

/// Chains first, then entries.
#[derive(Serialize, ToSchema)]
#[schema(as = ModelList)]
pub(super) struct List<'a> {
    /// Always `list`.
    object: &'static str,
    data: Vec<Model<'a>>,
}

/// All of them: chains first, then entries.
pub async fn list(request: HttpRequest) -> HttpResponse {
    respond(&request, |table, created| {
        let data = all(table, created).into_iter().filter(|model| is_on(table, model.id)).collect();
        Ok(HttpResponse::Ok().json(List { object: "list", data }))
    })
    .await
}

/// One of them.
pub async fn one(request: HttpRequest, id: Path<String>) -> HttpResponse {
    respond(&request, |table, created| match all(table, created).into_iter().find(|model| model.id == *id) {
        Some(model) => Ok(HttpResponse::Ok().json(model)),
        None => Err(ApiError::ModelNotFound { model: id.to_string() }),
    })
    .await
}

async fn respond(
    request: &HttpRequest,
    make: impl FnOnce(&RouteTable, u64) -> Result<HttpResponse, ApiError>,
) -> HttpResponse {
    let (Some(worker), Some(state)) = (request.app_data::<Rc<Worker>>(), request.app_data::<Arc<State>>()) else {
        return ApiError::ShuttingDown.response();
    };
    match worker.router.send(Routes).await {
        Ok(table) => make(&table, state.started.wall.0 / 1_000).unwrap_or_else(|fault| fault.response()),
        Err(_) => ApiError::ShuttingDown.response(),
    }
}

/// False for an entry whose provider is switched off. Apps let people choose among what is listed.
fn is_on(table: &RouteTable, id: &str) -> bool {
    let route = table.entries.get(id);
    route.is_none_or(|route| route.places.first().is_none_or(|place| place.entry.handle.is_some()))
}

fn all(table: &RouteTable, created: u64) -> Vec<Model<'_>> {
    let chains = table.order.iter().map(|name| (name.as_str(), "429chain"));
    let entries = table.entries.iter().map(|(id, route)| {
        let owner = route.places.first().map_or("429chain", |place| place.entry.id.provider.as_str());
        (id.as_str(), owner)
    });
    chains.chain(entries).map(|(id, owned_by)| Model { id, object: "model", created, owned_by }).collect()
}
