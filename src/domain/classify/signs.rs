//! Everything that rules may look at.

use crate::domain::answer::Headers;
use crate::domain::dialect::Dialect;
use crate::domain::envelope::Envelope;
use crate::domain::time::Wall;

/// One answer that is no success, opened.
pub(super) struct Signs<'a> {
    pub(super) dialect: Dialect,
    /// Of the answer, or of the failure that a 200 reports inside.
    pub(super) status: u16,
    pub(super) headers: Headers<'a>,
    pub(super) envelope: Envelope,
    pub(super) now: Wall,
}

impl Signs<'_> {
    /// True when one of the body's machine codes is one of these lower-case names.
    pub(super) fn has_code(&self, names: &[&str]) -> bool {
        self.envelope.has_code(names)
    }

    /// True when the body's text holds one of these lower-case phrases.
    pub(super) fn says(&self, phrases: &[&str]) -> bool {
        self.envelope.says(phrases)
    }
}
