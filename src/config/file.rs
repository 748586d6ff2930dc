//! The configuration file as something that is written: whole or not at all, and over nothing that nobody has seen.
//!
//! A new file is made beside it, brought to the disk, and put in its place; mode and owner stay, and of a symbolic link
//! the target is replaced. Where that is impossible (a single file mounted into a container, a folder that belongs to
//! somebody else, a file with several names) the file is written in place, with its old contents in the data directory
//! until that is done.
//!
//! A write names the revision that it was made from. Writers that go through this module exclude each other by a lock on
//! the file. What remains: an editor knows nothing of the lock, and what it saves between the last look at the file and
//! the change of names, some microseconds, is replaced (by name it is then gone, in the versions it never was). Extended
//! attributes and access lists are not carried over to a new file.

mod error;
mod writable;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

pub use self::error::{ChangeError, WriteError};
pub use self::writable::Writable;

use super::disk::{Disk, RealDisk};
use super::edit::{Change, Editor};
use super::error::ConfigErrors;
use super::open::open;
use super::revision::Revision;
use super::versions::{Source, Versions};

/// The configuration file of this process, and its earlier versions.
pub struct ConfigFile<D = RealDisk> {
    path: PathBuf,
    data_dir: PathBuf,
    versions: Versions,
    disk: D,
}

impl ConfigFile {
    /// The file at `path`. Versions, and old contents during a write in place, are kept in `data_dir`.
    #[must_use]
    pub fn new(path: PathBuf, data_dir: PathBuf) -> Self {
        Self::on(RealDisk, path, data_dir)
    }
}

impl<D: Disk> ConfigFile<D> {
    /// The same on another disk.
    pub fn on(disk: D, path: PathBuf, data_dir: PathBuf) -> Self {
        Self { versions: Versions::new(data_dir.clone()), path, data_dir, disk }
    }

    /// As it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it was before.
    #[must_use]
    pub fn versions(&self) -> &Versions {
        &self.versions
    }

    /// Its text and the revision of that.
    ///
    /// # Errors
    /// It is not there, or is no text.
    pub fn read(&self) -> Result<(String, Revision), ConfigErrors> {
        let text = super::read(&self.path)?;
        let revision = Revision::of(text.as_bytes());
        Ok((text, revision))
    }

    /// Whether and how it can be written. Changes nothing.
    #[must_use]
    pub fn writable(&self) -> Writable {
        match fs::canonicalize(&self.path) {
            Ok(target) => writable::of(&self.disk, &target),
            Err(error) => Writable::No(error::reason(&error)),
        }
    }

    /// Old contents that are still in the data directory because a write in place was cut short. If the file is not what
    /// it should be, they are what it was.
    #[must_use]
    pub fn interrupted(&self) -> Option<PathBuf> {
        Some(self.backup()).filter(|path| path.exists())
    }

    /// Makes changes to the file as it was at `based_on`, all or none. Gives the text and its revision.
    ///
    /// # Errors
    /// Why nothing was changed.
    pub fn edit(
        &self,
        editor: &Editor<'_>,
        changes: &[Change],
        based_on: Revision,
        source: Source,
        now_ms: u64,
    ) -> Result<(String, Revision), ChangeError> {
        let (text, current) = self.read()?;
        if current != based_on {
            return Err(WriteError::Stale { current }.into());
        }
        let edited = editor.edit(&text, changes)?;
        let revision = self.save(&edited, based_on, source, now_ms)?;
        Ok((edited, revision))
    }

    /// Writes an earlier version, if it can still be used.
    ///
    /// # Errors
    /// Why nothing was changed.
    pub fn restore(
        &self,
        editor: &Editor<'_>,
        id: &str,
        based_on: Revision,
        now_ms: u64,
    ) -> Result<(String, Revision), ChangeError> {
        let text = self.versions.read(id).map_err(|error| ChangeError::Version(error::reason(&error)))?;
        editor.check(&text)?;
        let revision = self.save(&text, based_on, Source::Restored, now_ms)?;
        Ok((text, revision))
    }

    /// Keeps what is there as a version, writes `text`, and keeps that as well. `now_ms` is the wall clock.
    ///
    /// # Errors
    /// Why nothing was written.
    pub fn save(&self, text: &str, based_on: Revision, source: Source, now_ms: u64) -> Result<Revision, WriteError> {
        self.write_over(text, based_on, |old| self.versions.keep(old, Source::FoundOnDisk, now_ms).map(drop))?;
        // It is written. If it cannot be kept now, it will be found on disk when it is replaced.
        _ = self.versions.keep(text.as_bytes(), source, now_ms);
        Ok(Revision::of(text.as_bytes()))
    }

