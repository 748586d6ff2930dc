//! "When" in one value, whatever form it has.
//!
//! Providers put seconds, epochs in four resolutions, Go durations and dates into headers of the same name. The forms
//! can be told apart: nobody announces a wait of 31 years, so a number above 1e9 is a point in time.

use std::time::Duration;

use super::{date, duration, number};
use crate::domain::time::Wall;

/// A value that says when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    /// From now; zero for a moment that has passed.
    pub wait: Duration,
    /// How it was written.
    pub form: Form,
}

/// The forms that a "when" has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `90`
    Seconds,
    /// `1m30s`
    Duration,
    /// `1795521690`
    EpochSeconds,
    /// `1795521690000`
    EpochMillis,
    /// `1795521690000000`
    EpochMicros,
    /// `1795521690000000000`
    EpochNanos,
    /// `2026-11-24T12:01:30Z`
    Rfc3339,
    /// `Tue, 24 Nov 2026 12:01:30 GMT`
    HttpDate,
}

impl Form {
    /// As the recorded answers call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Duration => "duration",
            Self::EpochSeconds => "epoch_s",
            Self::EpochMillis => "epoch_ms",
            Self::EpochMicros => "epoch_us",
            Self::EpochNanos => "epoch_ns",
            Self::Rfc3339 => "rfc3339",
            Self::HttpDate => "http_date",
        }
    }

    /// True when it names a length of time and not a moment.
    fn is_length(self) -> bool {
        matches!(self, Self::Seconds | Self::Duration)
    }
}

/// How long until the moment that a value names. A moment that has passed says nothing.
#[must_use]
pub fn wait(text: &str, now: Wall) -> Option<Duration> {
    let when = read(text, now)?;
    (when.form.is_length() || !when.wait.is_zero()).then_some(when.wait)
}

/// Reads a value, and how it is written.
#[must_use]
pub fn read(text: &str, now: Wall) -> Option<When> {
    let until = |moment: Duration| moment.saturating_sub(Duration::from_millis(now.0));
    if let Some(number) = number::seconds(text) {
        let form = magnitude(number);
        let wait = match form {
            Form::EpochSeconds => until(number),
            Form::EpochMillis => until(number / 1_000),
            Form::EpochMicros => until(number / 1_000_000),
            Form::EpochNanos => until(number / 1_000_000_000),
            _ => number,
        };
        return Some(When { wait, form });
    }
    if let Some(wait) = duration::whole(text) {
        return Some(When { wait, form: Form::Duration });
    }
    let moment = date::read(text)?;
    // Only HTTP dates start with the name of a day.
    let form = if text.trim_start().starts_with(|first: char| first.is_ascii_digit()) {
        Form::Rfc3339
    } else {
        Form::HttpDate
    };
    Some(When { wait: until(Duration::from_millis(moment.0)), form })
}

/// What a number means by its size: a length, or seconds, milli-, micro- or nanoseconds since 1970.
fn magnitude(number: Duration) -> Form {
    match number.as_secs() {
        0..1_000_000_000 => Form::Seconds,
        1_000_000_000..100_000_000_000 => Form::EpochSeconds,
        100_000_000_000..100_000_000_000_000 => Form::EpochMillis,
        100_000_000_000_000..100_000_000_000_000_000 => Form::EpochMicros,
        _ => Form::EpochNanos,
    }
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
    fn every_form_is_told_apart() {
        let forms = [
            ("90", "seconds"),
            ("1m30s", "duration"),
            ("1795521690", "epoch_s"),
            ("1795521690000", "epoch_ms"),
            ("1795521690000000", "epoch_us"),
            ("1795521690000000000", "epoch_ns"),
            ("2026-11-24T12:01:30Z", "rfc3339"),
            ("Tue, 24 Nov 2026 12:01:30 GMT", "http_date"),
        ];
        for (text, name) in forms {
            let when = read(text, NOW).unwrap();
            assert_eq!((when.form.name(), when.wait), (name, Duration::from_secs(90)), "{text}");
        }
        assert_eq!(read("1795521300", NOW).map(|when| when.wait), Some(Duration::ZERO));
    }

    #[test]
    fn the_past_says_nothing() {
        assert_eq!(seconds("1795521300"), None);
        assert_eq!(seconds("Wed, 21 Oct 2015 07:28:00 GMT"), None);
        assert_eq!(seconds("2026-11-24T12:00:00Z"), None);
    }
}
