//! What writing a file asks of the operating system. A trait, so that tests can have a disk that refuses.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

/// The operations on files that a write consists of.
pub trait Disk {
    /// Writes a new file next to `target`, readable for nobody else until it has `like`'s mode and owner, and waits until
    /// it is on the disk.
    ///
    /// # Errors
    /// As the system says. The file is gone again.
    fn create(&self, path: &Path, contents: &[u8], like: Option<&Metadata>) -> io::Result<()>;

    /// Puts `from` in the place of `to`, and waits until the folder is on the disk.
    ///
    /// # Errors
    /// As the system says.
    fn replace(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Makes `contents` those of the file that is there, and waits until they are on the disk.
    ///
    /// # Errors
    /// As the system says. The file may hold anything then.
    fn overwrite(&self, path: &Path, contents: &[u8]) -> io::Result<()>;

    /// Whether the file may be written to, or a file be made in the folder.
    ///
    /// # Errors
    /// As the system says.
    fn may_write(&self, path: &Path) -> io::Result<()>;

    /// Takes a file away.
    ///
    /// # Errors
    /// As the system says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// What is in the file.
    ///
    /// # Errors
    /// As the system says.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
}

/// The one that there is.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path, contents: &[u8], like: Option<&Metadata>) -> io::Result<()> {
        let mut file = private().create_new(true).open(path)?;
        let written = match like {
            Some(like) => take_after(&file, like),
            None => Ok(()),
        };
        let written = written.and_then(|()| file.write_all(contents)).and_then(|()| file.sync_all());
        if written.is_err() {
            _ = fs::remove_file(path);
        }
        written
    }

    fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        // The new file is in its place. Some file systems cannot sync a folder, and lose nothing by it.
        if let Some(folder) = to.parent().and_then(|folder| File::open(folder).ok()) {
            _ = folder.sync_all();
        }
        Ok(())
    }

    fn overwrite(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.write_all(contents)?;
        file.set_len(contents.len() as u64)?;
        file.sync_all()
    }

    /// Asks only: a file made to try it out would wake up whoever watches the folder.
    fn may_write(&self, path: &Path) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        return Ok(rustix::fs::access(path, rustix::fs::Access::WRITE_OK)?);
        #[cfg(not(target_os = "linux"))]
        match path.is_dir() {
            true => Ok(()),
            false => std::fs::OpenOptions::new().write(true).open(path).map(drop),
        }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut contents = Vec::new();
        super::open::open(path)?.take(super::MOST_BYTES + 1).read_to_end(&mut contents)?;
        Ok(contents)
    }
}

/// For the owner alone.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Gives the file the owner and the mode of another. The owner first: changing it takes bits of the mode away.
fn take_after(file: &File, like: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let own = file.metadata()?;
        if (own.uid(), own.gid()) != (like.uid(), like.gid()) {
            fchown(file, Some(like.uid()), Some(like.gid()))?;
        }
    }
    file.set_permissions(like.permissions())
}
