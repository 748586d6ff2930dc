//! How often somebody has come with a wrong key lately.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::time::Mono;

/// Wrong keys in [`WINDOW`] until nothing more is compared.
pub(super) const MOST: usize = 5;

const WINDOW: Duration = Duration::from_secs(60);

/// Addresses that are remembered. Whoever has more of them than that has no need to guess.
const ADDRESSES: usize = 1_024;

/// Times of wrong tries, by address.
#[derive(Debug, Default)]
pub(super) struct Tries(Mutex<BTreeMap<IpAddr, Vec<Mono>>>);

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tried {
    /// The key is right.
    Right,
    /// It is wrong; so many were within the last minute.
    Wrong(usize),
    /// It was not looked at; when to come back.
    TooOften(Duration),
}

impl Tries {
    /// Looks at a key, unless too many wrong ones came from there.
    pub(super) fn attempt(&self, from: IpAddr, now: Mono, is_right: impl FnOnce() -> bool) -> Tried {
        let from = network(from);
        // Held over the comparison: tries at the same time are counted as well.
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, times| {
            times.retain(|time| now.since(*time) < WINDOW);
            !times.is_empty()
        });
        let times = all.entry(from).or_default();
        if let (true, Some(first)) = (times.len() >= MOST, times.first()) {
            return Tried::TooOften(first.after(WINDOW).from_now(now));
        }
        if is_right() {
            all.remove(&from);
            return Tried::Right;
        }
        times.push(now);
        let count = times.len();
        if all.len() > ADDRESSES
            && let Some(oldest) = all.iter().min_by_key(|(_, times)| times.last().copied()).map(|(from, _)| *from)
        {
            all.remove(&oldest);
        }
        Tried::Wrong(count)
    }
}

/// The address, or of IPv6 the network that one household has.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Mono = Mono(1_000_000);

    fn at(seconds: u64) -> Mono {
        NOW.after(Duration::from_secs(seconds))
    }

    #[test]
    fn after_five_wrong_keys_nothing_is_compared_for_a_minute() {
        let tries = Tries::default();
        let (here, there) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        for count in 1..=5 {
            assert_eq!(tries.attempt(here, at(count), || false), Tried::Wrong(count as usize));
        }
        let compared = || -> bool { panic!("compared") };
        assert_eq!(tries.attempt(here, at(6), compared), Tried::TooOften(Duration::from_secs(55)));
        assert_eq!(tries.attempt(there, at(6), || true), Tried::Right);
        assert_eq!(tries.attempt(here, at(61), || true), Tried::Right);
        assert_eq!(tries.attempt(here, at(61), || false), Tried::Wrong(1));
    }

    #[test]
    fn one_household_is_one_address_and_memory_is_bounded() {
        let tries = Tries::default();
        for host in 0..5_u16 {
            tries.attempt(IpAddr::from([0xfd00, 0, 0, 1, 0, 0, 0, host]), NOW, || false);
        }
        let host = IpAddr::from([0xfd00, 0, 0, 1, 9, 9, 9, 9]);
        assert!(matches!(tries.attempt(host, NOW, || false), Tried::TooOften(_)));
        for host in 0..3_000_u16 {
            let [high, low] = host.to_be_bytes();
            tries.attempt(IpAddr::from([10, 0, high, low]), NOW, || false);
        }
        assert!(tries.0.lock().unwrap().len() <= ADDRESSES);
    }
}
