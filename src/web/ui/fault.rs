//! Pages that say what is wrong.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::shell::{Shell, answer};
use crate::web::error::ApiError;

/// What is wrong, and what to do.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    status: u16,
    title: String,
    advice: String,
}

#[derive(Template)]
#[template(path = "fault.html")]
struct Page<'a> {
    shell: Shell,
    fault: &'a Fault,
}

/// The same beside the page that stays.
#[derive(Template)]
#[template(path = "toast.html")]
struct Toast<'a> {
    fault: &'a Fault,
}

impl Fault {
    pub(super) fn of(status: u16, title: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { status, title: title.into(), advice: advice.into() }
    }

    /// As a page; for htmx as a message on the page that is there.
    pub(super) fn page(&self, request: &HttpRequest) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match request.headers().contains_key("hx-request") {
            true => answer(request, status, &Toast { fault: self }),
            false => answer(request, status, &Page { shell: Shell::of(request, "Problem", ""), fault: self }),
        }
    }
}

impl From<&ApiError> for Fault {
    fn from(fault: &ApiError) -> Self {
        Self::of(fault.status().as_u16(), "That did not work", fault.to_string())
    }
}

/// Anything under `/ui` that is not there.
pub(super) async fn nothing_here(request: HttpRequest) -> HttpResponse {
    no_such_page(&request)
}

/// A page of which there might be one.
pub(super) fn no_such_page(request: &HttpRequest) -> HttpResponse {
    Fault::of(404, "There is no such page", "The address may be mistyped, or out of date.").page(request)
}

/// A page that does not do that.
pub(super) async fn wrong_method(request: HttpRequest) -> HttpResponse {
    let title = format!("This page does not take {}", request.method());
    Fault::of(405, title, "Go to it by a link or a button of the UI.").page(&request)
}
