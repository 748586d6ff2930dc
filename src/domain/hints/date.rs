//! Absolute times: HTTP dates in all three forms that HTTP obliges a recipient to read, and RFC 3339.

use jiff::Timestamp;
use jiff::fmt::{rfc2822, strtime::BrokenDownTime};
use jiff::tz::TimeZone;

use crate::domain::time::Wall;

static FIXED_DATE: rfc2822::DateTimeParser = rfc2822::DateTimeParser::new();

/// The obsolete forms of RFC 850 and of C's `asctime`.
const OBSOLETE: [&str; 2] = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// Reads an HTTP date (`Tue, 24 Nov 2026 12:02:00 GMT`) or an RFC 3339 time with its offset.
#[must_use]
pub fn read(text: &str) -> Option<Wall> {
    let text = text.trim();
    let stamp = match FIXED_DATE.parse_timestamp(text) {
        Ok(stamp) => stamp,
        Err(_) => text.parse().ok().or_else(|| OBSOLETE.iter().find_map(|form| obsolete(form, text)))?,
    };
    u64::try_from(stamp.as_millisecond()).ok().map(Wall)
}

fn obsolete(form: &str, text: &str) -> Option<Timestamp> {
    let date = BrokenDownTime::parse(form, text).ok()?.to_datetime().ok()?;
    TimeZone::UTC.to_timestamp(date).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-24T12:02:00Z
    const MOMENT: Wall = Wall(1_795_521_720_000);

    #[test]
    fn o9_http_dates_in_all_three_forms() {
        for text in ["Tue, 24 Nov 2026 12:02:00 GMT", "Tuesday, 24-Nov-26 12:02:00 GMT", "Tue Nov 24 12:02:00 2026"] {
            assert_eq!(read(text), Some(MOMENT), "{text}");
        }
    }

    #[test]
    fn rfc_3339_with_any_offset() {
        for text in ["2026-11-24T12:02:00Z", "2026-11-24T13:02:00+01:00", "2026-11-24T12:02:00.000Z"] {
            assert_eq!(read(text), Some(MOMENT), "{text}");
        }
    }

    #[test]
    fn refuses_what_names_no_moment() {
        for text in [
            "",
            "soon",
            "2026-11-24",
            "2026-11-24 15:30:00",
            "Tue Nov 24 2026 12:05:00 GMT+0000 (Coordinated Universal Time)",
            "Tue, 99 Nov 2026 12:02:00 GMT",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
