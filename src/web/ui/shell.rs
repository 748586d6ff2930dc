//! What all pages have around them, and how one is answered.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, LOCATION, REFERER, SET_COOKIE};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder, web};
use askama::Template;

use super::door::{COOKIE, Caller};
use super::paper::Paper;
use super::sessions::IDLE;
use super::{assets, cookie, did};
use crate::config::live::Fault;
use crate::upstream::waterfall::Worker;
use crate::web::state::State;

/// Around every page.
pub(super) struct Shell {
    pub(super) title: &'static str,
    /// Path of the page, as the navigation has it.
    pub(super) here: &'static str,
    /// Empty when nobody is logged in.
    pub(super) csrf: String,
    /// `light`, `dark`, or empty for the system's.
    pub(super) theme: &'static str,
    pub(super) version: &'static str,
    /// Milliseconds since the epoch.
    pub(super) now: u64,
    /// Where news of the page come from; empty for pages that stay as they are.
    pub(super) live: String,
    /// Why the configuration file is not in use as it is.
    pub(super) fault: Option<Fault>,
    /// The page changes the configuration, and needs the style and the script for it.
    pub(super) edits: bool,
    /// Why it cannot, just now.
    pub(super) locked: Option<String>,
    /// What the form before has done.
    pub(super) did: Option<&'static str>,
}

/// The pages, in the order of the navigation.
pub(super) const PAGES: [(&str, &str); 5] = [
    ("/ui", "Dashboard"),
    ("/ui/providers", "Providers"),
    ("/ui/chains", "Chains"),
    ("/ui/playground", "Playground"),
    ("/ui/settings", "Settings"),
];

const THEMES: [&str; 2] = ["light", "dark"];

impl Shell {
    pub(super) fn of(request: &HttpRequest, title: &'static str, here: &'static str) -> Self {
        let now = state(request).map_or(0, |state| state.clock.now().wall.0);
        let chosen = cookie::read(request.headers(), "theme").unwrap_or_default();
        let theme = THEMES.into_iter().find(|theme| *theme == chosen).unwrap_or_default();
        let csrf = request.extensions().get::<Caller>().map(|caller| caller.token.clone()).unwrap_or_default();
        // Who is not logged in need not know.
        let fault = state(request).filter(|_| !csrf.is_empty()).and_then(|state| state.live.fault());
        let (version, live, did) = (assets::VERSION.as_str(), String::new(), did::of(request));
        Self { title, here, csrf, theme, version, now, live, fault, edits: false, locked: None, did }
    }

    /// The same for a page that changes the configuration.
    pub(super) fn with_paper(mut self, paper: &Paper) -> Self {
        self.edits = true;
        self.locked.clone_from(&paper.locked);
        self
    }

    /// The same with news from there.
    pub(super) fn with_live(mut self, url: String) -> Self {
        self.live = url;
        self
    }

    /// For the navigation.
    pub(super) fn pages(&self) -> [(&'static str, &'static str); 5] {
        PAGES
    }
}

pub(super) fn state(request: &HttpRequest) -> Option<&Arc<State>> {
    request.app_data::<Arc<State>>()
}

pub(super) fn worker(request: &HttpRequest) -> Option<&Rc<Worker>> {
    request.app_data::<Rc<Worker>>()
}

/// Whether a part of a page is asked for.
pub(super) fn wants_part(request: &HttpRequest) -> bool {
    request.headers().get("hx-request-type").is_some_and(|kind| kind == "partial")
        && !request.headers().contains_key("hx-history-restore-request")
}

/// A page or a part of one. The session's cookie lives on with it.
pub(super) fn answer(request: &HttpRequest, status: StatusCode, page: &impl Template) -> HttpResponse {
    let Ok(html) = page.render() else { return HttpResponse::InternalServerError().finish() };
    let mut builder = HttpResponse::build(status);
    builder.insert_header((CONTENT_TYPE, "text/html; charset=utf-8"));
    live_on(request, &mut builder);
    builder.body(html)
}

/// Has the browser keep the session's cookie for as long as the session lives from now.
pub(super) fn live_on(request: &HttpRequest, builder: &mut HttpResponseBuilder) {
    if request.extensions().get::<Caller>().is_some()
        && let Some(secret) = cookie::read(request.headers(), COOKIE)
    {
        builder.insert_header((SET_COOKIE, cookie::hidden(COOKIE, secret, IDLE, request.headers())));
    }
}

#[derive(serde::Deserialize)]
pub(super) struct Choice {
    #[serde(default)]
    theme: String,
}

/// `POST /ui/theme`: how pages look from now on. It is no secret, and the script reads it as well.
pub(super) async fn theme(request: HttpRequest, choice: web::Form<Choice>) -> HttpResponse {
    let back = request.headers().get(REFERER).and_then(|from| from.to_str().ok()).and_then(|from| {
        let (_, rest) = from.split_once("://")?;
        rest.find('/').and_then(|at| rest.get(at..))
    });
    let chosen = THEMES.into_iter().find(|theme| *theme == choice.theme);
    let kept = match chosen {
        Some(theme) => format!("theme={theme}; Path=/ui; SameSite=Strict; Max-Age=31536000"),
        None => "theme=; Path=/ui; SameSite=Strict; Max-Age=0".to_owned(),
    };
    let back = back.filter(|path| is_local(path)).unwrap_or("/ui");
    HttpResponse::SeeOther().insert_header((SET_COOKIE, kept)).insert_header((LOCATION, back)).finish()
}

/// Whether it is a path of the UI and leads nowhere else.
pub(super) fn is_local(path: &str) -> bool {
    let rest = path.strip_prefix("/ui");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
        && !path.contains(['\\', '\r', '\n'])
        && !path.contains("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_the_ui_are_local() {
        for (path, local) in [
            ("/ui", true),
            ("/ui?range=7d", true),
            ("/ui/playground", true),
            ("/uii", false),
            ("/", false),
            ("//evil.example/ui", false),
            ("/ui//evil.example", false),
            ("/ui/\\evil.example", false),
            ("https://evil.example/ui", false),
            ("/ui\r\nset-cookie: a=b", false),
        ] {
            assert_eq!(is_local(path), local, "{path}");
        }
    }
}
