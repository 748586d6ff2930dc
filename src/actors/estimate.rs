//! The learnt size of requests, written by the entry and read by whoever looks at its gauges.

use std::sync::PoisonError;
use std::sync::RwLock;

use crate::domain::demand::{Demand, Estimate, Need};

/// The estimate of one entry. Its lock is held for a copy of a few numbers, never over anything that waits.
#[derive(Debug, Default)]
pub struct EstimateGauge(RwLock<Estimate>);

impl EstimateGauge {
    /// Starts from what was learnt before.
    #[must_use]
    pub fn new(estimate: Estimate) -> Self {
        Self(RwLock::new(estimate))
    }

    /// What has been learnt.
    #[must_use]
    pub fn read(&self) -> Estimate {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up what was learnt before.
    pub fn set(&self, estimate: Estimate) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = estimate;
    }

    /// See [`Estimate::need`].
    #[must_use]
    pub fn need(&self, demand: Demand, reserves_output: bool) -> Need {
        self.read().need(demand, reserves_output)
    }

    /// See [`Estimate::learn`].
    pub fn learn(&self, demand: Demand, prompt_tokens: u64, completion_tokens: u64) {
        let mut estimate = self.0.write().unwrap_or_else(PoisonError::into_inner);
        estimate.learn(demand, prompt_tokens, completion_tokens);
    }
}
