//! A ledger whose configuration has changed.

use super::Ledger;
use crate::domain::bucket::Source;
use crate::domain::evidence::Dimension;
use crate::domain::time::Now;

impl Ledger {
    /// Counts under the limits of `new`, which nobody has used yet, from now on. Everything that was counted, learnt and
    /// told stays: a raised limit gives room at once, a lowered one holds at once.
    pub fn retune(&mut self, new: Self, now: Now) {
        (self.slots, self.context, self.called) = (new.slots, new.context, new.called);
        let (mut old, told): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.buckets).into_iter().partition(|bucket| bucket.source() == Source::Configured);
        for mut fresh in new.buckets {
            let bucket = match old.iter().position(|known| known.is_namesake(&fresh)) {
                Some(place) => {
                    let mut known = old.swap_remove(place);
                    known.retune(fresh, now);
                    known
                }
                None => {
                    // Calls under way were not charged to it. Their tokens are, when they end.
                    if fresh.dimension() == Dimension::Requests {
                        fresh.charge_earlier(self.in_flight.into(), now.mono);
                    }
                    fresh
                }
            };
            self.buckets.push(bucket);
        }
        self.buckets.extend(told);
        self.changed = true;
    }

    /// Ends a cooldown that no waiting ends, or that tells of a server and not of quota: whatever was at fault may have been
    /// mended.
    pub fn mend(&mut self) {
        if self.cooldowns.mend() {
            self.changed = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::bucket::Bucket;
    use crate::domain::bucket::refill::{Calendar, Period, Refill};
    use crate::domain::cooldown::{Cooldown, Deadline};
    use crate::domain::demand::Need;
    use crate::domain::evidence::{DAY, MINUTE};
    use crate::domain::ledger::Used;
    use crate::domain::limits::DayReset;
    use crate::domain::outcome::{Basis, Reason};
    use crate::domain::time::{Mono, Wall};

    const NOW: Now = Now { mono: Mono(9_000_000_000), wall: Wall(1_795_521_600_000) };
    const CALL: Need = Need { tokens: 100, least: 50, typical: 100, batch: false };

    fn later(millis: u64) -> Now {
        Now { mono: Mono(NOW.mono.0 + millis), wall: Wall(NOW.wall.0 + millis) }
    }

    fn limited(limits: &[(Dimension, Duration, u64)]) -> Ledger {
        limited_at(NOW, limits)
    }

    fn limited_at(now: Now, limits: &[(Dimension, Duration, u64)]) -> Ledger {
        let buckets = limits.iter().map(|(dimension, window, limit)| {
            Bucket::new(*dimension, Some(*window), *limit, Refill::Rolling, Source::Configured, now.mono)
        });
        Ledger::new(None, buckets.collect())
    }

    fn calls(ledger: &mut Ledger, count: u32) {
        for _ in 0..count {
            ledger.check(CALL, NOW).unwrap();
            ledger.charge(CALL, NOW.mono);
            ledger.settle(CALL, Used::Tokens { prompt: 60, answer: 40 }, NOW.mono, NOW.mono);
        }
    }

    #[test]
    fn a_raised_limit_gives_room_at_once_and_a_lowered_one_holds_at_once() {
        let mut ledger = limited(&[(Dimension::Requests, MINUTE, 3), (Dimension::Tokens, DAY, 10_000)]);
        calls(&mut ledger, 3);
        assert!(ledger.check(CALL, NOW).is_err());
        ledger.retune(limited(&[(Dimension::Requests, MINUTE, 5), (Dimension::Tokens, DAY, 10_000)]), NOW);
        calls(&mut ledger, 2);
        assert!(ledger.check(CALL, NOW).is_err(), "what was used before counts");
        ledger.retune(limited(&[(Dimension::Requests, MINUTE, 2), (Dimension::Tokens, DAY, 10_000)]), NOW);
        assert!(ledger.check(CALL, NOW).is_err());
        assert_eq!(ledger.buckets()[1].left(), 9_500);
        assert!(ledger.check(CALL, later(61_000)).is_ok(), "until the window is over");
        ledger.retune(Ledger::default(), NOW);
        assert!(ledger.buckets().is_empty() && ledger.check(CALL, NOW).is_ok());
    }

    #[test]
    fn a_new_limit_counts_the_calls_under_way_and_gives_back_those_that_never_arrived() {
        let mut ledger = Ledger::default();
        ledger.charge(CALL, NOW.mono);
        ledger.charge(CALL, NOW.mono);
        ledger.retune(limited_at(later(1_000), &[(Dimension::Requests, MINUTE, 3)]), later(1_000));
        ledger.charge(CALL, later(1_000).mono);
        assert!(ledger.check(CALL, later(1_000)).is_err());
        ledger.settle(CALL, Used::Nothing, NOW.mono, later(2_000).mono);
        assert_eq!(ledger.buckets()[0].left(), 1);
    }

    #[test]
    fn days_that_begin_at_another_time_keep_what_was_used_since() {
        let day = |hour| {
            let reset = DayReset::At { hour, minute: 0, zone: "UTC".into() };
            Refill::Calendar(Calendar::new(Period::Day, &reset, NOW).unwrap())
        };
        let limit = |refill| {
            let bucket = Bucket::new(Dimension::Requests, Some(DAY), 5, refill, Source::Configured, NOW.mono);
            Ledger::new(None, vec![bucket])
        };
        // It is noon; the call was made at nine.
        let nine = NOW.mono.0 - 3 * 3_600_000;
        for (begins, left) in [(0, 4), (8, 4), (10, 5)] {
            let mut ledger = limit(day(0));
            ledger.charge(CALL, Mono(nine));
            ledger.retune(limit(day(begins)), NOW);
            assert_eq!(ledger.buckets()[0].left(), left, "{begins}");
            ledger.retune(limit(Refill::Rolling), NOW);
            assert_eq!(ledger.buckets()[0].left(), left, "{begins}, rolling");
        }
    }

    #[test]
    fn mending_ends_what_waiting_does_not_and_leaves_quota_alone() {
        for (reason, until, ends) in [
            (Reason::RateLimit, Deadline::At(Mono(NOW.mono.0 + 1)), false),
            (Reason::RateLimit, Deadline::Never, true),
            (Reason::Server, Deadline::At(Mono(NOW.mono.0 + 1)), true),
            (Reason::Auth, Deadline::Never, true),
        ] {
            let mut ledger = Ledger::default();
            ledger.cooldowns.impose(Cooldown { until, reason, status: 0, basis: Basis::Guess }, NOW.mono);
            ledger.mend();
            assert_eq!(ledger.cooldowns.active(NOW.mono).is_none(), ends, "{reason:?} {until:?}");
        }
    }
}