    /// Writes `text` over the contents of revision `based_on`. Versions are not kept.
    ///
    /// # Errors
    /// Why nothing was written.
    pub fn write(&self, text: &str, based_on: Revision) -> Result<Revision, WriteError> {
        self.write_over(text, based_on, |_| Ok(()))?;
        Ok(Revision::of(text.as_bytes()))
    }

    fn write_over(
        &self,
        text: &str,
        based_on: Revision,
        keep: impl FnOnce(&[u8]) -> io::Result<()>,
    ) -> Result<(), WriteError> {
        let target = fs::canonicalize(&self.path).map_err(|error| WriteError::failed(&error))?;
        let _lock = lock(&target)?;
        let old = self.contents(&target, based_on)?;
        if old == text.as_bytes() {
            return Ok(());
        }
        let way = writable::of(&self.disk, &target);
        if let Writable::No(reason) = way {
            return Err(WriteError::ReadOnly { reason });
        }
        keep(&old).map_err(|error| WriteError::NotKept { reason: error::reason(&error) })?;
        if way == Writable::Rename {
            match self.replace(&target, text, based_on) {
                Ok(()) => return Ok(()),
                Err(Refusal::Stale(current)) => return Err(WriteError::Stale { current }),
                Err(Refusal::Disk(error)) if in_place_may_help(&error) => {}
                Err(Refusal::Disk(error)) => return Err(WriteError::failed(&error)),
            }
        }
        self.overwrite(&target, text, based_on)
    }

    fn contents(&self, target: &Path, based_on: Revision) -> Result<Vec<u8>, WriteError> {
        let contents = self.disk.read(target).map_err(|error| WriteError::failed(&error))?;
        match Revision::of(&contents) {
            current if current == based_on => Ok(contents),
            current => Err(WriteError::Stale { current }),
        }
    }

    fn replace(&self, target: &Path, text: &str, based_on: Revision) -> Result<(), Refusal> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let fresh = target.with_file_name(format!(".{name}.{}.429chain-new", std::process::id()));
        // Of a process with the same number that was ended. Under the lock it can be nobody else's.
        _ = self.disk.remove(&fresh);
        let like = fs::metadata(target)?;
        self.disk.create(&fresh, text.as_bytes(), Some(&like))?;
        let replaced = self.disk.read(target).map_err(Refusal::Disk).and_then(|now| match Revision::of(&now) {
            now if now == based_on => self.disk.replace(&fresh, target).map_err(Refusal::Disk),
            now => Err(Refusal::Stale(now)),
        });
        if replaced.is_err() {
            _ = self.disk.remove(&fresh);
        }
        replaced
    }

    fn overwrite(&self, target: &Path, text: &str, based_on: Revision) -> Result<(), WriteError> {
        let backup = self.backup();
        let old = self.contents(target, based_on)?;
        let not_kept = |error: io::Error| WriteError::NotKept { reason: error::reason(&error) };
        fs::create_dir_all(&self.data_dir).map_err(not_kept)?;
        _ = self.disk.remove(&backup);
        self.disk.create(&backup, &old, None).map_err(not_kept)?;
        let written = self.disk.overwrite(target, text.as_bytes());
        let Err(error) = written else {
            _ = self.disk.remove(&backup);
            return Ok(());
        };
        match self.disk.overwrite(target, &old) {
            Ok(()) => {
                _ = self.disk.remove(&backup);
                Err(WriteError::failed(&error))
            }
            Err(_) => Err(WriteError::Broken { reason: error::reason(&error), backup }),
        }
    }

    fn backup(&self) -> PathBuf {
        self.data_dir.join("config-before-write.yaml")
    }
}

enum Refusal {
    Stale(Revision),
    Disk(io::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

/// Whether the folder is at fault and not the disk as a whole. On a full one a write in place would be the end of both.
fn in_place_may_help(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, ReadOnlyFilesystem, ResourceBusy, Unsupported};
    matches!(error.kind(), PermissionDenied | ResourceBusy | CrossesDevices | ReadOnlyFilesystem | Unsupported)
}

/// Released when it is dropped. The file system may know no locks: then there is none.
fn lock(target: &Path) -> Result<File, WriteError> {
    let file = open(target).map_err(|error| WriteError::failed(&error))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(WriteError::Busy),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

#[cfg(test)]
mod tests;
