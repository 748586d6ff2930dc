//! Rows of the table that no recorded answer covers.

use std::time::Duration;

use serde_json::{Value, json};

use super::answer;
use crate::domain::dialect::Dialect;
use crate::domain::outcome::{Action, CooldownClass, Reason, Target};

fn message(text: &str) -> Value {
    json!({"error": {"message": text}})
}

#[test]
fn an_edge_server_that_blocks_the_client_is_no_bad_key() {
    for body in ["error code: 1010", "<html>Attention Required</html>"] {
        for dialect in Dialect::ALL.into_iter().filter(|dialect| *dialect != Dialect::GoogleAi) {
            let verdict = answer(403).from(dialect).raw(body).verdict();
            assert_eq!((verdict.reason, verdict.target), (Some(Reason::Blocked), Target::Provider), "{dialect:?}");
        }
    }
}

#[test]
fn moderation_goes_back_to_the_client() {
    for body in [
        json!({"error": {"code": 403, "message": "flagged", "metadata": {"reasons": ["violence"], "flagged_input": "x"}}}),
        json!({"error": {"code": "content_policy_violation", "message": "no"}}),
        json!({"error": {"code": 403, "metadata": {"error_type": "refusal"}}}),
    ] {
        let verdict = answer(403).from(Dialect::Openrouter).json(&body).verdict();
        assert_eq!((verdict.action, verdict.reason), (Action::ReturnToClient, Some(Reason::ContentPolicy)), "{body}");
    }
}

#[test]
fn a_403_may_be_the_key_the_money_or_the_region() {
    for (text, reason, target) in [
        ("Invalid API key provided", Reason::Auth, Target::Key),
        ("Sorry, your account balance is insufficient", Reason::Billing, Target::Key),
        ("User location is not supported for the API use.", Reason::ProviderRejected, Target::Provider),
        ("Forbidden", Reason::Auth, Target::Entry),
    ] {
        let verdict = answer(403).json(&message(text)).verdict();
        assert_eq!((verdict.reason, verdict.target), (Some(reason), target), "{text}");
    }
}

#[test]
fn requests_that_only_this_entry_cannot_serve_cost_no_cooldown() {
    for (text, reason) in [
        ("This model's maximum context length is 4096 tokens", Reason::Context),
        ("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096", Reason::Context),
        ("max_tokens is too large: 100000. This model supports at most 16384 completion tokens", Reason::OutputCap),
        ("registry.ollama.ai/library/x does not support tools", Reason::UnsupportedParameter),
        ("Unrecognized request argument supplied: foo", Reason::UnsupportedParameter),
        ("something odd", Reason::Unknown),
    ] {
        for dialect in Dialect::ALL {
            let verdict = answer(400).from(dialect).json(&message(text)).verdict();
            assert_eq!((verdict.action, verdict.reason), (Action::NextEntry, Some(reason)), "{dialect:?}: {text}");
            assert_eq!((verdict.target, verdict.class), (Target::Request, None), "{dialect:?}: {text}");
        }
    }
}

#[test]
fn what_an_aggregator_passes_on_is_read_too() {
    let raw = r#"{"error":{"message":"This model's maximum context length is 8192 tokens","code":400}}"#;
    let body = json!({"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": raw}}});
    assert_eq!(answer(400).from(Dialect::Openrouter).json(&body).verdict().reason, Some(Reason::Context));
}

#[test]
fn trouble_behind_an_aggregator_is_not_that_of_our_key() {
    for (status, text) in [
        (400, "API key not valid. Please pass a valid API key."),
        (403, "Your credit balance is too low"),
        (403, "User location is not supported for the API use."),
    ] {
        let raw = message(text).to_string();
        let metadata = json!({"raw": raw, "provider_name": "P"});
        let body = json!({"error": {"message": "Provider returned error", "code": status, "metadata": metadata}});
        let verdict = answer(status).from(Dialect::Openrouter).json(&body).verdict();
        assert_eq!((verdict.action, verdict.target), (Action::NextEntry, Target::Entry), "{text}");
    }
}

#[test]
fn a_request_cannot_bench_an_entry_by_what_it_says() {
    for echo in [
        "Invalid value: 'The model x does not exist'",
        "Invalid value: \"invalid api key\" in tools",
        "Invalid content `your credits are depleted`",
    ] {
        let body = json!({"error": {"message": echo, "type": "invalid_request_error"}});
        let verdict = answer(400).json(&body).verdict();
        assert_eq!((verdict.reason, verdict.class), (Some(Reason::BadRequest), None), "{echo}");
    }
}

#[test]
fn the_wrong_address_benches_the_provider_and_not_the_model() {
    for body in [
        "",
        "404 page not found",
        "<html>Not Found</html>",
        r#"{"detail":"Not Found"}"#,
        r#"{"error":{"message":"Unknown request URL: POST /v1/v1/chat/completions. Please check the URL for typos, or see the docs at https://console.groq.com/docs/","type":"invalid_request_error","code":"unknown_url"}}"#,
        r#"{"error":{"message":"Invalid URL (POST /chat/completions)","type":"invalid_request_error","param":null,"code":null}}"#,
        r#"{"message":"no Route matched with those values"}"#,
    ] {
        let verdict = answer(404).raw(body).verdict();
        assert_eq!((verdict.reason, verdict.target), (Some(Reason::ProviderRejected), Target::Provider), "{body}");
    }
    let echo = json!({"error": {"message": "Cannot fetch the image: Invalid URL (https://x/y.png)", "code": "image_not_found"}});
    assert_eq!(answer(404).json(&echo).verdict().target, Target::Entry);
    let route = json!({"success": false, "errors": [{"code": 7000, "message": "No route for that URI"}]});
    assert_eq!(answer(404).from(Dialect::Cloudflare).json(&route).verdict().target, Target::Provider);
}

