//! Earlier contents of the configuration file, in the data directory.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::disk::{Disk, RealDisk};
use super::revision::Revision;

/// As many are kept.
pub const MOST: usize = 20;

const UNFINISHED: &str = ".new";

/// What brought a version about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A change through the admin API.
    Api,
    /// A change in the admin pages.
    Ui,
    /// An earlier version was restored.
    Restored,
    /// Somebody else wrote the file.
    FoundOnDisk,
}

impl Source {
    const ALL: [(Self, &str, &str); 4] = [
        (Self::Api, "api", "api"),
        (Self::Ui, "ui", "ui"),
        (Self::Restored, "restored", "restored"),
        (Self::FoundOnDisk, "found-on-disk", "found on disk"),
    ];

    /// For people.
    #[must_use]
    pub fn words(self) -> &'static str {
        Self::ALL.iter().find(|(source, ..)| *source == self).map_or("", |(.., words)| words)
    }

    fn in_name(self) -> &'static str {
        Self::ALL.iter().find(|(source, ..)| *source == self).map_or("", |(_, name, _)| name)
    }
}

/// One of them. Its contents may hold secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Names it; ids sort by time.
    pub id: String,
    /// When it was kept, in milliseconds since 1970.
    pub at_ms: u64,
    /// Of its contents.
    pub revision: Revision,
    /// What brought it about.
    pub source: Source,
}

/// The folder that they are in.
#[derive(Clone, Debug)]
pub struct Versions {
    folder: PathBuf,
}

impl Versions {
    /// Those in `versions/` of the data directory, which is made when the first one is kept.
    #[must_use]
    pub fn new(data_dir: PathBuf) -> Self {
        Self { folder: data_dir.join("versions") }
    }

    /// All of them, the newest first. Files that are something else are left out.
    ///
    /// # Errors
    /// The folder is there and cannot be read.
    pub fn list(&self) -> io::Result<Vec<Version>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut versions = Vec::new();
        for entry in entries {
            versions.extend(entry?.file_name().to_str().and_then(read_name));
        }
        versions.sort_by(|left, right| right.id.cmp(&left.id));
        Ok(versions)
    }

    /// The contents of one.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is none of that id, also for what is no id;
    /// [`io::ErrorKind::InvalidData`] when its file does not hold any more what was kept.
    pub fn read(&self, id: &str) -> io::Result<String> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "there is no such version");
        let version = read_name(&format!("{id}.yaml")).ok_or_else(missing)?;
        let contents = RealDisk.read(&self.path(&version))?;
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "the file of this version is damaged");
        if Revision::of(&contents) != version.revision {
            return Err(damaged());
        }
        String::from_utf8(contents).map_err(|_| damaged())
    }

    /// Keeps `contents` as the newest version, and no more than [`MOST`] in all. `None` if they are the newest already.
    ///
    /// # Errors
    /// As the system says; nothing was lost.
    pub fn keep(&self, contents: &[u8], source: Source, at_ms: u64) -> io::Result<Option<Version>> {
        let revision = Revision::of(contents);
        let before = self.list()?;
        let newest = before.first();
        if newest.is_some_and(|newest| newest.revision == revision) {
            return Ok(None);
        }
        // A clock that was put back must not make it older than what it follows.
        let at_ms = newest.map_or(at_ms, |newest| at_ms.max(newest.at_ms.saturating_add(1)));
        let id = format!("{at_ms:014}-{revision}-{}", source.in_name());
        let version = Version { id, at_ms, revision, source };
        fs::create_dir_all(&self.folder)?;
        self.clean_up();
        let unfinished = self.folder.join(format!(".{}{UNFINISHED}", version.id));
        RealDisk.create(&unfinished, contents, None)?;
        RealDisk.replace(&unfinished, &self.path(&version))?;
        for old in before.iter().skip(MOST - 1) {
            // One too many does no harm; it goes the next time.
            _ = fs::remove_file(self.path(old));
        }
        Ok(Some(version))
    }

    /// Takes away what a process that was ended has left unfinished.
    fn clean_up(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().to_str().is_some_and(|name| name.starts_with('.') && name.ends_with(UNFINISHED)) {
                _ = fs::remove_file(entry.path());
            }
        }
    }

    fn path(&self, version: &Version) -> PathBuf {
        self.folder.join(format!("{}.yaml", version.id))
    }
}

fn read_name(name: &str) -> Option<Version> {
    let id = name.strip_suffix(".yaml")?;
    let mut parts = id.splitn(3, '-');
    let (time, revision, source) = (parts.next()?, parts.next()?, parts.next()?);
    if time.len() != 14 || !time.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (source, ..) = *Source::ALL.iter().find(|(_, name, _)| *name == source)?;
    Some(Version { id: id.to_owned(), at_ms: time.parse().ok()?, revision: Revision::parse(revision)?, source })
}

#[cfg(test)]
mod tests;
