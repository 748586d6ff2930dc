//! Gemini through Google's OpenAI-compatible endpoint. The error may come wrapped in an array.
//!
//! Quotas are named by id, `GenerateRequestsPerDayPerProjectPerModel-FreeTier`. Beside a day quota Google has sent
//! delays of 25 s and of 65205 s: only the end of the day, midnight in California, can be relied upon.

use crate::domain::classify::ruling::Ruling;
use crate::domain::classify::signs::Signs;
use crate::domain::classify::{denied, limited, unwell};
use crate::domain::hints::calendar;
use crate::domain::hints::window::Window;
use crate::domain::outcome::{CooldownClass, Reason, Target, Verdict};

pub(super) fn rule(signs: &Signs<'_>) -> Option<Ruling> {
    match signs.status {
        400 => unsupported(signs),
        // The project lacks the API, or the key the permission: no model of it works.
        403 => Some(denied::KEY.into()),
        429 => Some(limit(signs)),
        _ => None,
    }
}

/// Gemma refuses system prompts, tools and JSON mode as "not enabled"; Gemini 3 wants signatures in the tool history
/// that other providers never wrote.
fn unsupported(signs: &Signs<'_>) -> Option<Ruling> {
    let only_here = signs.says(&["is not enabled for", "thought_signature"]);
    only_here.then(|| Verdict::skip(Reason::UnsupportedParameter).into())
}

fn limit(signs: &Signs<'_>) -> Ruling {
    if signs.says(&["credits are depleted"]) {
        return denied::NO_CREDIT.into();
    }
    if signs.envelope.no_quota || says_no_quota(&signs.envelope.text) {
        return denied::NOT_IN_PLAN.into();
    }
    if signs.has_code(&["model_capacity_exhausted"]) {
        return unwell::OVERLOADED.into();
    }
    // The newer API says `quota_exceeded` to the day's quota and `rate_limit_exceeded` to the minute's.
    let coded = signs.has_code(&["quota_exceeded"]).then_some(Window::Day);
    let window = limited::window(signs).max(coded);
    let ruling = limited::hit_or(window, Target::Entry, CooldownClass::Unknown429);
    match window {
        Some(Window::Day) => ruling.at_least(calendar::pacific_midnight(signs.now)),
        _ => ruling,
    }
}

/// `limit: 0` is Google's way to say that the free tier does not have the model.
fn says_no_quota(text: &str) -> bool {
    text.match_indices("limit: 0").any(|(at, found)| {
        !text
            .get(at + found.len()..)
            .is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_digit() || next == '.'))
    })
}
