//! A lock-free view of a ledger: written by its owner after every change, readable from any thread without a message.
//! The router skips entries by it, so that a spent entry costs a request neither a message nor a call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::domain::cooldown::{Cooldown, Deadline};
use crate::domain::demand::Need;
use crate::domain::evidence::{DAY, Dimension, HOUR, MINUTE, MONTH, SECOND, WEEK};
use crate::domain::ledger::Ledger;
use crate::domain::outcome::{Basis, Reason};
use crate::domain::refusal::Refusal;
use crate::domain::time::{Mono, Now};

/// The view. One cache line each, so that two owners do not slow each other down.
#[derive(Debug)]
#[repr(align(64))]
pub struct Gauge {
    /// A packed [`Cooldown`], so that its parts are always read together; 0 means none.
    cooldown: AtomicU64,
    in_flight: AtomicU32,
    limit: AtomicU32,
    tried: AtomicBool,
    /// No request fits before this time; its lowest bits name the window.
    spent_until: AtomicU64,
    /// Tokens of the scarcest bucket that can be had ...
    tokens: AtomicU64,
    /// ... before this time, and ...
    tokens_until: AtomicU64,
    /// ... the name of its window.
    tokens_window: AtomicU32,
    /// The largest request that is ever taken, in tokens, and the name of the window that this is the whole of.
    largest: AtomicU64,
    largest_window: AtomicU32,
}

const NO_LIMIT: u32 = u32::MAX;

impl Default for Gauge {
    fn default() -> Self {
        Self {
            cooldown: AtomicU64::new(0),
            in_flight: AtomicU32::new(0),
            limit: AtomicU32::new(NO_LIMIT),
            tried: AtomicBool::new(false),
            spent_until: AtomicU64::new(0),
            tokens: AtomicU64::new(u64::MAX),
            tokens_until: AtomicU64::new(0),
            tokens_window: AtomicU32::new(0),
            largest: AtomicU64::new(u64::MAX),
            largest_window: AtomicU32::new(0),
        }
    }
}

impl Gauge {
    /// Why a request would be refused at `now`, as far as can be seen from here; the owner has the last word, and says
    /// more exactly when.
    #[must_use]
    pub fn refusal(&self, need: Need, now: Mono) -> Option<Refusal> {
        let largest = self.largest.load(Ordering::Relaxed);
        let window = named(self.largest_window.load(Ordering::Relaxed));
        // A context is no limit of a batch, and hides the smallest window here.
        let may_fit = need.least <= largest || (need.batch && window.is_none());
        let too_large = (!may_fit).then_some(Refusal::TooLarge { need: need.least, limit: largest, window });
        let full = self.limit().filter(|limit| self.in_flight() >= *limit).map(|limit| Refusal::Full { limit });
        let cooling = self.cooldown(now).map(Refusal::Cooling);
        let spent = self.requests_spent(now).or_else(|| self.tokens_spent(need.within(largest), now));
        [spent, full, too_large, cooling].into_iter().flatten().max_by_key(Refusal::end)
    }

    fn requests_spent(&self, now: Mono) -> Option<Refusal> {
        let packed = self.spent_until.load(Ordering::Relaxed);
        let until = Mono(packed >> WINDOW_BITS);
        let window = named((packed & ((1 << WINDOW_BITS) - 1)) as u32);
        let refusal = Refusal::Spent { dimension: Dimension::Requests, window, until: Some(until) };
        (until > now).then_some(refusal)
    }

