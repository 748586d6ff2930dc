//! "When" in one value, whatever form it has.
//!
//! Providers put seconds, epochs in four resolutions, Go durations and dates into headers of the same name. The forms
//! can be told apart: nobody announces a wait of 31 years, so a number above 1e9 is a point in time.

use std::time::Duration;

use super::{date, duration, number};
use crate::domain::time::Wall;

/// How long until the moment that a value names. A moment that has passed says nothing.
#[must_use]
pub fn wait(text: &str, now: Wall) -> Option<Duration> {
    if let Some(number) = number::seconds(text) {
        return match since_epoch(number) {
            Some(moment) => until(moment, now),
            None => Some(number),
        };
    }
    duration::whole(text).or_else(|| until(Duration::from_millis(date::read(text)?.0), now))
}

/// The point in time that a large number means: seconds, milli-, micro- or nanoseconds since 1970.
fn since_epoch(number: Duration) -> Option<Duration> {
    Some(match number.as_secs() {
        0..1_000_000_000 => return None,
        1_000_000_000..100_000_000_000 => number,
        100_000_000_000..100_000_000_000_000 => number / 1_000,
        100_000_000_000_000..100_000_000_000_000_000 => number / 1_000_000,
        _ => number / 1_000_000_000,
    })
}

fn until(moment: Duration, now: Wall) -> Option<Duration> {
    moment.checked_sub(Duration::from_millis(now.0)).filter(|wait| !wait.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-24T12:00:00Z
    const NOW: Wall = Wall(1_795_521_600_000);

    fn seconds(text: &str) -> Option<f64> {
        wait(text, NOW).map(|wait| wait.as_secs_f64())
    }

    #[test]
    fn a_number_is_a_delta_or_an_epoch_by_its_size() {
        assert_eq!(seconds("90"), Some(90.0));
        assert_eq!(seconds("999999999"), Some(999_999_999.0));
        assert_eq!(seconds("1795521690"), Some(90.0));
        assert_eq!(seconds("1795521900.5"), Some(300.5));
        assert_eq!(seconds("1795521690000"), Some(90.0));
        assert_eq!(seconds("1795521690000000"), Some(90.0));
        assert_eq!(seconds("1795521690000000000"), Some(90.0));
    }

    #[test]
    fn other_forms() {
        assert_eq!(seconds("1m30s"), Some(90.0));
        assert_eq!(seconds("2026-11-24T12:01:30Z"), Some(90.0));
        assert_eq!(seconds("Tue, 24 Nov 2026 12:01:30 GMT"), Some(90.0));
    }

    #[test]
    fn the_past_says_nothing() {
        assert_eq!(seconds("1795521300"), None);
        assert_eq!(seconds("Wed, 21 Oct 2015 07:28:00 GMT"), None);
        assert_eq!(seconds("2026-11-24T12:00:00Z"), None);
    }
}
