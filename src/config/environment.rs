//! Where `${NAME}` gets its value from. A trait, so that tests and the demo need no process environment.

use std::collections::BTreeMap;

/// Named values from outside the file.
pub trait Environment {
    /// The value of `name`, if it is set.
    fn get(&self, name: &str) -> Option<String>;
}

/// The environment of this process. A value that is not valid Unicode counts as not set.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

impl Environment for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<String> {
        BTreeMap::get(self, name).cloned()
    }
}

impl<const N: usize> Environment for [(&str, &str); N] {
    fn get(&self, name: &str) -> Option<String> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }
}
