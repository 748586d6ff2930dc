//! What was charged, and when: the memory of a window.
//!
//! Charges that lie close together share a cell, so that a day with a million requests takes no more room than one with
//! some hundreds. A cell counts until its youngest charge has left the window: that errs on the side of the limit, by a
//! 600th of the window at most.

use std::collections::VecDeque;

use crate::domain::time::Mono;

/// Cells per window.
const CELLS: u64 = 600;

/// Charges by time, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    cells: VecDeque<Cell>,
    sum: u64,
    /// Milliseconds that one cell spans at most.
    grain: u64,
}

/// Charges of nearly the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Of its oldest charge.
    pub first: Mono,
    /// Of its youngest charge.
    pub last: Mono,
    /// All of them together.
    pub amount: u64,
}

impl Log {
    /// An empty log for a window of `span` milliseconds.
    #[must_use]
    pub fn new(span: u64) -> Self {
        Self { grain: (span / CELLS).max(1), ..Self::default() }
    }

    /// Everything in it.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// The cells, oldest first.
    pub fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter()
    }

    /// Adds a charge, which may lie before others.
    pub fn add(&mut self, at: Mono, amount: u64) {
        self.add_beside(at, amount, Mono(u64::MAX));
    }

    /// Adds a charge that shares no cell with those on the other side of `bound`, where a window will be cut.
    pub fn add_beside(&mut self, at: Mono, amount: u64, bound: Mono) {
        if amount == 0 {
            return;
        }
        self.sum = self.sum.saturating_add(amount);
        let place = self.cells.iter().rposition(|cell| cell.first <= at);
        if let Some(cell) = place.and_then(|place| self.cells.get_mut(place))
            && at.0 - cell.first.0 < self.grain
            && (at > bound) == (cell.first > bound)
        {
            cell.last = cell.last.max(at);
            cell.amount = cell.amount.saturating_add(amount);
            return;
        }
        self.cells.insert(place.map_or(0, |place| place + 1), Cell { first: at, last: at, amount });
    }

    /// Takes back up to `amount` of what was charged at `at`.
    pub fn take(&mut self, at: Mono, amount: u64) {
        if let Some(cell) = self.cells.iter_mut().rev().find(|cell| cell.first <= at && at <= cell.last) {
            let taken = amount.min(cell.amount);
            cell.amount -= taken;
            self.sum = self.sum.saturating_sub(taken);
        }
    }

    /// Forgets `amount` of the oldest charges.
    pub fn drop_oldest(&mut self, mut amount: u64) {
        while amount > 0
            && let Some(cell) = self.cells.front_mut()
        {
            let dropped = amount.min(cell.amount);
            cell.amount -= dropped;
            self.sum = self.sum.saturating_sub(dropped);
            amount -= dropped;
            if cell.amount == 0 {
                self.cells.pop_front();
            }
        }
    }

    /// Forgets everything up to `at`.
    pub fn drop_until(&mut self, at: Mono) {
        while let Some(cell) = self.cells.front().filter(|cell| cell.last <= at) {
            self.sum = self.sum.saturating_sub(cell.amount);
            self.cells.pop_front();
        }
    }

    /// When the youngest of the oldest `amount` was charged; `None` when there is not so much.
    #[must_use]
    pub fn youngest_of(&self, amount: u64) -> Option<Mono> {
        let mut seen = 0_u64;
        self.cells.iter().find_map(|cell| {
            seen = seen.saturating_add(cell.amount);
            (seen >= amount).then_some(cell.last)
        })
    }

    /// How much was charged up to `at`, cells counted as a whole.
    #[must_use]
    pub fn until(&self, at: Mono) -> u64 {
        let old = self.cells.iter().take_while(|cell| cell.last <= at);
        old.fold(0, |sum, cell| sum.saturating_add(cell.amount))
    }

    /// Makes the oldest `amount` at least as old as `at`. A cell that reaches beyond it is cut.
    pub fn age(&mut self, amount: u64, at: Mono) {
        let mut left = amount;
        let mut place = 0;
        while left > 0
            && let Some(cell) = self.cells.get_mut(place)
        {
            let rest = cell.amount.saturating_sub(left);
            let younger = Cell { amount: rest, ..*cell };
            cell.amount -= rest;
            left -= cell.amount;
            cell.last = cell.last.min(at);
            cell.first = cell.first.min(at);
            place += 1;
            if rest > 0 {
                self.cells.insert(place, younger);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_million_charges_take_few_cells() {
        let mut log = Log::new(86_400_000);
        for n in 0..1_000_000_u64 {
            log.add(Mono(n * 86), 1);
        }
        assert_eq!(log.sum(), 1_000_000);
        assert!(log.cells().count() <= 601, "{}", log.cells().count());
    }

    #[test]
    fn charges_are_taken_back_where_they_were_made() {
        let mut log = Log::new(60_000);
        log.add(Mono(0), 3);
        log.add(Mono(10_000), 4);
        log.take(Mono(10_000), 9);
        log.take(Mono(5_000), 9);
        assert_eq!(log.sum(), 3);
        log.drop_until(Mono(0));
        assert_eq!(log.sum(), 0);
    }

    proptest! {
        /// A cell never ends before a charge that it holds, so nothing is forgotten too early.
        #[test]
        fn no_charge_is_forgotten_early(charges in prop::collection::vec((0u64..10_000, 1u64..50), 1..80), cut in 0u64..10_000) {
            let mut log = Log::new(2_400);
            for (at, amount) in &charges {
                log.add(Mono(*at), *amount);
            }
            let total: u64 = charges.iter().map(|(_, amount)| amount).sum();
            prop_assert_eq!(log.sum(), total);
            prop_assert!(log.cells().zip(log.cells().skip(1)).all(|(a, b)| a.first <= b.first));
            log.drop_until(Mono(cut));
            let young: u64 = charges.iter().filter(|(at, _)| *at > cut).map(|(_, amount)| amount).sum();
            prop_assert!(log.sum() >= young);
            prop_assert_eq!(log.cells().map(|cell| cell.amount).sum::<u64>(), log.sum());
        }
    }
}
