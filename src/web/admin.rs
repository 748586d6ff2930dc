//! `/v1/admin`: looking at the configuration and changing it, trying providers out, and ending cooldowns by hand.

pub mod catalogue;
pub mod chains;
pub mod config;
pub mod editing;
pub mod providers;
pub mod settings;
pub mod thaw;
pub mod trial;
pub mod versions;

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderMap, IF_MATCH};
use actix_web::web::Payload;
use serde::de::DeserializeOwned;

use super::admit;
use super::error::ApiError;
use super::state::State;
use crate::config::edit::Value;
use crate::config::file::ConfigFile;
use crate::config::revision::Revision;
use crate::config::source::Source;
use crate::domain::request::Malformed;

/// No provider and no chain comes near it.
const MOST_BYTES: usize = 1 << 20;

/// What a client wants to be changed, and what it has seen.
struct Wish {
    /// Of the file that the change is made from.
    based_on: Revision,
    /// The body without the revision.
    body: Value,
}

impl Wish {
    /// Reads a change from a request.
    async fn read(request: &HttpRequest, payload: &mut Payload, example: &str) -> Result<Self, ApiError> {
        let mut body: Value = read(request.headers(), payload, example).await?;
        let revision = match if_match(request.headers()) {
            Some(revision) => Some(revision),
            None => body.text("revision").map(str::to_owned),
        };
        body.set("revision", Value::Null);
        let known = revision.as_deref().map(Revision::parse);
        let message = match known {
            Some(Some(based_on)) => return Ok(Self { based_on, body }),
            Some(None) => "`revision` must be 16 hex digits, as GET /v1/admin/config tells them",
            None => {
                "say which `revision` of the file the change is made from, in the body or as `If-Match`; GET \
                 /v1/admin/config tells it"
            }
        };
        Err(ApiError::Query { param: "revision", message: message.to_owned() })
    }

    /// The text of a member that has to be there.
    fn text(&self, name: &'static str) -> Result<String, ApiError> {
        let missing = || ApiError::Query { param: name, message: format!("`{name}` is missing, or is no text") };
        self.body.text(name).map(str::to_owned).ok_or_else(missing)
    }
}

/// Looks at the configuration file in a thread that may block.
///
/// # Errors
/// There is no file, or what `at` says.
pub(in crate::web) async fn look<T: Send + 'static>(
    state: &Arc<State>,
    at: impl FnOnce(&Source, &ConfigFile) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let shared = Arc::clone(state);
    let looking = tokio::task::spawn_blocking(move || {
        let source = shared.reload.source().ok_or(ApiError::NoConfigFile)?;
        at(source, &source.file(shared.reload.data_dir()))
    });
    looking.await.unwrap_or(Err(ApiError::ShuttingDown))
}

/// The revision in `If-Match`, with or without its quotes.
fn if_match(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(IF_MATCH)?.to_str().ok()?.trim();
    Some(text.strip_prefix("W/").unwrap_or(text).trim_matches('"').to_owned())
}

/// Reads an object; no body is an empty one.
async fn read<T: DeserializeOwned>(headers: &HeaderMap, payload: &mut Payload, example: &str) -> Result<T, ApiError> {
    let body = admit::body(headers, payload, MOST_BYTES).await?;
    let body = if body.trim_ascii().is_empty() { "{}".into() } else { body };
    let object = match body.trim_ascii_start().first() {
        Some(b'{') => serde_json::from_slice(&body).map_err(|fault| fault.to_string()),
        _ => Err("it must be an object".to_owned()),
    };
    object.map_err(|fault| {
        let message = format!("the body is no object like {example}: {fault}");
        ApiError::Malformed(Malformed { message, param: None })
    })
}
