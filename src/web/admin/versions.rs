//! Earlier versions of the configuration file: `GET /v1/admin/versions`, one of them, and `POST /v1/admin/restore`.

use std::sync::Arc;

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::Wish;
use super::config::masked;
use super::editing::{self, Edit};
use crate::config::file::ConfigFile;
use crate::config::versions::{self, Version};
use crate::domain::time::Wall;
use crate::web::error::ApiError;
use crate::web::reload::Reloaded;
use crate::web::state::State;

/// Versions, the newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = ConfigVersions)]
pub(in crate::web) struct List {
    versions: Vec<VersionView>,
}

/// An earlier version of the file.
#[derive(Serialize, ToSchema)]
#[schema(as = ConfigVersion)]
pub(in crate::web) struct VersionView {
    id: String,
    #[schema(format = DateTime)]
    at: String,
    /// Of its text.
    revision: String,
    /// What brought it about: `api`, `ui`, `restored` or `found on disk`.
    #[schema(value_type = String)]
    source: &'static str,
}

/// One of them with its text.
#[derive(Serialize, ToSchema)]
#[schema(as = ConfigVersionText)]
pub(in crate::web) struct Text {
    #[serde(flatten)]
    version: VersionView,
    /// The file as it was, with each secret masked.
    text: String,
}

impl VersionView {
    fn of(version: &Version) -> Self {
        Self {
            id: version.id.clone(),
            at: Wall(version.at_ms).to_string(),
            revision: version.revision.to_string(),
            source: version.source.words(),
        }
    }

    /// Names it.
    pub(in crate::web) fn id(&self) -> &str {
        &self.id
    }

    /// When it was kept.
    pub(in crate::web) fn at(&self) -> &str {
        &self.at
    }

    /// Of its text.
    pub(in crate::web) fn revision(&self) -> &str {
        &self.revision
    }

    /// What brought it about, as in the answer of the API.
    pub(in crate::web) fn source(&self) -> &'static str {
        self.source
    }
}

/// All that are kept, the newest first.
///
/// # Errors
/// There is no file, or they cannot be read.
pub(in crate::web) async fn read_all(state: &Arc<State>) -> Result<Vec<VersionView>, ApiError> {
    super::look(state, |_, file| {
        let versions = file.versions().list().map_err(unreadable)?;
        Ok(versions.iter().map(VersionView::of).collect())
    })
    .await
}

/// One of them and its text, secrets and all. Blocks.
///
/// # Errors
/// There is none of that id, or it cannot be read.
pub(in crate::web) fn read_one(file: &ConfigFile, id: &str) -> Result<(VersionView, String), ApiError> {
    let text = file.versions().read(id).map_err(unreadable)?;
    let versions = file.versions().list().map_err(unreadable)?;
    let gone = || ApiError::Unknown("There is no such version.".to_owned());
    let version = versions.iter().find(|version| version.id == id).ok_or_else(gone)?;
    Ok((VersionView::of(version), text))
}

/// `GET /v1/admin/versions`
pub async fn list(request: HttpRequest) -> HttpResponse {
    let Some(state) = request.app_data::<Arc<State>>() else { return ApiError::ShuttingDown.response() };
    told(read_all(state).await.map(|versions| List { versions }))
}

/// One of them.
pub async fn one(request: HttpRequest, id: Path<String>) -> HttpResponse {
    let Some(state) = request.app_data::<Arc<State>>() else { return ApiError::ShuttingDown.response() };
    let id = id.into_inner();
    let text = super::look(state, move |source, file| {
        let (version, text) = read_one(file, &id)?;
        Ok(Text { version, text: masked(source, &text)? })
    });
    told(text.await)
}

/// Writes one of them and uses it.
pub async fn restore(request: HttpRequest, mut payload: Payload) -> HttpResponse {
    let Some(state) = request.app_data::<Arc<State>>() else { return ApiError::ShuttingDown.response() };
    let wish = Wish::read(&request, &mut payload, r#"{"revision":"0123456789abcdef","id":"..."}"#).await;
    let restored = async {
        if state.reload.source().is_none() {
            return Err(ApiError::NoConfigFile);
        }
        let wish = wish?;
        let edit = Edit::Version(wish.text("id")?);
        editing::change(state, edit, wish.based_on, versions::Source::Restored).await
    };
    match restored.await {
        Ok(adopted) => HttpResponse::Ok().json(Reloaded::of(adopted)),
        Err(fault) => fault.response(),
    }
}

fn unreadable(fault: std::io::Error) -> ApiError {
    ApiError::Unknown(format!("Versions cannot be read: {fault}."))
}

fn told(seen: Result<impl Serialize, ApiError>) -> HttpResponse {
    match seen {
        Ok(seen) => HttpResponse::Ok().json(seen),
        Err(fault) => fault.response(),
    }
}
