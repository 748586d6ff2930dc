//! Who may come into the UI, and what every page of it tells the browser.

use actix_web::HttpMessage;
use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION, ORIGIN,
    REFERRER_POLICY, RETRY_AFTER, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::web;

use super::cookie;
use super::fault::Fault;
use super::sessions::Id;
use crate::web::admit;
use crate::web::state::State;

/// Everything from here, nothing inline, and nobody puts the pages into a frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Forms are short; a prompt for the playground may be longer.
pub(super) const MOST_BYTES: usize = 1 << 20;

pub(super) const COOKIE: &str = "sid";

/// Whoever is in, in the extensions of the request.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) session: Id,
    /// Proves that a form comes from a page of this session.
    pub(super) token: String,
}

/// Whether a path leads to the UI.
#[must_use]
pub(in crate::web) fn is_ours(path: &str) -> bool {
    path == "/" || path == "/ui" || path.starts_with("/ui/")
}

/// Whether a request belongs to a session. Keys do not count here.
pub(in crate::web) fn knows(state: &State, request: &ServiceRequest) -> bool {
    caller(state, request).is_some()
}

fn caller(state: &State, request: &ServiceRequest) -> Option<Caller> {
    let sessions = &state.ui.sessions;
    let secret = cookie::read(request.headers(), COOKIE)?;
    let session = sessions.find(secret, state.clock.mono(), &state.live.get().admin_keys)?;
    Some(Caller { session, token: sessions.token(session) })
}

/// Lets a request in, or answers it. A form that comes without the token in its head is read here, so that no handler
/// can forget to look.
pub(in crate::web) async fn admit(state: &State, request: &mut ServiceRequest) -> Result<(), HttpResponse> {
    let path = request.match_info().as_str().to_owned();
    let open = path == "/" || path == "/ui/login" || path == "/ui/theme" || path.starts_with("/ui/static/");
    if state.drain.draining() && !path.starts_with("/ui/static/") {
        let page = Fault::of(503, "429chain is shutting down", "Try again in a moment.").page(request.request());
        return Err(with(page, RETRY_AFTER, "1"));
    }
    let changes = !request.method().is_safe();
    if changes && !from_here(request.headers()) {
        return Err(Fault::of(403, "This did not come from a page of 429chain", FOREIGN).page(request.request()));
    }
    let Some(caller) = caller(state, request) else {
        return if open { Ok(()) } else { Err(to_login(request)) };
    };
    if changes && !open {
        if !holds(state, caller.session, request).await? {
            return Err(Fault::of(403, "This page is out of date", STALE).page(request.request()));
        }
        // The form may have taken its time to arrive.
        if !knows(state, request) {
            return Err(to_login(request));
        }
    }
    request.extensions_mut().insert(caller);
    Ok(())
}

const FOREIGN: &str = "Nothing was changed. If you did press a button of this page: a proxy in between must pass on the \
                       headers Host and Origin as they are.";

const STALE: &str = "Nothing was changed. Load the page again, and repeat what you did.";

/// Whether a request was made by a page of this origin, as the browser says.
fn from_here(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    match (text(HeaderName::from_static("sec-fetch-site")), text(ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        // Over plain HTTP browsers say only this.
        (None, Some(origin)) => {
            let from = origin.split_once("://").map(|(_, host)| host);
            from.is_some() && from == text(HOST)
        }
        (None, None) => false,
    }
}

/// Whether the token of the session is in the head, or in the form.
async fn holds(state: &State, session: Id, request: &mut ServiceRequest) -> Result<bool, HttpResponse> {
    let sessions = &state.ui.sessions;
    if let Some(token) = request.headers().get("x-csrf-token") {
        return Ok(token.to_str().is_ok_and(|token| sessions.accepts(session, token)));
    }
    let mut payload = request.take_payload();
    let limit = MOST_BYTES.min(state.config().settings.max_body_bytes);
    let body = match admit::body(request.headers(), &mut payload, limit).await {
        Ok(body) => body,
        Err(fault) => return Err(Fault::from(&fault).page(request.request())),
    };
    let pairs = web::Query::<Vec<(String, String)>>::from_query(std::str::from_utf8(&body).unwrap_or_default());
    request.set_payload(Payload::from(body));
    let token = pairs.ok().and_then(|pairs| pairs.into_inner().into_iter().find(|(name, _)| name == "_csrf"));
    Ok(token.is_some_and(|(_, token)| sessions.accepts(session, &token)))
}

/// The way to the login, and back from there.
fn to_login(request: &ServiceRequest) -> HttpResponse {
    let reading = request.method().is_safe();
    let htmx = request.headers().contains_key("hx-request");
    // Of a fragment it is the page around it that is wanted.
    let current = || {
        let url = request.headers().get("hx-current-url")?.to_str().ok()?;
        let (_, rest) = url.split_once("://")?;
        Some(rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/ui").to_owned())
    };
    let wanted = match (htmx, reading) {
        (true, _) => current().unwrap_or_else(|| "/ui".to_owned()),
        (false, true) => request.uri().path_and_query().map_or("/ui".to_owned(), ToString::to_string),
        (false, false) => "/ui".to_owned(),
    };
    let encoded: String = form_encoded(&wanted);
    let login = if wanted == "/ui" { "/ui/login".to_owned() } else { format!("/ui/login?next={encoded}") };
    match htmx || request.match_info().as_str() == "/ui/live" {
        true => HttpResponse::Unauthorized().insert_header(("hx-redirect", login)).finish(),
        false => HttpResponse::SeeOther().insert_header((LOCATION, login)).finish(),
    }
}

/// As the value of a query.
pub(super) fn form_encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => encoded.push(byte.into()),
            _ => {
                encoded.push('%');
                encoded
                    .extend([byte >> 4, byte & 15].into_iter().filter_map(|digit| char::from_digit(digit.into(), 16)));
            }
        }
        encoded
    })
}

/// Says on every answer what the browser may do with it.
pub(in crate::web) fn protect(response: &mut ServiceResponse<BoxBody>) {
    let headers = response.headers_mut();
    let fixed = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(VARY, HeaderValue::from_static("HX-Request-Type"));
    }
}

fn with(mut response: HttpResponse, name: HeaderName, value: &'static str) -> HttpResponse {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comes_from_here(lines: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        from_here(&headers)
    }

    #[test]
    fn only_what_a_page_of_ours_sends_comes_from_here() {
        for (lines, expected) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "http://a:1"), ("host", "a:1")], false),
            (&[("origin", "http://a:1"), ("host", "a:1")], true),
            (&[("origin", "http://a:1"), ("host", "a:2")], false),
            (&[("origin", "null"), ("host", "a:1")], false),
            (&[("host", "a:1")], false),
            (&[], false),
        ] {
            assert_eq!(comes_from_here(lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_path_is_encoded_as_a_value() {
        assert_eq!(form_encoded("/ui?range=7d&q=ä b"), "/ui%3frange%3d7d%26q%3d%c3%a4%20b");
    }
}
