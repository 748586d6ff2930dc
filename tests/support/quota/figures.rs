//! What a run has shown.

use std::collections::BTreeMap;

use chain429::domain::time::Wall;
use serde::Serialize;

use super::client::Crowd;
use super::scenario::{Scenario, Targets};
use super::truth::Share;

/// The figures of one run.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    pub scenario: &'static str,
    pub clients: usize,
    /// Length of the measured period on the clock of the scenario.
    pub seconds: u64,
    /// Answers that clients got.
    pub served: usize,
    /// Upstream calls.
    pub calls: usize,
    /// Upstream 429s.
    pub refused: usize,
    /// Errors that clients got, by status and code.
    pub errors: BTreeMap<String, usize>,
    pub false_exhaustion: usize,
    pub overshoot: usize,
    /// Upstream 429s per request that an upstream has served.
    pub waste: f64,
    /// Part of the quota of all windows that was used.
    pub utilisation: f64,
    pub capacity: f64,
    /// Median wait of those who were served, in milliseconds on the clock of the scenario.
    pub p50_wait_ms: u64,
    pub waste_at_most: f64,
    pub utilisation_at_least: Option<f64>,
    /// The first case of false exhaustion.
    pub example: Option<String>,
}

impl Figures {
    /// Reads them off.
    #[must_use]
    pub fn of(scenario: &Scenario, crowd: &Crowd, from: Wall, to: Wall) -> Self {
        let (mut admitted, mut refused, mut overshoot) = (0, 0, 0);
        let mut all = Share::default();
        for truth in crowd.hosts.iter().flat_map(|host| host.truths()) {
            admitted += truth.served();
            refused += truth.refused();
            overshoot += truth.beyond();
            let share = truth.share(scenario.binding, from, to);
            all = Share { used: all.used + share.used, capacity: all.capacity + share.capacity };
        }
        let tally = crowd.tally.lock().unwrap().clone();
        let mut waits = tally.waits;
        waits.sort_unstable();
        let Targets { waste: waste_at_most, utilisation: utilisation_at_least } = scenario.targets;
        Self {
            scenario: scenario.name,
            clients: scenario.demand.clients,
            seconds: (to.0 - from.0) / 1_000,
            served: waits.len(),
            calls: crowd.hosts.iter().map(|host| host.arrived()).sum(),
            refused,
            errors: tally.errors,
            false_exhaustion: tally.false_exhaustion,
            overshoot,
            waste: refused as f64 / (admitted as f64).max(1.0),
            utilisation: all.used / all.capacity,
            capacity: all.capacity,
            p50_wait_ms: waits.get(waits.len() / 2).copied().unwrap_or(0),
            waste_at_most,
            utilisation_at_least,
            example: tally.example,
        }
    }

    /// What misses its target, in words; empty when all is well.
    #[must_use]
    pub fn missed(&self) -> Vec<&'static str> {
        let too_little = self.utilisation_at_least.is_some_and(|least| self.utilisation < least);
        let misses = [
            (self.false_exhaustion > 0, "false exhaustion"),
            (self.overshoot > 0, "overshoot"),
            (self.waste > self.waste_at_most, "waste"),
            (too_little, "utilisation"),
        ];
        misses.into_iter().filter(|(missed, _)| *missed).map(|(_, name)| name).collect()
    }
}
