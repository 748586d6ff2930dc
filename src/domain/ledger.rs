//! Who may be called now, and how many calls are under way.
//!
//! A call is charged when it is granted and not when it is answered: two workers that ask at the same moment must not
//! both be promised the last slot. Settling only ever gives back what granting took.

use super::cooldown::{Cooldown, Cooldowns, Deadline};
use super::time::Mono;

/// Why an entry cannot take a request now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Cooling down.
    Cooling(Cooldown),
    /// As many requests in flight as the configuration allows.
    Full {
        /// That number.
        limit: u32,
    },
    /// Switched off in the configuration.
    Off,
    /// Its actor is gone; it will be restarted.
    Gone,
}

impl Refusal {
    /// When it ends, where that is known. Of several refusals the one with the latest end holds.
    #[must_use]
    pub fn end(&self) -> Option<Deadline> {
        match self {
            Self::Cooling(cooldown) => Some(cooldown.until),
            Self::Full { .. } | Self::Off | Self::Gone => None,
        }
    }
}

/// Quota state of one owner of quota: an entry, or what several entries share (a key, a provider, a pool).
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Deadlines before which nobody calls.
    pub cooldowns: Cooldowns,
    limit: Option<u32>,
    in_flight: u32,
}

impl Ledger {
    /// A ledger that grants at most `limit` calls at the same time; `None` means no limit.
    #[must_use]
    pub fn new(limit: Option<u32>) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Whether one more call may start at `now`.
    ///
    /// # Errors
    /// The reason why not.
    pub fn check(&self, now: Mono) -> Result<(), Refusal> {
        if let Some(cooldown) = self.cooldowns.active(now) {
            return Err(Refusal::Cooling(*cooldown));
        }
        match self.limit {
            Some(limit) if self.in_flight >= limit => Err(Refusal::Full { limit }),
            _ => Ok(()),
        }
    }

    /// Charges one call. Only after [`check`](Self::check) has allowed it, with nothing in between.
    pub fn charge(&mut self) {
        self.in_flight = self.in_flight.saturating_add(1);
    }

    /// Gives back one call that has ended.
    pub fn release(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Calls under way.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// The configured limit of calls under way.
    #[must_use]
    pub fn limit(&self) -> Option<u32> {
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Mono = Mono(0);

    #[test]
    fn o2_the_configured_concurrency_is_enforced() {
        let mut ledger = Ledger::new(Some(2));
        for _ in 0..2 {
            ledger.check(NOW).unwrap();
            ledger.charge();
        }
        assert_eq!(ledger.check(NOW), Err(Refusal::Full { limit: 2 }));
        ledger.release();
        assert_eq!(ledger.check(NOW), Ok(()));
    }

    #[test]
    fn without_a_limit_there_is_none() {
        let mut ledger = Ledger::new(None);
        for _ in 0..10_000 {
            ledger.check(NOW).unwrap();
            ledger.charge();
        }
        assert_eq!(ledger.in_flight(), 10_000);
    }

    proptest! {
        #[test]
        fn charges_and_releases_balance(cap in 1u32..8, script in prop::collection::vec(any::<bool>(), 0..200)) {
            let mut ledger = Ledger::new(Some(cap));
            let mut held = 0;
            for take in script {
                if take {
                    match ledger.check(NOW) {
                        Ok(()) => { ledger.charge(); held += 1; }
                        Err(refusal) => prop_assert_eq!((refusal, held), (Refusal::Full { limit: cap }, cap)),
                    }
                } else if held > 0 {
                    ledger.release();
                    held -= 1;
                }
                prop_assert_eq!(ledger.in_flight(), held);
                prop_assert!(held <= cap);
            }
        }
    }
}
