//! A cooldown that somebody ends by hand.

use super::Ledger;
use crate::domain::cooldown::Cooldown;
use crate::domain::time::Mono;

impl Ledger {
    /// Ends the cooldown in force, whatever it is for, and returns it. What was counted stays: a limit that is used up is
    /// used up all the same.
    pub fn thaw(&mut self, now: Mono) -> Option<Cooldown> {
        let ended = self.cooldowns.thaw(now)?;
        // Whoever ends it knows better than a guess: nobody has to go first.
        self.pace.awaits_nobody();
        self.changed = true;
        Some(ended)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::bucket::refill::Refill;
    use crate::domain::bucket::{Bucket, Source};
    use crate::domain::cooldown::{Change, Deadline};
    use crate::domain::demand::Need;
    use crate::domain::evidence::{Dimension, MINUTE};
    use crate::domain::outcome::{Basis, CooldownClass, Reason, Target, Verdict};
    use crate::domain::refusal::Refusal;
    use crate::domain::time::{Now, Wall};

    const NOW: Now = Now { mono: Mono(9_000_000_000), wall: Wall(1_795_521_600_000) };
    const CALL: Need = Need { tokens: 100, least: 50, typical: 100, batch: false };

    fn cold(until: Deadline) -> Cooldown {
        Cooldown { until, reason: Reason::RateLimit, status: 429, basis: Basis::Guess }
    }

    #[test]
    fn any_cooldown_in_force_ends_and_is_told() {
        for until in [Deadline::At(Mono(NOW.mono.0 + 1)), Deadline::Never] {
            let mut ledger = Ledger::default();
            ledger.cooldowns.impose(cold(until), NOW.mono);
            assert!(ledger.check(CALL, NOW).is_err());
            ledger.take_changed();
            assert_eq!(ledger.thaw(NOW.mono), Some(cold(until)));
            assert!(ledger.take_changed() && ledger.check(CALL, NOW).is_ok());
            assert_eq!(ledger.thaw(NOW.mono), None, "once");
        }
    }

    #[test]
    fn one_that_has_ended_by_itself_is_not_told() {
        let mut ledger = Ledger::default();
        ledger.cooldowns.impose(cold(Deadline::At(Mono(NOW.mono.0 - 1))), NOW.mono);
        assert_eq!(ledger.thaw(NOW.mono), None);
        assert!(!ledger.take_changed());
    }

    #[test]
    fn what_is_used_up_stays_used_up() {
        let bucket = Bucket::new(Dimension::Requests, Some(MINUTE), 1, Refill::Rolling, Source::Configured, NOW.mono);
        let mut ledger = Ledger::new(None, vec![bucket]);
        ledger.charge(CALL, NOW.mono);
        ledger.cooldowns.impose(cold(Deadline::Never), NOW.mono);
        assert!(ledger.thaw(NOW.mono).is_some());
        assert!(matches!(ledger.check(CALL, NOW), Err(Refusal::Spent { .. })));
    }

    #[test]
    fn the_next_guess_is_as_short_as_the_first() {
        let verdict = Verdict::cool(Reason::Server, Target::Entry, CooldownClass::ServerError);
        let chill = |ledger: &mut Ledger, at: Mono| match ledger.chill(&verdict, 500, at, at, Duration::ZERO) {
            Change::Cooling(Cooldown { until: Deadline::At(end), .. }) => end.since(at),
            other => panic!("{other:?}"),
        };
        let mut ledger = Ledger::default();
        let first = chill(&mut ledger, NOW.mono);
        let later = Mono(NOW.mono.0 + 100_000);
        assert_eq!(chill(&mut ledger, later), first * 2);
        ledger.thaw(later).unwrap();
        assert_eq!(chill(&mut ledger, Mono(later.0 + 1)), first);
    }
}
