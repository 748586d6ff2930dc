//! The first thing every request meets: it gets an id, and only those with a key come in. Nothing of the body has been
//! read by then. `/health` and `/v1/openapi.json` are open: they tell nothing that is not public. So is
//! `/metrics` to whoever asks from this machine.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::http::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};

use super::error::ApiError;
use super::keys::{Keys, Visitor};
use super::state::State;
use super::strangers::{Strangers, hang_up};
use super::ui::door;
use super::unread::Unread;
use crate::config::model::UI_CLIENT;

/// A request that was let in.
#[derive(Clone, Debug, Default)]
pub struct Admitted {
    /// As in its log line and in `X-Request-Id`.
    pub id: String,
    /// Label of the client's key; empty for an admin's, `ui` for a session.
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
    let active = state.live.get();
    let visitor = Keys::of(&active).visitor(request.headers());
    // The path as the routes will see it: in that of the request any letter may be escaped.
    let ui = door::is_ours(request.match_info().as_str());
    let stranger = match ui {
        true => !door::knows(&state, &request),
        false => matches!(visitor, Visitor::Stranger | Visitor::Nobody),
    };
    if stranger && !request.conn_data().is_none_or(Strangers::welcome) {
        return Ok(request.into_response(hang_up()));
    }
    let unread = Unread::of(&mut request);
    let admitted = match ui {
        true => door::admit(&state, &mut request).await.map(|()| UI_CLIENT.to_owned()),
        false => admit(&state, &request, visitor)
            .map(|()| Keys::of(&active).label(visitor).to_owned())
            .map_err(|refusal| refusal.response()),
    };
    let mut response = match admitted {
        Ok(client) => {
            request.extensions_mut().insert(Admitted { id: id.clone(), client });
            next.call(request).await?.map_into_boxed_body()
        }
        Err(refusal) => request.into_response(refusal).map_into_boxed_body(),
    };
    if ui {
        door::protect(&mut response);
    }
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
    let path = request.match_info().as_str();
    let metrics = path == "/metrics";
    let peer = request.peer_addr().map(|peer| peer.ip());
    if path == "/health" || path == "/v1/openapi.json" || (metrics && is_from_here(peer, request.headers())) {
        return Ok(());
    }
    let also_admin = metrics || path == "/v1/ratelimits" || path.starts_with("/v1/stats/");
    let only_admin = path.starts_with("/v1/admin/") || path.starts_with("/v1/test/");
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
        Visitor::Stranger | Visitor::Nobody if metrics => {
            return Err(ApiError::InvalidApiKey(
                "From another machine, and through a proxy, /metrics needs a key: send one of settings.apiKeys or \
                 settings.adminKeys as `Authorization: Bearer KEY`.",
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
    if state.drain.draining() && !metrics { Err(ApiError::ShuttingDown) } else { Ok(()) }
}

/// Whether a request was made on this machine, as far as can be told: the other end of its connection is here, and
/// nobody says that it was passed on for somebody else.
fn is_from_here(peer: Option<IpAddr>, headers: &HeaderMap) -> bool {
    const PASSED_ON: [&str; 6] = ["forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip"];
    let passed_on = |name: &HeaderName| PASSED_ON.contains(&name.as_str()) || name.as_str().starts_with("x-forwarded");
    let called = headers.get(HOST).map(|host| host.to_str().is_ok_and(names_this_machine));
    // A page from elsewhere may have made its own name lead here: then a browser of this machine asks for it.
    let called = called.unwrap_or(true);
    peer.is_some_and(|peer| peer.to_canonical().is_loopback()) && !headers.keys().any(passed_on) && called
}

/// Whether a `Host` is this machine whatever any name server says.
fn names_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let local = name.eq_ignore_ascii_case("localhost");
    local || name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_comes_from_here_and_from_nobody_else_is_from_here() {
        let asks = |peer: Option<&str>, header: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static(header), HeaderValue::from_static("127.0.0.1"));
            is_from_here(peer.map(|peer| peer.parse().unwrap()), &headers)
        };
        for peer in ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"] {
            assert!(asks(Some(peer), "accept"), "{peer}");
            for header in [
                "forwarded",
                "x-forwarded-for",
                "x-forwarded-host",
                "x-forwarded",
                "via",
                "x-real-ip",
                "cf-connecting-ip",
            ] {
                assert!(!asks(Some(peer), header), "{peer} {header}");
            }
        }
        for (host, here) in [
            ("127.0.0.1:3429", true),
            ("localhost", true),
            ("LocalHost:3429", true),
            ("[::1]:3429", true),
            ("evil.example:3429", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static(host));
            assert_eq!(is_from_here(Some([127, 0, 0, 1].into()), &headers), here, "{host}");
        }
        for peer in [None, Some("10.0.0.1"), Some("0.0.0.0"), Some("::ffff:10.0.0.1"), Some("::"), Some("fe80::1")] {
            assert!(!asks(peer, "accept"), "{peer:?}");
        }
    }
}
