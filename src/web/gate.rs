//! The first thing every request meets: it gets an id, and only those with a key come in. Nothing of the body has been
//! read by then. `/health` is open.

use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};

use super::error::ApiError;
use super::keys::Visitor;
use super::state::State;
use super::strangers::{Strangers, hang_up};
use super::unread::Unread;

/// A request that was let in.
#[derive(Clone, Debug, Default)]
pub struct Admitted {
    /// As in its log line and in `X-Request-Id`.
    pub id: String,
    /// Label of the client's key; empty for an admin's.
    pub client: String,
}

/// Lets a request in, or answers it.
///
/// # Errors
/// Those of the handlers behind it.
pub async fn gate<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(state) = request.app_data::<Arc<State>>().cloned() else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let id = state.ids.next(state.clock.now());
    let visitor = state.keys.visitor(request.headers());
    let stranger = matches!(visitor, Visitor::Stranger | Visitor::Nobody);
    if stranger && !request.conn_data().is_none_or(Strangers::welcome) {
        return Ok(request.into_response(hang_up()));
    }
    let unread = Unread::of(&mut request);
    let mut response = match admit(&state, &request, visitor) {
        Ok(()) => {
            let client = match visitor {
                Visitor::Client(key) => format!("key-{key}"),
                _ => String::new(),
            };
            request.extensions_mut().insert(Admitted { id: id.clone(), client });
            next.call(request).await?.map_into_boxed_body()
        }
        Err(refusal) => request.into_response(refusal.response()).map_into_boxed_body(),
    };
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    if stranger {
        // No connection is kept for somebody unknown: on one that is kept, the next head has no deadline in actix.
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(unread.until_sent(response))
}

fn admit(state: &State, request: &ServiceRequest, visitor: Visitor) -> Result<(), ApiError> {
    // The path as the routes will see it: in that of the request any letter may be escaped.
    let path = request.match_info().as_str();
    if path == "/health" {
        return Ok(());
    }
    let also_admin = path == "/v1/ratelimits" || path.starts_with("/v1/stats/");
    let only_admin = path.starts_with("/v1/admin/");
    match visitor {
        Visitor::Client(_) if only_admin => return Err(ApiError::AdminRequired),
        Visitor::Client(_) => {}
        Visitor::Admin if also_admin || only_admin => {}
        Visitor::Admin => {
            return Err(ApiError::InvalidApiKey("This is an admin key. Use one of settings.apiKeys to call models."));
        }
        Visitor::Stranger | Visitor::Nobody if only_admin => {
            return Err(ApiError::InvalidApiKey(
                "This needs an admin key: send one of settings.adminKeys, or the one that was shown at the first \
                 start, as `Authorization: Bearer KEY`.",
            ));
        }
        Visitor::Stranger => {
            return Err(ApiError::InvalidApiKey("Incorrect API key. Use one of settings.apiKeys of this proxy."));
        }
        Visitor::Nobody => {
            return Err(ApiError::InvalidApiKey(
                "No API key given. Send one of settings.apiKeys as `Authorization: Bearer KEY`.",
            ));
        }
    }
    if state.drain.draining() { Err(ApiError::ShuttingDown) } else { Ok(()) }
}
