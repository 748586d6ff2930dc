//! Collects problems while the file is being checked.
//!
//! One mistake is reported once: where a value is already at fault, nothing more is said about it or anything in it.
//! Otherwise a mistyped key would come back as a missing one, and a list in the wrong place as ten errors.

use std::collections::BTreeSet;

use super::document::Document;
use super::error::{ConfigErrorKind, ConfigErrors, Problem};
use super::path::YamlPath;

/// More help nobody.
const MOST_PROBLEMS: usize = 100;

#[derive(Default)]
pub(super) struct Report {
    placed: Vec<Problem>,
    found: Vec<Found>,
    faulty: BTreeSet<YamlPath>,
}

/// A problem that still has to be given its place.
struct Found {
    path: YamlPath,
    at_key: bool,
    message: String,
    help: Option<String>,
}

impl Report {
    /// Starts with what the parser found.
    pub(super) fn new(placed: Vec<Problem>) -> Self {
        Self { placed, ..Self::default() }
    }

    pub(super) fn add(&mut self, path: &YamlPath, message: impl Into<String>) {
        self.push(path, false, message.into(), None);
    }

    pub(super) fn add_with_help(&mut self, path: &YamlPath, message: impl Into<String>, help: impl Into<String>) {
        self.push(path, false, message.into(), Some(help.into()));
    }

    /// The key itself is wrong, not its value.
    pub(super) fn add_at_key(&mut self, path: &YamlPath, message: impl Into<String>, help: impl Into<String>) {
        self.push(path, true, message.into(), Some(help.into()));
    }

    fn push(&mut self, path: &YamlPath, at_key: bool, message: String, help: Option<String>) {
        if self.is_faulty(path) {
            return;
        }
        self.excuse(path.clone());
        self.found.push(Found { path: path.clone(), at_key, message, help });
    }

    /// Says nothing about this value from now on.
    pub(super) fn excuse(&mut self, path: YamlPath) {
        self.faulty.insert(path);
    }

    /// Whether the value, or something around it, is at fault.
    pub(super) fn is_faulty(&self, path: &YamlPath) -> bool {
        path.ancestry().any(|path| self.faulty.contains(&path))
    }

    pub(super) fn is_full(&self) -> bool {
        self.found.len() >= MOST_PROBLEMS
    }

    /// All problems in the order of the file, or nothing.
    pub(super) fn finish(self, origin: &str, document: &Document) -> Result<(), ConfigErrors> {
        let is_full = self.is_full();
        let mut problems = self.placed;
        problems.extend(self.found.into_iter().take(MOST_PROBLEMS).map(|found| {
            let key = if found.at_key { document.key_place(&found.path) } else { None };
            let place = key.unwrap_or_else(|| document.place(&found.path));
            Problem { help: found.help, ..Problem::new(found.path, Some(place), found.message) }
        }));
        if problems.is_empty() {
            return Ok(());
        }
        problems.sort_by_key(|problem| (problem.line, problem.column));
        if is_full {
            problems.push(Problem::new(YamlPath::root(), None, "there may be more problems: correct these first"));
        }
        Err(ConfigErrors::new(origin, ConfigErrorKind::Invalid, problems))
    }
}
