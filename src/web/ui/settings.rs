//! Keys of clients, the admin key, the configuration file with its earlier versions, and how pages look.
//!
//! A key that is made here is shown by the answer to the form that makes it, and by nothing else: not by an address, not
//! after a redirect, not in the log. Who sends that form again names a revision of the file that is out of date by then,
//! so no second key comes of it.

mod admin_key;
mod client_keys;
mod difference;
mod file;
mod once;
mod question;
mod version;

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use self::admin_key::AdminKeys;
use self::client_keys::ClientKeys;
use self::file::File;
use super::fault::Fault;
use super::fields::{Wrong, wrong_with};
use super::paper::Paper;
use super::shell::{Shell, answer, state};
use super::{at, view};
use crate::web::admin::config::Present;
use crate::web::error::ApiError;

/// Path of the page.
const HERE: &str = "/ui/settings";

#[derive(Template)]
#[template(path = "settings.html")]
struct Page {
    shell: Shell,
    said: Said,
    /// Of the file.
    revision: String,
    keys: ClientKeys,
    admin: AdminKeys,
    /// Nothing without a file that can be read.
    file: Option<File>,
}

/// What the page says beside what it always says.
#[derive(Default)]
struct Said {
    /// What is wrong with a form.
    wrongs: Vec<Wrong>,
    /// What was typed for a new key.
    label: String,
    /// Why the file is not used as it is.
    refused: Option<String>,
}

impl Said {
    /// What a refused change comes to. `stale` is what it means when the file is another one than the form was made from.
    fn of(fault: &ApiError, stale: &str) -> Self {
        let wrongs = match fault {
            ApiError::ConfigChanged { .. } => vec![Wrong::of("", stale)],
            fault => Wrong::all(fault, "settings.", &[("label", "label")]),
        };
        Self { wrongs, ..Self::default() }
    }

    /// What is wrong with a field.
    fn about(&self, field: &str) -> Option<&str> {
        wrong_with(&self.wrongs, field)
    }
}

/// What it means for most forms when the file is another one by now.
const STALE: &str = "The configuration file has changed since this page was made. Here it is as it is now: look at it, and \
                     repeat what you did.";

/// All of it.
pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(at("/ui/settings").route(view().to(self::page)))
        .service(at("/ui/settings/keys").route(view().to(back)).route(web::post().to(client_keys::make)))
        .service(
            at("/ui/settings/keys/{place:\\d+}/revoke")
                .route(view().to(client_keys::ask))
                .route(web::post().to(client_keys::revoke)),
        )
        .service(at("/ui/settings/admin-key").route(view().to(admin_key::ask)).route(web::post().to(admin_key::make)))
        .service(at("/ui/settings/reload").route(view().to(back)).route(web::post().to(file::reload)))
        .service(
            at("/ui/settings/versions/{id}").route(view().to(version::page)).route(web::post().to(version::restore)),
        );
}

/// `GET /ui/settings`
pub(super) async fn page(request: HttpRequest) -> HttpResponse {
    show(&request, StatusCode::OK, Said::default()).await
}

/// `GET` of what takes only forms: somebody has loaded the answer to one by its address.
pub(super) async fn back(_: HttpRequest) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, HERE)).finish()
}

async fn show(request: &HttpRequest, status: StatusCode, said: Said) -> HttpResponse {
    let Some(state) = state(request) else { return Fault::from(&ApiError::ShuttingDown).page(request) };
    let read = Present::read_with_text(state).await;
    let paper = Paper::of(state, read.as_ref().map(|(present, _)| present));
    let keys = ClientKeys::read(state, &paper).await;
    let admin = AdminKeys::of(&paper);
    let file = match read {
        Ok((present, text)) => Some(File::read(state, present, text).await),
        Err(_) => None,
    };
    let mut shell = Shell::of(request, "Settings", HERE).with_paper(&paper);
    if said.refused.is_some() {
        // The page says the same at its place.
        shell.fault = None;
    }
    answer(request, status, &Page { shell, said, revision: paper.revision, keys, admin, file })
}
