//! Where a database lies.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::database::Database;
use super::error::StoreError;

/// How every file of the engine begins.
const MAGIC: [u8; 9] = *b"redb\x1a\n\xa9\r\n";

/// Where a database lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this file, or beside it when it holds something else.
    File(PathBuf),
    /// Nowhere: it ends with the process.
    Memory,
}

impl Place {
    /// Opens the database that is there, or makes a new one.
    ///
    /// A file that holds something else, such as the SQLite database of an earlier version, is left alone: the same
    /// path with `.redb` appended is used. [`Database::instead_of`] tells.
    ///
    /// # Errors
    /// When it cannot be used; opening it again later may help.
    pub fn open(&self) -> Result<Database, StoreError> {
        let Self::File(path) = self else { return Database::in_memory() };
        match free_path(path) {
            Ok(free) => {
                let mut database = Database::open(&free)?;
                database.instead_of = (free != *path).then(|| path.clone());
                Ok(database)
            }
            Err(source) => Err(StoreError { path: path.clone(), fault: source.into() }),
        }
    }
}

/// `path`, or the one beside it when something else is there.
fn free_path(path: &Path) -> io::Result<PathBuf> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    if is_free(path)? {
        return Ok(path.to_owned());
    }
    let mut beside = OsString::from(path);
    beside.push(".redb");
    Ok(beside.into())
}

/// Whether there is nothing, or a file of the engine.
fn is_free(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(fault) => return Err(fault),
    };
    let mut start = Vec::new();
    file.take(MAGIC.len() as u64).read_to_end(&mut start)?;
    Ok(start.is_empty() || start == MAGIC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::error::Fault;

    #[test]
    fn folders_on_the_way_are_made() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/data/usage.redb");
        assert_eq!(Place::File(path.clone()).open().unwrap().path(), path);
        assert!(path.exists());
    }

    #[test]
    fn an_empty_file_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("usage.redb");
        fs::write(&path, "").unwrap();
        assert_eq!(Place::File(path.clone()).open().unwrap().path(), path);
    }

    #[test]
    fn what_belongs_to_somebody_else_is_left_alone() {
        for foreign in [&b"SQLite format 3\0 and so on"[..], b"notes", b"\0\0\0\0\0\0\0\0\0\0\0\0", b"redb\x1a\n"] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("usage.db");
            fs::write(&path, foreign).unwrap();
            for _ in 0..2 {
                let database = Place::File(path.clone()).open().unwrap();
                assert_eq!(database.path(), dir.path().join("usage.db.redb"));
                assert_eq!(database.instead_of(), Some(path.as_path()));
                assert_eq!(fs::read(&path).unwrap(), foreign);
            }
        }
    }

    #[test]
    fn two_files_of_somebody_else_are_one_too_many() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("usage.db");
        for name in ["usage.db", "usage.db.redb"] {
            fs::write(dir.path().join(name), "notes").unwrap();
        }
        let fault = Place::File(path).open().unwrap_err();
        assert!(matches!(fault.fault, Fault::Damaged(_)), "{fault}");
        assert!(fault.to_string().contains("usage.db.redb"), "{fault}");
        assert_eq!(fs::read(dir.path().join("usage.db.redb")).unwrap(), b"notes");
    }

    #[test]
    fn a_folder_is_no_database() {
        let dir = tempfile::tempdir().unwrap();
        let fault = Place::File(dir.path().to_owned()).open().unwrap_err();
        assert!(matches!(fault.fault, Fault::Io(_)) && fault.to_string().contains("settings.dbPath"), "{fault}");
    }
}
