//! What only one provider means by a name or a time (`PROVIDERS.md` 1.1, 1.7 and 2).

use std::time::Duration;

use super::{DAY, Dimension, MINUTE, ResetKind, SECOND};
use crate::domain::dialect::Dialect;
use crate::domain::hints::calendar;
use crate::domain::outcome::{Basis, Hint};
use crate::domain::time::Wall;

/// The window of a bucket whose header names none.
pub(super) fn unnamed(dialect: Dialect, dimension: Dimension) -> Option<Duration> {
    match (dialect, dimension) {
        (Dialect::Groq, Dimension::Requests) => Some(DAY),
        (Dialect::Groq | Dialect::Openai, Dimension::Tokens) => Some(MINUTE),
        // "Default is RPM", while it is the day at Groq.
        (Dialect::Sambanova, Dimension::Requests) => Some(MINUTE),
        (Dialect::Together, _) => Some(SECOND),
        // At OpenAI the tier decides whether requests are counted per minute or per day.
        _ => None,
    }
}

/// What a reset header means.
pub(super) fn reset_kind(dialect: Dialect, per: bool) -> ResetKind {
    match dialect {
        Dialect::Groq | Dialect::Openai => ResetKind::Full,
        Dialect::Together => ResetKind::Next,
        // DigitalOcean's names, whose reset says when the bucket is full.
        _ if per => ResetKind::Full,
        _ => ResetKind::WindowEnd,
    }
}

/// What comes back after the wait that a refusal tells.
pub(super) fn hint_kind(dialect: Dialect, hint: Hint) -> ResetKind {
    match dialect {
        _ if hint.basis == Basis::Calendar => ResetKind::WindowEnd,
        // They tell how long until the refused request fits.
        Dialect::Groq | Dialect::Openai | Dialect::GoogleAi | Dialect::Together => ResetKind::Next,
        _ => ResetKind::WindowEnd,
    }
}

/// The end of a window that the provider ties to the calendar.
pub(super) fn boundary(dialect: Dialect, window: Duration, now: Wall) -> Option<Duration> {
    match dialect {
        Dialect::Mistral if window == MINUTE => Some(calendar::minute(now)),
        Dialect::GoogleAi if window == DAY => Some(calendar::pacific_midnight(now)),
        // Assumed for Cerebras; documented or seen for the others.
        Dialect::Openrouter | Dialect::Cloudflare | Dialect::Cerebras if window == DAY => {
            Some(calendar::utc_midnight(now))
        }
        _ => None,
    }
}
