//! How times are distributed, as the API shows it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::totals::Histogram;

/// Of times in milliseconds, to within a twelfth.
#[derive(Serialize, ToSchema)]
pub(crate) struct Quantiles {
    p50: u64,
    p95: u64,
    p99: u64,
}

impl Quantiles {
    /// Those of these times; `None` without any.
    pub(crate) fn of(times: &Histogram) -> Option<Self> {
        Some(Self { p50: times.quantile(0.5)?, p95: times.quantile(0.95)?, p99: times.quantile(0.99)? })
    }
}
