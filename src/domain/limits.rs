//! Configured limits of an entry.

use std::num::NonZeroU64;

use serde::Serialize;

/// Who shares a set of limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Each model has its own.
    #[default]
    Model,
    /// One pool for all models of a key.
    Provider,
}

/// Limits that the user has configured; `None` means that nothing is known, and nothing is held back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Who shares them.
    pub scope: Scope,
    /// Requests per minute.
    pub requests_per_minute: Option<NonZeroU64>,
    /// Requests per hour.
    pub requests_per_hour: Option<NonZeroU64>,
    /// Requests per day.
    pub requests_per_day: Option<NonZeroU64>,
    /// Requests per month.
    pub requests_per_month: Option<NonZeroU64>,
    /// Tokens (prompt and answer) per minute.
    pub tokens_per_minute: Option<NonZeroU64>,
    /// Tokens per hour.
    pub tokens_per_hour: Option<NonZeroU64>,
    /// Tokens per day.
    pub tokens_per_day: Option<NonZeroU64>,
    /// Tokens per month.
    pub tokens_per_month: Option<NonZeroU64>,
    /// Requests in flight at the same time.
    pub concurrent_requests: Option<NonZeroU64>,
    /// When day windows begin.
    pub day_resets_at: DayReset,
}

/// When a day window begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DayReset {
    /// Each request leaves the window 24 hours after it was made.
    #[default]
    Rolling,
    /// Every day at this local time.
    At {
        /// 0-23
        hour: u8,
        /// 0-59
        minute: u8,
        /// IANA name, e.g. `America/Los_Angeles`
        zone: String,
    },
}
