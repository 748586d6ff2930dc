//! When how many calls will be possible: what a waiting line needs to tell the truth to whoever joins at its end, and
//! what is left for whoever plans the day.

use std::time::Duration;

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

/// How much can be had from so many sources together. Each draws on some of the `supplies`, alone or with others: which
/// sources draw on one, and how much is in it. `None` when a source is bounded by none of them.
#[must_use]
pub fn together(sources: usize, supplies: &[(Vec<usize>, u64)]) -> Option<u64> {
    let mut groups: Vec<(Vec<usize>, Option<u64>)> = (0..sources).map(|source| (vec![source], None)).collect();
    let mut supplies: Vec<&(Vec<usize>, u64)> = supplies.iter().collect();
    // From the smallest circle to the largest, so that what is within another is bounded first.
    supplies.sort_by_key(|(sources, _)| sources.len());
    for (sources, supply) in supplies {
        let draws = |(members, _): &(Vec<usize>, Option<u64>)| members.iter().any(|source| sources.contains(source));
        let (drawing, others): (Vec<_>, Vec<_>) = groups.into_iter().partition(draws);
        groups = others;
        if !drawing.is_empty() {
            let amount = sum(drawing.iter().map(|(_, amount)| *amount)).map_or(*supply, |all| all.min(*supply));
            groups.push((drawing.into_iter().flat_map(|(members, _)| members).collect(), Some(amount)));
        }
    }
    sum(groups.into_iter().map(|(_, amount)| amount))
}

fn sum(mut amounts: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    amounts.try_fold(0_u64, |sum, amount| Some(sum.saturating_add(amount?)))
}

/// When all is used up, if `per_minute` go on to be used; `left` says how much can be had until each of some times, the
/// first of them first. `None`: not before the last of them, or nobody knows.
#[must_use]
pub fn used_up(left: impl IntoIterator<Item = (Mono, Option<u64>)>, per_minute: f64, now: Mono) -> Option<Mono> {
    left.into_iter().find_map(|(until, left)| {
        let minutes = (per_minute > 0.0).then(|| left.map(|left| left as f64 / per_minute))??;
        let end = now.after(Duration::try_from_secs_f64(minutes * 60.0).ok()?);
        (end < until).then_some(end)
    })
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
    fn what_is_shared_counts_once() {
        let of = |source, supply| (vec![source], supply);
        let both = |supply| (vec![0, 1], supply);
        assert_eq!(together(0, &[]), Some(0));
        assert_eq!(together(2, &[of(0, 10), of(1, 10)]), Some(20));
        assert_eq!(together(2, &[both(15), of(0, 10), of(1, 10)]), Some(15));
        assert_eq!(together(2, &[of(0, 10), of(1, 10), both(50)]), Some(20));
        assert_eq!(together(2, &[of(1, 10)]), None, "nobody knows about the first");
        assert_eq!(together(2, &[of(1, 10), both(15)]), Some(15));
        assert_eq!(together(1, &[of(0, 10), of(0, 3)]), Some(3));
        // A pool within an account, and another account beside it.
        let nested = [(vec![0, 1, 2], 12), both(5), of(0, 10), of(1, 10), of(3, 10)];
        assert_eq!(together(4, &nested), Some(22));
        assert_eq!(together(4, &[&nested[..], &[of(2, 4)]].concat()), Some(19));
        assert_eq!(together(1, &[of(0, 10), of(7, 1)]), Some(10), "nobody draws on it");
    }

    #[test]
    fn all_is_used_up_before_the_first_time_that_it_does_not_last_until() {
        let now = Mono(1_000_000);
        let minute = |count: u64| Mono(now.0 + count * 60_000);
        let left = [(minute(1), Some(30)), (minute(60), Some(100))];
        assert_eq!(used_up(left, 60.0, now), Some(Mono(now.0 + 30_000)));
        assert_eq!(used_up(left, 20.0, now), Some(minute(5)), "the minute's limit lasts, the hour's does not");
        assert_eq!(used_up(left, 1.0, now), None);
        assert_eq!(used_up(left, 0.0, now), None);
        assert_eq!(used_up([(minute(1), None), (minute(60), Some(100))], 20.0, now), Some(minute(5)));
        assert_eq!(used_up([(minute(1), Some(0))], 1.0, now), Some(now));
    }

    #[test]
    fn the_grid_reaches_a_month() {
        let last = grid(Mono(0)).last().unwrap();
        assert!(last.0 > 31 * 86_400_000, "{last:?}");
    }
}
