//! The configuration in use, for everybody to read. It is replaced as a whole; whoever has begun with one may finish with it.

use std::sync::{Arc, PoisonError, RwLock};

use super::model::{Config, KeyDigest};
use crate::domain::time::Wall;

/// A configuration in use.
#[derive(Clone, Debug)]
pub struct Active {
    /// Everything in the file.
    pub config: Arc<Config>,
    /// Those of the file, or else the generated one.
    pub admin_keys: Vec<KeyDigest>,
    /// Of the file's text; empty when there is no file.
    pub revision: String,
    /// Since when it is in use.
    pub since: Wall,
}

/// Why a newer file is not in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// All that is wrong with it, each with its place.
    pub message: String,
    /// When that was found first.
    pub at: Wall,
}

/// The place of the configuration in use. Its locks are held for a clone, never over anything that waits.
#[derive(Debug)]
pub struct Live {
    active: RwLock<Arc<Active>>,
    fault: RwLock<Option<Fault>>,
}

impl Live {
    /// Puts the first one there.
    #[must_use]
    pub fn new(active: Active) -> Self {
        Self { active: RwLock::new(Arc::new(active)), fault: RwLock::new(None) }
    }

    /// The one in use now.
    #[must_use]
    pub fn get(&self) -> Arc<Active> {
        Arc::clone(&self.active.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The same, when nothing but the file is of interest.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.get().config)
    }

    /// Replaces it.
    pub fn put(&self, active: Active) {
        *self.active.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(active);
    }

    /// Why the file is not in use as it is; `None` when it is.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        self.fault.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes what is wrong with the file, or that nothing is. True when that is news.
    pub fn note(&self, fault: Option<Fault>) -> bool {
        let mut noted = self.fault.write().unwrap_or_else(PoisonError::into_inner);
        let message = |fault: &Option<Fault>| fault.as_ref().map(|fault| fault.message.clone());
        let news = message(&noted) != message(&fault);
        if news {
            *noted = fault;
        }
        news
    }
}
