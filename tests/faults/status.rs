//! Faults that a status tells.

use serde_json::Value;

use super::fault::Expect::{Doubted, Passed, Returned};
use super::fault::Fault;
use crate::support::provider::Answer;

/// Refusals other than for quota, and sickness.
pub fn refusals() -> Vec<Fault> {
    let html = |status: u16| {
        let page = "<html><body>Sorry</body></html>";
        Answer::raw(format!(
            "HTTP/1.1 {status} X\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n{page}",
            page.len()
        ))
    };
    let text = |status: u16, text: &str| {
        Answer::raw(format!(
            "HTTP/1.1 {status} X\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{text}",
            text.len()
        ))
    };
    let plain = |status: u16, kind: &str| Answer::error(status, &[], "it cannot be", kind);
    let moderated = r#"{"error":{"code":403,"message":"Your input was flagged","metadata":{"reasons":["violence"],"flagged_input":"x","provider_name":"P"}}}"#;
    let plan = r#"{"error":{"message":"this model requires a subscription","type":"permission_error"}}"#;
    let context = r#"{"error":{"message":"This model's maximum context length is 10 tokens","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#;
    let filtered = r#"{"error":{"message":"The response was filtered","type":"invalid_request_error","param":"prompt","code":"content_filter"}}"#;
    let unsupported = r#"{"error":{"message":"Unsupported parameter: 'logit_bias'","type":"invalid_request_error","param":"logit_bias","code":"unsupported_parameter"}}"#;
    vec![
        Fault::both("400, malformed request", plain(400, "invalid_request_error"), Doubted(400)),
        Fault::both("400, context length exceeded", Answer::json(400, &[], context), Doubted(400)),
        Fault::both("400, content filter", Answer::json(400, &[], filtered), Returned(400)),
        Fault::both("400, unsupported parameter", Answer::json(400, &[], unsupported), Doubted(400)),
        Fault::both("401", plain(401, "invalid_api_key"), Passed),
        Fault::both("402", plain(402, "billing"), Passed),
        Fault::both("403, plain", plain(403, "forbidden"), Passed),
        Fault::both("403, not in the plan", Answer::json(403, &[], plan), Passed),
        Fault::both("403, moderation", Answer::json(403, &[], moderated), Returned(403)).dialect("openrouter"),
        Fault::both("403, blocked by the edge", text(403, "error code: 1010"), Passed),
        Fault::both("404, JSON", Answer::error(404, &[], "model `m` not found", "not_found_error"), Passed),
        Fault::both("404, HTML", html(404), Passed),
        Fault::both("408", plain(408, "timeout"), Passed),
        Fault::both("413", plain(413, "too_large"), Doubted(413)),
        Fault::both("422", plain(422, "invalid_request_error"), Doubted(422)),
        Fault::both("500", plain(500, "server_error"), Passed),
        Fault::both(
            "500, and its body hangs",
            Answer::raw("HTTP/1.1 500 X\r\ncontent-length: 9\r\n\r\n").hang(),
            Passed,
        )
        .settings("  requestTimeoutMs: 400\n"),
        Fault::both("502, HTML", html(502), Passed),
        Fault::both("503", plain(503, "unavailable"), Passed),
        Fault::both("503 with Retry-After", Answer::error(503, &[("retry-after", "7")], "busy", "overloaded"), Passed),
        Fault::both("529", plain(529, "overloaded_error"), Passed),
        Fault::both("302 to elsewhere", Answer::json(302, &[("location", "http://127.0.0.1:1/")], ""), Passed),
        Fault::both("307 to itself", Answer::json(307, &[("location", "/v1/chat/completions")], ""), Passed),
    ]
}

/// Every 429 that was recorded, in its dialect.
pub fn limits() -> Vec<Fault> {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../fixtures/dialects.json")).unwrap();
    let known = |name: &str| -> &'static str {
        match name {
            "gemini" => "google-ai",
            "groq" => "groq",
            "zai" => "zai",
            "mistral" => "mistral",
            "openrouter" => "openrouter",
            "cerebras" => "cerebras",
            "cloudflare" => "cloudflare",
            "openai" => "openai",
            "cohere" => "cohere",
            "nvidia" => "nvidia",
            "together" => "together",
            "ollama-cloud" => "ollama-cloud",
            _ => "generic-openai",
        }
    };
    let limited = cases.iter().filter(|case| case["status"] == 429 && case["provider"] != "hostile");
    limited
        .map(|case| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let headers = case["headers"].as_object().unwrap();
            let headers: Vec<(&str, String)> =
                headers.iter().map(|(name, value)| (name.as_str(), text(value))).collect();
            let mut lines: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            lines.retain(|(name, _)| !matches!(*name, "content-type" | "content-length" | "transfer-encoding"));
            let answer = Answer::json(429, &lines, &text(&case["body"]));
            let name = format!("429, {}: {}", text(&case["provider"]), text(&case["case"]));
            let expect = match case["expect"]["action"].as_str() {
                Some("return_to_client") => Returned(429),
                _ => Passed,
            };
            Fault::both(name, answer, expect).dialect(known(case["provider"].as_str().unwrap()))
        })
        .collect()
}