    fn tokens_spent(&self, wanted: u64, now: Mono) -> Option<Refusal> {
        let until = Mono(self.tokens_until.load(Ordering::Relaxed));
        let spent = until > now && wanted > self.tokens.load(Ordering::Relaxed);
        spent.then(|| {
            let window = named(self.tokens_window.load(Ordering::Relaxed));
            Refusal::Spent { dimension: Dimension::Tokens, window, until: Some(until) }
        })
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
    pub fn publish(&self, ledger: &mut Ledger, now: Now) {
        let at = now.mono;
        self.cooldown.store(ledger.cooldowns.active(at).map_or(0, pack), Ordering::Release);
        self.in_flight.store(ledger.in_flight(), Ordering::Relaxed);
        self.limit.store(ledger.slots().unwrap_or(NO_LIMIT), Ordering::Relaxed);
        if !ledger.is_unlimited() {
            ledger.advance(now);
        }
        let (largest, window) = ledger.largest().unwrap_or((u64::MAX, None));
        self.largest.store(largest, Ordering::Relaxed);
        self.largest_window.store(code(window), Ordering::Relaxed);
        let spent = match ledger.spent(Need::default(), at) {
            Some(Refusal::Spent { window, until: Some(until), .. }) => until.0 << WINDOW_BITS | u64::from(code(window)),
            _ => 0,
        };
        self.spent_until.store(spent, Ordering::Relaxed);
        let (left, until, window) = ledger.scarcest_tokens().unwrap_or((u64::MAX, Mono(0), None));
        self.tokens.store(left, Ordering::Relaxed);
        self.tokens_until.store(until.0, Ordering::Relaxed);
        self.tokens_window.store(code(window), Ordering::Relaxed);
    }

    /// Remembers that an attempt has ended.
    pub fn mark_tried(&self) {
        self.tried.store(true, Ordering::Relaxed);
    }
}

/// Why an entry would refuse a request, by the gauges of its lanes. Of several keys the one that is back first counts.
#[must_use]
pub fn refusal(lanes: &[Vec<Arc<Gauge>>], need: Need, now: Mono) -> Option<Refusal> {
    let mut first_back: Option<Refusal> = None;
    for gauges in lanes {
        let refusals = gauges.iter().rev().filter_map(|gauge| gauge.refusal(need, now));
        let refusal = refusals.max_by_key(Refusal::end)?;
        if first_back.is_none_or(|first| refusal.end() < first.end()) {
            first_back = Some(refusal);
        }
    }
    first_back
}

/// Windows that have a name, and so a number.
const WINDOWS: [Duration; 6] = [SECOND, MINUTE, HOUR, DAY, WEEK, MONTH];
const WINDOW_BITS: u32 = 3;

/// 0 is a window without a name.
fn code(window: Option<Duration>) -> u32 {
    WINDOWS.iter().zip(1..).find(|(named, _)| Some(**named) == window).map_or(0, |(_, code)| code)
}

fn named(code: u32) -> Option<Duration> {
    WINDOWS.iter().zip(1..).find(|(_, of)| *of == code).map(|(window, _)| *window)
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
    use crate::domain::bucket::refill::Refill;
    use crate::domain::bucket::{Bucket, Source};
    use crate::domain::ledger::Used;
    use crate::domain::time::Wall;

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

    const NOW: Now = Now { mono: Mono(1_000_000), wall: Wall(1_795_521_600_000) };

    fn call(tokens: u64) -> Need {
        Need { tokens, least: tokens / 2, typical: tokens, batch: false }
    }

    #[test]
    fn shows_calls_under_way() {
        let gauge = Gauge::default();
        assert_eq!(gauge.refusal(call(1), NOW.mono), None);
        let mut ledger = Ledger::new(Some(1), Vec::new());
        ledger.charge(call(1), NOW.mono);
        gauge.publish(&mut ledger, NOW);
        assert_eq!(gauge.refusal(call(1), NOW.mono), Some(Refusal::Full { limit: 1 }));
        ledger.settle(call(1), Used::Reserved, NOW.mono, NOW.mono);
        gauge.publish(&mut ledger, NOW);
        assert_eq!(gauge.refusal(call(1), NOW.mono), None);
    }

    #[test]
    fn a_context_does_not_hide_that_a_batch_fits() {
        let gauge = Gauge::default();
        gauge.publish(&mut Ledger::default().called(Some(500)), NOW);
        let batch = Need { tokens: 9_000, least: 9_000, typical: 9_000, batch: true };
        assert_eq!(gauge.refusal(batch, NOW.mono), None);
        let single = Need { batch: false, ..batch };
        assert!(matches!(gauge.refusal(single, NOW.mono), Some(Refusal::TooLarge { limit: 500, window: None, .. })));
    }

    /// RATE-04: what the gauge shows is what the ledger says, until the very millisecond.
    #[test]
    fn shows_spent_requests_and_tokens_and_what_is_too_large() {
        let bucket = |dimension, limit| {
            Bucket::new(dimension, Some(MINUTE), limit, Refill::Rolling, Source::Configured, NOW.mono)
        };
        let gauge = Gauge::default();
        let buckets = vec![bucket(Dimension::Requests, 2), bucket(Dimension::Tokens, 1_000)];
        let mut ledger = Ledger::new(None, buckets);
        ledger.charge(call(700), NOW.mono);
        gauge.publish(&mut ledger, NOW);
        assert_eq!(gauge.refusal(call(300), NOW.mono), None);
        assert!(matches!(
            gauge.refusal(call(2_002), NOW.mono),
            Some(Refusal::TooLarge { need: 1_001, limit: 1_000, .. })
        ));
        assert_eq!(gauge.refusal(call(400), NOW.mono), None, "what calls under way hold may come back any moment");
        ledger.settle(call(700), Used::Tokens { prompt: 500, answer: 200 }, NOW.mono, NOW.mono);
        gauge.publish(&mut ledger, NOW);
        let until = Mono(NOW.mono.0 + 60_250);
        let tokens = Refusal::Spent { dimension: Dimension::Tokens, window: Some(MINUTE), until: Some(until) };
        assert_eq!(gauge.refusal(call(400), NOW.mono), Some(tokens));
        assert_eq!(gauge.refusal(call(400), Mono(until.0 - 1)), Some(tokens));
        assert_eq!(gauge.refusal(call(400), until), None);
        ledger.charge(call(1), NOW.mono);
        gauge.publish(&mut ledger, NOW);
        let requests = Refusal::Spent { dimension: Dimension::Requests, window: Some(MINUTE), until: Some(until) };
        assert_eq!(gauge.refusal(call(1), NOW.mono), Some(requests));
        assert_eq!(ledger.check(call(1), NOW), Err(requests), "the ledger says the same");
    }
}
