//! What the page shows in place of everything else while there is no chain: three steps, of which one can be done.

use std::sync::Arc;

use askama::Template;

use crate::web::state::State;
use crate::web::ui::live::stage::Stage;
use crate::web::ui::paper::Paper;

#[derive(Template)]
#[template(path = "start.html")]
pub(super) struct Start {
    /// Steps that are behind.
    done: usize,
    /// Providers that are switched on.
    on: Vec<String>,
    /// How many are not.
    off: usize,
    /// Why nothing can be changed here.
    closed: Option<String>,
    /// Of the configuration file.
    revision: String,
    csrf: String,
    address: String,
}

impl Start {
    /// The steps; `None` when the page has better things to show.
    pub(super) async fn of(state: &Arc<State>, stage: Stage, csrf: &str, address: String) -> Option<Self> {
        let done = match stage {
            Stage::NoProvider => 0,
            Stage::NoChain => 1,
            Stage::AllOff | Stage::Running => return None,
        };
        let Paper { config, revision, locked: closed, .. } = Paper::read(state).await;
        let on = config.providers.iter().filter(|provider| provider.enabled).map(|provider| provider.name.clone());
        let off = config.providers.iter().filter(|provider| !provider.enabled).count();
        Some(Self { done, on: on.collect(), off, closed, revision, csrf: csrf.to_owned(), address })
    }
}
