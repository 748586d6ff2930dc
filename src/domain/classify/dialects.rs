//! What only one provider does. Each module states the facts it rests on.

mod cerebras;
mod cloudflare;
mod cohere;
mod gemini;
mod generic;
mod groq;
mod huggingface;
mod local;
mod mistral;
mod nvidia;
mod ollama_cloud;
mod openrouter;
mod zai;

use super::ruling::Ruling;
use super::signs::Signs;
use crate::domain::dialect::Dialect;
use crate::domain::outcome::Verdict;

/// The provider's own reading of an answer; `None` where it follows the general table.
pub(super) fn rule(signs: &Signs<'_>) -> Option<Ruling> {
    match signs.dialect {
        Dialect::Groq => groq::rule(signs),
        Dialect::Openrouter => openrouter::rule(signs),
        Dialect::Cerebras => cerebras::rule(signs),
        Dialect::GoogleAi => gemini::rule(signs),
        Dialect::Mistral => mistral::rule(signs),
        Dialect::Nvidia => nvidia::rule(signs),
        Dialect::Cohere => cohere::rule(signs),
        Dialect::Cloudflare => cloudflare::rule(signs),
        Dialect::Zai => zai::rule(signs),
        Dialect::OllamaCloud => ollama_cloud::rule(signs),
        Dialect::Local => local::rule(signs),
        Dialect::Huggingface => huggingface::rule(signs),
        Dialect::GenericOpenai => generic::rule(signs),
        Dialect::Openai | Dialect::Sambanova | Dialect::Together => None,
    }
}

/// A verdict with the cooldown that suits the provider.
pub(super) fn softened(dialect: Dialect, verdict: Verdict) -> Verdict {
    if dialect == Dialect::Local { local::softened(verdict) } else { verdict }
}
