//! When how many calls will be possible: what a waiting line needs to tell the truth to whoever joins at its end.

use super::time::Mono;

/// Steps of the grid; each is a sixth longer than the one before, from 50 ms to a month.
const STEPS: usize = 128;
const FIRST: f64 = 50.0;
const GROWTH: f64 = 7.0 / 6.0;

/// How many calls can be made until each step of a grid of times, all of them together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Horizon {
    from: Mono,
    slots: Vec<u64>,
}

impl Horizon {
    /// Asks `slots_by` for each step.
    #[must_use]
    pub fn new(from: Mono, slots_by: impl Fn(Mono) -> u64) -> Self {
        Self { from, slots: grid(from).map(slots_by).collect() }
    }

    /// When, on the grid, the `count`th call can be made on any of these; `None`: not within a month.
    #[must_use]
    pub fn nth<'a>(horizons: impl Iterator<Item = &'a Self> + Clone, count: u64) -> Option<Mono> {
        let from = horizons.clone().map(|horizon| horizon.from).max()?;
        let at = |step: usize| {
            let slots = horizons.clone().filter_map(|horizon| horizon.slots.get(step));
            slots.fold(0_u64, |sum, slots| sum.saturating_add(*slots))
        };
        grid(from).enumerate().find(|(step, _)| at(*step) >= count).map(|(_, time)| time)
    }
}

fn grid(from: Mono) -> impl Iterator<Item = Mono> {
    let mut wait = FIRST;
    (0..STEPS).map(move |_| {
        let at = Mono(from.0.saturating_add(wait as u64));
        wait *= GROWTH;
        at
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_call_is_found_over_several_entries() {
        let now = Mono(1_000_000);
        // Two a second, and one a minute from the next minute on.
        let fast = Horizon::new(now, |at| at.since(now).as_secs() * 2);
        let slow = Horizon::new(now, |at| at.since(now).as_secs() / 60);
        let both = [fast, slow];
        let wait = |count| Horizon::nth(both.iter(), count).map(|at| at.since(now).as_secs_f64());
        for (count, exact) in [(1, 1.0), (10, 5.0), (100, 50.0), (1_210, 600.0)] {
            let wait = wait(count).unwrap();
            assert!(wait >= exact && wait <= exact * GROWTH + 1.0, "{count}: {wait}");
        }
        assert_eq!(wait(u64::MAX), None);
        assert_eq!(Horizon::nth([].iter(), 1), None);
    }

    #[test]
    fn the_grid_reaches_a_month() {
        let last = grid(Mono(0)).last().unwrap();
        assert!(last.0 > 31 * 86_400_000, "{last:?}");
    }
}
