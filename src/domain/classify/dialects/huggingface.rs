//! Hugging Face's router. A used-up month is 402 and never 429; the body is a bare string.

use crate::domain::classify::denied;
use crate::domain::classify::ruling::Ruling;
use crate::domain::classify::signs::Signs;
use crate::domain::outcome::{CooldownClass, Reason, Target, Verdict};

pub(super) fn rule(signs: &Signs<'_>) -> Option<Ruling> {
    match signs.status {
        402 if signs.says(&["monthly included credits"]) => {
            Some(Verdict::cool(Reason::Billing, Target::Key, CooldownClass::Month).into())
        }
        // The token lacks the permission for inference providers, whatever the model.
        403 if signs.says(&["sufficient permissions"]) => Some(denied::KEY.into()),
        _ => None,
    }
}
