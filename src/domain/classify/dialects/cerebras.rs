//! Cerebras. A 429 carries no rate-limit headers, only (sometimes) a `retry-after` that is an upper bound.
//!
//! Its flat body says `"param":"quota"` to every limit, the one per minute included, and `"param":"queue"` when too
//! much traffic is queued, which clears in seconds (both seen live, 2026-07).

use crate::domain::classify::ruling::Ruling;
use crate::domain::classify::signs::Signs;
use crate::domain::classify::{limited, unwell};
use crate::domain::hints::calendar;
use crate::domain::hints::window::Window;
use crate::domain::outcome::Target;

pub(super) fn rule(signs: &Signs<'_>) -> Option<Ruling> {
    if signs.status != 429 {
        return None;
    }
    if signs.has_code(&["queue_exceeded"]) {
        return Some(unwell::OVERLOADED.into());
    }
    let is_quota = signs.has_code(&["request_quota_exceeded", "token_quota_exceeded"]);
    (is_quota && limited::window(signs) == Some(Window::Day)).then(|| {
        // The day is assumed to end at midnight UTC.
        let day = limited::hit(Window::Day, Target::Entry);
        day.unless_told(calendar::utc_midnight(signs.now))
    })
}
