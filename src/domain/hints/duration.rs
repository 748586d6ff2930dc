//! Durations with units: Go style (`2m59.56s`, `1d2h3m4.5s`), and as people write them (`3 days 4 hours`).

use std::time::Duration;

use super::number;

/// Reads a text that is a duration and nothing else.
#[must_use]
pub fn whole(text: &str) -> Option<Duration> {
    let (duration, rest) = leading(text.trim())?;
    rest.is_empty().then_some(duration)
}

/// Reads the duration at the start of a text, and returns what follows it. Every number needs a unit: "retry after 5
/// sessions" names no time.
#[must_use]
pub fn leading(text: &str) -> Option<(Duration, &str)> {
    let (mut sum, mut rest) = part(text)?;
    while let Some((more, tail)) = part(joint(rest)) {
        sum = sum.saturating_add(more);
        rest = tail;
    }
    Some((sum, rest))
}

/// One number with its unit.
fn part(text: &str) -> Option<(Duration, &str)> {
    let (number, rest) = number::leading(text)?;
    let rest = rest.trim_start_matches(' ');
    let end = rest.bytes().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (word, rest) = rest.split_at(end);
    Some((scaled(number, word)?, rest))
}

/// Skips what may stand between two parts: `6m 11.52s`, `3 days, 4 hours`, `1 hour and 5 minutes`.
fn joint(text: &str) -> &str {
    let text = text.trim_start_matches([' ', ',']);
    text.strip_prefix("and ").unwrap_or(text)
}

fn scaled(number: Duration, unit: &str) -> Option<Duration> {
    let is = |names: &[&str]| names.iter().any(|name| unit.eq_ignore_ascii_case(name));
    Some(if is(&["ns"]) {
        number / 1_000_000_000
    } else if is(&["us"]) {
        number / 1_000_000
    } else if is(&["ms", "msec", "millisecond", "milliseconds"]) {
        number / 1_000
    } else if is(&["s", "sec", "secs", "second", "seconds"]) {
        number
    } else if is(&["m", "min", "mins", "minute", "minutes"]) {
        number.saturating_mul(60)
    } else if is(&["h", "hr", "hrs", "hour", "hours"]) {
        number.saturating_mul(3_600)
    } else if is(&["d", "day", "days"]) {
        number.saturating_mul(86_400)
    } else if is(&["w", "week", "weeks"]) {
        number.saturating_mul(604_800)
    } else {
        return None;
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<f64> {
        whole(text).map(|duration| duration.as_secs_f64())
    }

    #[test]
    fn o10_every_unit_counts() {
        for (text, expected) in [
            ("2m59.56s", 179.56),
            ("1m26.4s", 86.4),
            ("11h2m24s", 39_744.0),
            ("547ms", 0.547),
            ("0s", 0.0),
            ("6m 11.52s", 371.52),
            ("1d2h", 93_600.0),
            ("1d2h3m4.5s", 93_784.5),
            ("4h17m", 15_420.0),
            ("250us", 0.000_25),
            ("38.2s", 38.2),
            ("65205s", 65_205.0),
            ("3 days 4 hours", 273_600.0),
            ("1 hour and 5 minutes", 3_900.0),
            ("2H, 13M", 7_980.0),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_duration() {
        for text in ["", "s", "7200", "5sx", "1.2.3s", "-2m", "5 sessions", "1m30", "5s later", "1e3s"] {
            assert_eq!(seconds(text), None, "{text:?}");
        }
    }

    #[test]
    fn absurd_durations_saturate() {
        assert_eq!(whole("99999999999999999999999999 days"), Some(Duration::MAX));
    }
}
