//! One open database.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::backends::InMemoryBackend;
use redb::{Builder, Durability, StorageBackend, WriteTransaction};

use super::error::{Fault, StoreError};
use super::migration;
use super::requests::{self, Encoded};
use super::state::{self, Changes};
use super::tables::{self, Prepared};
use super::totals::{self, Kind};

/// Memory for pages of the file; the engine's own default is 1 GiB.
const CACHE: usize = 16 << 20;

/// An open database. Writing blocks until the disk has it.
///
/// After an error it may answer nothing any more: drop it and open it anew.
#[derive(Debug)]
pub struct Database {
    path: PathBuf,
    /// Where it would lie, if there were not something else.
    pub(super) instead_of: Option<PathBuf>,
    /// `None` only while it is dropped.
    engine: Option<redb::Database>,
}

impl Database {
    /// Opens the file, or makes a new one if there is none.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        Self::start(path, |builder| Ok(builder.create(path)?))
    }

    /// A database that ends with the process.
    pub(super) fn in_memory() -> Result<Self, StoreError> {
        Self::on(InMemoryBackend::new())
    }

    /// A database on storage that is no file.
    pub(super) fn on(storage: impl StorageBackend) -> Result<Self, StoreError> {
        Self::start(Path::new("memory"), |builder| Ok(builder.create_with_backend(storage)?))
    }

    fn start(path: &Path, open: impl FnOnce(&Builder) -> Result<redb::Database, Fault>) -> Result<Self, StoreError> {
        let opened = shielded(|| {
            let engine = open(Builder::new().set_cache_size(CACHE))?;
            Ok(Self { path: path.to_owned(), instead_of: None, engine: Some(engine) })
        });
        let mut database = opened.map_err(|fault| StoreError { path: path.to_owned(), fault })?;
        if let Prepared::Earlier = database.change(tables::prepare)? {
            migration::run(&mut database)?;
        }
        Ok(database)
    }

    /// The file that it lies in.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file that was asked for, when it is another one: it holds something else.
    #[must_use]
    pub fn instead_of(&self) -> Option<&Path> {
        self.instead_of.as_deref()
    }

    /// Writes these rows, what they add up to, and these changes in one commit: all of them are on disk when this returns, or none.
    ///
    /// # Errors
    /// When they are not.
    pub fn write<'a>(&self, rows: impl IntoIterator<Item = &'a Encoded>, changes: &Changes) -> Result<(), StoreError> {
        self.change(|writing| {
            let new = requests::insert(writing, rows)?;
            totals::apply(writing, new, &Kind::ALL)?;
            state::apply(writing, changes)
        })
    }

    /// Closes it; the next one to open it need not repair anything.
    ///
    /// # Errors
    /// When the last bookkeeping cannot be written; what was committed is safe nevertheless.
    pub fn close(mut self) -> Result<(), StoreError> {
        let Some(engine) = self.engine.take() else { return Ok(()) };
        shielded(|| Ok(engine.close()?)).map_err(|fault| self.error(fault))
    }

    /// One transaction around `work`.
    pub(super) fn change<T>(&self, work: impl FnOnce(&WriteTransaction) -> Result<T, Fault>) -> Result<T, StoreError> {
        self.with(|engine| {
            let mut writing = engine.begin_write()?;
            writing.set_durability(Durability::Immediate)?;
            // A second fsync (0.3 ms in place of 0.2 ms for one row, 1.2 ms in place of 1.0 ms for 256) that keeps the
            // start after a `kill -9` from reading the whole file.
            writing.set_quick_repair(true);
            let result = work(&writing)?;
            writing.commit()?;
            Ok(result)
        })
    }

    /// Gives the room of what was removed back to the disk. Nobody may read or write meanwhile.
    pub(super) fn compact(&mut self) -> Result<(), StoreError> {
        let Some(engine) = &mut self.engine else { return Ok(()) };
        shielded(|| Ok(engine.compact().map(drop)?)).map_err(|fault| self.error(fault))
    }

    /// Asks the engine, and puts the path to its fault.
    pub(super) fn with<T>(&self, ask: impl FnOnce(&redb::Database) -> Result<T, Fault>) -> Result<T, StoreError> {
        let Some(engine) = &self.engine else { return Err(self.error(Fault::Io(io::ErrorKind::NotConnected.into()))) };
        shielded(|| ask(engine)).map_err(|fault| self.error(fault))
    }

    fn error(&self, fault: Fault) -> StoreError {
        StoreError { path: self.path.clone(), fault }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(engine) = self.engine.take() {
            let _ = shielded(|| Ok(engine.close()?));
        }
    }
}

/// The engine trusts a file that was closed in good order, and may panic when somebody has changed it since. A panic
/// would end the recorder for good.
fn shielded<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Fault::Damaged("its structure is broken".to_owned())))
}

#[cfg(test)]
mod tests;
