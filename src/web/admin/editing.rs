//! Changes of the configuration, for the API and for the pages: in the file and in use, or not at all.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::config::Present;
use crate::actors::reload::{Adopted, Made};
use crate::config::edit::{Change, EditError, Use};
use crate::config::error::ConfigErrors;
use crate::config::file::{ChangeError, WriteError};
use crate::config::model::Config;
use crate::config::revision::Revision;
use crate::config::source::Source;
use crate::config::versions;
use crate::web::error::ApiError;
use crate::web::reload::ProblemView;
use crate::web::state::State;

/// What is to become of the file.
pub(in crate::web) enum Edit {
    /// These changes, one after the other.
    Changes(Vec<Change>),
    /// An earlier version, by its id.
    Version(String),
}

/// Makes the edit to the file as it was at `based_on`, and uses what comes of it. `by` is noted with the version.
///
/// # Errors
/// Why nothing has changed.
pub(in crate::web) async fn change(
    state: &Arc<State>,
    edit: Edit,
    based_on: Revision,
    by: versions::Source,
) -> Result<Adopted, ApiError> {
    if state.reload.source().is_none() {
        return Err(ApiError::NoConfigFile);
    }
    let (shared, now) = (Arc::clone(state), state.clock.now().wall.0);
    let changed = state.reload.change(move |source| make(&shared, source, &edit, based_on, by, now)).await;
    match changed {
        Ok(result) => result.map_err(ApiError::from),
        Err(ChangeError::Write(WriteError::Stale { current })) => Err(stale(state, current).await),
        Err(fault) => Err(refusal(fault)),
    }
}

/// What the configuration would be with these changes, by all the checks that they would have to pass. Nothing is written.
///
/// # Errors
/// Why they could not be made.
pub(in crate::web) async fn preview(state: &Arc<State>, changes: Vec<Change>) -> Result<Config, ApiError> {
    let shared = Arc::clone(state);
    let trying = tokio::task::spawn_blocking(move || {
        let source = shared.reload.source().ok_or(ApiError::NoConfigFile)?;
        let tried = || -> Result<Config, ChangeError> {
            let (text, _) = source.file(shared.reload.data_dir()).read()?;
            Ok(source.parse(&source.editor().edit(&text, &changes)?)?.config)
        };
        tried().map_err(refusal)
    });
    trying.await.unwrap_or(Err(ApiError::ShuttingDown))
}

/// Blocks.
fn make(
    state: &State,
    source: &Source,
    edit: &Edit,
    based_on: Revision,
    by: versions::Source,
    now_ms: u64,
) -> Result<Made, ChangeError> {
    let file = source.file(state.reload.data_dir());
    let (before, current) = file.read()?;
    if current != based_on {
        return Err(WriteError::Stale { current }.into());
    }
    let (text, by) = match edit {
        Edit::Changes(changes) => (source.editor().edit(&before, changes)?, by),
        Edit::Version(id) => {
            let text = file.versions().read(id).map_err(|fault| ChangeError::Version(fault.to_string()))?;
            (text, versions::Source::Restored)
        }
    };
    // What is written can be used.
    let loaded = source.parse(&text)?;
    let written = file.save(&text, based_on, by, now_ms)?;
    let undo = Box::new(move || {
        // Whoever has written in between is not written over.
        _ = file.write(&before, written);
    });
    Ok(Made { loaded, undo })
}

/// The file is another one than the client has seen: this is what it is now.
pub(in crate::web) async fn stale(state: &Arc<State>, current: Revision) -> ApiError {
    let present = Present::read(state).await;
    let (revision, config) = match present {
        Ok(present) => (present.revision().to_owned(), present.document()),
        Err(_) => (current.to_string(), serde_json::Value::Null),
    };
    ApiError::ConfigChanged { revision, config }
}

fn refusal(fault: ChangeError) -> ApiError {
    match fault {
        ChangeError::Edit(fault) => refused_edit(fault),
        ChangeError::Version(reason) => ApiError::Unknown(format!("This version cannot be restored: {reason}.")),
        ChangeError::Config(errors) => invalid("The configuration cannot be used, so nothing was changed.", &errors),
        ChangeError::Write(WriteError::ReadOnly { reason }) => ApiError::ConfigReadOnly(reason),
        ChangeError::Write(fault) => ApiError::ConfigNotWritten(sentence(&fault.to_string())),
    }
}

fn refused_edit(fault: EditError) -> ApiError {
    let message = sentence(&fault.to_string());
    match fault {
        EditError::Unreadable(errors) => invalid("The configuration file has to be mended by hand first.", &errors),
        EditError::Refused(errors) => {
            invalid("With this change the configuration could not be used, so nothing was changed.", &errors)
        }
        EditError::Unknown { .. } => ApiError::Unknown(message),
        EditError::InUse { chains, .. } => ApiError::InUse { message, uses: chains.iter().map(UseView::of).collect() },
        EditError::Taken { .. } | EditError::LastEntry { .. } | EditError::DefaultChain { .. } => {
            ApiError::InUse { message, uses: Vec::new() }
        }
        EditError::Masked { path } | EditError::Shape { path, .. } => {
            let problems = vec![ProblemView::at(&path, &message)];
            ApiError::InvalidConfig { message, problems }
        }
        EditError::TooLarge { .. } | EditError::Aliased { .. } | EditError::Layout { .. } => {
            ApiError::InvalidConfig { message, problems: Vec::new() }
        }
    }
}

/// The same as a reload says it.
pub(in crate::web) fn invalid(lead: &str, errors: &ConfigErrors) -> ApiError {
    let problems = errors.problems().iter().map(ProblemView::of).collect();
    ApiError::InvalidConfig { message: format!("{lead}\n{errors}"), problems }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

/// Where a chain uses a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ProviderUse)]
pub struct UseView {
    /// The chain.
    chain: String,
    /// Its entries that do, counted from 0.
    entries: Vec<usize>,
    /// It has no others.
    all: bool,
}

impl UseView {
    fn of(found: &Use) -> Self {
        Self { chain: found.chain.clone(), entries: found.entries.clone(), all: found.all }
    }
}
