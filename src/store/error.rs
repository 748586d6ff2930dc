//! Why a database cannot be used. Every message says what to do about it.

use std::io;
use std::path::PathBuf;

use super::tables::SCHEMA;

/// A database that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {fault}", .path.display())]
pub struct StoreError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub fault: Fault,
}

/// What is wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Two processes cannot write to one database.
    #[error("another process has this database open. Stop that one, or give each proxy a settings.dbPath of its own")]
    Locked,
    /// Written by a later version, which may have changed the meaning of what is there.
    #[error(
        "a newer version of 429chain has written this database (schema {found}; this version knows {SCHEMA}). Use that \
         version again, or set settings.dbPath to another file"
    )]
    Newer {
        /// Its schema.
        found: u64,
    },
    /// Nothing that 429chain has made.
    #[error("this file belongs to another program. Set settings.dbPath to another one")]
    Foreign,
    /// Its checksums or its structure do not hold.
    #[error("the database is damaged ({0}). Move the file away, and a new one takes its place")]
    Damaged(String),
    /// The system refuses to read or write it. The database has to be opened anew: it answers nothing any more.
    #[error("{0}. See that there is room and that the file and its folder may be written, or set settings.dbPath")]
    Io(io::Error),
}

impl From<redb::Error> for Fault {
    fn from(fault: redb::Error) -> Self {
        use redb::Error;

        match fault {
            Error::DatabaseAlreadyOpen | Error::LockProtocolMismatch => Self::Locked,
            // 429chain has never written a format that would have to be upgraded.
            Error::UpgradeRequired(_) => Self::Foreign,
            Error::Io(source) if matches!(source.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) => {
                Self::Damaged(source.to_string())
            }
            Error::Io(source) => Self::Io(source),
            damage @ (Error::Corrupted(_)
            | Error::TableTypeMismatch { .. }
            | Error::TypeDefinitionChanged { .. }
            | Error::TableIsMultimap(_)
            | Error::TableIsNotMultimap(_)
            | Error::TableDoesNotExist(_)) => Self::Damaged(damage.to_string()),
            other => Self::Io(io::Error::other(other.to_string())),
        }
    }
}

/// The engine has an error type for each of its phases.
macro_rules! from_phases {
    ($($phase:ty),*) => {
        $(impl From<$phase> for Fault {
            fn from(fault: $phase) -> Self {
                redb::Error::from(fault).into()
            }
        })*
    };
}

from_phases!(
    redb::CommitError,
    redb::CompactionError,
    redb::DatabaseError,
    redb::SetDurabilityError,
    redb::StorageError,
    redb::TableError,
    redb::TransactionError
);

impl From<io::Error> for Fault {
    fn from(source: io::Error) -> Self {
        Self::Io(source)
    }
}
