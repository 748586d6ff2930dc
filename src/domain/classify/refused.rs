//! 400, 413, 422: the provider did not like the request. Is it the request, or is it the provider?
//!
//! A request that is wrong everywhere goes back to its author. What only this provider cannot do (a shorter context, an
//! unknown parameter, a model that left) goes to the next entry, and costs nobody a cooldown unless the entry is dead.

use super::denied;
use super::missing;
use super::ruling::Ruling;
use super::signs::Signs;
use super::unwell;
use crate::domain::outcome::{CooldownClass, Reason, Target, Verdict};

/// The request is larger than a whole window: no wait helps, smaller ones still fit.
pub(super) const TOO_LARGE: Verdict = Verdict::skip(Reason::TooLarge);

/// The provider rejects the call, whatever the request.
const PROVIDERS_FAULT: Verdict =
    Verdict::cool(Reason::ProviderRejected, Target::Provider, CooldownClass::ProviderRejected);

/// Rules for 413.
pub(super) fn too_large(signs: &Signs<'_>) -> Ruling {
    if is_context(signs) { Verdict::skip(Reason::Context).into() } else { TOO_LARGE.into() }
}

/// Rules for 400, 422 and the 4xx that nobody else claims.
pub(super) fn rule(signs: &Signs<'_>) -> Ruling {
    let verdict = if denied::names_key(signs) {
        // Gemini answers 400 to a bad key.
        denied::KEY
    } else if is_region(signs) {
        PROVIDERS_FAULT
    } else if is_context(signs) {
        Verdict::skip(Reason::Context)
    } else if exceeds_window(signs) {
        TOO_LARGE
    } else if denied::is_moderation(signs) {
        denied::MODERATED
    } else if denied::lacks_credit(signs) {
        denied::NO_CREDIT
    } else if lacks_model(signs) {
        missing::MODEL_GONE
    } else if denied::lacks_model(signs) {
        denied::NOT_IN_PLAN
    } else if signs.has_code(&["tool_use_failed"]) {
        // Groq: the model wrote a tool call that does not parse. Another model may do better.
        Verdict::skip(Reason::ModelOutput)
    } else if is_output_cap(signs) {
        Verdict::skip(Reason::OutputCap)
    } else if is_unsupported(signs) {
        Verdict::skip(Reason::UnsupportedParameter)
    } else if signs.says(&["provider returned error"]) {
        // OpenRouter passes on what it got from behind, and that said nothing of the above.
        PROVIDERS_FAULT
    } else if unwell::is_overload(signs) {
        unwell::OVERLOADED
    } else if is_typed(signs) {
        Verdict::return_to_client(Reason::BadRequest)
    } else {
        Verdict::skip(Reason::Unknown)
    };
    verdict.into()
}

/// The prompt does not fit.
fn is_context(signs: &Signs<'_>) -> bool {
    signs.has_code(&["context_length_exceeded", "exceed_context_size_error", "model_context_window_exceeded"])
        || signs.says(&[
            // OpenAI, OpenRouter, vLLM
            "maximum context length",
            // llama.cpp
            "exceeds the available context size",
            // Cohere
            "too many tokens:",
            // Anthropic
            "prompt is too long",
            // Z.ai
            "exceeds max length",
            "maximum allowed input length",
            // Cloudflare
            "estimated number of input and maximum output tokens",
        ])
        // Gemini puts the number between the two.
        || (signs.says(&["input token count"]) && signs.says(&["exceeds"]))
        // TGI, and Together with it
        || (signs.says(&["input validation error"]) && signs.says(&["tokens +"]))
}

/// One request above the whole token window; Groq (413) and OpenAI (429) say it in the same words.
pub(super) fn exceeds_window(signs: &Signs<'_>) -> bool {
    signs.has_code(&["tokens_limit_reached", "request_too_large"]) || signs.says(&["request too large"])
}

/// Retired and unknown models, at providers that answer 400 where others answer 404.
fn lacks_model(signs: &Signs<'_>) -> bool {
    signs.has_code(&["model_not_found", "model_decommissioned", "model_archived", "invalid_model"])
        || signs.says(&["has been decommissioned", "is not a valid model", "not supported by any provider"])
        || signs.says(&["not supported by provider"])
        || says_no_model(&signs.envelope.text)
        || signs.envelope.text.lines().any(is_about_model)
}

/// "Model x does not exist". With more than a name between the words it is something else that does not exist.
fn says_no_model(text: &str) -> bool {
    text.match_indices(" does not exist").any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let lead = before.rsplit_once(' ').map_or("", |(lead, _name)| lead);
        [before, lead].iter().any(|words| words.trim_end_matches([':', ' ']).ends_with("model"))
    })
}

/// A text that starts with the model, so that no part of the request can stand before it.
fn is_about_model(line: &str) -> bool {
    let subject = ["model ", "the model ", "the requested model "];
    let gone = ["not found", "no longer available"];
    subject.iter().any(|start| line.starts_with(start)) && gone.iter().any(|phrase| line.contains(phrase))
}

/// More output asked for than the model can give.
fn is_output_cap(signs: &Signs<'_>) -> bool {
    let is_named = signs.says(&["max_tokens", "max_completion_tokens", "max_output_tokens"])
        || signs.envelope.param.as_deref().is_some_and(|name| name.starts_with("max_"));
    signs.has_code(&["max_tokens_exceeded"])
        || (is_named && signs.says(&["less than or equal to", "is too large", "supports at most"]))
}

fn is_unsupported(signs: &Signs<'_>) -> bool {
    signs.has_code(&[
        "extra_forbidden",
        "unsupported_parameter",
        "unsupported_value",
        "unknown_parameter",
        "wrong_api_format",
    ]) || signs.says(&[
        "unknown name",
        "is unsupported",
        "unsupported parameter",
        "is not supported",
        "are not supported",
        "not supported with",
        "does not support",
        "single tool-calls",
        "extra inputs are not permitted",
        "unrecognized request argument",
    ])
}

/// The region is not served; Gemini's code for that is `FAILED_PRECONDITION`.
fn is_region(signs: &Signs<'_>) -> bool {
    denied::names_region(signs) || signs.has_code(&["failed_precondition"])
}

/// The body says, in machine terms, that the request is invalid.
fn is_typed(signs: &Signs<'_>) -> bool {
    signs.envelope.schema_errors
        || signs.has_code(&[
            "invalid_request_error",
            "invalid_request",
            "invalid_argument",
            "invalid_value",
            "invalid_type",
            "invalid_prompt",
            "bad_request",
            "bad_request_error",
            "badrequesterror",
            "validation_error",
            "missing_required_parameter",
            "unprocessable_entity",
            "unprocessable",
        ])
}
