//! Mistral. Its request minute is the wall clock's: it ends at :00 (three trials, five seconds of spread). No 429 of 163
//! carried a `retry-after`, and the body never names the window; headers may name a day or a month.

use crate::domain::classify::ruling::Ruling;
use crate::domain::classify::signs::Signs;
use crate::domain::classify::{denied, limited, missing, unwell};
use crate::domain::hints::window::Window;
use crate::domain::hints::{calendar, reset};
use crate::domain::outcome::Target;

pub(super) fn rule(signs: &Signs<'_>) -> Option<Ruling> {
    match signs.status {
        // Retired models: code 1500 in a 400.
        400 if signs.has_code(&["1500"]) => Some(missing::MODEL_GONE.into()),
        // Tier not allowed, labs not enabled: this model only.
        403 if signs.has_code(&["1910", "1913"]) => Some(denied::NOT_IN_PLAN.into()),
        429 => Some(limit(signs)),
        _ => None,
    }
}

fn limit(signs: &Signs<'_>) -> Ruling {
    if signs.has_code(&["3505"]) || unwell::is_overload(signs) {
        return unwell::OVERLOADED.into();
    }
    if reset::no_allowance(signs.headers) {
        return denied::NOT_IN_PLAN.into();
    }
    match limited::window(signs) {
        // The month's tokens are counted per key.
        Some(Window::Month) => limited::hit(Window::Month, Target::Key),
        Some(longer @ (Window::Day | Window::Week)) => limited::hit(longer, Target::Entry),
        _ => limited::hit(Window::Minute, Target::Entry).unless_told(calendar::minute(signs.now)),
    }
}
