//! Coming in with an admin key, and leaving.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, RETRY_AFTER, SET_COOKIE};
use actix_web::web::{Form, Query};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use tracing::{info, warn};

use super::super::keys::Keys;
use super::cookie;
use super::door::{COOKIE, Caller};
use super::fault::Fault;
use super::sessions::IDLE;
use super::shell::{Shell, answer, is_local, state};
use super::tries::{MOST, Tried};
use crate::config::model::KeyDigest;

#[derive(Template)]
#[template(path = "login.html")]
struct Page {
    shell: Shell,
    next: String,
    /// What was wrong with the last try.
    wrong: Option<String>,
    /// Seconds until the next try.
    wait: Option<u64>,
}

/// Where to go afterwards.
#[derive(Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(super) struct Entry {
    #[serde(default)]
    key: String,
    #[serde(default)]
    next: String,
}

/// `GET /ui/login`
pub(super) async fn page(request: HttpRequest, next: Query<Next>) -> HttpResponse {
    let shell = Shell::of(&request, "Log in", "");
    if !shell.csrf.is_empty() {
        return to(&next.next).finish();
    }
    let next = if is_local(&next.next) { next.into_inner().next } else { String::new() };
    answer(&request, StatusCode::OK, &Page { shell, next, wrong: None, wait: None })
}

/// `POST /ui/login`
pub(super) async fn enter(request: HttpRequest, entry: Form<Entry>) -> HttpResponse {
    let Some(state) = state(&request) else { return unavailable(&request) };
    let (from, now) = (address(&request), state.clock.mono());
    let key = entry.key.trim();
    let tried = state.ui.tries.attempt(from, now, || !key.is_empty() && Keys::of(&state.live.get()).is_admin(key));
    let again = |wrong: String, wait| {
        let next = if is_local(&entry.next) { entry.next.clone() } else { String::new() };
        Page { shell: Shell::of(&request, "Log in", ""), next, wrong: Some(wrong), wait }
    };
    match tried {
        Tried::Right => match state.ui.sessions.begin(KeyDigest::of(key), now) {
            Ok(secret) => {
                info!(%from, "somebody has logged in at the UI");
                let kept = cookie::hidden(COOKIE, &secret, IDLE, request.headers());
                to(&entry.next).insert_header((SET_COOKIE, kept)).finish()
            }
            Err(_) => unavailable(&request),
        },
        Tried::Wrong(count) => {
            warn!(%from, count, "a wrong key at the login of the UI");
            let page = again(format!("That key is not valid. ({count} of {MOST})"), None);
            answer(&request, StatusCode::UNAUTHORIZED, &page)
        }
        Tried::TooOften(wait) => {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            let page = again(format!("Too many wrong keys. Try again in {seconds} s."), Some(seconds));
            let mut response = answer(&request, StatusCode::TOO_MANY_REQUESTS, &page);
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
            response
        }
    }
}

/// `POST /ui/logout`
pub(super) async fn leave(request: HttpRequest) -> HttpResponse {
    if let (Some(state), Some(caller)) = (state(&request), request.extensions().get::<Caller>()) {
        state.ui.sessions.end(caller.session);
    }
    let gone = cookie::hidden(COOKIE, "", std::time::Duration::ZERO, request.headers());
    HttpResponse::SeeOther().insert_header((SET_COOKIE, gone)).insert_header((LOCATION, "/ui/login")).finish()
}

fn to(next: &str) -> actix_web::HttpResponseBuilder {
    let mut builder = HttpResponse::SeeOther();
    builder.insert_header((LOCATION, if is_local(next) { next } else { "/ui" }));
    builder
}

fn unavailable(request: &HttpRequest) -> HttpResponse {
    Fault::of(503, "429chain is not ready", "Try again in a moment.").page(request)
}

/// Who tries. Behind a proxy on this machine it is whom that proxy names last: what stands before may be made up.
fn address(request: &HttpRequest) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    if !peer.to_canonical().is_loopback() {
        return peer;
    }
    let lines = request.headers().get_all("x-forwarded-for").filter_map(|line| line.to_str().ok());
    let last = lines.last().and_then(|line| line.rsplit(',').next()).and_then(|last| last.trim().parse().ok());
    last.unwrap_or(peer)
}
