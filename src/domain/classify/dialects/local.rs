//! A server on the user's own machine. It has no quota: it is loading, full, or lacks a model that a pull may bring any
//! second. Nothing of that is worth more than a few seconds, and nothing escalates.

use crate::domain::classify::ruling::Ruling;
use crate::domain::classify::signs::Signs;
use crate::domain::outcome::{CooldownClass, Reason, Verdict};

pub(super) fn rule(signs: &Signs<'_>) -> Option<Ruling> {
    // llama.cpp answers 500 to a prompt above its batch size.
    let too_long = signs.status == 500 && signs.says(&["too large to process"]);
    too_long.then(|| Verdict::skip(Reason::Context).into())
}

/// The same verdict with a short cooldown.
pub(super) fn softened(verdict: Verdict) -> Verdict {
    let class = verdict.class.map(|class| match class {
        CooldownClass::Auth => CooldownClass::Auth,
        _ => CooldownClass::LocalBusy,
    });
    Verdict { class, ..verdict }
}
