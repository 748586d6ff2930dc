//! Where the open database lies for whoever wants to read it.
//!
//! The recorder puts it there and takes it away again. Reading holds up nobody who writes; it blocks, so it belongs into
//! a thread that may.

use std::sync::{Arc, PoisonError, RwLock};

use super::database::Database;
use super::error::StoreError;

/// The place of the open database. Clones are the same place.
#[derive(Clone, Debug, Default)]
pub struct Shelf(Arc<RwLock<Option<Arc<Database>>>>);

impl Shelf {
    /// The database, while it can be used.
    #[must_use]
    pub fn get(&self) -> Option<Arc<Database>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts an open database there.
    pub fn put(&self, database: Database) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(database));
    }

    /// Takes the database away. Whoever reads it now may finish; the last of them closes it.
    ///
    /// # Errors
    /// When the last bookkeeping cannot be written; what was committed is safe nevertheless.
    pub fn close(&self) -> Result<(), StoreError> {
        let database = self.0.write().unwrap_or_else(PoisonError::into_inner).take();
        database.and_then(Arc::into_inner).map_or(Ok(()), Database::close)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_may_finish_when_it_is_taken_away() {
        let shelf = Shelf::default();
        assert!(shelf.get().is_none());
        shelf.put(Database::in_memory().unwrap());
        let reading = shelf.clone().get().unwrap();
        shelf.close().unwrap();
        assert!(shelf.get().is_none());
        assert!(reading.newest_requests(1).unwrap().is_empty());
    }
}
