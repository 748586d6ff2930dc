//! Windows that end at a point of the calendar and not a time after their start.

use std::sync::LazyLock;
use std::time::Duration;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};

use crate::domain::time::Wall;

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 86_400_000;

/// From the compiled-in database, so that a container without zone files reads the same.
static PACIFIC: LazyLock<Option<TimeZone>> =
    LazyLock::new(|| TimeZoneDatabase::bundled().get("America/Los_Angeles").ok());

/// Until the next :00 of the minute. A full minute when it is :00 now.
#[must_use]
pub fn minute(now: Wall) -> Duration {
    Duration::from_millis(MINUTE_MS - now.0 % MINUTE_MS)
}

/// Until the next 00:00 UTC.
#[must_use]
pub fn utc_midnight(now: Wall) -> Duration {
    Duration::from_millis(DAY_MS - now.0 % DAY_MS)
}

/// Until the next 00:00 in California, where Google's quota day ends (08:00 UTC in winter, 07:00 in summer).
#[must_use]
pub fn pacific_midnight(now: Wall) -> Duration {
    next_pacific_midnight(now).unwrap_or_else(|| utc_midnight(now))
}

fn next_pacific_midnight(now: Wall) -> Option<Duration> {
    let stamp = Timestamp::from_millisecond(i64::try_from(now.0).ok()?).ok()?;
    let today = stamp.to_zoned_datetime(PACIFIC.clone()?);
    let midnight = today.checked_add(1.day()).ok()?.start_of_day().ok()?;
    u64::try_from(midnight.timestamp().as_millisecond()).ok()?.checked_sub(now.0).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Wall {
        Wall(text.parse::<Timestamp>().unwrap().as_millisecond().try_into().unwrap())
    }

    #[test]
    fn minutes_and_utc_days() {
        assert_eq!(minute(at("2026-11-24T16:07:54.184Z")), Duration::from_millis(5_816));
        assert_eq!(minute(at("2026-11-24T12:00:00Z")), Duration::from_secs(60));
        assert_eq!(utc_midnight(at("2026-11-24T12:00:00Z")), Duration::from_secs(43_200));
    }

    #[test]
    fn f12_googles_day_ends_at_pacific_midnight_in_winter_and_summer() {
        assert_eq!(pacific_midnight(at("2026-11-24T12:00:00Z")), Duration::from_secs(20 * 3_600));
        assert_eq!(pacific_midnight(at("2026-07-01T06:00:00Z")), Duration::from_secs(3_600));
        // The day on which clocks go back has 25 hours.
        assert_eq!(pacific_midnight(at("2026-11-01T07:00:00Z")), Duration::from_secs(25 * 3_600));
    }

    #[test]
    fn no_time_is_too_far() {
        assert!(pacific_midnight(Wall(u64::MAX)) <= Duration::from_secs(86_400));
    }
}
