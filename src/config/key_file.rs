//! `apiKeyFile`: a key that is not in the configuration but in a file of its own, as container secrets are.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::model::Secret;
use super::open::open;
use super::path::YamlPath;
use super::raw;
use super::report::Report;
use super::rules::provider_key;
use super::wording::{may_be_a_key, shown};

/// Longer than any key, and short enough for a path that leads to something else by mistake.
const MOST_BYTES: u64 = 16 * 1024;

impl raw::File {
    /// Reads the key files of all enabled providers, and says where they are. Relative paths start at `base_dir`.
    pub(super) fn read_key_files(&mut self, base_dir: &Path, report: &mut Report) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        let list = YamlPath::root().key("providers");
        for (index, provider) in self.providers.iter_mut().enumerate() {
            let Some(provider) = provider.as_mut().filter(|provider| !provider.is_disabled()) else { continue };
            let Some(file) = provider.api_key_file.as_deref().filter(|file| !file.trim().is_empty()) else { continue };
            let path = base_dir.join(file);
            match read(&path) {
                Ok(key) => provider.file_key = Some(key),
                Err(reason) => {
                    let help = "the file holds nothing but the key, and 429chain must be allowed to read it; \
                                a relative path starts at the folder of the configuration file";
                    let message = format!("{}: {reason}", name_of(file, &path));
                    report.add_with_help(&list.index(index).key("apiKeyFile"), message, help);
                }
            }
            paths.push(path);
        }
        paths
    }
}

/// How the file is called in a message. Whoever puts the key itself where its file belongs gets a message, too.
fn name_of(file: &str, path: &Path) -> String {
    match may_be_a_key(file) {
        true => shown(file),
        false => path.display().to_string().replace(char::is_control, " "),
    }
}

fn read(path: &Path) -> Result<Secret, String> {
    let mut text = String::new();
    let file = open(path).map_err(|error| reason(&error))?;
    file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(|error| reason(&error))?;
    if text.len() as u64 > MOST_BYTES {
        return Err("is too large for a key".to_owned());
    }
    let key = Secret::new(text.trim_end_matches(['\r', '\n']));
    match provider_key(&key, &()) {
        Ok(()) => Ok(key),
        Err(_) if key.expose().is_empty() => Err("is empty".to_owned()),
        Err(_) => Err("holds more than one word or line".to_owned()),
    }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "reading it is not permitted".to_owned(),
        io::ErrorKind::InvalidData => "is not text".to_owned(),
        io::ErrorKind::IsADirectory => "this is a folder, not a file".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_holds_one_key_and_maybe_a_line_break() {
        let dir = tempfile::tempdir().unwrap();
        let read_back = |bytes: &[u8]| {
            let path = dir.path().join("key");
            std::fs::write(&path, bytes).unwrap();
            read(&path).map(|key| key.expose().to_owned())
        };
        assert_eq!(read_back(b"gsk-1\n"), Ok("gsk-1".to_owned()));
        assert_eq!(read_back(b"gsk-1\r\n"), Ok("gsk-1".to_owned()));
        assert_eq!(read_back(b"gsk-1"), Ok("gsk-1".to_owned()));
        assert_eq!(read_back(b"\n"), Err("is empty".to_owned()));
        assert_eq!(read_back(b"gsk-1\ngsk-2\n"), Err("holds more than one word or line".to_owned()));
        assert_eq!(read_back(b"\xff\xfe"), Err("is not text".to_owned()));
        assert_eq!(read_back(&[b'x'; 20_000]), Err("is too large for a key".to_owned()));
        assert_eq!(read(&dir.path().join("none")).unwrap_err(), "there is no such file");
        assert_eq!(read(dir.path()).unwrap_err(), "this is a folder, not a file");
    }

    /// Whoever opens a pipe waits for somebody who writes to it: reloads would wait as well, for ever.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_key_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        super::super::open::tests::pipe(&path);
        assert_eq!(read(&path).unwrap_err(), "this is a pipe or a device, not a file");
    }
}
