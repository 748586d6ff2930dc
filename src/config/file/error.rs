//! Why the file was not written.

use std::io;
use std::path::PathBuf;

use super::super::edit::EditError;
use super::super::error::ConfigErrors;
use super::super::revision::Revision;

/// Why the file was not written. Unless it says otherwise, the file is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The file is another one now than the change was made from.
    #[error("the configuration file has changed meanwhile: look at it as it is now, and make the change again")]
    Stale {
        /// What it is now.
        current: Revision,
    },
    /// It must not be written.
    #[error("the configuration file cannot be written: {reason}")]
    ReadOnly {
        /// Why.
        reason: String,
    },
    /// Somebody else writes it at this moment.
    #[error("the configuration file is being written by somebody else: try again")]
    Busy,
    /// What is there could not be kept, so nothing was put in its place.
    #[error("the present configuration could not be kept in the data directory ({reason}), so it was not replaced")]
    NotKept {
        /// What the system said.
        reason: String,
    },
    /// The system refused.
    #[error("the configuration file could not be written: {reason}")]
    Failed {
        /// What the system said.
        reason: String,
    },
    /// The system refused in the middle, and the old contents could not be put back either.
    #[error(
        "the configuration file could not be written ({reason}) and is damaged: its old contents are in {}",
        backup.display()
    )]
    Broken {
        /// What the system said.
        reason: String,
        /// Where the old contents are.
        backup: PathBuf,
    },
}

impl WriteError {
    pub(super) fn failed(error: &io::Error) -> Self {
        Self::Failed { reason: reason(error) }
    }
}

/// Why an edit did not come into the file, or an earlier version not back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The edit makes no sense.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The version could not be read.
    #[error("this version cannot be restored: {0}")]
    Version(String),
    /// The file or the version is no configuration that can be used.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// The file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// In words, where there are better ones than those of the system.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "writing it is not permitted to the user that 429chain runs as".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "it is on a read-only file system".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        _ => error.to_string(),
    }
}
