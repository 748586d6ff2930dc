//! How a bucket recovers.

use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};

use crate::domain::limits::DayReset;
use crate::domain::time::{Mono, Now, Wall};

/// How a bucket recovers.
#[derive(Clone, Debug, PartialEq)]
pub enum Refill {
    /// Each charge leaves the window a span after it was made. Never wrong for a provider whose windows are fixed:
    /// whatever fits into every span fits into each of its windows.
    Rolling,
    /// Everything comes back at a known end; what follows is a rolling window until a new end is known.
    Ending(Mono),
    /// Everything comes back at a time of the calendar, again and again.
    Calendar(Calendar),
    /// A little comes back all the time: this many units per millisecond (Groq, OpenAI).
    Steady(f64),
}

/// Days or months that begin at a local time.
#[derive(Clone, Debug, PartialEq)]
pub struct Calendar {
    period: Period,
    hour: u8,
    minute: u8,
    zone: TimeZone,
    begin_wall: Wall,
    end_wall: Wall,
    end: Mono,
}

/// A window of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// From the reset time of one day to that of the next.
    Day,
    /// From the reset time on the first of a month to that of the next.
    Month,
}

impl Calendar {
    /// The window of `reset` around `now`; `None` for days that do not begin at a time, or in a zone nobody knows.
    #[must_use]
    pub fn new(period: Period, reset: &DayReset, now: Now) -> Option<Self> {
        let DayReset::At { hour, minute, zone } = reset else { return None };
        // The compiled-in database serves containers without zone files.
        let zone = TimeZone::get(zone).or_else(|_| TimeZoneDatabase::bundled().get(zone)).ok()?;
        let (hour, minute, none) = (*hour, *minute, Wall(0));
        let mut calendar = Self { period, hour, minute, zone, begin_wall: none, end_wall: none, end: Mono(0) };
        calendar.roll(now);
        Some(calendar)
    }

