//! Numbers in untrusted text: digits, at most one point, nothing else. No sign, exponent, hex, NaN or infinity.

use std::time::Duration;

/// Reads a whole text as seconds; too large a number saturates.
#[must_use]
pub fn seconds(text: &str) -> Option<Duration> {
    let (number, rest) = leading(text.trim())?;
    rest.is_empty().then_some(number)
}

/// Reads the decimal number at the start of a text as seconds, and returns what follows it.
#[must_use]
pub fn leading(text: &str) -> Option<(Duration, &str)> {
    let (whole, rest) = digits(text);
    if whole.is_empty() {
        return None;
    }
    let seconds = whole.bytes().fold(0_u64, |sum, digit| sum.saturating_mul(10).saturating_add(value(digit)));
    let (fraction, rest) = match rest.strip_prefix('.').map(digits) {
        // A point that no digit follows ends the sentence.
        Some((fraction, rest)) if !fraction.is_empty() => (fraction, rest),
        _ => ("", rest),
    };
    let padded = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let nanos = padded.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    Some((Duration::new(seconds, nanos), rest))
}

/// Reads a count: `1000`, `1,000,000`, `12.0`. A negative count is 0, since "less than nothing left" has been seen.
#[must_use]
pub fn count(text: &str) -> Option<u64> {
    let text = text.trim();
    let (negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let whole = match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|digit| digit == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    if !whole.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let mut sum = 0_u64;
    for byte in whole.bytes().filter(|byte| *byte != b',') {
        if !byte.is_ascii_digit() {
            return None;
        }
        sum = sum.saturating_mul(10).saturating_add(value(byte));
    }
    Some(if negative { 0 } else { sum })
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

fn value(digit: u8) -> u64 {
    u64::from(digit - b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_integers_and_decimals() {
        assert_eq!(seconds("37"), Some(Duration::from_secs(37)));
        assert_eq!(seconds(" 33011.382867 "), Some(Duration::new(33_011, 382_867_000)));
        assert_eq!(seconds("0.1234567899"), Some(Duration::new(0, 123_456_789)));
        assert_eq!(seconds("99999999999999999999999"), Some(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn refuses_everything_else() {
        for text in ["", " ", "soon", "1e9", "NaN", "inf", "0x10", "+5", "-5", "1.2.3", "5.", ".5", "1 2", "\u{0665}"] {
            assert_eq!(seconds(text), None, "{text:?}");
        }
    }

    #[test]
    fn counts_have_separators_zero_fractions_and_a_floor() {
        assert_eq!(count("1,000,000"), Some(1_000_000));
        assert_eq!(count("12.0"), Some(12));
        assert_eq!(count(" 0"), Some(0));
        assert_eq!(count("-3"), Some(0));
        assert_eq!(count("99999999999999999999999"), Some(u64::MAX));
        for text in ["", "unlimited", "1.5", "12.", "1e3", ",5", "--1", "5 of 6"] {
            assert_eq!(count(text), None, "{text:?}");
        }
    }
}
