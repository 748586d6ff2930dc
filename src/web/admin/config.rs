//! `GET /v1/admin/config`: the configuration file, with each secret masked.

use std::sync::Arc;

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::editing::invalid;
use crate::config::edit::{Names, Value, masked_document, masked_text};
use crate::config::file::{ConfigFile, Writable};
use crate::config::revision::Revision;
use crate::config::source::Source;
use crate::web::error::ApiError;
use crate::web::reload::{ProblemView, Standing};
use crate::web::state::State;

/// The configuration file.
#[derive(Serialize, ToSchema)]
#[schema(as = ConfigFile)]
#[serde(rename_all = "camelCase")]
pub(in crate::web) struct Present {
    /// Where it is.
    path: String,
    /// Of its text. A change names the one that it is made from.
    revision: String,
    writable: bool,
    /// How it is written: `rename` puts a new file in its place, `inPlace` changes its contents; null when it cannot be.
    #[schema(value_type = Option<String>)]
    way: Option<&'static str>,
    /// Why it cannot be written.
    reason: Option<String>,
    /// Its values, with each secret masked. What is masked may be sent back, and means the value behind it. Null when the
    /// file is no YAML.
    #[schema(value_type = Option<Object>)]
    document: Option<Value>,
    /// Why it is no YAML.
    problems: Vec<ProblemView>,
    in_use: Standing,
    /// What is in it is called so in use.
    #[serde(skip)]
    names: Names,
}

/// The file as it is now, and what of it is in use.
pub async fn config(request: HttpRequest) -> HttpResponse {
    let Some(state) = request.app_data::<Arc<State>>() else { return ApiError::ShuttingDown.response() };
    match Present::read(state).await {
        Ok(present) => HttpResponse::Ok().insert_header((ETAG, format!("\"{}\"", present.revision))).json(present),
        Err(fault) => fault.response(),
    }
}

/// The text of a configuration file with each secret masked, or why it cannot be shown.
pub(in crate::web) type Masked = Result<String, ApiError>;

/// Masks a text.
pub(in crate::web) fn masked(source: &Source, text: &str) -> Masked {
    let refuse = |errors| invalid("This cannot be shown, because secrets in it could not be masked.", &errors);
    masked_text(text, &source.path().display().to_string()).map_err(refuse)
}

impl Present {
    /// Reads the file.
    pub(in crate::web) async fn read(state: &Arc<State>) -> Result<Self, ApiError> {
        Self::read_with_text(state).await.map(|(present, _)| present)
    }

    /// The same, and the text with each secret masked.
    pub(in crate::web) async fn read_with_text(state: &Arc<State>) -> Result<(Self, Masked), ApiError> {
        let shared = Arc::clone(state);
        super::look(state, move |source, file| {
            let (text, revision) =
                file.read().map_err(|errors| invalid("The configuration file cannot be read.", &errors))?;
            Ok((Self::of(&shared, source, file, &text, revision), masked(source, &text)))
        })
        .await
    }

    /// Blocks.
    fn of(state: &State, source: &Source, file: &ConfigFile, text: &str, revision: Revision) -> Self {
        let (document, problems) = match masked_document(text, &source.path().display().to_string()) {
            Ok(document) => (Some(document), Vec::new()),
            Err(errors) => (None, errors.problems().iter().map(ProblemView::of).collect()),
        };
        let (way, reason) = match file.writable() {
            Writable::Rename => (Some("rename"), None),
            Writable::InPlace => (Some("inPlace"), None),
            Writable::No(reason) => (None, Some(reason)),
        };
        Self {
            path: source.path().display().to_string(),
            revision: revision.to_string(),
            writable: way.is_some(),
            way,
            reason,
            document,
            problems,
            in_use: Standing::of(&state.live),
            // What is no YAML names nothing.
            names: source.editor().names(text).unwrap_or_default(),
        }
    }

    /// What its providers and chains are called in use.
    pub(in crate::web) fn names(&self) -> &Names {
        &self.names
    }

    /// Where it is.
    pub(in crate::web) fn path(&self) -> &str {
        &self.path
    }

    /// How it is written, as in the answer of the API; `None` when it cannot be.
    pub(in crate::web) fn way(&self) -> Option<&'static str> {
        self.way
    }

    /// Why it cannot be written.
    pub(in crate::web) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Of its text.
    pub(in crate::web) fn revision(&self) -> &str {
        &self.revision
    }

    /// Its values with each secret masked; `None` when it is no YAML.
    pub(in crate::web) fn values(&self) -> Option<&Value> {
        self.document.as_ref()
    }

    /// Why it cannot be changed from here.
    pub(in crate::web) fn locked(&self) -> Option<String> {
        match (&self.reason, &self.document) {
            (Some(reason), _) => {
                Some(format!("Settings come from {} (read-only), which cannot be written: {reason}.", self.path))
            }
            (None, None) => Some(format!("{} is no YAML: mend it with an editor first.", self.path)),
            (None, Some(_)) => None,
        }
    }

    /// Its values as JSON.
    pub(in crate::web) fn document(&self) -> serde_json::Value {
        serde_json::to_value(&self.document).unwrap_or_default()
    }
}
