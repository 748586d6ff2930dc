//! The headers that say how long to wait: `retry-after-ms` before `Retry-After`.

use std::time::Duration;

use super::{number, when};
use crate::domain::answer::Headers;
use crate::domain::outcome::{Basis, Hint};
use crate::domain::time::Wall;

/// What the headers say, unbounded. Of several lines, or several values that an intermediary joined into one line, the
/// longest wait counts.
#[must_use]
pub fn read(headers: Headers<'_>, now: Wall) -> Option<Hint> {
    let millis = headers.lines("retry-after-ms").filter_map(|line| Some(number::seconds(line)? / 1_000)).max();
    if let Some(wait) = millis {
        return Some(Hint { wait, basis: Basis::RetryAfterMsHeader });
    }
    let wait = headers.lines("retry-after").filter_map(|line| longest(line, now)).max()?;
    Some(Hint { wait, basis: Basis::RetryAfterHeader })
}

/// A date holds a comma itself, so the whole line is tried first.
fn longest(line: &str, now: Wall) -> Option<Duration> {
    when::wait(line, now).or_else(|| line.split(',').filter_map(|value| when::wait(value, now)).max())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-24T12:00:00Z
    const NOW: Wall = Wall(1_795_521_600_000);

    fn hint(lines: &[(&str, &str)]) -> Option<(u128, Basis)> {
        let lines: Vec<_> = lines.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        read(Headers(&lines), NOW).map(|hint| (hint.wait.as_millis(), hint.basis))
    }

    #[test]
    fn o9_every_form_of_retry_after() {
        for (value, wait) in [
            ("120", 120_000),
            ("2.5", 2_500),
            ("Tue, 24 Nov 2026 12:02:00 GMT", 120_000),
            ("1795521720", 120_000),
            ("2m", 120_000),
            ("10, 60", 60_000),
        ] {
            assert_eq!(hint(&[("Retry-After", value)]), Some((wait, Basis::RetryAfterHeader)), "{value}");
        }
    }

    #[test]
    fn milliseconds_are_more_exact_than_seconds() {
        assert_eq!(hint(&[("retry-after", "2"), ("Retry-After-Ms", "1574")]), Some((1_574, Basis::RetryAfterMsHeader)));
        assert_eq!(hint(&[("retry-after", "2"), ("retry-after-ms", "x")]), Some((2_000, Basis::RetryAfterHeader)));
    }

    #[test]
    fn all_lines_are_read_and_unreadable_ones_ignored() {
        assert_eq!(
            hint(&[("retry-after", "soon"), ("RETRY-AFTER", "30"), ("retry-after", "5")]),
            Some((30_000, Basis::RetryAfterHeader))
        );
    }

    #[test]
    fn f5_a_fraction_is_no_past_date() {
        assert_eq!(hint(&[("retry-after", "0.75")]), Some((750, Basis::RetryAfterHeader)));
        assert_eq!(hint(&[("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")]), None);
    }
}
