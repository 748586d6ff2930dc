//! The key to these pages and to the admin API, and another in its place.

use actix_web::web::Form;
use actix_web::{HttpRequest, HttpResponse};
use tracing::warn;

use super::super::fault::Fault;
use super::super::fields::Fields;
use super::super::paper::{self, Paper};
use super::super::shell::state;
use super::once::Once;
use super::question::Question;
use super::{HERE, Said, show};
use crate::config::edit::{Change, Value};
use crate::store::admin_key;
use crate::web::admin::editing::Edit;
use crate::web::error::ApiError;

/// Which keys count now.
pub(super) struct AdminKeys {
    /// As the file has them, masked.
    pub(super) written: Vec<String>,
    /// How many those in use are; none means the generated one.
    pub(super) named: usize,
}

impl AdminKeys {
    pub(super) fn of(paper: &Paper) -> Self {
        let written = paper.document.get("settings").and_then(|settings| settings.get("adminKeys"));
        let written = written.map(Value::items).unwrap_or_default().iter().filter_map(Value::as_text);
        Self { written: written.map(str::to_owned).collect(), named: paper.config.settings.admin_keys.len() }
    }

    /// What becomes of them.
    fn fate(&self) -> String {
        match self.written.as_slice() {
            [] => {
                "The generated key, whose digest is in the data directory, counts no more: the file names the new one, and a \
                 key in the file goes before it."
                    .to_owned()
            }
            [one] => format!("The key in the file, {one}, gives way to the new one."),
            more => format!("The {} keys in the file, {}, give way to the new one.", more.len(), more.join(", ")),
        }
    }
}

/// `GET /ui/settings/admin-key`: asks before.
pub(super) async fn ask(request: HttpRequest) -> HttpResponse {
    let Some(state) = state(&request) else { return Fault::from(&ApiError::ShuttingDown).page(&request) };
    let paper = Paper::read(state).await;
    let keys = AdminKeys::of(&paper);
    let mut lines = vec![keys.fate()];
    if keys.written.iter().any(|key| key.contains("${")) {
        lines.push("The environment variable that it named is not looked at any more.".to_owned());
    }
    lines.push("The key that you have used opens nothing from then on, neither here nor in the admin API.".to_owned());
    lines.push("Whoever else is logged in is logged out at once; you stay.".to_owned());
    let question = Question {
        title: "Make a new admin key?".to_owned(),
        lines,
        action: format!("{HERE}/admin-key"),
        button: "Make a new admin key",
        revision: paper.revision.clone(),
        may: paper.locked.is_none(),
    };
    question.page(&request, &paper)
}

const MADE_ALREADY: &str = "The configuration file has changed since this question was asked, so no key was made this time. If \
                            you have loaded the page of the new admin key again: that key counts, but it was shown only once. \
                            If it is lost, make another while you are logged in.";

/// `POST /ui/settings/admin-key`: makes a key, shows it, and ends all sessions but this one.
pub(super) async fn make(request: HttpRequest, fields: Form<Fields>) -> HttpResponse {
    match new_key(&request, fields.revision()).await {
        Ok(key) => Once::admin_key(key).page(&request),
        Err(fault) => show(&request, fault.status(), Said::of(&fault, MADE_ALREADY)).await,
    }
}

async fn new_key(request: &HttpRequest, revision: &str) -> Result<String, ApiError> {
    let (key, digest) = admin_key::fresh().map_err(|_| ApiError::Internal)?;
    let value = Value::List(vec![digest.written().into()]);
    let change = Change::Set { key: "adminKeys".to_owned(), value };
    paper::change_keys(request, revision, Edit::Changes(vec![change])).await?;
    warn!("a new admin key was made in the UI: it is the only one that counts, and all other sessions have ended");
    Ok(key)
}
