//! What the recorder has not written yet.

use std::collections::VecDeque;
use std::sync::Arc;

use super::backlog::Backlog;
use super::row::Row;
use crate::store::database::Database;
use crate::store::error::StoreError;
use crate::store::requests::Encoded;
use crate::store::state::Changes;

/// Rows in one commit.
pub const BATCH: usize = 256;

/// Bytes of rows that wait for a database that cannot be written; the oldest give way to newer ones.
pub const MAX_BYTES: usize = 8 << 20;

/// Rows and changes in the order in which they came. What has been remembered is bounded by the number of keys: only
/// the latest value of each is kept.
#[derive(Debug, Default)]
pub struct Pending {
    rows: VecDeque<Encoded>,
    bytes: usize,
    changes: Changes,
    dropped: u64,
    backlog: Arc<Backlog>,
}

impl Pending {
    /// Nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.changes.is_empty()
    }

    /// Enough for a commit without waiting for more.
    #[must_use]
    pub fn fills_a_batch(&self) -> bool {
        self.rows.len() >= BATCH || self.bytes > MAX_BYTES / 2
    }

    /// Rows that wait.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// How far this is behind, for others to read.
    #[must_use]
    pub fn backlog(&self) -> Arc<Backlog> {
        Arc::clone(&self.backlog)
    }

    /// Takes a row in.
    pub fn add(&mut self, row: Row) {
        let row = row.encode();
        self.bytes += row.size();
        self.rows.push_back(row);
        while self.bytes > MAX_BYTES && self.pop() {
            self.drop_one();
        }
    }

    /// Takes a change in, in place of an earlier one of the same key.
    pub fn remember(&mut self, key: String, value: Option<Vec<u8>>) {
        self.changes.insert(key, value);
    }

    /// Writes all of it, one commit per batch; what could not be written stays.
    ///
    /// # Errors
    /// Of the first commit that failed.
    pub fn write_to(&mut self, database: &Database) -> Result<(), StoreError> {
        while !self.is_empty() {
            let batch = self.rows.len().min(BATCH);
            database.write(self.rows.iter().take(batch), &self.changes)?;
            self.changes.clear();
            for _ in 0..batch {
                self.pop();
            }
            self.backlog.add_written(batch);
        }
        Ok(())
    }

    /// How many rows were dropped since this was asked last.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    fn drop_one(&mut self) {
        self.dropped += 1;
        self.backlog.add_dropped(1);
    }

    fn pop(&mut self) -> bool {
        let row = self.rows.pop_front();
        self.bytes -= row.as_ref().map_or(0, Encoded::size);
        row.is_some()
    }
}
