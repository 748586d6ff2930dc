//! Why an edit was not made. Then nothing has changed.

use std::fmt;

use super::super::error::ConfigErrors;
use super::super::path::YamlPath;
use super::super::wording::{listed, shown};

/// Why an edit was not made. `Display` is ready for the user; no secret is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditError {
    /// The file as it is cannot be edited: it is not YAML, or holds a key twice.
    Unreadable(ConfigErrors),
    /// With the edit the file could not be used.
    Refused(ConfigErrors),
    /// There is no such thing.
    Unknown {
        /// `provider`, `chain`, `entry` or `client key`.
        what: &'static str,
        /// As it was asked for.
        name: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// There is already one of that name.
    Taken {
        /// `provider` or `chain`.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// Chains need what is to be deleted.
    InUse {
        /// The provider.
        provider: String,
        /// The chains, in the order of the file.
        chains: Vec<Use>,
    },
    /// A chain would be left with nothing to call.
    LastEntry {
        /// Its name.
        chain: String,
    },
    /// It is what requests take that name no chain.
    DefaultChain {
        /// Its name.
        chain: String,
    },
    /// A mask came back for a value that is not the one it hides.
    Masked {
        /// Where it was to go.
        path: YamlPath,
    },
    /// What was given does not fit.
    Shape {
        /// Where it was to go.
        path: YamlPath,
        /// What is wrong with it, and what to do.
        message: String,
    },
    /// There would be more keys and values than a configuration may have.
    TooLarge {
        /// So many it may have.
        most: usize,
    },
    /// The value is repeated by an alias, or is one.
    Aliased {
        /// In the present file, counted from 1.
        line: usize,
    },
    /// It is written in a way that cannot be changed without changing more.
    Layout {
        /// In the present file, counted from 1; `None` when it is the file as a whole.
        line: Option<usize>,
    },
}

/// Where a chain uses a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The name of the chain.
    pub chain: String,
    /// Its entries that do, counted from 0.
    pub entries: Vec<usize>,
    /// It has no others.
    pub all: bool,
}

impl std::error::Error for EditError {}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(errors) => write!(f, "the configuration file has to be mended by hand first:\n{errors}"),
            Self::Refused(errors) => write!(f, "with this change the configuration could not be used:\n{errors}"),
            Self::Unknown { what, name, known } => {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                // What looks like a key is left out.
                match listed(&known) {
                    known if known.is_empty() => write!(f, "there is no {what} {}", shown(name)),
                    known => write!(f, "there is no {what} {}; there are: {known}", shown(name)),
                }
            }
            Self::Taken { what, name } => write!(f, "there is already a {what} {}: choose another name", shown(name)),
            Self::InUse { provider, chains } => {
                let chains: Vec<String> = chains.iter().map(ToString::to_string).collect();
                let (provider, chains) = (shown(provider), chains.join(", "));
                write!(f, "provider {provider} is used in {chains}: remove these entries first, or together with it")
            }
            Self::LastEntry { chain } => {
                write!(f, "chain {} would be left without an entry: add another one first, or delete the chain", shown(chain))
            }
            Self::DefaultChain { chain } => {
                write!(f, "chain {} is the default chain: make another one the default first", shown(chain))
            }
            Self::Masked { path } => {
                write!(f, "{path}: this is a mask and not the value itself: leave it as it was shown, or give a new value")
            }
            Self::Shape { path, message } => write!(f, "{path}: {message}"),
            Self::TooLarge { most } => write!(
                f,
                "with this change the configuration would hold more than {most} keys and values, which is the most that it may: leave \
                 out what is not needed"
            ),
            Self::Aliased { line } => write!(
                f,
                "line {line} of the configuration file is repeated elsewhere by an alias (`&name`, `*name`), so a change would \
                 reach further than meant: edit the file by hand, or write the value out there"
            ),
            Self::Layout { line: Some(line) } => write!(
                f,
                "line {line} of the configuration file is written in a way that cannot be changed without disturbing what \
                 is around it: edit the file by hand"
            ),
            Self::Layout { line: None } => f.write_str(
                "the configuration file is written in a way that cannot be changed without disturbing more of it: edit it \
                 by hand",
            ),
        }
    }
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<String> = self.entries.iter().map(|at| format!("#{}", at + 1)).collect();
        write!(f, "{} ({})", shown(&self.chain), places.join(", "))
    }
}
