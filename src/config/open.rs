//! Opening files whose names come from people: what is there may be something that never ends, or never begins.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

/// What is said of a pipe, a socket or a device.
const NO_FILE: &str = "this is a pipe or a device, not a file";

/// Opens a file for reading, and nothing but a file. Whoever opens a pipe waits until somebody writes to it, so it is
/// looked at first.
///
/// # Errors
/// As the system says. [`io::ErrorKind::IsADirectory`] for a folder.
pub(super) fn open(path: &Path) -> io::Result<File> {
    be_a_file(&fs::metadata(path)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    // If a pipe has taken its place in between, it is not waited for either.
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    let file = options.open(path)?;
    be_a_file(&file.metadata()?)?;
    Ok(file)
}

fn be_a_file(about: &fs::Metadata) -> io::Result<()> {
    match about {
        about if about.is_file() => Ok(()),
        about if about.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, NO_FILE)),
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
pub(super) mod tests {
    use super::*;

    /// Makes a pipe that nobody writes to.
    pub(in super::super) fn pipe(path: &Path) {
        rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
    }

    #[test]
    fn nothing_but_a_file_is_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path("file"), "text").unwrap();
        pipe(&path("pipe"));
        std::os::unix::fs::symlink(path("pipe"), path("link")).unwrap();
        assert_eq!(io::read_to_string(open(&path("file")).unwrap()).unwrap(), "text");
        for name in ["pipe", "link"] {
            assert_eq!(open(&path(name)).unwrap_err().to_string(), NO_FILE);
        }
        assert_eq!(open(Path::new("/dev/zero")).unwrap_err().to_string(), NO_FILE);
        assert_eq!(open(dir.path()).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert_eq!(open(&path("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
