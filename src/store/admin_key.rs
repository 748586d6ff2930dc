//! The generated admin key: shown once, kept only as a hash.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::config::model::KeyDigest;
use crate::config::starter::random_key;

/// File name in the data directory.
const FILE: &str = "admin-key.sha256";

/// Why there is no admin key.
#[derive(Debug, thiserror::Error)]
pub enum AdminKeyError {
    /// The file cannot be read or written.
    #[error("{}: {source}. Make the data directory writable, choose another with --data-dir, or set settings.adminKeys", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file does not hold a hash.
    #[error("{}: this is not the hash of an admin key. Run `429chain admin-key` to make a new one", .path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
    },
    /// The system gave no random numbers.
    #[error("no key can be made: {0}")]
    NoRandomness(io::Error),
}

/// The digest of the key that was generated at an earlier start; `None` when there was none.
///
/// # Errors
/// When the file is there but cannot be used.
pub fn load(data_dir: &Path) -> Result<Option<KeyDigest>, AdminKeyError> {
    let path = data_dir.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) => match digest_from_hex(text.trim()) {
            Some(digest) => Ok(Some(digest)),
            None => Err(AdminKeyError::Damaged { path }),
        },
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(AdminKeyError::File { path, source }),
    }
}

/// Makes a new key, and stores nothing.
///
/// # Errors
/// When the system has no random numbers.
pub fn fresh() -> Result<(String, KeyDigest), AdminKeyError> {
    let key = random_key("ak-429-").map_err(AdminKeyError::NoRandomness)?;
    let digest = KeyDigest::of(&key);
    Ok((key, digest))
}

/// Makes a new key and stores its hash, in place of an earlier one. The key itself is returned, and nowhere else.
///
/// # Errors
/// When the hash cannot be stored.
pub fn create(data_dir: &Path) -> Result<(String, KeyDigest), AdminKeyError> {
    let (key, digest) = fresh()?;
    let path = data_dir.join(FILE);
    fs::create_dir_all(data_dir)
        .and_then(|()| replace(&path, &format!("{}\n", hex(&digest.0))))
        .map_err(|source| AdminKeyError::File { path, source })?;
    Ok((key, digest))
}

/// Temp file, fsync, rename: a crash leaves the old file or the new one. Readable by its owner only.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn digest_from_hex(text: &str) -> Option<KeyDigest> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(KeyDigest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_hash_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("new/data");
        assert_eq!(load(&data).unwrap(), None);
        let (key, digest) = create(&data).unwrap();
        assert!(key.starts_with("ak-429-") && key.len() == 55);
        assert_eq!(load(&data).unwrap(), Some(digest));
        assert_eq!(digest, KeyDigest::of(&key));
        let stored = fs::read_to_string(data.join(FILE)).unwrap();
        assert!(!stored.contains(&key));
        let (other, _) = create(&data).unwrap();
        assert_ne!(other, key);
        assert_eq!(load(&data).unwrap(), Some(KeyDigest::of(&other)));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().unwrap();
        create(dir.path()).unwrap();
        let mode = fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_is_refused_with_advice() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "hello").unwrap();
        let fault = load(dir.path()).unwrap_err().to_string();
        assert!(fault.contains(FILE) && fault.contains("429chain admin-key"), "{fault}");
    }
}
