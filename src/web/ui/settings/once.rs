//! A key that was just made: the only page that ever shows it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::dashboard::address;
use super::super::shell::{Shell, answer};
use super::HERE;

/// What the page shows.
pub(super) struct Once {
    title: String,
    key: String,
    /// Where to send it; nothing for an admin's.
    base_url: Option<String>,
    /// What to know about it.
    lines: Vec<&'static str>,
}

#[derive(Template)]
#[template(path = "settings_once.html")]
struct Page<'a> {
    shell: Shell,
    once: &'a Once,
}

impl Once {
    pub(super) fn client_key(request: &HttpRequest, key: String, label: &str) -> Self {
        let title = match label {
            "" => "The new client key".to_owned(),
            label => format!("The new client key {label}"),
        };
        let lines = vec!["It works already. Give your app both: the key, and the base URL."];
        Self { title, key, base_url: Some(format!("{}/v1", address(request))), lines }
    }

    pub(super) fn admin_key(key: String) -> Self {
        let lines = vec![
            "It counts already, and no other admin key does. Whoever else was logged in has to come in with it; you stay \
             logged in.",
            "Scripts that use the admin API need it as well.",
        ];
        Self { title: "The new admin key".to_owned(), key, base_url: None, lines }
    }

    pub(super) fn page(&self, request: &HttpRequest) -> HttpResponse {
        let mut shell = Shell::of(request, "New key", HERE);
        shell.edits = true;
        answer(request, StatusCode::OK, &Page { shell, once: self })
    }
}
