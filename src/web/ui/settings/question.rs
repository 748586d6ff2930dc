//! What is asked before something goes that does not come back: a page of its own, or a dialog on the page that is there.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::paper::Paper;
use super::super::shell::{Shell, answer, wants_part};
use super::HERE;

/// What is asked.
pub(super) struct Question {
    pub(super) title: String,
    pub(super) lines: Vec<String>,
    /// Where the answer goes.
    pub(super) action: String,
    pub(super) button: &'static str,
    /// Of the file that the question was made from.
    pub(super) revision: String,
    /// There is an answer to give.
    pub(super) may: bool,
}

#[derive(Template)]
#[template(path = "settings_question.html")]
struct Part<'a> {
    question: &'a Question,
    csrf: &'a str,
    /// In the dialog.
    inside: bool,
}

#[derive(Template)]
#[template(path = "settings_question_page.html")]
struct Page<'a> {
    shell: &'a Shell,
    part: Part<'a>,
}

impl Question {
    pub(super) fn page(&self, request: &HttpRequest, paper: &Paper) -> HttpResponse {
        let shell = Shell::of(request, "Settings", HERE).with_paper(paper);
        let inside = wants_part(request);
        let part = Part { question: self, csrf: &shell.csrf, inside };
        match inside {
            true => answer(request, StatusCode::OK, &part),
            false => answer(request, StatusCode::OK, &Page { shell: &shell, part }),
        }
    }
}
