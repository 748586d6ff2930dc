//! NVIDIA NIM. Never a rate-limit header; the 429 is `{"status":429,"title":"Too Many Requests"}`.

use crate::domain::classify::limited;
use crate::domain::classify::ruling::Ruling;
use crate::domain::classify::signs::Signs;
use crate::domain::outcome::{CooldownClass, Reason, Target, Verdict};

pub(super) fn rule(signs: &Signs<'_>) -> Option<Ruling> {
    match signs.status {
        // A sick deployment, dressed as a client error.
        400 if signs.says(&["degraded function"]) => {
            Some(Verdict::cool(Reason::Overload, Target::Entry, CooldownClass::ServerError).into())
        }
        // 40 requests per minute; cleared after 62 s when measured (2026-07).
        429 => Some(limited::hit_or(limited::window(signs), Target::Entry, CooldownClass::Minute)),
        _ => None,
    }
}
