use serde_json::json;

use super::*;
use crate::domain::evidence::{DAY, HOUR, MINUTE, MONTH, SECOND, Stated, read_in_band};
use crate::domain::outcome::Reason;

use Dimension::{Neurons, Requests, Tokens};

fn says(dialect: Dialect, status: u16, message: &str) -> Evidence {
    judged(dialect, status, &[], &json!({ "error": { "message": message } }).to_string()).1
}

#[test]
fn texts_name_the_bucket_that_refused() {
    for (text, dimension, window, limit, remaining) in [
        ("on tokens per day (TPD): Limit 200000, Used 197494, Requested 4035", Tokens, DAY, Some(200_000), 2_506),
        ("on requests per min (RPM): Limit 3 / Used 9 / Requested 1", Requests, MINUTE, Some(3), 0),
        ("Requests per hour limit exceeded - too many requests sent.", Requests, HOUR, None, 0),
        ("Rate limit of 50 per 86400s exceeded for UserByModelByDay.", Requests, DAY, Some(50), 0),
        ("Rate limit of 9 per 60s exceeded for UserByModelByMinuteTokens. Wait", Tokens, MINUTE, Some(9), 0),
        ("a Trial key, which is limited to 1000 API calls / month. You", Requests, MONTH, Some(1_000), 0),
        ("your daily free allocation of 10,000 neurons", Neurons, DAY, Some(10_000), 0),
    ] {
        let evidence = says(Dialect::GenericOpenai, 429, text);
        assert_eq!(evidence.readings, [reading(dimension, Some(window), limit, Some(remaining))], "{text}");
        let stated = limit.filter(|_| dimension != Neurons).map(|limit| Stated::Window { dimension, window, limit });
        assert_eq!(evidence.stated, Vec::from_iter(stated), "{text}");
    }
}

#[test]
fn the_wait_belongs_to_the_bucket_that_refused() {
    let text = "on tokens per day (TPD): Limit 9, Used 9, Requested 4. Please try again in 7m";
    let body = json!({ "error": { "message": text } }).to_string();
    let lines = [("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-remaining-tokens", "5")];
    let (_, evidence) = judged(Dialect::Groq, 429, &lines, &body);
    let expected = [
        reading(Tokens, Some(DAY), Some(9), Some(0)).after(420.0, ResetKind::Next),
        reading(Requests, Some(DAY), None, Some(0)),
        reading(Tokens, Some(MINUTE), None, Some(5)),
    ];
    assert_eq!(evidence.readings, expected);
}

#[test]
fn without_a_name_the_wait_belongs_to_the_longest_window_that_is_spent() {
    let lines = [
        ("retry-after", "9"),
        ("x-ratelimit-remaining-requests-minute", "0"),
        ("x-ratelimit-remaining-requests-day", "0"),
        ("x-ratelimit-remaining-tokens-day", "5"),
    ];
    let (_, evidence) = judged(Dialect::GenericOpenai, 429, &lines, "");
    let resets: Vec<_> = evidence.readings.iter().map(|reading| reading.reset.is_some()).collect();
    assert_eq!(resets, [false, true, false]);
}

#[test]
fn a_reset_of_its_own_outranks_the_wait() {
    let lines =
        [("retry-after", "9"), ("x-ratelimit-remaining-requests-day", "0"), ("x-ratelimit-reset-requests-day", "70")];
    let (_, evidence) = judged(Dialect::GenericOpenai, 429, &lines, "");
    let expected = reading(Requests, Some(DAY), None, Some(0)).after(70.0, ResetKind::WindowEnd);
    assert_eq!(evidence.readings, [expected]);
}

#[test]
fn the_wait_of_an_overload_belongs_to_no_bucket() {
    let lines = [("retry-after", "9"), ("x-ratelimit-remaining-requests-day", "0")];
    let (verdict, evidence) = judged(Dialect::GenericOpenai, 503, &lines, "");
    assert!(verdict.hint.is_some());
    assert_eq!(evidence.readings, [reading(Requests, Some(DAY), None, Some(0))]);
}

#[test]
fn a_request_that_is_too_large_spends_nothing() {
    let text = "Request too large on tokens per minute (TPM): Limit 8000, Requested 13431, please reduce";
    let evidence = says(Dialect::Groq, 413, text);
    assert_eq!(evidence.readings, []);
    assert_eq!(evidence.stated, [Stated::Window { dimension: Tokens, window: MINUTE, limit: 8_000 }]);
}

