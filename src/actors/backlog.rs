//! How far the recorder is behind, for everybody to read without asking.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Rows of requests that have ended, from the worker's buffer to the database.
#[derive(Debug, Default)]
pub struct Backlog {
    noted: AtomicU64,
    written: AtomicU64,
    dropped: AtomicU64,
    fault: RwLock<Option<Arc<str>>>,
}

impl Backlog {
    /// Rows in the database.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Rows that were given up, because there was no room for them or nobody to take them.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Rows that wait, wherever.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        // What becomes of a row is read first: one that is noted meanwhile waits, and none is counted below zero.
        let done = self.written().saturating_add(self.dropped());
        self.noted.load(Ordering::Relaxed).saturating_sub(done)
    }

    /// Why nothing is recorded for now; `None` when all is well.
    #[must_use]
    pub fn fault(&self) -> Option<Arc<str>> {
        self.fault.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_fault(&self, fault: Option<Arc<str>>) {
        *self.fault.write().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    pub(super) fn add_noted(&self) {
        self.noted.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_written(&self, rows: usize) {
        self.written.fetch_add(rows as u64, Ordering::Relaxed);
    }

    pub(super) fn add_dropped(&self, rows: usize) {
        self.dropped.fetch_add(rows as u64, Ordering::Relaxed);
    }
}
