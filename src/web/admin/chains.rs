//! `PUT` and `DELETE /v1/admin/chains/{name}`, the order of its entries, and `PUT /v1/admin/default-chain`.

use std::sync::Arc;

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::Wish;
use super::editing::{self, Edit};
use crate::config::edit::{Change, Value};
use crate::config::versions::Source;
use crate::web::error::ApiError;
use crate::web::reload::Reloaded;
use crate::web::state::State;

const EXAMPLE: &str =
    r#"{"revision":"0123456789abcdef","entries":[{"provider":"groq","model":"llama-3.1-8b-instant"}]}"#;

/// Makes the chain what the body says, or adds it.
pub async fn put(request: HttpRequest, name: Path<String>, mut payload: Payload) -> HttpResponse {
    let wish = Wish::read(&request, &mut payload, EXAMPLE).await;
    answer(&request, wish, |wish| Ok(vec![Change::PutChain { name: name.into_inner(), chain: wish.body.clone() }]))
        .await
}

/// Deletes it.
pub async fn delete(request: HttpRequest, name: Path<String>, mut payload: Payload) -> HttpResponse {
    let wish = Wish::read(&request, &mut payload, r#"{"revision":"0123456789abcdef"}"#).await;
    answer(&request, wish, |_| Ok(vec![Change::DeleteChain { name: name.into_inner() }])).await
}

/// Brings its entries into another order.
pub async fn order(request: HttpRequest, name: Path<String>, mut payload: Payload) -> HttpResponse {
    let wish = Wish::read(&request, &mut payload, r#"{"revision":"0123456789abcdef","order":[2,0,1]}"#).await;
    answer(&request, wish, |wish| {
        let places = wish.body.get("order").map(Value::items).unwrap_or_default();
        let order: Option<Vec<usize>> = places.iter().map(|place| place.as_text()?.parse().ok()).collect();
        let order = order.filter(|order| !order.is_empty()).ok_or_else(|| ApiError::Query {
            param: "order",
            message: "`order` must be the places of all entries as they are now, counted from 0, in their new order"
                .to_owned(),
        })?;
        Ok(vec![Change::OrderEntries { chain: name.into_inner(), order }])
    })
    .await
}

/// Makes a chain the default.
pub async fn default(request: HttpRequest, mut payload: Payload) -> HttpResponse {
    let wish = Wish::read(&request, &mut payload, r#"{"revision":"0123456789abcdef","name":"default"}"#).await;
    answer(&request, wish, |wish| Ok(vec![Change::SetDefaultChain { name: wish.text("name")? }])).await
}

/// Makes the changes that a wish comes to, and says what has come of it.
pub(super) async fn answer(
    request: &HttpRequest,
    wish: Result<Wish, ApiError>,
    changes: impl FnOnce(&Wish) -> Result<Vec<Change>, ApiError>,
) -> HttpResponse {
    let Some(state) = request.app_data::<Arc<State>>() else { return ApiError::ShuttingDown.response() };
    let edited = async {
        if state.reload.source().is_none() {
            return Err(ApiError::NoConfigFile);
        }
        let wish = wish?;
        let edit = Edit::Changes(changes(&wish)?);
        editing::change(state, edit, wish.based_on, Source::Api).await
    };
    match edited.await {
        Ok(adopted) => HttpResponse::Ok().json(Reloaded::of(adopted)),
        Err(fault) => fault.response(),
    }
}