#[test]
fn contexts_are_learned_from_what_every_server_says() {
    for (text, limit) in [
        ("This model's maximum context length is 12288 tokens. However, you requested 20480 tokens", 12_288),
        ("The input token count (1236488) exceeds the maximum number of tokens allowed (1048576).", 1_048_576),
        ("request (13392 tokens) exceeds the available context size (8192 tokens), try increasing it", 8_192),
        (
            "The estimated number of input and maximum output tokens (24092) exceeded this model context window limit (24000).",
            24_000,
        ),
        ("prompt is too long: 210000 tokens > 200000 maximum", 200_000),
        ("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. Given: 5000", 4_097),
    ] {
        assert_eq!(says(Dialect::GenericOpenai, 400, text).stated, [Stated::Context(limit)], "{text}");
    }
    let body = json!({ "error": { "code": "tokens_limit_reached", "message": "Max size: 8000 tokens." } });
    let (verdict, evidence) = judged(Dialect::GenericOpenai, 413, &[], &body.to_string());
    assert_eq!((verdict.reason, evidence.stated), (Some(Reason::TooLarge), vec![Stated::Context(8_000)]));
    // What the answer's own budget leaves is no property of the model.
    let text = "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4292.";
    assert!(says(Dialect::Cohere, 400, text).is_empty());
}

#[test]
fn the_number_of_llama_cpp_stands_in_a_member() {
    let error = json!({ "code": 400, "type": "exceed_context_size_error", "message": "too long", "n_ctx": 8192 });
    let (_, evidence) = judged(Dialect::Local, 400, &[], &json!({ "error": error }).to_string());
    assert_eq!(evidence.stated, [Stated::Context(8_192)]);
    let none = json!({ "error": { "type": "exceed_context_size_error", "message": "too long", "n_ctx": 0 } });
    assert!(judged(Dialect::Local, 400, &[], &none.to_string()).1.is_empty());
}

fn google(violations: &[(&str, Option<&str>)], text: &str, delay: &str) -> Evidence {
    let violation = |(id, value): &(&str, Option<&str>)| json!({ "quotaId": id, "quotaValue": value });
    let violations: Vec<_> = violations.iter().map(violation).collect();
    let details = json!([{ "violations": violations }, { "retryDelay": delay }]);
    let body = json!([{ "error": { "code": 429, "message": text, "details": details } }]);
    judged(Dialect::GoogleAi, 429, &[], &body.to_string()).1
}

const PER_MINUTE: &str = "GenerateContentInputTokensPerModelPerMinute-FreeTier";
const PER_DAY: &str = "GenerateRequestsPerDayPerProjectPerModel-FreeTier";

#[test]
fn googles_ids_name_what_is_counted_and_the_window() {
    let minute = google(&[(PER_MINUTE, Some("250000"))], "Quota exceeded", "12s");
    let expected = reading(Tokens, Some(MINUTE), Some(250_000), Some(0)).after(12.0, ResetKind::Next);
    assert_eq!(minute.readings, [expected]);
    let day = google(&[(PER_DAY, None)], "for metric: x, limit: 20, model: y3", "25s");
    let expected = reading(Requests, Some(DAY), Some(20), Some(0)).after(72_000.0, ResetKind::WindowEnd);
    assert_eq!(day.readings, [expected]);
    assert_eq!(day.stated, [Stated::Window { dimension: Requests, window: DAY, limit: 20 }]);
}

#[test]
fn a_short_delay_belongs_to_the_short_one_of_two_quotas() {
    let both = google(&[(PER_DAY, Some("20")), (PER_MINUTE, Some("9"))], "Quota exceeded", "41s");
    let expected = [
        reading(Requests, Some(DAY), Some(20), Some(0)).after(72_000.0, ResetKind::WindowEnd),
        reading(Tokens, Some(MINUTE), Some(9), Some(0)).after(41.0, ResetKind::Next),
    ];
    assert_eq!(both.readings, expected);
}

