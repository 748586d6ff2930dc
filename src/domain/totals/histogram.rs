//! How times are distributed, in steps of a twelfth: small to keep, and good to a few percent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// From one step to the next.
const GROWTH: f64 = 13.0 / 12.0;

/// Counts of times by step; only steps that occur are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Histogram(BTreeMap<u16, u64>);

impl Histogram {
    /// Takes note of a time in milliseconds.
    pub fn note(&mut self, ms: u64) {
        *self.0.entry(step_of(ms)).or_default() += 1;
    }

    /// Adds another one.
    pub fn add(&mut self, other: &Self) {
        for (step, more) in &other.0 {
            let count = self.0.entry(*step).or_default();
            *count = count.saturating_add(*more);
        }
    }

    /// Nothing was noted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Times noted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The time in milliseconds that this part of all (0 to 1) does not exceed, to within a twelfth; `None` without any.
    #[must_use]
    pub fn quantile(&self, part: f64) -> Option<u64> {
        let rank = (self.count() as f64 * part.clamp(0.0, 1.0)).ceil().max(1.0);
        let mut seen = 0_u64;
        for (step, count) in &self.0 {
            seen = seen.saturating_add(*count);
            if seen as f64 >= rank {
                return Some(time_of(*step));
            }
        }
        None
    }
}

/// Zero is a step of its own.
fn step_of(ms: u64) -> u16 {
    match ms {
        0 => 0,
        ms => ((ms as f64).ln() / GROWTH.ln()).round() as u16 + 1,
    }
}

fn time_of(step: u16) -> u64 {
    match step.checked_sub(1) {
        None => 0,
        Some(power) => GROWTH.powi(i32::from(power)).round() as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_kept_to_within_a_twelfth() {
        for ms in (0..100).chain([1_000, 30_000, 3_600_000, 86_400_000 * 31]) {
            let mut one = Histogram::default();
            one.note(ms);
            let kept = one.quantile(0.5).unwrap();
            assert!(kept.abs_diff(ms) * 12 <= ms.max(6), "{ms} became {kept}");
        }
        assert_eq!(step_of(u64::MAX), step_of(u64::MAX - 1));
    }

    #[test]
    fn quantiles_are_those_of_the_times() {
        let mut times = Histogram::default();
        (1..=1_000).for_each(|ms| times.note(ms));
        for (part, ms) in [(0.0, 1), (0.5, 500), (0.95, 950), (1.0, 1_000)] {
            let kept = times.quantile(part).unwrap();
            assert!(kept.abs_diff(ms) * 12 <= ms.max(12), "{part}: {kept}");
        }
        assert_eq!(Histogram::default().quantile(0.5), None);
        assert!(times.0.len() < 90, "{} steps", times.0.len());
    }

    #[test]
    fn one_added_to_another_is_one_of_both() {
        let (mut left, mut right, mut both) = (Histogram::default(), Histogram::default(), Histogram::default());
        for ms in 0..500 {
            if ms % 3 == 0 {
                left.note(ms)
            } else {
                right.note(ms)
            }
            both.note(ms);
        }
        left.add(&right);
        assert_eq!(left, both);
        let kept = serde_json::to_string(&both).unwrap();
        assert_eq!(serde_json::from_str::<Histogram>(&kept).unwrap(), both);
    }
}
