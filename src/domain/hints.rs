//! How long to wait: numbers, times and windows as providers state them.
//!
//! Everything here reads untrusted text. What does not have a known form says nothing; nothing saturates into a panic.

pub mod calendar;
pub mod date;
pub mod duration;
pub mod number;
pub mod prose;
pub mod reset;
pub mod retry_after;
pub mod when;
pub mod window;

use std::time::Duration;

use super::outcome::{Basis, Hint};
use window::Window;

/// No told wait is shorter: `Retry-After: 0` would make the proxy hammer the provider.
pub const FLOOR: Duration = Duration::from_secs(1);

/// No told wait is longer, unless the answer names a week or a month: one bad header must not cost more than a day.
pub const CLAMP: Duration = Duration::from_secs(86_400);

/// The longest wait that a week or month window may state. Deadlines lie at most that far ahead anyway.
pub const LONG_CLAMP: Duration = Duration::from_secs(31 * 86_400);

/// Brings a told wait between the floor and the clamp.
#[must_use]
pub fn bounded(hint: Hint, window: Option<Window>) -> Hint {
    let clamp = if window >= Some(Window::Week) { LONG_CLAMP } else { CLAMP };
    if hint.wait > clamp {
        return Hint { wait: clamp, basis: Basis::Clamp };
    }
    Hint { wait: hint.wait.max(FLOOR), ..hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(seconds: u64, window: Option<Window>) -> (u64, Basis) {
        let hint = bounded(Hint { wait: Duration::from_secs(seconds), basis: Basis::RetryAfterHeader }, window);
        (hint.wait.as_secs(), hint.basis)
    }

    #[test]
    fn f4_a_told_wait_is_taken_as_told() {
        assert_eq!(bound(1, None), (1, Basis::RetryAfterHeader));
        assert_eq!(bound(86_400, Some(Window::Day)), (86_400, Basis::RetryAfterHeader));
    }

    #[test]
    fn f4_only_a_named_week_or_month_may_exceed_a_day() {
        assert_eq!(bound(86_401, Some(Window::Day)), (86_400, Basis::Clamp));
        assert_eq!(bound(500_000, None), (86_400, Basis::Clamp));
        assert_eq!(bound(500_000, Some(Window::Week)), (500_000, Basis::RetryAfterHeader));
        assert_eq!(bound(u64::MAX, Some(Window::Month)), (31 * 86_400, Basis::Clamp));
    }

    #[test]
    fn zero_is_a_second() {
        assert_eq!(bound(0, None), (1, Basis::RetryAfterHeader));
    }
}
