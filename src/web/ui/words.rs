//! Numbers and times, as people read them.

use crate::domain::time::Wall;

/// US dollars: cents as long as they matter.
pub(super) fn dollars(amount: f64) -> String {
    match amount {
        amount if amount < 0.005 => NONE.to_owned(),
        amount if amount < 1_000.0 => format!("${amount:.2}"),
        amount => format!("${}", count(amount as u64)),
    }
}

/// What stands where nothing is known.
pub(super) const NONE: &str = "\u{2013}";

/// `1,234,567`
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The number, or a dash.
pub(super) fn known(number: Option<u64>) -> String {
    number.map_or_else(|| NONE.to_owned(), count)
}

/// `184 ms`, `6.5 s`, `3:20 min`
pub(super) fn span(ms: u64) -> String {
    match ms {
        0 => "< 1 ms".to_owned(),
        1..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{}:{:02} min", ms / 60_000, ms / 1_000 % 60),
    }
}

/// A time, or a dash.
pub(super) fn known_span(ms: Option<u64>) -> String {
    ms.map_or_else(|| NONE.to_owned(), span)
}

/// Until a deadline: `1:26`, `2:01:26`, `3 d 4 h`. The same as `left` in app.js.
pub(super) fn left(ms: u64) -> String {
    let seconds = ms.div_ceil(1_000);
    match seconds {
        0..3_600 => format!("{}:{:02}", seconds / 60, seconds % 60),
        3_600..172_800 => format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// `12 s`, `5 min`, `2 h`, `3 d`
pub(super) fn age(ms: u64) -> String {
    match ms / 1_000 {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3_600 => format!("{} min", seconds / 60),
        seconds @ 3_600..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// Whole percents of a part; nothing of nothing.
pub(super) fn percent(part: u64, whole: u64) -> Option<String> {
    let percent = part.saturating_mul(100).checked_div(whole)?;
    Some(if percent == 0 && part > 0 { "< 1 %".to_owned() } else { format!("{percent} %") })
}

/// The time of day of an RFC 3339 time, to the second.
pub(super) fn clock(time: &str) -> &str {
    time.get(11..19).unwrap_or(time)
}

/// A name for an element of the page: of a model's any sign may be in.
pub(super) fn anchor(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// Milliseconds since the epoch of an RFC 3339 time.
pub(super) fn millis(time: &str) -> Option<u64> {
    time.parse::<jiff::Timestamp>().ok().and_then(|stamp| u64::try_from(stamp.as_millisecond()).ok())
}

/// A deadline that counts down in the browser.
#[derive(Clone, Debug)]
pub(super) struct Until {
    /// RFC 3339.
    pub(super) time: String,
    /// Milliseconds since the epoch.
    pub(super) ms: u64,
    /// As of now.
    pub(super) left: String,
}

impl Until {
    /// The time, if it is one.
    pub(super) fn of(time: Option<&str>, now: Wall) -> Option<Self> {
        let time = time?;
        let ms = millis(time)?;
        Some(Self { time: time.to_owned(), ms, left: left(ms.saturating_sub(now.0)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
        assert_eq!(known(None), NONE);
    }

    #[test]
    fn times_are_short() {
        for (ms, text) in [(0, "< 1 ms"), (184, "184 ms"), (6_540, "6.5 s"), (200_000, "3:20 min")] {
            assert_eq!(span(ms), text);
        }
        for (ms, text) in [(0, "0:00"), (1, "0:01"), (86_000, "1:26"), (7_286_000, "2:01:26"), (273_600_000, "3 d 4 h")]
        {
            assert_eq!(left(ms), text);
        }
        for (ms, text) in [(12_000, "12 s"), (300_000, "5 min"), (7_200_000, "2 h"), (259_200_000, "3 d")] {
            assert_eq!(age(ms), text);
        }
    }

    #[test]
    fn no_data_is_no_percentage() {
        assert_eq!(percent(0, 0), None);
        assert_eq!(percent(18, 24).as_deref(), Some("75 %"));
        assert_eq!(percent(1, 1_000).as_deref(), Some("< 1 %"));
        assert_eq!(percent(0, 5).as_deref(), Some("0 %"));
    }

    #[test]
    fn a_deadline_counts_from_now() {
        let until = Until::of(Some("2026-11-24T12:01:26.000Z"), Wall(1_795_521_600_000)).unwrap();
        assert_eq!((until.ms, until.left.as_str()), (1_795_521_686_000, "1:26"));
        assert!(Until::of(Some("soon"), Wall(0)).is_none() && Until::of(None, Wall(0)).is_none());
    }
}
