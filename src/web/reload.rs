//! `POST /v1/admin/reload`: reads the configuration file again, and uses it.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::error::ApiError;
use super::state::State;
use crate::actors::reload::{Adopted, Refused};
use crate::config::error::Problem;
use crate::config::live::Live;

/// What has changed, or everything that is wrong with the file.
pub async fn reload(request: HttpRequest) -> HttpResponse {
    let Some(state) = request.app_data::<Arc<State>>() else { return ApiError::ShuttingDown.response() };
    match state.reload.reload().await {
        Ok(adopted) => HttpResponse::Ok().json(view(&adopted)),
        Err(refused) => ApiError::from(refused).response(),
    }
}

fn view(adopted: &Adopted) -> Value {
    json!({
        "revision": adopted.revision,
        "unchanged": adopted.changed.is_empty(),
        "changed": adopted.changed,
        "needsRestart": adopted.needs_restart,
        "notices": adopted.notices,
    })
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NoFile => Self::NoConfigFile,
            Refused::Unavailable => Self::ShuttingDown,
            Refused::AdminKey(message) => Self::InvalidConfig { message, problems: json!([]) },
            Refused::Invalid(errors) => Self::InvalidConfig {
                message: format!("The configuration is not used, the one before stays in use.\n{errors}"),
                problems: errors.problems().iter().map(problem).collect(),
            },
        }
    }
}

fn problem(problem: &Problem) -> Value {
    json!({
        "path": problem.path.to_string(),
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "help": problem.help,
    })
}

/// Which configuration is in use, for those who may know.
pub(super) fn standing(live: &Live) -> Value {
    let active = live.get();
    json!({
        "loadedAt": active.since.to_string(),
        "revision": Some(&active.revision).filter(|revision| !revision.is_empty()),
        "error": live.fault().map(|fault| json!({ "message": fault.message, "at": fault.at.to_string() })),
    })
}