#[test]
fn googles_newer_codes_name_the_window_and_the_text_what_is_counted() {
    for (code, metric, dimension, window) in [
        ("quota_exceeded", "x.com/free_tier_requests", Requests, DAY),
        ("rate_limit_exceeded", "x.com/free_tier_input_token_count", Tokens, MINUTE),
    ] {
        let text = format!("* Quota exceeded for metric: {metric}, limit: 20, model: gemini-3.6-flash");
        let body = json!({ "error": { "message": text, "code": code } }).to_string();
        let (_, evidence) = judged(Dialect::GoogleAi, 429, &[], &body);
        assert_eq!(evidence.stated, [Stated::Window { dimension, window, limit: 20 }], "{code}");
        assert_eq!(evidence.readings[0].remaining, Some(0));
    }
    let body = json!({ "error": { "message": "metric: requests, limit: 20", "code": "too_many_requests" } });
    assert!(judged(Dialect::GoogleAi, 429, &[], &body.to_string()).1.is_empty(), "no window, no bucket");
}

#[test]
fn a_quota_of_zero_is_no_limit_to_learn() {
    let none = google(&[(PER_DAY, Some("0"))], "limit: 0", "12s");
    assert_eq!(none.readings, [reading(Requests, Some(DAY), Some(0), Some(0))]);
    assert_eq!(none.stated, []);
}

#[test]
fn openrouters_headers_speak_of_the_window_in_the_text() {
    let headers = json!({ "X-RateLimit-Limit": "20", "X-RateLimit-Reset": "1795521637000" });
    let error = json!({ "code": 429, "message": "free-models-per-min", "metadata": { "headers": headers } });
    let body = json!({ "error": error }).to_string();
    let expected = [reading(Requests, Some(MINUTE), Some(20), Some(0)).after(37.0, ResetKind::WindowEnd)];
    let (verdict, whole) = judged(Dialect::Openrouter, 429, &[], &body);
    assert_eq!(whole.readings, expected);
    assert_eq!(read_in_band(Dialect::Openrouter, body.as_bytes(), &verdict, NOW).readings, expected);
}

#[test]
fn what_a_provider_behind_an_aggregator_says_is_not_about_us() {
    let raw = "on tokens per day (TPD): Limit 9, Used 9. free-models-per-day";
    let metadata = json!({ "provider_name": "P", "raw": raw, "headers": { "X-RateLimit-Remaining": "0" } });
    let body = json!({ "error": { "code": 429, "message": "Provider returned error", "metadata": metadata } });
    let (verdict, evidence) = judged(Dialect::Openrouter, 429, &[], &body.to_string());
    assert_eq!(verdict.reason, Some(Reason::Quota));
    assert!(evidence.is_empty(), "{evidence:?}");
}

#[test]
fn together_names_what_is_counted_by_a_code() {
    for (code, dimension) in [("dynamic_request_limited", Requests), ("dynamic_token_limited", Tokens)] {
        let body = json!({ "error": { "message": "Dynamic limit", "type": "rate_limit" }, "error_type": code });
        let (_, evidence) = judged(Dialect::Together, 429, &[("x-ratelimit-reset", "2")], &body.to_string());
        let expected = reading(dimension, Some(SECOND), None, Some(0)).after(2.0, ResetKind::Next);
        assert_eq!(evidence.readings, [expected], "{code}");
    }
}

#[test]
fn azure_names_the_bucket_in_a_header() {
    let lines = [("x-ratelimit-type", "UserByModelByMinuteTokens"), ("retry-after", "9")];
    let (_, evidence) = judged(Dialect::GenericOpenai, 429, &lines, "");
    assert_eq!(evidence.readings, [reading(Tokens, Some(MINUTE), None, Some(0)).after(9.0, ResetKind::WindowEnd)]);
}

#[test]
fn mistrals_minute_ends_for_every_bucket_of_the_minute() {
    let lines = [
        ("x-ratelimit-remaining-req-minute", "3"),
        ("x-ratelimit-remaining-tokens-minute", "7"),
        ("x-ratelimitbysize-remaining-month", "9"),
    ];
    let (_, evidence) = judged(Dialect::Mistral, 429, &lines, "");
    let after: Vec<_> = evidence.readings.iter().map(|reading| reading.reset.map(|reset| reset.after)).collect();
    assert_eq!(after, [Some(MINUTE), Some(MINUTE), None]);
}

#[test]
fn texts_of_other_failures_are_no_evidence() {
    let text = "on tokens per day (TPD): Limit 9, Used 9; maximum context length is 5";
    for status in [401, 402, 404, 500, 503] {
        assert!(says(Dialect::GenericOpenai, status, text).is_empty(), "{status}");
    }
}
