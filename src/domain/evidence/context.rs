//! How much fits into one request, where a refusal of a long one tells.

use super::Stated;
use super::text::{self, leading};
use crate::domain::envelope::Envelope;

/// Words that a number follows directly.
///
/// Not among them: Cohere's "the prompt cannot exceed 4081", which is what the answer's own budget leaves of the context.
const BEFORE: [&str; 9] = [
    // OpenAI, OpenRouter, vLLM
    "maximum context length is ",
    "maximum context length of ",
    // Gemini
    "maximum number of tokens allowed (",
    // llama.cpp
    "available context size (",
    // GitHub
    "max size: ",
    // Cloudflare
    "context window limit (",
    // SGLang
    "maximum allowed length (",
    "maximum allowed input length of ",
    // TGI, and Together with it
    "must be <= ",
];

/// Reads the answer to a request that was too long, or larger than a window.
pub(super) fn read(envelope: &Envelope, stated: &mut Vec<Stated>) {
    let limit = envelope.context.filter(|limit| *limit > 0).or_else(|| in_text(&envelope.text));
    stated.extend(limit.map(Stated::Context));
    for named in text::read(&envelope.text) {
        super::refusal::state(named, stated);
    }
}

fn in_text(text: &str) -> Option<u64> {
    let direct = BEFORE.iter().find_map(|words| text::behind(text, words).find_map(|(_, rest)| leading(rest)));
    // Anthropic: "prompt is too long: 210000 tokens > 200000 maximum"
    let compared = || text::behind(text, " tokens > ").find_map(|(_, rest)| leading(rest));
    let (limit, _) = direct.or_else(compared)?;
    (limit > 0).then_some(limit)
}
