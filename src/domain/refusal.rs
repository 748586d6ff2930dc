//! Why an entry cannot take a request now, and when it can.

use std::time::Duration;

use super::cooldown::{Cooldown, Deadline};
use super::evidence::Dimension;
use super::time::Mono;

/// Why an entry cannot take a request now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Cooling down.
    Cooling(Cooldown),
    /// Not enough is left of a bucket.
    Spent {
        /// What it counts.
        dimension: Dimension,
        /// Length of its window, where it is known.
        window: Option<Duration>,
        /// When the request fits; `None` when calls under way have to end first.
        until: Option<Mono>,
    },
    /// The request is larger than all that the entry ever takes.
    TooLarge {
        /// Tokens that it takes at least.
        need: u64,
        /// Tokens that fit.
        limit: u64,
        /// Length of the window that it is larger than; `None` when it is the context of the model.
        window: Option<Duration>,
    },
    /// As many requests in flight as the configuration allows.
    Full {
        /// That number.
        limit: u32,
    },
    /// An answer to a call that went ahead is awaited first.
    Probing {
        /// When it is not waited for any longer.
        until: Option<Mono>,
    },
    /// Others wait for it in front.
    Queued,
    /// Switched off in the configuration.
    Off,
    /// Its actor is gone; it will be restarted.
    Gone,
}

impl Refusal {
    /// When it ends, where that is known. Of several refusals the one with the latest end holds.
    #[must_use]
    pub fn end(&self) -> Option<Deadline> {
        match self {
            Self::Cooling(cooldown) => Some(cooldown.until),
            Self::TooLarge { .. } => Some(Deadline::Never),
            Self::Spent { until, .. } | Self::Probing { until } => until.map(Deadline::At),
            Self::Full { .. } | Self::Queued | Self::Off | Self::Gone => None,
        }
    }

    /// True when it will pass by itself: worth waiting for. What has to be mended, is switched off or too small is not.
    #[must_use]
    pub fn passes(&self) -> bool {
        match self {
            Self::Cooling(cooldown) => cooldown.until != Deadline::Never && cooldown.reason.passes(),
            Self::Spent { .. } | Self::Full { .. } | Self::Probing { .. } | Self::Queued | Self::Gone => true,
            Self::TooLarge { .. } | Self::Off => false,
        }
    }
}
