//! 429 of a provider without rules of its own: which kind of "too many"?

use super::denied;
use super::refused;
use super::ruling::Ruling;
use super::signs::Signs;
use super::unwell;
use crate::domain::hints::reset;
use crate::domain::hints::window::Window;
use crate::domain::outcome::{CooldownClass, Reason, Target, Verdict};

/// Rules for 429.
pub(super) fn rule(signs: &Signs<'_>) -> Ruling {
    if denied::lacks_credit(signs) {
        denied::NO_CREDIT.into()
    } else if refused::exceeds_window(signs) {
        refused::TOO_LARGE.into()
    } else if reset::no_allowance(signs.headers) || denied::lacks_model(signs) {
        // A limit of 0: waiting never helps.
        denied::NOT_IN_PLAN.into()
    } else if unwell::is_overload(signs) {
        unwell::OVERLOADED.into()
    } else if is_concurrency(signs) {
        Verdict::cool(Reason::Concurrency, Target::Entry, CooldownClass::Concurrency).into()
    } else {
        hit_or(window(signs), Target::Entry, CooldownClass::Unknown429)
    }
}

/// The limit of a window was hit.
pub(super) fn hit(window: Window, target: Target) -> Ruling {
    Ruling::from(Verdict::cool(window.reason(), target, window.class())).within(window)
}

/// The limit of a window was hit, or of one that nobody names.
pub(super) fn hit_or(window: Option<Window>, target: Target, unnamed: CooldownClass) -> Ruling {
    match window {
        Some(window) => hit(window, target),
        None => Verdict::cool(Reason::RateLimit, target, unnamed).into(),
    }
}

/// The longest window that the answer names for the limit that was hit: in its text, its codes, Google's quota ids, the
/// names of spent buckets, or Azure's `x-ratelimit-type: UserByModelByDay`.
pub(super) fn window(signs: &Signs<'_>) -> Option<Window> {
    let envelope = &signs.envelope;
    let codes = envelope.codes.iter().filter_map(|code| Window::in_name(code)).max();
    let quotas = envelope.quotas.iter().filter_map(|quota| Window::in_text(&quota.id.to_ascii_lowercase())).max();
    let kinds = signs.headers.lines("x-ratelimit-type");
    let kind = kinds.filter_map(|kind| Window::in_text(&kind.to_ascii_lowercase())).max();
    let spent = reset::spent(signs.headers, signs.now).window;
    Window::in_text(&envelope.text).max(codes).max(quotas).max(kind).max(spent)
}

fn is_concurrency(signs: &Signs<'_>) -> bool {
    let kinds = || signs.headers.lines("x-ratelimit-type");
    kinds().any(|kind| kind.eq_ignore_ascii_case("UserConcurrentRequests"))
        || signs.has_code(&["concurrency_limit_exceeded", "too_many_concurrent_requests"])
        || signs.says(&["concurrent request", "concurrency limit"])
}
