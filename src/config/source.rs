//! A configuration file that can be read again.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::disk::{Disk, RealDisk};
use super::document::Document;
use super::edit::{Editor, Value};
use super::environment::Environment;
use super::error::ConfigErrors;
use super::file::ConfigFile;
use super::layers::Overrides;
use super::model::Config;
use super::report::Report;
use super::resolve::places;
use super::revision::Revision;
use super::{parse, read};

/// The file, and what is laid over it.
pub struct Source {
    path: PathBuf,
    /// The same as text, for messages.
    origin: String,
    environment: Box<dyn Environment + Send + Sync>,
    overrides: Overrides,
}

/// A configuration, and which text it comes from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Checked and complete.
    pub config: Config,
    /// Of the text; empty for one that comes from no file.
    pub revision: String,
}

impl Loaded {
    /// A configuration that comes from no file.
    #[must_use]
    pub fn unfiled(config: Config) -> Self {
        Self { config, revision: String::new() }
    }
}

impl Source {
    /// The file at `path`.
    pub fn new(
        path: impl Into<PathBuf>,
        environment: impl Environment + Send + Sync + 'static,
        overrides: Overrides,
    ) -> Self {
        let path = path.into();
        Self { origin: path.display().to_string(), path, environment: Box::new(environment), overrides }
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file. Blocks.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn load(&self) -> Result<Loaded, ConfigErrors> {
        self.parse(&read(&self.path)?)
    }

    /// What the file would mean if it held this text. Blocks, since key files are read.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse(&self, text: &str) -> Result<Loaded, ConfigErrors> {
        let config = parse(text, &self.origin, self.base_dir(), self.environment.as_ref(), &self.overrides)?;
        Ok(Loaded { config, revision: revision(text) })
    }

    /// What changes the text.
    #[must_use]
    pub fn editor(&self) -> Editor<'_> {
        Editor {
            origin: &self.origin,
            base_dir: self.base_dir(),
            environment: self.environment.as_ref(),
            overrides: &self.overrides,
        }
    }

    /// The file as something that is written. Its versions are kept in `data_dir`.
    #[must_use]
    pub fn file(&self, data_dir: PathBuf) -> ConfigFile {
        ConfigFile::new(self.path.clone(), data_dir)
    }

    /// Where the old contents of the file are that a write which was cut short has left behind, if they are not what it
    /// holds now. Of a file that cannot be used this is told as well, as far as it still says where data lives.
    #[must_use]
    pub fn left_over(&self) -> Option<PathBuf> {
        let present = RealDisk.read(&self.path).ok()?;
        let (data_dir, _) = places(self.db_path(&present), self.overrides.data_dir.clone());
        let copy = self.file(data_dir).interrupted()?;
        fs::read(&copy).is_ok_and(|old| old != present).then_some(copy)
    }

    /// `settings.dbPath` of a text that may be no configuration at all.
    fn db_path(&self, text: &[u8]) -> Option<PathBuf> {
        let (mut document, _) = Document::parse(std::str::from_utf8(text).ok()?).ok()?;
        document.interpolate(self.environment.as_ref(), &mut Report::default());
        Value::of(&document.root).get("settings")?.text("dbPath").map(PathBuf::from)
    }

    fn base_dir(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Tells one text of a configuration from another: the beginning of its SHA-256.
#[must_use]
pub fn revision(text: &str) -> String {
    Revision::of(text.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_again_as_it_is_by_then() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.yaml");
        let text = "version: 1\nsettings: { apiKeys: [\"${KEY}\"] }\nproviders: [{ id: p, type: local, apiKeyFile: key }]\nchains: [{ name: default, entries: [{ provider: p, model: m }] }]\n";
        std::fs::write(&path, text).unwrap();
        std::fs::write(dir.path().join("key"), "one").unwrap();
        let overrides = Overrides { port: Some(7), ..Overrides::default() };
        let source = Source::new(&path, [("KEY", "a-client-key")], overrides);
        let first = source.load().unwrap();
        assert_eq!((first.config.settings.port, first.revision.as_str()), (7, revision(text).as_str()));
        assert_eq!(first.config.key_files, [dir.path().join("key")]);
        assert_eq!(source.load().unwrap().config, first.config);

        std::fs::write(dir.path().join("key"), "two").unwrap();
        let second = source.load().unwrap();
        assert_eq!(second.revision, first.revision, "the text is the same");
        assert_ne!(second.config, first.config);
        std::fs::write(&path, "version: 2\n").unwrap();
        assert!(source.load().unwrap_err().to_string().contains("c.yaml:1:10: version"));
        assert_eq!(source.parse(text).unwrap().config, second.config);
    }

    #[test]
    fn revisions_are_short_and_tell_texts_apart() {
        assert_eq!(revision(""), "e3b0c44298fc1c14");
        assert_ne!(revision("a"), revision("b"));
    }
}