#[test]
fn openrouter_capabilities_are_of_the_request_and_missing_endpoints_of_the_model() {
    for (text, reason) in [
        ("No endpoints found that support tool use.", Reason::UnsupportedParameter),
        ("No allowed providers are available for the selected model.", Reason::UnsupportedParameter),
        ("No endpoints found matching your data policy", Reason::ModelGone),
    ] {
        let verdict = answer(404).from(Dialect::Openrouter).json(&message(text)).verdict();
        assert_eq!(verdict.reason, Some(reason), "{text}");
    }
}

#[test]
fn the_later_of_retry_after_and_the_reset_of_a_spent_bucket_counts() {
    let headers = |after: &str| {
        answer(429)
            .header("retry-after", after)
            .header("x-ratelimit-remaining-requests-day", "0")
            .header("x-ratelimit-reset-requests-day", "43200")
    };
    assert_eq!(headers("2").wait(), Some(Duration::from_secs(43_200)));
    assert_eq!(headers("50000").wait(), Some(Duration::from_secs(50_000)));
    assert_eq!(headers("2").verdict().reason, Some(Reason::Quota));
}

#[test]
fn a_reset_that_says_when_the_bucket_is_full_is_no_wait() {
    for dialect in [Dialect::Groq, Dialect::Openai] {
        let answer = answer(429)
            .from(dialect)
            .header("x-ratelimit-remaining-requests", "0")
            .header("x-ratelimit-reset-requests", "24h0m0s");
        assert_eq!(answer.wait(), None);
    }
}

#[test]
fn an_advertised_window_is_not_the_one_that_was_hit() {
    let text = "Rate limit of 20 requests per minute exceeded. Add credits to unlock 1000 requests per day";
    let verdict = answer(429).json(&message(text)).verdict();
    assert_eq!((verdict.reason, verdict.class), (Some(Reason::RateLimit), Some(CooldownClass::Minute)));
}

#[test]
fn concurrency_is_short() {
    let header = answer(429).header("x-ratelimit-type", "UserConcurrentRequests");
    assert_eq!(header.verdict().class, Some(CooldownClass::Concurrency));
    let text = answer(429).json(&message("Too many concurrent requests"));
    assert_eq!(text.verdict().reason, Some(Reason::Concurrency));
}

#[test]
fn a_local_server_never_stays_away_long() {
    for status in [404, 408, 429, 500, 502, 503] {
        let verdict = answer(status).from(Dialect::Local).json(&message("x")).verdict();
        assert_eq!(verdict.class, Some(CooldownClass::LocalBusy), "{status}");
    }
}

#[test]
fn googles_zero_limit_is_exactly_zero() {
    for (text, reason) in [
        ("limit: 0, model: gemini-pro", Reason::NotInPlan),
        ("limit: 0\nPlease retry in 5s.", Reason::NotInPlan),
        ("limit: 05", Reason::RateLimit),
        ("limit: 20, model: gemini-flash", Reason::RateLimit),
    ] {
        let verdict = answer(429).from(Dialect::GoogleAi).json(&message(text)).verdict();
        assert_eq!(verdict.reason, Some(reason), "{text}");
    }
}

#[test]
fn a_session_window_is_five_hours_of_the_account() {
    let body = json!({"error": "you (name) have reached your session usage limit, upgrade for higher limits"});
    let verdict = answer(429).from(Dialect::OllamaCloud).json(&body).verdict();
    assert_eq!((verdict.reason, verdict.target), (Some(Reason::Quota), Target::Key));
    assert_eq!(verdict.class, Some(CooldownClass::Session5h));
}

#[test]
fn a_transient_status_without_a_name_is_a_server_error() {
    for status in [0, 100, 599, 600, 999] {
        let verdict = answer(status).verdict();
        assert_eq!(verdict.action, Action::NextEntry, "{status}");
        assert_eq!(verdict.class, Some(CooldownClass::ServerError), "{status}");
    }
}

/// A 400 that mentions a model and something that does not exist speaks of the request, not of the model.
#[test]
fn only_a_model_that_does_not_exist_is_gone() {
    for (text, reason) in [
        ("The model `org/x` does not exist or you do not have access to it.", Reason::ModelGone),
        ("Model x does not exist", Reason::ModelGone),
        ("The requested model does not exist", Reason::ModelGone),
        ("The model wrote a call whose tool does not exist", Reason::BadRequest),
        ("File model.bin does not exist", Reason::BadRequest),
        ("Tool call_1 does not exist in what was sent to this model", Reason::BadRequest),
    ] {
        let body = serde_json::json!({"error": {"message": text, "type": "invalid_request_error"}});
        assert_eq!(answer(400).json(&body).verdict().reason, Some(reason), "{text}");
    }
}
