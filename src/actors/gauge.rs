//! A lock-free view of a ledger: written by its owner after every change, readable from any thread without a message.
//! The router skips entries by it, so that a spent entry costs a request neither a message nor a call.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use crate::domain::cooldown::{Cooldown, Deadline};
use crate::domain::ledger::{Ledger, Refusal};
use crate::domain::outcome::{Basis, Reason};
use crate::domain::time::Mono;

/// The view. One cache line each, so that two owners do not slow each other down.
#[derive(Debug)]
#[repr(align(64))]
pub struct Gauge {
    /// A packed [`Cooldown`], so that its parts are always read together; 0 means none.
    cooldown: AtomicU64,
    in_flight: AtomicU32,
    limit: AtomicU32,
    tried: AtomicBool,
}

const NO_LIMIT: u32 = u32::MAX;

impl Default for Gauge {
    fn default() -> Self {
        Self {
            cooldown: AtomicU64::new(0),
            in_flight: AtomicU32::new(0),
            limit: AtomicU32::new(NO_LIMIT),
            tried: AtomicBool::new(false),
        }
    }
}

impl Gauge {
    /// Why a request would be refused at `now`, as far as can be seen from here; the owner has the last word.
    #[must_use]
    pub fn refusal(&self, now: Mono) -> Option<Refusal> {
        if let Some(cooldown) = self.cooldown(now) {
            return Some(Refusal::Cooling(cooldown));
        }
        self.limit().filter(|limit| self.in_flight() >= *limit).map(|limit| Refusal::Full { limit })
    }

    /// The cooldown in force at `now`.
    #[must_use]
    pub fn cooldown(&self, now: Mono) -> Option<Cooldown> {
        unpack(self.cooldown.load(Ordering::Acquire)).filter(|cooldown| !cooldown.until.passed(now))
    }

    /// Calls under way.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Calls that may be under way at the same time.
    #[must_use]
    pub fn limit(&self) -> Option<u32> {
        Some(self.limit.load(Ordering::Relaxed)).filter(|limit| *limit != NO_LIMIT)
    }

    /// Whether any attempt has ended here since the start.
    #[must_use]
    pub fn tried(&self) -> bool {
        self.tried.load(Ordering::Relaxed)
    }

    /// Shows the state of `ledger`.
    pub fn publish(&self, ledger: &Ledger, now: Mono) {
        self.cooldown.store(ledger.cooldowns.active(now).map_or(0, pack), Ordering::Release);
        self.in_flight.store(ledger.in_flight(), Ordering::Relaxed);
        self.limit.store(ledger.limit().unwrap_or(NO_LIMIT), Ordering::Relaxed);
    }

    /// Remembers that an attempt has ended.
    pub fn mark_tried(&self) {
        self.tried.store(true, Ordering::Relaxed);
    }
}

// 44 bits of milliseconds (557 years), 10 of status, 5 of reason, 4 of basis, and one that is always set.
const UNTIL_BITS: u32 = 44;
const STATUS_BITS: u32 = 10;
const REASON_BITS: u32 = 5;
const BASIS_BITS: u32 = 4;
const NEVER: u64 = (1 << UNTIL_BITS) - 1;

fn pack(cooldown: &Cooldown) -> u64 {
    let until = match cooldown.until {
        Deadline::At(end) => end.0.min(NEVER - 1),
        Deadline::Never => NEVER,
    };
    let status = u64::from(cooldown.status).min((1 << STATUS_BITS) - 1);
    let parts = [(status, STATUS_BITS), (cooldown.reason as u64, REASON_BITS), (cooldown.basis as u64, BASIS_BITS)];
    let packed = parts.into_iter().fold(until, |packed, (part, bits)| packed << bits | part);
    packed << 1 | 1
}

fn unpack(packed: u64) -> Option<Cooldown> {
    let mut rest = packed >> 1;
    let mut take = |bits: u32| {
        let part = rest & ((1 << bits) - 1);
        rest >>= bits;
        part
    };
    let basis = usize::try_from(take(BASIS_BITS)).ok().and_then(|at| Basis::ALL.get(at))?;
    let reason = usize::try_from(take(REASON_BITS)).ok().and_then(|at| Reason::ALL.get(at))?;
    let status = u16::try_from(take(STATUS_BITS)).ok()?;
    let until = take(UNTIL_BITS);
    let until = if until == NEVER { Deadline::Never } else { Deadline::At(Mono(until)) };
    (packed & 1 == 1).then_some(Cooldown { until, reason: *reason, status, basis: *basis })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cooldown_survives_packing() {
        for (at, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, at, "Reason::ALL is in order");
            for (at, basis) in Basis::ALL.iter().enumerate() {
                assert_eq!(*basis as usize, at, "Basis::ALL is in order");
                for until in [Deadline::At(Mono(0)), Deadline::At(Mono(123_456_789_012)), Deadline::Never] {
                    for status in [0, 429, 599, 1023] {
                        let cooldown = Cooldown { until, reason: *reason, status, basis: *basis };
                        assert_eq!(unpack(pack(&cooldown)), Some(cooldown));
                    }
                }
            }
        }
        assert!(Reason::ALL.len() <= 1 << REASON_BITS && Basis::ALL.len() <= 1 << BASIS_BITS);
        assert_eq!(unpack(0), None);
    }

    #[test]
    fn shows_what_the_ledger_holds() {
        let gauge = Gauge::default();
        assert_eq!(gauge.refusal(Mono(0)), None);
        let mut ledger = Ledger::new(Some(1));
        ledger.charge();
        gauge.publish(&ledger, Mono(0));
        assert_eq!(gauge.refusal(Mono(0)), Some(Refusal::Full { limit: 1 }));
        ledger.release();
        gauge.publish(&ledger, Mono(0));
        assert_eq!(gauge.refusal(Mono(0)), None);
    }
}
