//! Cloudflare Workers AI. The codes in `errors[]` decide; they come as numbers or as strings.

use crate::domain::classify::ruling::Ruling;
use crate::domain::classify::signs::Signs;
use crate::domain::classify::{denied, limited, missing, unwell};
use crate::domain::hints::calendar;
use crate::domain::hints::window::Window;
use crate::domain::outcome::{CooldownClass, Reason, Target, Verdict};

pub(super) fn rule(signs: &Signs<'_>) -> Option<Ruling> {
    let code = |numbers: &[&str]| signs.has_code(numbers);
    if code(&["3036", "4006"]) {
        // The account's neurons of the day, over all models. They come back at midnight UTC.
        let day = limited::hit(Window::Day, Target::Key);
        Some(day.at_least(calendar::utc_midnight(signs.now)))
    } else if code(&["3040"]) {
        Some(unwell::OVERLOADED.into())
    } else if code(&["5035"]) {
        Some(denied::NOT_IN_PLAN.into())
    } else if code(&["5007"]) {
        Some(missing::MODEL_GONE.into())
    } else if code(&["7000", "7003"]) {
        // No such route: the account id in the URL is wrong.
        Some(Verdict::cool(Reason::ProviderRejected, Target::Provider, CooldownClass::ProviderRejected).into())
    } else if code(&["10000"]) {
        Some(denied::KEY.into())
    } else {
        None
    }
}
