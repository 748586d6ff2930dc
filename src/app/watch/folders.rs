//! What the system tells of folders: inotify.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::future::pending;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use rustix::fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tracing::debug;

/// Folders that are watched; none when the system does not want to.
pub(super) struct Folders(Option<AsyncFd<OwnedFd>>);

impl Folders {
    #[allow(deprecated, reason = "what replaces it is unsafe; an owned descriptor is what that asks for")]
    pub(super) fn open() -> Self {
        let open = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok();
        let watched = open.and_then(|open| AsyncFd::with_interest(open, Interest::READABLE).ok());
        if watched.is_none() {
            debug!("the system does not tell of changed files: they are looked at from time to time");
        }
        Self(watched)
    }

    /// Watches these folders, too. One that is watched already is watched on; one that is gone is not watched any more.
    pub(super) fn watch(&self, folders: &BTreeSet<PathBuf>) {
        let Some(watched) = &self.0 else { return };
        // A file that is being written tells nothing before it is closed.
        let flags = WatchFlags::CLOSE_WRITE | WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVE;
        for folder in folders {
            if let Err(fault) = add_watch(watched.get_ref(), folder, flags | WatchFlags::ONLYDIR) {
                debug!(%fault, "the system does not tell of changes in {}", folder.display());
            }
        }
    }

    /// Waits until something has happened in one of them. True when it has to do with one of these names, or may have.
    pub(super) async fn told(&self, names: &BTreeSet<&OsStr>) -> bool {
        let Some(watched) = &self.0 else { return pending().await };
        loop {
            let Ok(mut ready) = watched.readable().await else { return pending().await };
            let told = read(watched.get_ref(), names);
            ready.clear_ready();
            if let Some(concerned) = told {
                return concerned;
            }
        }
    }
}

/// Takes all that is told by now; `None` when that is nothing.
fn read(watched: &OwnedFd, names: &BTreeSet<&OsStr>) -> Option<bool> {
    let mut room = [MaybeUninit::uninit(); 4_096];
    let mut reader = Reader::new(watched, &mut room);
    let mut told = None;
    loop {
        match reader.next() {
            Ok(event) => {
                let name = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()));
                // Without a name: of the folder itself, or there was more than could be told.
                let concerned = name.is_none_or(|name| names.contains(name));
                told = Some(told.unwrap_or(false) || concerned);
            }
            Err(Errno::INTR) => {}
            Err(_) => return told,
        }
    }
}
