//! Z.ai and bigmodel.cn. All limits answer 429; the code tells them apart.
//!
//! The text of 1308 and 1310 states when the limit resets, in a time zone that is not documented, so it is not read.

use crate::domain::classify::ruling::Ruling;
use crate::domain::classify::signs::Signs;
use crate::domain::classify::{denied, limited, missing, unwell};
use crate::domain::hints::window::Window;
use crate::domain::outcome::{CooldownClass, Reason, Target, Verdict};

pub(super) fn rule(signs: &Signs<'_>) -> Option<Ruling> {
    signs.envelope.codes.iter().find_map(|code| coded(code, signs))
}

fn coded(code: &str, signs: &Signs<'_>) -> Option<Ruling> {
    Some(match code {
        // The free models allow one request in flight: the next call works as soon as it ends.
        "1302" => Verdict::cool(Reason::Concurrency, Target::Entry, CooldownClass::Concurrency).into(),
        // Per model, up to 85 % of all calls for hours, while the sibling model is fine.
        "1305" => unwell::OVERLOADED.into(),
        // A paid model on a free key; the free models of the key go on.
        "1113" => Verdict::cool(Reason::Billing, Target::Entry, CooldownClass::Billing).into(),
        "1308" | "1313" => limited::hit(Window::Day, Target::Key),
        "1310" => limited::hit(Window::Month, Target::Key),
        "1309" | "1314" => denied::NO_CREDIT.into(),
        "1311" => denied::NOT_IN_PLAN.into(),
        // Also a general parameter error.
        "1214" if signs.says(&["model"]) => missing::MODEL_GONE.into(),
        "1261" => Verdict::skip(Reason::Context).into(),
        _ => return None,
    })
}