    /// Whether both begin at the same times.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let rule = |it: &Self| (it.period, it.hour, it.minute);
        rule(self) == rule(other) && self.zone == other.zone
    }

    /// When the window ends.
    #[must_use]
    pub fn end(&self) -> Mono {
        self.end
    }

    /// When the window began, on the wall clock.
    #[must_use]
    pub fn begin_wall(&self) -> Wall {
        self.begin_wall
    }

    /// When the window ends, on the wall clock.
    #[must_use]
    pub fn end_wall(&self) -> Wall {
        self.end_wall
    }

    /// Moves on to `now`; true when the window has ended meanwhile.
    ///
    /// The end is a time of the wall clock, so it follows a clock that is set right. A wall clock that jumps over the
    /// end does not end the window, the monotonic clock has to agree: quota that was spent stays spent.
    pub fn advance(&mut self, now: Now) -> bool {
        if now.wall < self.end_wall {
            self.end = now.mono.after(Duration::from_millis(self.end_wall.0 - now.wall.0));
            return false;
        }
        let over = now.mono >= self.end;
        if over {
            self.roll(now);
        }
        over
    }

    fn roll(&mut self, now: Now) {
        // A calendar that cannot be read (the year 10000) is worth days of 24 hours.
        let (begin, end) = self.around(now.wall).unwrap_or((now.wall, now.wall.after(Duration::from_secs(86_400))));
        self.begin_wall = begin;
        self.end_wall = end;
        self.end = now.mono.after(Duration::from_millis(end.0.saturating_sub(now.wall.0)));
    }

    /// The last reset up to `now` and the first behind it. A local time that a change to summer time leaves out is
    /// taken an hour later, one that comes twice the first time.
    fn around(&self, now: Wall) -> Option<(Wall, Wall)> {
        let stamp = Timestamp::from_millisecond(i64::try_from(now.0).ok()?).ok()?;
        let today = stamp.to_zoned_datetime(self.zone.clone()).date();
        let (mut date, step) = match self.period {
            Period::Day => (today.checked_sub(1.day()).ok()?, 1.day()),
            Period::Month => (today.first_of_month().checked_sub(1.month()).ok()?, 1.month()),
        };
        let mut begin = self.on(date)?;
        for _ in 0..4 {
            date = date.checked_add(step).ok()?;
            let reset = self.on(date)?;
            if reset > now {
                return Some((begin, reset));
            }
            begin = reset;
        }
        None
    }

    fn on(&self, date: Date) -> Option<Wall> {
        let time = Time::new(i8::try_from(self.hour).ok()?, i8::try_from(self.minute).ok()?, 0, 0).ok()?;
        let moment = self.zone.to_timestamp(date.to_datetime(time)).ok()?;
        u64::try_from(moment.as_millisecond()).ok().map(Wall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALIFORNIA: &str = "America/Los_Angeles";

    fn wall(text: &str) -> Wall {
        Wall(text.parse::<Timestamp>().unwrap().as_millisecond().try_into().unwrap())
    }

    fn at(text: &str) -> Now {
        Now { mono: Mono(5_000_000_000), wall: wall(text) }
    }

    fn later(now: Now, mono: u64, wall: u64) -> Now {
        Now { mono: Mono(now.mono.0 + mono), wall: Wall(now.wall.0 + wall) }
    }

    fn calendar(period: Period, hour: u8, zone: &str, now: Now) -> Calendar {
        Calendar::new(period, &DayReset::At { hour, minute: 0, zone: zone.into() }, now).unwrap()
    }

    /// LESSONS F12: one clock for all providers, although each has its own midnight.
    #[test]
    fn f12_days_and_months_end_at_the_providers_own_time() {
        for (period, hour, zone, now, end) in [
            (Period::Day, 0, "UTC", "2026-11-24T12:00:00Z", "2026-11-25T00:00:00Z"),
            (Period::Day, 0, CALIFORNIA, "2026-11-24T12:00:00Z", "2026-11-25T08:00:00Z"),
            (Period::Day, 0, CALIFORNIA, "2026-07-01T06:59:59Z", "2026-07-01T07:00:00Z"),
            (Period::Day, 0, CALIFORNIA, "2026-07-01T07:00:00Z", "2026-07-02T07:00:00Z"),
            (Period::Day, 8, "Asia/Shanghai", "2026-11-24T12:00:00Z", "2026-11-25T00:00:00Z"),
            (Period::Month, 0, "UTC", "2026-11-24T12:00:00Z", "2026-12-01T00:00:00Z"),
            (Period::Month, 8, "UTC", "2026-12-01T07:00:00Z", "2026-12-01T08:00:00Z"),
            (Period::Month, 8, "UTC", "2026-12-01T08:00:00Z", "2027-01-01T08:00:00Z"),
        ] {
            assert_eq!(calendar(period, hour, zone, at(now)).end_wall(), wall(end), "{period:?} {zone} {now}");
        }
    }

    /// The days on which clocks change have 23 and 25 hours; the skipped half hour past two comes an hour later, the
    /// one that comes twice counts the first time.
    #[test]
    fn f12_changes_to_and_from_summer_time() {
        for (hour, now, end) in [
            (0, "2026-03-08T08:00:00Z", "2026-03-09T07:00:00Z"),
            (0, "2026-11-01T07:00:00Z", "2026-11-02T08:00:00Z"),
            (2, "2026-03-08T09:00:00Z", "2026-03-08T10:00:00Z"),
            (1, "2026-11-01T07:00:00Z", "2026-11-01T08:00:00Z"),
            (1, "2026-11-01T08:00:00Z", "2026-11-02T09:00:00Z"),
        ] {
            assert_eq!(calendar(Period::Day, hour, CALIFORNIA, at(now)).end_wall(), wall(end), "{hour} {now}");
        }
    }

    const HOUR: u64 = 3_600_000;

    #[test]
    fn a_day_ends_when_both_clocks_say_so() {
        let noon = at("2026-11-24T12:00:00Z");
        let mut day = calendar(Period::Day, 0, "UTC", noon);
        assert!(!day.advance(later(noon, 12 * HOUR - 1, 12 * HOUR - 1)));
        assert!(day.advance(later(noon, 12 * HOUR, 12 * HOUR)));
        assert_eq!(day.end(), later(noon, 36 * HOUR, 0).mono);
    }

    #[test]
    fn a_wall_clock_that_jumps_an_hour_ends_no_day() {
        let eve = at("2026-11-24T23:30:00Z");
        let mut day = calendar(Period::Day, 0, "UTC", eve);
        assert!(!day.advance(later(eve, 1_000, HOUR)), "over the end and back");
        assert!(!day.advance(later(eve, 2_000, 2_000)));
        assert!(!day.advance(later(eve, HOUR / 2 - 1, HOUR / 2 - 1)));
        assert!(day.advance(later(eve, HOUR / 2, HOUR / 2)));
        // Back over the beginning: the new day goes on, and ends at its own end.
        assert!(!day.advance(later(eve, HOUR / 2 + 1, 0)));
        assert!(!day.advance(later(eve, 24 * HOUR, 23 * HOUR)));
        assert!(day.advance(later(eve, 25 * HOUR + HOUR / 2, 24 * HOUR + HOUR / 2)));
    }

    #[test]
    fn a_clock_that_is_set_right_moves_the_end() {
        let noon = at("2026-11-24T12:00:00Z");
        let mut day = calendar(Period::Day, 0, "UTC", noon);
        day.advance(later(noon, 1_000, 1_000 + 3 * HOUR));
        assert_eq!(day.end(), later(noon, 9 * HOUR, 0).mono);
    }
}
