//! Editing the file so that it stays the user's: comments, order, quotes, indentation, line ends and `${NAME}` stay as they
//! are, byte for byte, wherever nothing is changed.
//!
//! 1. `change`: what a change means for the values of the file
//! 2. `keep`: a mask that comes back means the value behind it
//! 3. `reconcile`: which values differ, and the smallest `splice` of the text for each; `layout` knows where everything
//!    stands, `render` writes what is new
//! 4. the text is read again: it has to have exactly the values that were meant, and they have to pass all checks
//!
//! The last step is what makes the others safe. What cannot be changed cleanly is refused, and the text stays.

mod change;
mod error;
mod keep;
mod layout;
mod lines;
mod mask;
mod names;
mod reconcile;
mod render;
mod scalar;
mod splice;
mod value;

use std::path::Path;

pub use self::change::Change;
pub use self::error::{EditError, Use};
pub use self::mask::{mask, masked_document, masked_text};
pub use self::names::{ChainNames, Names};
pub use self::value::Value;

use self::keep::Present;
use self::mask::Secrets;
use self::reconcile::reconcile;
use self::splice::Fault;
use super::document::Place;
use super::document::{Document, MOST_NODES};
use super::environment::Environment;
use super::error::{ConfigErrorKind, ConfigErrors};
use super::layers::Overrides;
use super::report::Report;

/// Edits the text of one file. The fields are those of [`parse`](super::parse), which has to like what comes out.
#[derive(Clone, Copy)]
pub struct Editor<'a> {
    /// Names the file in messages.
    pub origin: &'a str,
    /// Where key files are looked for.
    pub base_dir: &'a Path,
    /// Where `${NAME}` gets its value from.
    pub environment: &'a dyn Environment,
    /// What is laid over the file.
    pub overrides: &'a Overrides,
}

impl Editor<'_> {
    /// Makes all changes, one after the other, or none. The new text can be loaded. Changes that change nothing give back
    /// the same text.
    ///
    /// # Errors
    /// Why none was made.
    pub fn edit(&self, text: &str, changes: &[Change]) -> Result<String, EditError> {
        let mut edited = text.to_owned();
        for change in changes {
            let (written, resolved) = self.values(&edited)?;
            let secrets = Secrets::of(&written);
            let target = change.apply(Present { written: &written, resolved: &resolved, secrets: &secrets })?;
            // What comes of it could not be read, and nobody would know why.
            if target.nodes() > MOST_NODES {
                return Err(EditError::TooLarge { most: MOST_NODES });
            }
            edited = reconcile(&edited, &target).map_err(|fault| place(fault, &edited))?;
        }
        if edited != text {
            self.check(&edited).map_err(EditError::Refused)?;
        }
        Ok(edited)
    }

    /// Whether the text is a configuration that can be used.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn check(&self, text: &str) -> Result<(), ConfigErrors> {
        super::parse(text, self.origin, self.base_dir, self.environment, self.overrides).map(drop)
    }

    /// Which chains use a provider.
    ///
    /// # Errors
    /// The text is not YAML.
    pub fn users_of(&self, text: &str, provider: &str) -> Result<Vec<Use>, EditError> {
        self.values(text).map(|(_, resolved)| change::users_of(&resolved, provider))
    }

    /// What its providers and chains are called, with variables filled in.
    ///
    /// # Errors
    /// The text is not YAML.
    pub fn names(&self, text: &str) -> Result<Names, EditError> {
        self.values(text).map(|(_, resolved)| Names::of(&resolved))
    }

    /// As written, and with variables filled in.
    fn values(&self, text: &str) -> Result<(Value, Value), EditError> {
        let unreadable =
            |problems| EditError::Unreadable(ConfigErrors::new(self.origin, ConfigErrorKind::Invalid, problems));
        let (mut document, problems) = Document::parse(text).map_err(|problem| unreadable(vec![problem]))?;
        if !problems.is_empty() {
            return Err(unreadable(problems));
        }
        // Elsewhere a carriage return is a line break only with a line feed.
        if text.replace("\r\n", "\n").contains('\r') {
            return Err(EditError::Layout { line: None });
        }
        let written = Value::of(&document.root);
        document.interpolate(self.environment, &mut Report::default());
        Ok((written, Value::of(&document.root)))
    }
}

fn place(fault: Fault, text: &str) -> EditError {
    let line = |at: usize| Place::after(text.get(..at).unwrap_or_default()).line;
    match fault {
        Fault::Aliased(at) => EditError::Aliased { line: line(at) },
        Fault::Layout(0) => EditError::Layout { line: None },
        Fault::Layout(at) => EditError::Layout { line: Some(line(at)) },
    }
}

#[cfg(test)]
mod tests;
