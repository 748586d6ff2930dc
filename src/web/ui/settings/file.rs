//! The configuration file: where it is, how it is written, what is in it, and what was.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};

use super::super::did::done;
use super::super::fault::Fault;
use super::super::shell::state;
use super::{HERE, Said, show};
use crate::web::admin::config::{Masked, Present};
use crate::web::admin::versions::{self, VersionView};
use crate::web::error::ApiError;
use crate::web::state::State;

/// What the page shows of it.
pub(super) struct File {
    pub(super) path: String,
    pub(super) revision: String,
    /// How it is written, or why not.
    pub(super) way: String,
    /// Since when the configuration in use is in use.
    pub(super) since: String,
    /// The file is another one than the one in use.
    pub(super) newer: bool,
    /// What takes effect at the next start only.
    pub(super) waits: String,
    /// With each secret masked, or why it is not shown.
    pub(super) text: Result<String, String>,
    /// The newest first, or why they are not shown.
    pub(super) versions: Result<Vec<Row>, String>,
}

/// An earlier version of it.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) at: String,
    pub(super) revision: String,
    pub(super) by: &'static str,
    /// It is what the file holds now.
    pub(super) present: bool,
}

impl Row {
    pub(super) fn of(version: &VersionView, present: &str) -> Self {
        Self {
            id: version.id().to_owned(),
            at: version.at().to_owned(),
            revision: version.revision().to_owned(),
            by: match version.source() {
                "api" => "changed by the admin API",
                "ui" => "changed in these pages",
                "restored" => "brought back",
                _ => "found on disk",
            },
            present: version.revision() == present,
        }
    }
}

impl File {
    pub(super) async fn read(state: &Arc<State>, present: Present, text: Masked) -> Self {
        let active = state.live.get();
        let versions = versions::read_all(state).await.map_err(|fault| fault.to_string());
        let rows = |versions: Vec<VersionView>| versions.iter().map(|one| Row::of(one, present.revision())).collect();
        Self {
            path: present.path().to_owned(),
            revision: present.revision().to_owned(),
            way: match (present.way(), present.reason()) {
                (Some("rename"), _) => "as a new file in its place".to_owned(),
                (Some(_), _) => "in place: another file cannot be put there".to_owned(),
                (None, reason) => format!("not at all: {}", reason.unwrap_or("it is read-only")),
            },
            since: active.since.to_string(),
            newer: active.revision != present.revision(),
            waits: state.reload.needs_restart().join(", "),
            text: text.map_err(|fault| fault.to_string()),
            versions: versions.map(rows),
        }
    }
}

/// `POST /ui/settings/reload`: reads the file again.
pub(super) async fn reload(request: HttpRequest) -> HttpResponse {
    let Some(state) = state(&request) else { return Fault::from(&ApiError::ShuttingDown).page(&request) };
    let before = state.live.get().revision.clone();
    match state.reload.reload().await {
        // A comment is no change, but the file is not the same.
        Ok(adopted) if adopted.changed.is_empty() && adopted.revision == before => done(&request, HERE, "same"),
        Ok(_) => done(&request, HERE, "reloaded"),
        Err(refused) => {
            let fault = ApiError::from(refused);
            let said = match &fault {
                ApiError::InvalidConfig { message, .. } => Said { refused: Some(message.clone()), ..Said::default() },
                fault => Said::of(fault, ""),
            };
            show(&request, fault.status(), said).await
        }
    }
}
