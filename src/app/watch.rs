//! Notices when the configuration file, or a file that keys are read from, has changed.
//!
//! Folders are watched and not files: editors put a new file in the place of the old one, and a mounted configuration is a
//! chain of symbolic links of which any may change. Where the system tells nothing (network file systems, some mounts, other
//! systems than Linux), a look every few seconds does.

#[cfg_attr(target_os = "linux", path = "watch/folders.rs")]
#[cfg_attr(not(target_os = "linux"), path = "watch/nobody.rs")]
mod folders;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::time::{sleep, timeout};

use self::folders::Folders;
use crate::actors::reload::Reload;

/// From one look at the files to the next, whatever the system tells.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Who writes a file in several steps takes less between two of them.
const QUIET: Duration = Duration::from_millis(100);

/// Looks for quiet before a file that changes all the time is read all the same.
const MOST_LOOKS: usize = 50;

/// Reads the configuration again whenever it may have changed, for as long as it is let. What comes of it is in the log.
pub(super) async fn watch(reload: Reload) {
    let Some(path) = reload.source().map(|source| source.path().to_owned()) else { return };
    let folders = Folders::open();
    let mut seen = None;
    loop {
        let keys = reload.live().config().key_files.clone();
        let files: Vec<PathBuf> = [path.clone()].into_iter().chain(keys).collect();
        let now = look(files.clone()).await;
        folders.watch(&now.folders);
        // A file that is at fault may be so because of another one that nobody knows of.
        if seen.as_ref() != Some(&now) || reload.live().fault().is_some() {
            seen = Some(settled(files.clone(), now).await);
            // It has told the log.
            let _ = reload.reload().await;
        }
        let names = files.iter().filter_map(|file| file.file_name()).collect();
        if timeout(LOOK_EVERY, folders.told(&names)).await == Ok(true) {
            // Times of files are coarse: two changes within a few milliseconds may look like one.
            seen = None;
        }
    }
}

/// What the files look like from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Look {
    /// `None` for a file that is not there.
    files: Vec<Option<Trait>>,
    /// Where they lie, and where what they are links to lies.
    folders: BTreeSet<PathBuf>,
}

/// Which file it is, how long, and when it was changed.
type Trait = (u64, u64, u64, Option<SystemTime>);

async fn look(files: Vec<PathBuf>) -> Look {
    tokio::task::spawn_blocking(move || look_at(&files)).await.unwrap_or_default()
}

fn look_at(files: &[PathBuf]) -> Look {
    let mut folders = BTreeSet::new();
    for file in files {
        for path in [Some(file.clone()), fs::canonicalize(file).ok()].into_iter().flatten() {
            let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            folders.insert(folder.to_owned());
        }
    }
    Look { files: files.iter().map(|file| traits(file)).collect(), folders }
}

fn traits(file: &Path) -> Option<Trait> {
    let about = fs::metadata(file).ok()?;
    #[cfg(unix)]
    let (device, node) = {
        use std::os::unix::fs::MetadataExt;
        (about.dev(), about.ino())
    };
    #[cfg(not(unix))]
    let (device, node) = (0, 0);
    Some((device, node, about.len(), about.modified().ok()))
}

/// Waits until the files look twice the same: half of a file is not what anybody has meant.
async fn settled(files: Vec<PathBuf>, mut before: Look) -> Look {
    for _ in 0..MOST_LOOKS {
        sleep(QUIET).await;
        let now = look(files.clone()).await;
        if now == before {
            return now;
        }
        before = now;
    }
    before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_happens_to_a_file_shows() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let file = [at("c.yaml")];
        let mut seen = vec![look_at(&file)];
        let mut changed = |what: &str| {
            let now = look_at(&file);
            assert!(!seen.contains(&now), "{what}");
            seen.push(now);
        };
        fs::write(at("c.yaml"), "a").unwrap();
        changed("it was made");
        fs::write(at("c.yaml"), "ab").unwrap();
        changed("it is longer");
        fs::write(at("new"), "ab").unwrap();
        fs::rename(at("new"), at("c.yaml")).unwrap();
        changed("another is in its place");
        #[cfg(unix)]
        {
            fs::create_dir(at("one")).unwrap();
            fs::write(at("one/c.yaml"), "ab").unwrap();
            fs::remove_file(at("c.yaml")).unwrap();
            std::os::unix::fs::symlink("one/c.yaml", at("c.yaml")).unwrap();
            changed("a link is in its place");
            let folders = look_at(&file).folders;
            assert!(folders.contains(dir.path()) && folders.contains(&fs::canonicalize(at("one")).unwrap()));
        }
        fs::remove_file(at("c.yaml")).unwrap();
        assert_eq!(look_at(&file).files, [None], "it is gone");
    }

    #[test]
    fn a_file_in_the_working_folder_has_a_folder() {
        assert!(look_at(&["c.yaml".into()]).folders.contains(Path::new(".")));
    }
}
