//! 5xx and their like: the provider is sick or full.

use super::ruling::Ruling;
use super::signs::Signs;
use crate::domain::outcome::{CooldownClass, Reason, Target, Verdict};

/// Too many others are asking.
pub(super) const OVERLOADED: Verdict = Verdict::cool(Reason::Overload, Target::Entry, CooldownClass::Overload);

/// Something went wrong there.
const SICK: Verdict = Verdict::cool(Reason::Server, Target::Entry, CooldownClass::ServerError);

/// Rules for 408, 409, 425, 498, 499 and everything from 500 up.
pub(super) fn rule(signs: &Signs<'_>) -> Ruling {
    // 529 is Anthropic's "overloaded", used by gateways in that style and by Together.
    let full = matches!(signs.status, 503 | 529) || is_overload(signs);
    if full { OVERLOADED.into() } else { SICK.into() }
}

/// Load, told by a code; the phrases are those of providers that send a general code with it.
pub(super) fn is_overload(signs: &Signs<'_>) -> bool {
    signs.has_code(&[
        "overloaded",
        "overloaded_error",
        "engine_overloaded",
        "over_capacity",
        "provider_overloaded",
        "queue_exceeded",
        "service_tier_capacity_exceeded",
        "flex_capacity_exceeded",
        "capacity_exceeded",
        "model_capacity_exhausted",
    ]) || signs.says(&[
        "is overloaded",
        "temporarily overloaded",
        "over capacity",
        "at capacity",
        "no capacity available",
        "experiencing high demand",
    ])
}
