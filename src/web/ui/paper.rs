//! The configuration as the pages see it that change it: what is in use, and the file that it comes from.

use std::sync::Arc;

use actix_web::{HttpMessage, HttpRequest};

use super::door::Caller;
use super::shell::state;
use crate::actors::reload::Adopted;
use crate::config::edit::{Change, Names, Value};
use crate::config::model::Config;
use crate::config::revision::Revision;
use crate::config::versions::Source;
use crate::web::admin::config::Present;
use crate::web::admin::editing::{self, Edit};
use crate::web::error::ApiError;
use crate::web::state::State;

/// What a page shows, and what it may change.
pub(super) struct Paper {
    /// In use.
    pub(super) config: Arc<Config>,
    /// Values of the file with each secret masked; null without a file that can be read. A mask that is put back means
    /// what it hides.
    pub(super) document: Value,
    /// What is in the file is called so in use: variables are filled in, and nothing is masked.
    pub(super) names: Names,
    /// Of the file. Forms name it, so that nobody changes what they have not seen.
    pub(super) revision: String,
    /// Why nothing can be changed.
    pub(super) locked: Option<String>,
}

impl Paper {
    /// Reads the file.
    pub(super) async fn read(state: &Arc<State>) -> Self {
        Self::of(state, Present::read(state).await.as_ref())
    }

    /// Of a file that was read already.
    pub(super) fn of(state: &State, present: Result<&Present, &ApiError>) -> Self {
        let config = state.config();
        match present {
            Ok(present) => {
                let locked = present.locked();
                let document = present.values().cloned().unwrap_or(Value::Null);
                let (names, revision) = (present.names().clone(), present.revision().to_owned());
                Self { config, document, names, revision, locked }
            }
            Err(fault) => {
                let locked = match fault {
                    ApiError::NoConfigFile => "429chain runs without a configuration file.".to_owned(),
                    fault => fault.to_string(),
                };
                let (document, names, revision) = (Value::Null, Names::default(), String::new());
                Self { config, document, names, revision, locked: Some(locked) }
            }
        }
    }

    /// What the file says about a provider.
    pub(super) fn provider(&self, id: &str) -> Option<&Value> {
        self.document.get("providers")?.items().get(self.names.provider(id)?)
    }

    /// What the file says about a chain.
    pub(super) fn chain(&self, name: &str) -> Option<&Value> {
        self.document.get("chains")?.items().get(self.names.chain(name)?)
    }

    /// Where problems of a provider are found that is in the file, or is about to be.
    pub(super) fn place_of_provider(&self, id: &str) -> String {
        format!("providers[{}].", self.names.provider(id).unwrap_or(self.names.providers.len()))
    }

    /// The same for a chain.
    pub(super) fn place_of_chain(&self, name: &str) -> String {
        format!("chains[{}].", self.names.chain(name).unwrap_or(self.names.chains.len()))
    }
}

/// Changes the file as it was when the form was made, and uses it.
///
/// # Errors
/// Why nothing has changed.
pub(super) async fn change(state: &Arc<State>, revision: &str, edit: Edit) -> Result<Adopted, ApiError> {
    let missing = || ApiError::Query { param: "rev", message: "the form names no revision of the file".to_owned() };
    let based_on = Revision::parse(revision).ok_or_else(missing)?;
    editing::change(state, edit, based_on, Source::Ui).await
}

/// The same for a change that may put other admin keys in the place of those that count: then all sessions end but the
/// one that asks. It keeps its own also if nobody waits for the answer any more, who would be locked out otherwise.
///
/// # Errors
/// Why nothing has changed.
pub(super) async fn change_keys(request: &HttpRequest, revision: &str, edit: Edit) -> Result<(), ApiError> {
    let state = state(request).cloned().ok_or(ApiError::ShuttingDown)?;
    let session = request.extensions().get::<Caller>().map(|caller| caller.session);
    let (before, revision) = (state.live.get(), revision.to_owned());
    let changing = actix_web::rt::spawn(async move {
        change(&state, &revision, edit).await?;
        let active = state.live.get();
        if active.admin_keys != before.admin_keys
            && let Some(session) = session
        {
            state.ui.sessions.keep_only(session, state.clock.mono(), &active.admin_keys);
        }
        Ok(())
    });
    changing.await.unwrap_or(Err(ApiError::Internal))
}

/// The same for changes that are made one after the other.
///
/// # Errors
/// Why nothing has changed.
pub(super) async fn changes(state: &Arc<State>, revision: &str, changes: Vec<Change>) -> Result<Adopted, ApiError> {
    change(state, revision, Edit::Changes(changes)).await
}
