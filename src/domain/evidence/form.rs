//! How a reset was written, for people who wonder where a wait comes from.

use std::time::Duration;

use super::name::{Field, Name};
use super::policy;
use crate::domain::answer::Headers;
use crate::domain::hints;
use crate::domain::hints::when::{self, Form};
use crate::domain::outcome::{Basis, Hint};
use crate::domain::time::Wall;

/// The form of the reset header that tells to wait for `wait`.
#[must_use]
pub fn reset_form(headers: Headers<'_>, wait: Duration, now: Wall) -> Option<Form> {
    let resets = headers.all().filter_map(|(name, value)| {
        if Name::read(name).is_some_and(|name| name.field == Field::Reset) {
            when::read(value, now)
        } else if name.eq_ignore_ascii_case("ratelimit") {
            when::read(policy::reset(value)?, now)
        } else {
            None
        }
    });
    let is_it = |told: Duration| hints::bounded(Hint { wait: told, basis: Basis::ResetHeader }, None).wait == wait;
    resets.filter(|when| is_it(when.wait)).map(|when| when.form).next()
}
