//! A disk that can be full, and that knows who has used it.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use redb::StorageBackend;
use tokio::sync::watch;

use super::database::Database;
use super::error::StoreError;

/// A disk; clones are the same one. What was written stays when a database on it is dropped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// [`ENDLESS`], or [`NONE`] and so many writes.
    room: Arc<AtomicUsize>,
    syncs: Arc<watch::Sender<usize>>,
    users: Arc<Mutex<HashSet<ThreadId>>>,
}

/// There is room for any number of writes.
const ENDLESS: usize = 0;

/// There is none at all.
const NONE: usize = 1;

impl Disk {
    /// The database on it.
    pub(crate) fn open(&self) -> Result<Database, StoreError> {
        Database::on(self.clone())
    }

    /// From now on every write fails, or none does.
    pub(crate) fn set_full(&self, full: bool) {
        self.room.store(if full { NONE } else { ENDLESS }, Ordering::SeqCst);
    }

    /// Every write fails after so many.
    pub(crate) fn fill_after(&self, writes: usize) {
        self.room.store(NONE + writes, Ordering::SeqCst);
    }

    /// Another disk with the same on it, and room.
    pub(crate) fn copy(&self) -> Self {
        let bytes = self.bytes.lock().unwrap().clone();
        Self { bytes: Arc::new(Mutex::new(bytes)), ..Self::default() }
    }

    /// How much is on it.
    pub(crate) fn size(&self) -> usize {
        self.bytes.lock().unwrap().len()
    }

    /// The threads that have read it or written to it since this was asked last.
    pub(crate) fn take_users(&self) -> HashSet<ThreadId> {
        std::mem::take(&mut self.users.lock().unwrap())
    }

    /// How often something was made durable.
    pub(crate) fn syncs(&self) -> watch::Receiver<usize> {
        self.syncs.subscribe()
    }

    fn has_room(&self) -> io::Result<()> {
        self.note_user();
        match self.room.load(Ordering::SeqCst) {
            ENDLESS => Ok(()),
            NONE => Err(io::ErrorKind::StorageFull.into()),
            room => {
                self.room.store(room - 1, Ordering::SeqCst);
                Ok(())
            }
        }
    }

    fn note_user(&self) {
        self.users.lock().unwrap().insert(thread::current().id());
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.note_user();
        let start = usize::try_from(offset).unwrap();
        out.copy_from_slice(&self.bytes.lock().unwrap()[start..start + out.len()]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.has_room()?;
        self.bytes.lock().unwrap().resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.has_room()?;
        self.syncs.send_modify(|syncs| *syncs += 1);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.has_room()?;
        let start = usize::try_from(offset).unwrap();
        self.bytes.lock().unwrap()[start..start + data.len()].copy_from_slice(data);
        Ok(())
    }
}
