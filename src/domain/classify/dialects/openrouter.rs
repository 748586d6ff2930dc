//! OpenRouter. One counter per account covers all `:free` models; a single provider behind it may be limited as well.
//!
//! `error.metadata.limit_source` tells which it was, otherwise the text does. The text of the daily limit advertises
//! credits, which must not make it a matter of billing.

use crate::domain::classify::ruling::Ruling;
use crate::domain::classify::signs::Signs;
use crate::domain::classify::{denied, limited, missing};
use crate::domain::hints::calendar;
use crate::domain::hints::window::Window;
use crate::domain::outcome::{CooldownClass, Reason, Target, Verdict};

/// All `:free` models of the account.
const FREE: Target = Target::Pool("openrouter-free");

/// All models that cost credits.
const PAID: Target = Target::Pool("openrouter-paid");

pub(super) fn rule(signs: &Signs<'_>) -> Option<Ruling> {
    match signs.status {
        402 => Some(payment(signs)),
        404 => missing(signs),
        429 => limit(signs),
        _ => None,
    }
}

fn payment(signs: &Signs<'_>) -> Ruling {
    if signs.has_code(&["openrouter_in_flight_budget", "in_flight_budget_exhausted"]) {
        // The one 402 that passes: other requests hold the budget.
        Verdict::cool(Reason::Concurrency, Target::Entry, CooldownClass::Concurrency).into()
    } else if signs.says(&["negative credit balance"]) {
        denied::NO_CREDIT.into()
    } else if signs.has_code(&["openrouter_credits"]) || signs.says(&["requires more credits"]) {
        // The free models of the same key may go on.
        Verdict::cool(Reason::Billing, PAID, CooldownClass::Billing).into()
    } else {
        denied::NO_CREDIT.into()
    }
}

/// "No endpoints found that support tool use" and "No allowed providers are available" speak of the request, "No endpoints
/// found for ..." of the model.
fn missing(signs: &Signs<'_>) -> Option<Ruling> {
    if signs.says(&["no endpoints found that", "no allowed providers"]) {
        return Some(Verdict::skip(Reason::UnsupportedParameter).into());
    }
    signs.says(&["no endpoints found"]).then(|| missing::MODEL_GONE.into())
}

fn limit(signs: &Signs<'_>) -> Option<Ruling> {
    if signs.has_code(&["openrouter_free_tier_daily"]) || signs.says(&["free-models-per-day"]) {
        let day = limited::hit(Window::Day, FREE);
        Some(day.unless_told(calendar::utc_midnight(signs.now)))
    } else if signs.says(&["free-models-per-min"]) {
        Some(limited::hit(Window::Minute, FREE))
    } else if is_upstream(signs) {
        // Whatever window the provider behind it names is that of OpenRouter's own account there.
        Some(Verdict::cool(Reason::RateLimit, Target::Entry, CooldownClass::Unknown429).into())
    } else {
        None
    }
}

fn is_upstream(signs: &Signs<'_>) -> bool {
    signs.envelope.upstream
        || signs.has_code(&["upstream_provider_shared_pool"])
        || signs.says(&["rate-limited upstream"])
}
