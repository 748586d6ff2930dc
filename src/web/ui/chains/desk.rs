//! What all pages about chains start from, and what they say when a change is refused.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;

use super::listed::Listed;
use crate::config::edit::Change;
use crate::upstream::waterfall::Worker;
use crate::web::error::ApiError;
use crate::web::state::State;
use crate::web::ui::fault::Fault;
use crate::web::ui::paper::{self, Paper};
use crate::web::ui::shell;
use crate::web::ui::standing::standing;

/// The file, its chains, and how they stand.
pub(super) struct Desk {
    pub(super) worker: Rc<Worker>,
    pub(super) state: Arc<State>,
    pub(super) paper: Paper,
    pub(super) chains: Vec<Listed>,
}

impl Desk {
    /// As they are now.
    pub(super) async fn open(request: &HttpRequest) -> Result<Self, Fault> {
        let gone = || Fault::from(&ApiError::ShuttingDown);
        let worker = Rc::clone(shell::worker(request).ok_or_else(gone)?);
        let state = Arc::clone(shell::state(request).ok_or_else(gone)?);
        let paper = Paper::read(&state).await;
        let standing = standing(&worker, &state).await.map_err(|fault| Fault::from(&fault))?;
        let chains = Listed::all(&paper, &standing, worker.clock.now().wall);
        Ok(Self { worker, state, paper, chains })
    }

    /// The chain of this name.
    pub(super) fn chain(&self, name: &str) -> Result<&Listed, Fault> {
        let missing = || {
            let advice = "It may have been renamed or deleted meanwhile. The page Chains lists those there are.";
            Fault::of(404, format!("There is no chain `{name}`"), advice)
        };
        self.chains.iter().find(|chain| chain.name == name).ok_or_else(missing)
    }

    /// Makes these changes to the file as it was when the form was made.
    pub(super) async fn change(&self, revision: &str, changes: Vec<Change>) -> Result<(), ApiError> {
        paper::changes(&self.state, revision, changes).await.map(|_| ())
    }
}

/// Why nothing has changed, in words. `undone` says what was not done, where somebody else was faster.
pub(super) fn refusal(fault: &ApiError, undone: &str) -> (StatusCode, String) {
    let words = match fault {
        ApiError::ConfigChanged { .. } => format!("Changed elsewhere meanwhile; shown as it is now. {undone}"),
        fault => fault.to_string(),
    };
    (fault.status(), words)
}
