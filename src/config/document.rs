//! The YAML text as a tree that remembers where everything stands.
//!
//! Scalars stay text: what a value means is decided by the key it belongs to, not by how it looks. So a key that
//! consists of digits, a model called `1.10` or a name `no` are what the user wrote, and `port: "3429"` is a port.

mod builder;

pub(in crate::config) use builder::MOST_NODES;

use super::error::Problem;
use super::path::{Step, YamlPath};

/// A position in the text, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

impl Place {
    /// The position that follows `text`.
    #[must_use]
    pub fn after(text: &str) -> Self {
        let last = text.rsplit('\n').next().unwrap_or_default();
        Self { line: text.matches('\n').count() + 1, column: last.chars().count() + 1 }
    }
}

/// A parsed file. Values may hold secrets, so there is no `Debug`.
pub struct Document {
    pub(super) root: Node,
}

/// One value.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) content: Content,
    /// Found faulty and reported: left out of what is read, but still there to be pointed at.
    pub(super) dropped: bool,
}

#[derive(Clone)]
pub(super) enum Content {
    Null,
    Text(Text),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Clone)]
pub(super) struct Text {
    pub(super) value: String,
    /// What stood in the file, where `value` came from the environment.
    pub(super) written: Option<String>,
}

#[derive(Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_place: Place,
    pub(super) value: Node,
}

impl Document {
    /// Parses `text`.
    ///
    /// # Errors
    /// The first violation of YAML's grammar, after which nothing else can be said about the text, or one of the bounds
    /// on size and nesting. Duplicate keys and the like leave a tree and come back beside it.
    pub fn parse(text: &str) -> Result<(Self, Vec<Problem>), Problem> {
        builder::build(text)
    }

    pub(super) fn get(&self, path: &YamlPath) -> Option<&Node> {
        path.steps().iter().try_fold(&self.root, Node::step)
    }

    /// Takes the value out of what is read. `false` if there is none, or it was dropped before.
    pub(super) fn drop_at(&mut self, path: &YamlPath) -> bool {
        match path.steps().iter().try_fold(&mut self.root, Node::step_mut) {
            Some(node) => !std::mem::replace(&mut node.dropped, true),
            None => false,
        }
    }

    /// Where to point for `path`: at the value if it is on one line, else at its key; for what is not there, at the
    /// nearest thing around it that is.
    #[must_use]
    pub fn place(&self, path: &YamlPath) -> Place {
        path.ancestry()
            .find_map(|path| match self.get(&path)? {
                Node { place, content: Content::Text(_), .. } => Some(*place),
                node => Some(self.key_place(&path).unwrap_or(node.place)),
            })
            .unwrap_or(self.root.place)
    }

    /// Where the key itself stands; `None` for list items and for what is not there.
    #[must_use]
    pub fn key_place(&self, path: &YamlPath) -> Option<Place> {
        let Some(Step::Key(key)) = path.steps().last() else { return None };
        self.get(&path.parent()?)?.entry(key).map(|entry| entry.key_place)
    }
}

impl Node {
    fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.content {
            Content::Map(entries) => entries.iter().find(|entry| entry.key == *key),
            _ => None,
        }
    }

    fn step(&self, step: &Step) -> Option<&Self> {
        match (&self.content, step) {
            (Content::Map(_), Step::Key(key)) => self.entry(key).map(|entry| &entry.value),
            (Content::List(items), Step::Index(index)) => items.get(*index),
            _ => None,
        }
    }

    fn step_mut(&mut self, step: &Step) -> Option<&mut Self> {
        match (&mut self.content, step) {
            (Content::Map(entries), Step::Key(key)) => {
                entries.iter_mut().find(|entry| entry.key == *key).map(|entry| &mut entry.value)
            }
            (Content::List(items), Step::Index(index)) => items.get_mut(*index),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
