//! Providers without a dialect of their own. Each rule here rests on a code that no other provider uses.

use crate::domain::classify::limited;
use crate::domain::classify::ruling::Ruling;
use crate::domain::classify::signs::Signs;
use crate::domain::hints::window::Window;
use crate::domain::outcome::{CooldownClass, Reason, Target, Verdict};

/// All free models of OpenCode Zen, counted per IP address.
const OPENCODE_FREE: Target = Target::Pool("opencode-free");

pub(super) fn rule(signs: &Signs<'_>) -> Option<Ruling> {
    if signs.has_code(&["freeusagelimiterror"]) {
        // OpenCode Zen sends this type with 429, but also with 400, 401 and 403.
        return Some(limited::hit(Window::Day, OPENCODE_FREE));
    }
    if signs.status == 429 && signs.has_code(&["1008"]) {
        // ModelScope answers "insufficient balance (1008)" for a retired model: other models go on.
        return Some(Verdict::cool(Reason::Billing, Target::Entry, CooldownClass::Billing).into());
    }
    None
}
