//! `PUT` and `DELETE /v1/admin/providers/{id}`.

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::{Wish, chains::answer};
use crate::config::edit::Change;
use crate::web::error::ApiError;
use crate::web::query::Query;

/// Parameters of `DELETE`.
pub(in crate::web) const PARAMETERS: [&str; 1] = ["removeEntries"];

const EXAMPLE: &str = r#"{"revision":"0123456789abcdef","type":"groq","apiKey":"${GROQ_API_KEY}"}"#;

/// Makes the provider what the body says, or adds it.
pub async fn put(request: HttpRequest, id: Path<String>, mut payload: Payload) -> HttpResponse {
    let wish = Wish::read(&request, &mut payload, EXAMPLE).await;
    answer(&request, wish, |wish| Ok(vec![Change::PutProvider { id: id.into_inner(), provider: wish.body.clone() }]))
        .await
}

/// Deletes it, with the entries that use it where that is asked for.
pub async fn delete(request: HttpRequest, id: Path<String>, mut payload: Payload) -> HttpResponse {
    let wish = Wish::read(&request, &mut payload, r#"{"revision":"0123456789abcdef"}"#).await;
    let with_entries = with_entries(request.query_string());
    answer(&request, wish, |_| Ok(vec![Change::DeleteProvider { id: id.into_inner(), with_entries: with_entries? }]))
        .await
}

fn with_entries(query: &str) -> Result<bool, ApiError> {
    let query = Query::parse(query, &PARAMETERS)?;
    match query.text("removeEntries") {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => {
            let message = "`removeEntries` must be true or false".to_owned();
            Err(ApiError::Query { param: "removeEntries", message })
        }
    }
}
