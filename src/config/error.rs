//! What is wrong with a configuration: everything at once, each with its place and a way out.

use std::fmt;

use super::document::Place;
use super::path::YamlPath;

/// Why there is no configuration. `Display` prints every problem, one after the other, ready for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    origin: String,
    kind: ConfigErrorKind,
    problems: Vec<Problem>,
}

/// What went wrong as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigErrorKind {
    /// There is no such file: the moment to offer `429chain init` or `429chain demo`.
    Missing,
    /// There is one, but it cannot be read.
    Unreadable,
    /// It was read, and its contents are wrong.
    Invalid,
}

/// One thing that is wrong. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which value is meant; the top of the file for problems of the file as a whole.
    pub path: YamlPath,
    /// Counted from 1. `None` when the problem is not in the text.
    pub line: Option<usize>,
    /// Counted from 1, in characters. `None` when the problem is not in the text.
    pub column: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl ConfigErrors {
    pub(super) fn new(origin: impl Into<String>, kind: ConfigErrorKind, problems: Vec<Problem>) -> Self {
        Self { origin: origin.into(), kind, problems }
    }

    /// The name of the file, as it was given.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What went wrong as a whole.
    #[must_use]
    pub fn kind(&self) -> ConfigErrorKind {
        self.kind
    }

    /// All problems, in the order of the file. At least one.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl std::error::Error for ConfigErrors {}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&self.origin)?;
            if let (Some(line), Some(column)) = (problem.line, problem.column) {
                write!(f, ":{line}:{column}")?;
            }
            write!(f, ": {problem}")?;
        }
        Ok(())
    }
}

impl Problem {
    pub(super) fn new(path: YamlPath, place: Option<Place>, message: impl Into<String>) -> Self {
        Self {
            path: path.masked(),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            message: message.into(),
            help: None,
        }
    }

    pub(super) fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// Without the place: `providers[0].type: unknown type` and the help on a line of its own.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.steps().is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n    {help}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_is_printed_with_its_place_and_its_help() {
        let path = YamlPath::root().key("providers").index(0).key("type");
        let place = Some(Place { line: 12, column: 7 });
        let problems = vec![
            Problem::new(path, place, "unknown type `gorq`").with_help("did you mean `groq`?"),
            Problem::new(YamlPath::root(), None, "the file is too large"),
        ];
        let errors = ConfigErrors::new("config/config.yaml", ConfigErrorKind::Invalid, problems);
        assert_eq!(
            errors.to_string(),
            "config/config.yaml:12:7: providers[0].type: unknown type `gorq`\n    did you mean `groq`?\n\
             config/config.yaml: the file is too large"
        );
    }
}
