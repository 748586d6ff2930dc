//! Time as the core sees it: two numbers that the caller passes in.
//!
//! Deadlines are kept on the monotonic scale, so that a wall clock that jumps an hour moves no cooldown. The wall
//! clock is needed only to read absolute times that a provider sends and to show deadlines to people.

use std::fmt;
use std::time::Duration;

/// A point on the monotonic clock, in milliseconds. It lies far enough above zero that the past can be named, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mono(pub u64);

impl Mono {
    /// The point `wait` later; saturates instead of wrapping.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(millis(wait)))
    }

    /// How long after `earlier` this point lies; zero when it lies before.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// How long until this point; zero when it has passed.
    #[must_use]
    pub fn from_now(self, now: Self) -> Duration {
        self.since(now)
    }
}

/// A point on the wall clock, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wall(pub u64);

impl Wall {
    /// The point `wait` later; saturates instead of wrapping.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(millis(wait)))
    }
}

impl fmt::Display for Wall {
    /// RFC 3339 in UTC with milliseconds, for people and for JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stamp = i64::try_from(self.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        match stamp {
            Some(stamp) => write!(f, "{stamp:.3}"),
            None => f.write_str("far future"),
        }
    }
}

/// One reading of both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// For deadlines and measurements.
    pub mono: Mono,
    /// For absolute times on the wire and in front of people.
    pub wall: Wall,
}

impl Now {
    /// The wall-clock time at which the monotonic clock will show `point` (now, if that has passed).
    #[must_use]
    pub fn wall_at(self, point: Mono) -> Wall {
        self.wall.after(point.from_now(self.mono))
    }

    /// What the wall clock shows when the monotonic clock shows `point`, which may have passed.
    #[must_use]
    pub fn wall_of(self, point: Mono) -> Wall {
        Wall(shifted(point.0, self.mono.0, self.wall.0))
    }

    /// What the monotonic clock shows when the wall clock shows `point`, which may have passed.
    #[must_use]
    pub fn mono_at(self, point: Wall) -> Mono {
        Mono(shifted(point.0, self.wall.0, self.mono.0))
    }
}

/// `point` on a clock that shows `there` when the clock of `point` shows `here`.
fn shifted(point: u64, here: u64, there: u64) -> u64 {
    match point.checked_sub(here) {
        Some(ahead) => there.saturating_add(ahead),
        None => there.saturating_sub(here - point),
    }
}

fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_instead_of_wrapping() {
        assert_eq!(Mono(5).after(Duration::MAX), Mono(u64::MAX));
        assert_eq!(Mono(5).since(Mono(9)), Duration::ZERO);
    }

    #[test]
    fn wall_time_reads_as_rfc_3339() {
        assert_eq!(Wall(1_795_521_600_250).to_string(), "2026-11-24T12:00:00.250Z");
        assert_eq!(Wall(u64::MAX).to_string(), "far future");
    }

    #[test]
    fn a_deadline_is_shown_on_the_wall_clock_of_the_reading() {
        let now = Now { mono: Mono(1_000), wall: Wall(50_000) };
        assert_eq!(now.wall_at(Mono(3_500)), Wall(52_500));
        assert_eq!(now.wall_at(Mono(10)), Wall(50_000));
    }

    #[test]
    fn both_clocks_name_the_same_moments() {
        let now = Now { mono: Mono(1_000), wall: Wall(50_000) };
        for (mono, wall) in [(400, 49_400), (1_000, 50_000), (9_000, 58_000)] {
            assert_eq!(now.wall_of(Mono(mono)), Wall(wall));
            assert_eq!(now.mono_at(Wall(wall)), Mono(mono));
        }
        assert_eq!(now.mono_at(Wall(0)), Mono(0), "further back than the clock goes");
    }
}
