//! Whether the file can be written, and in which way.

use std::fs;
use std::path::Path;

use super::super::disk::Disk;
use super::error::reason;

/// Whether the file can be written, and in which way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Writable {
    /// A new file takes its place, in one go.
    Rename,
    /// Only its contents can be changed.
    InPlace,
    /// Not at all, and why.
    No(String),
}

/// Of a file whose path has no links in it.
pub(super) fn of(disk: &impl Disk, target: &Path) -> Writable {
    let about = match fs::metadata(target) {
        Ok(about) if about.is_file() => about,
        Ok(_) => return Writable::No("it is not a file".to_owned()),
        Err(error) => return Writable::No(reason(&error)),
    };
    // The system lets its administrator write it all the same, but somebody has meant something by it.
    if about.permissions().readonly() {
        return Writable::No("the file is marked read-only".to_owned());
    }
    if let Err(error) = disk.may_write(target) {
        return Writable::No(reason(&error));
    }
    let folder = target.parent().unwrap_or(Path::new("/"));
    if has_more_names(&about) || is_mounted(target) || disk.may_write(folder).is_err() {
        return Writable::InPlace;
    }
    Writable::Rename
}

/// A new file would have one of the names only.
fn has_more_names(about: &fs::Metadata) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::nlink(about) > 1;
    #[cfg(not(unix))]
    return false;
}

/// A single file that was mounted into a container cannot be replaced, only written.
fn is_mounted(target: &Path) -> bool {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    mounts.lines().filter_map(|line| line.split(' ').nth(4)).any(|point| Path::new(&unescaped(point)) == target)
}

/// Spaces and the like are written in octal: `\040`.
fn unescaped(text: &str) -> String {
    let mut pieces = text.split('\\');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let code = piece.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(code) if code.is_ascii() => {
                plain.extend([&char::from(code).to_string(), piece.get(3..).unwrap_or_default()])
            }
            _ => plain.extend(["\\", piece]),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_in_mount_points_are_read() {
        assert_eq!(unescaped(r"/a\040b\134c"), r"/a b\c");
        assert_eq!(unescaped(r"/a\x"), r"/a\x");
    }
}
