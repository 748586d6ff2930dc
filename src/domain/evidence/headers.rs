//! The header lines of one answer, or the copy of them in an error body.

use super::name::{Field, Name};
use super::policy::{self, Drafts};
use super::tally::Tally;
use super::{Reset, rules};
use crate::domain::answer::Headers;
use crate::domain::dialect::Dialect;
use crate::domain::hints::{number, when};
use crate::domain::time::Wall;

/// One pass; nothing is allocated when no line is about quota.
pub(super) fn read(dialect: Dialect, headers: Headers<'_>, now: Wall, tally: &mut Tally) {
    let mut drafts = Drafts::default();
    for line in headers.0 {
        let Some(kind) = Kind::of(line.0) else { continue };
        // Only now is the value looked at: most lines are about something else.
        let Some((_, value)) = Headers(std::slice::from_ref(line)).all().next() else { continue };
        match kind {
            Kind::Bucket(name) => bucket(dialect, name, value, now, tally),
            Kind::State => drafts.state(value),
            Kind::Policy => drafts.policy(value),
        }
    }
    drafts.settle(now, tally);
}

/// What a line that is about quota holds.
enum Kind {
    /// One number of one bucket.
    Bucket(Name),
    /// The state of several, in the IETF draft's form.
    State,
    /// The limits of several.
    Policy,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        if let Some(name) = Name::read(name) {
            Some(Self::Bucket(name))
        } else if name.eq_ignore_ascii_case("ratelimit") {
            Some(Self::State)
        } else if name.eq_ignore_ascii_case("ratelimit-policy") {
            Some(Self::Policy)
        } else {
            None
        }
    }
}

fn bucket(dialect: Dialect, name: Name, value: &str, now: Wall, tally: &mut Tally) {
    match name.field {
        Field::Limit => {
            let (limit, window) = policy::limit(value);
            if let (Some(window), None) = (window, name.window) {
                tally.has_period(name.dimension, window);
            }
            if let Some(limit) = limit {
                tally.bucket(name.dimension, name.window).limited(limit);
            }
        }
        Field::Remaining => {
            let Some(remaining) = number::count(value) else { return };
            tally.bucket(name.dimension, name.window).left(remaining, value.starts_with('-'));
        }
        Field::Reset => {
            let Some(when) = when::read(value, now) else { return };
            let reset = Reset { after: when.wait, kind: rules::reset_kind(dialect, name.per) };
            tally.bucket(name.dimension, name.window).resets(reset);
        }
        Field::Period => {
            let Some(window) = policy::window(value) else { return };
            tally.renews(name.dimension, window);
        }
    }
}
