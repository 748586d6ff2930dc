//! `PATCH /v1/admin/settings`.

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::{Wish, chains::answer};
use crate::config::edit::Change;

/// Sets the settings that the body names; null makes one the default again.
pub async fn patch(request: HttpRequest, mut payload: Payload) -> HttpResponse {
    let wish = Wish::read(&request, &mut payload, r#"{"revision":"0123456789abcdef","queueMode":true}"#).await;
    answer(&request, wish, |wish| {
        let members = wish.body.members().iter();
        Ok(members.map(|(key, value)| Change::Set { key: key.clone(), value: value.clone() }).collect())
    })
    .await
}
