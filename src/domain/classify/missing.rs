//! 404 and 410: the model is gone, or the address is wrong.

use super::ruling::Ruling;
use super::signs::Signs;
use crate::domain::envelope::Shape;
use crate::domain::outcome::{CooldownClass, Reason, Target, Verdict};

/// The model does not exist there.
pub(super) const MODEL_GONE: Verdict = Verdict::cool(Reason::ModelGone, Target::Entry, CooldownClass::ModelGone);

/// Rules for 404 and 410.
pub(super) fn rule(signs: &Signs<'_>) -> Ruling {
    let verdict = if signs.status == 410 {
        // The provider says that it will not come back. A date in the text is the end of life, not a reset.
        Verdict { permanent: true, ..MODEL_GONE }
    } else if is_wrong_address(signs) {
        Verdict::cool(Reason::ProviderRejected, Target::Provider, CooldownClass::ProviderRejected)
    } else {
        MODEL_GONE
    };
    verdict.into()
}

/// An API that knows the route says in JSON what it did not find. `{"detail":"Not Found"}` is how FastAPI, and so vLLM,
/// answers on a route that does not exist. Groq, OpenAI and Mistral have words for it.
fn is_wrong_address(signs: &Signs<'_>) -> bool {
    let envelope = &signs.envelope;
    envelope.shape != Shape::Json
        || (envelope.codes.is_empty() && envelope.text.trim() == "not found")
        || envelope.has_code(&["unknown_url"])
        || ["unknown request url: ", "invalid url (", "no route matched with those values"]
            .iter()
            // At the beginning: further on it may be what the request says.
            .any(|words| envelope.text.trim_start().starts_with(words))
}
