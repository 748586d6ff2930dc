//! An earlier version of the file, how it differs from what is there, and the way back to it.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::did::done;
use super::super::fault::Fault;
use super::super::fields::{Fields, Wrong};
use super::super::paper;
use super::super::shell::{Shell, answer, state};
use super::difference::{Line, difference};
use super::file::Row;
use super::{HERE, Said};
use crate::config::file::Writable;
use crate::config::model::{Config, Settings};
use crate::config::source::Source;
use crate::web::admin::config::masked;
use crate::web::admin::editing::{Edit, invalid};
use crate::web::admin::look;
use crate::web::admin::versions::read_one;
use crate::web::error::ApiError;
use crate::web::state::State;

#[derive(Template)]
#[template(path = "settings_version.html")]
struct Page {
    shell: Shell,
    wrongs: Vec<Wrong>,
    seen: Seen,
}

/// What there is to know before going back.
struct Seen {
    version: Row,
    /// With each secret masked, or why it is not shown.
    text: Result<String, String>,
    /// The same of the file as it is.
    present: Result<String, String>,
    /// Of the file as it is.
    revision: String,
    /// What it does to keys, in sentences.
    keys: Vec<String>,
    /// Why it cannot be used.
    unfit: Option<String>,
    /// Why the file cannot be written.
    locked: Option<String>,
}

impl Seen {
    async fn read(state: &Arc<State>, id: &str) -> Result<Self, ApiError> {
        let (id, active) = (id.to_owned(), state.live.get());
        look(state, move |source, file| {
            let (version, text) = read_one(file, &id)?;
            let (now, revision) =
                file.read().map_err(|errors| invalid("The configuration file cannot be read.", &errors))?;
            let (keys, unfit) = match source.parse(&text) {
                Ok(loaded) => (effects(&active.config, &loaded.config), None),
                Err(errors) => (Vec::new(), Some(errors.to_string())),
            };
            let locked = match file.writable() {
                Writable::No(reason) => Some(format!("{} is read-only: {reason}.", source.path().display())),
                Writable::Rename | Writable::InPlace => None,
            };
            let revision = revision.to_string();
            let version = Row::of(&version, &revision);
            let (text, present) = (shown(source, &text), shown(source, &now));
            Ok(Self { version, text, present, revision, keys, unfit, locked })
        })
        .await
    }

    /// Nothing when one of both cannot be shown.
    fn difference(&self) -> Option<Vec<Line<'_>>> {
        Some(difference(self.present.as_ref().ok()?, self.text.as_ref().ok()?))
    }
}

fn shown(source: &Source, text: &str) -> Result<String, String> {
    masked(source, text).map_err(|fault| fault.to_string())
}

/// What a configuration does to keys, in place of the one in use. Masked texts do not tell all of it.
fn effects(now: &Config, then: &Config) -> Vec<String> {
    let labels = |of: &Settings, but: &Settings| -> Option<String> {
        let known = |digest| but.api_keys.iter().any(|key| key.digest == digest);
        let labels: Vec<&str> =
            of.api_keys.iter().filter(|key| !known(key.digest)).map(|key| key.label.as_str()).collect();
        (!labels.is_empty()).then(|| labels.join(", "))
    };
    let (now, then) = (&now.settings, &then.settings);
    let back = labels(then, now).map(|labels| format!("Client keys that open again: {labels}."));
    let gone = labels(now, then).map(|labels| format!("Client keys that open nothing any more: {labels}."));
    let admin = (now.admin_keys != then.admin_keys).then(|| {
        "Other admin keys count than now. Whoever else is logged in is logged out at once; you stay.".to_owned()
    });
    [back, gone, admin].into_iter().flatten().collect()
}

/// `GET /ui/settings/versions/{id}`
pub(super) async fn page(request: HttpRequest, id: Path<String>) -> HttpResponse {
    show(&request, &id, StatusCode::OK, Vec::new()).await
}

const STALE: &str = "The configuration file has changed since this page was made. The difference is to what it is now: look at \
                     it again.";

/// `POST /ui/settings/versions/{id}`: writes it and uses it.
pub(super) async fn restore(request: HttpRequest, id: Path<String>, fields: Form<Fields>) -> HttpResponse {
    match paper::change_keys(&request, fields.revision(), Edit::Version(id.clone())).await {
        Ok(()) => done(&request, HERE, "restored"),
        Err(fault) => show(&request, &id, fault.status(), Said::of(&fault, STALE).wrongs).await,
    }
}

async fn show(request: &HttpRequest, id: &str, status: StatusCode, wrongs: Vec<Wrong>) -> HttpResponse {
    let Some(state) = state(request) else { return Fault::from(&ApiError::ShuttingDown).page(request) };
    match Seen::read(state, id).await {
        Ok(seen) => {
            let mut shell = Shell::of(request, "Version", HERE);
            (shell.edits, shell.locked) = (true, seen.locked.clone());
            answer(request, status, &Page { shell, wrongs, seen })
        }
        Err(fault) => Fault::from(&fault).page(request),
    }
}
