//! 401, 402 and 403: the key, the money, or the plan.

use super::ruling::Ruling;
use super::signs::Signs;
use crate::domain::envelope::Shape;
use crate::domain::outcome::{CooldownClass, Reason, Target, Verdict};

/// Rules for 401, 402 and 403.
pub(super) fn rule(signs: &Signs<'_>) -> Ruling {
    let verdict = match signs.status {
        401 => KEY,
        402 => NO_CREDIT,
        _ => forbidden(signs),
    };
    verdict.into()
}

/// The key is no good.
pub(super) const KEY: Verdict = Verdict::cool(Reason::Auth, Target::Key, CooldownClass::Auth);

/// The account has no money left.
pub(super) const NO_CREDIT: Verdict = Verdict::cool(Reason::Billing, Target::Key, CooldownClass::Billing);

/// The key is fine, but not for this model.
pub(super) const NOT_IN_PLAN: Verdict = Verdict::cool(Reason::NotInPlan, Target::Entry, CooldownClass::ModelGone);

/// Moderation refused the prompt: every provider gets the same prompt, so the client is told.
pub(super) const MODERATED: Verdict = Verdict::return_to_client(Reason::ContentPolicy);

fn forbidden(signs: &Signs<'_>) -> Verdict {
    if is_moderation(signs) {
        MODERATED
    } else if is_edge(signs) {
        Verdict::cool(Reason::Blocked, Target::Provider, CooldownClass::ProviderRejected)
    } else if lacks_model(signs) {
        NOT_IN_PLAN
    } else if lacks_credit(signs) {
        NO_CREDIT
    } else if names_key(signs) {
        KEY
    } else if names_region(signs) {
        Verdict::cool(Reason::ProviderRejected, Target::Provider, CooldownClass::ProviderRejected)
    } else {
        // It may be a permission of this one model, so the key's other entries go on.
        Verdict::cool(Reason::Auth, Target::Entry, CooldownClass::Auth)
    }
}

/// OpenRouter lists `reasons` and the `flagged_input`; others have a code for it.
pub(super) fn is_moderation(signs: &Signs<'_>) -> bool {
    signs.envelope.moderated
        || signs.has_code(&["refusal", "content_filter", "moderation_blocked", "data_inspection_failed"])
        || signs.envelope.codes.iter().any(|code| code.starts_with("content_policy"))
}

pub(super) fn lacks_model(signs: &Signs<'_>) -> bool {
    signs.has_code(&["no_access", "tier_not_allowed", "labs_not_enabled"])
        || signs.says(&["requires a subscription", "model requires subscription", "not available on this tier"])
}

/// Phrases that speak of the account. "Quota" and "billing details" do not: Gemini's rate limits mention both.
pub(super) fn lacks_credit(signs: &Signs<'_>) -> bool {
    signs.has_code(&["insufficient_quota", "insufficient_balance", "insufficient_credits", "payment_required"])
        || signs.says(&[
            "insufficient balance",
            "balance is insufficient",
            "insufficient account balance",
            "credits are depleted",
            "negative credit balance",
            "credit balance is too low",
        ])
}

pub(super) fn names_key(signs: &Signs<'_>) -> bool {
    signs.has_code(&["invalid_api_key", "api_key_invalid"])
        || signs.says(&["invalid api key", "api key not valid", "incorrect api key", "invalid api-key"])
}

pub(super) fn names_region(signs: &Signs<'_>) -> bool {
    signs.has_code(&["unsupported_country_region_territory"]) || signs.says(&["user location is not supported"])
}

/// Cloudflare in front of the API refuses clients by their User-Agent with the text `error code: 1010` (seen live at
/// Cerebras and Groq, 2026-08), others with a page. The API itself answers in JSON.
fn is_edge(signs: &Signs<'_>) -> bool {
    match signs.envelope.shape {
        Shape::Html => true,
        Shape::Text => signs.envelope.text.trim_start().starts_with("error code:"),
        Shape::Json | Shape::Empty => false,
    }
}
