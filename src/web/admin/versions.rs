//! Earlier versions of the configuration file: `GET /v1/admin/versions`, one of them, and `POST /v1/admin/restore`.

use std::sync::Arc;

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::Wish;
use super::editing::{self, Edit, invalid};
use crate::config::edit::masked_text;
use crate::config::file::ConfigFile;
use crate::config::source::Source;
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
}

/// All that are kept.
pub async fn list(request: HttpRequest) -> HttpResponse {
    look(&request, |_, file| {
        let versions = file.versions().list().map_err(|fault| ApiError::Unknown(unreadable(&fault)))?;
        Ok(List { versions: versions.iter().map(VersionView::of).collect() })
    })
    .await
}

/// One of them.
pub async fn one(request: HttpRequest, id: Path<String>) -> HttpResponse {
    let id = id.into_inner();
    look(&request, move |source, file| {
        let missing = |fault: &std::io::Error| ApiError::Unknown(unreadable(fault));
        let text = file.versions().read(&id).map_err(|fault| missing(&fault))?;
        let versions = file.versions().list().map_err(|fault| missing(&fault))?;
        let gone = || ApiError::Unknown("There is no such version.".to_owned());
        let version = versions.iter().find(|version| version.id == id).ok_or_else(gone)?;
        let text = masked_text(&text, &source.path().display().to_string()).map_err(|errors| {
            invalid("This version cannot be shown, because secrets in it could not be masked.", &errors)
        })?;
        Ok(Text { version: VersionView::of(version), text })
    })
    .await
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

fn unreadable(fault: &std::io::Error) -> String {
    format!("Versions cannot be read: {fault}.")
}

async fn look<T: Serialize + Send + 'static>(
    request: &HttpRequest,
    at: impl FnOnce(&Source, &ConfigFile) -> Result<T, ApiError> + Send + 'static,
) -> HttpResponse {
    let Some(state) = request.app_data::<Arc<State>>().cloned() else { return ApiError::ShuttingDown.response() };
    let looking = tokio::task::spawn_blocking(move || {
        let source = state.reload.source().ok_or(ApiError::NoConfigFile)?;
        at(source, &source.file(state.config().settings.data_dir.clone()))
    });
    match looking.await {
        Ok(Ok(seen)) => HttpResponse::Ok().json(seen),
        Ok(Err(fault)) => fault.response(),
        Err(_) => ApiError::ShuttingDown.response(),
    }
}
