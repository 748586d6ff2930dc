//! `POST /v1/admin/reload`: reads the configuration file again, and uses it.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
use super::state::State;
use crate::actors::reload::{Adopted, Refused};
use crate::config::diff::Diff;
use crate::config::error::Problem;
use crate::config::live::Live;
use crate::config::path::YamlPath;

/// What has changed, or everything that is wrong with the file.
pub async fn reload(request: HttpRequest) -> HttpResponse {
    let Some(state) = request.app_data::<Arc<State>>() else { return ApiError::ShuttingDown.response() };
    match state.reload.reload().await {
        Ok(adopted) => HttpResponse::Ok().json(Reloaded::of(adopted)),
        Err(refused) => ApiError::from(refused).response(),
    }
}

/// A configuration that is in use now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::web) struct Reloaded {
    /// Of the file's text.
    revision: String,
    /// The file says what was in use already.
    unchanged: bool,
    changed: Diff,
    /// Settings that take effect at the next start.
    needs_restart: Vec<&'static str>,
    /// What is missing before a request can be served, and what is in the file and has no effect in this version.
    notices: Vec<String>,
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NoFile => Self::NoConfigFile,
            Refused::Unavailable => Self::ShuttingDown,
            Refused::AdminKey(message) => Self::InvalidConfig { message, problems: Vec::new() },
            Refused::Invalid(errors) => Self::InvalidConfig {
                message: format!("The configuration is not used, the one before stays in use.\n{errors}"),
                problems: errors.problems().iter().map(ProblemView::of).collect(),
            },
        }
    }
}

impl Reloaded {
    pub(in crate::web) fn of(adopted: Adopted) -> Self {
        let Adopted { changed, needs_restart, revision, notices } = adopted;
        Self { revision, unchanged: changed.is_empty(), changed, needs_restart, notices }
    }
}

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ConfigProblem)]
pub struct ProblemView {
    /// Which value is meant, as in `providers[0].apiKey`.
    path: String,
    /// Counted from 1; null when the problem is not in the text.
    line: Option<usize>,
    column: Option<usize>,
    message: String,
    /// What to write instead.
    help: Option<String>,
}

impl ProblemView {
    /// Of a value that is not in a file.
    pub(super) fn at(path: &YamlPath, message: &str) -> Self {
        Self { path: path.to_string(), line: None, column: None, message: message.to_owned(), help: None }
    }

    /// Which value is meant.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong, and what to do.
    pub(super) fn words(&self) -> String {
        match &self.help {
            Some(help) => format!("{}: {help}", self.message),
            None => self.message.clone(),
        }
    }

    #[cfg(test)]
    pub(super) fn new(path: &str, message: &str, help: Option<&str>) -> Self {
        let (path, message, help) = (path.to_owned(), message.to_owned(), help.map(str::to_owned));
        Self { path, line: None, column: None, message, help }
    }

    pub(super) fn of(problem: &Problem) -> Self {
        Self {
            path: problem.path.to_string(),
            line: problem.line,
            column: problem.column,
            message: problem.message.clone(),
            help: problem.help.clone(),
        }
    }
}

/// Which configuration is in use, for those who may know.
#[derive(Serialize, ToSchema)]
#[schema(as = ConfigStanding)]
#[serde(rename_all = "camelCase")]
pub(in crate::web) struct Standing {
    #[schema(format = DateTime)]
    loaded_at: String,
    /// Of the file's text; null without a file.
    revision: Option<String>,
    /// Why the file is not in use as it is now; null when it is.
    error: Option<NotInUse>,
}

/// Why a newer file is not in use.
#[derive(Serialize, ToSchema)]
#[schema(as = ConfigFault)]
struct NotInUse {
    message: String,
    #[schema(format = DateTime)]
    at: String,
}

impl Standing {
    pub(super) fn of(live: &Live) -> Self {
        let active = live.get();
        Self {
            loaded_at: active.since.to_string(),
            revision: Some(active.revision.clone()).filter(|revision| !revision.is_empty()),
            error: live.fault().map(|fault| NotInUse { message: fault.message, at: fault.at.to_string() }),
        }
    }
}
