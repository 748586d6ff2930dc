//! Where something stands in the file: `providers[0].rateLimits.requestsPerMinute`.
//!
//! A list of steps and not a string with dots, because keys may hold dots themselves: model names do.

use std::fmt;

use serde_path_to_error::Segment;

use super::wording::may_be_a_key;

/// One step down the tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into the value of this key.
    Key(String),
    /// Into this item of a list, counted from 0.
    Index(usize),
}

/// The way from the top of the file to one value.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct YamlPath(Vec<Step>);

impl YamlPath {
    /// The top of the file.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// One step further, into the value of `key`.
    #[must_use]
    pub fn key(&self, key: impl Into<String>) -> Self {
        self.then(Step::Key(key.into()))
    }

    /// One step further, into item `index`.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    pub(super) fn then(&self, step: Step) -> Self {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Self(steps)
    }

    /// From the top down.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The path and all paths above it, nearest first, down to the top of the file.
    pub fn ancestry(&self) -> impl Iterator<Item = Self> + '_ {
        (0..=self.0.len()).rev().map(|length| Self(self.0.iter().take(length).cloned().collect()))
    }

    /// One step back; `None` at the top.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.ancestry().nth(1)
    }

    /// With steps that may be secrets made unreadable: whoever puts a key where a name belongs gets a message, too.
    pub(super) fn masked(self) -> Self {
        let mask = |step| match step {
            Step::Key(key) if may_be_a_key(&key) => Step::Key("***".to_owned()),
            step => step,
        };
        Self(self.0.into_iter().map(mask).collect())
    }

    /// The nearest key at the end: `apiKeys` for `settings.apiKeys[0]`.
    #[must_use]
    pub fn last_key(&self) -> Option<&str> {
        self.0.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        })
    }
}

impl From<&serde_path_to_error::Path> for YamlPath {
    fn from(path: &serde_path_to_error::Path) -> Self {
        Self(
            path.iter()
                .filter_map(|segment| match segment {
                    Segment::Map { key } => Some(Step::Key(key.clone())),
                    Segment::Seq { index } => Some(Step::Index(*index)),
                    Segment::Enum { .. } | Segment::Unknown => None,
                })
                .collect(),
        )
    }
}

/// Keys that cannot be mistaken are written bare, all others like `models["gpt-4.1"]`.
impl fmt::Display for YamlPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if !is_bare(key) => write!(f, "[{key:?}]")?,
                Step::Key(key) if depth == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

fn is_bare(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_people_write_it() {
        let path = YamlPath::root().key("providers").index(0).key("rateLimits").key("requestsPerMinute");
        assert_eq!(path.to_string(), "providers[0].rateLimits.requestsPerMinute");
        assert_eq!(path.parent().unwrap().to_string(), "providers[0].rateLimits");
        assert_eq!(YamlPath::root().to_string(), "");
        assert_eq!(YamlPath::root().parent(), None);
    }

    #[test]
    fn a_model_name_with_dots_and_slashes_stays_one_step() {
        let path = YamlPath::root().key("models").key("qwen/qwen3.6:free").key("contextWindow");
        assert_eq!(path.to_string(), r#"models["qwen/qwen3.6:free"].contextWindow"#);
        assert_eq!(path.steps().len(), 3);
    }

    #[test]
    fn the_last_key_of_a_list_item_is_that_of_its_list() {
        assert_eq!(YamlPath::root().key("settings").key("apiKeys").index(1).last_key(), Some("apiKeys"));
        assert_eq!(YamlPath::root().index(1).last_key(), None);
    }
}
