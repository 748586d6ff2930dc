//! 2xx answers that are, or are not, a success.

use std::time::Duration;

use serde_json::json;

use super::super::in_band;
use super::{NOW, answer};
use crate::domain::dialect::Dialect;
use crate::domain::outcome::{Action, CooldownClass, Reason, Target, Verdict};

fn reason(body: &str) -> Option<Reason> {
    answer(200).raw(body).verdict().reason
}

#[test]
fn good_answers_are_good_in_every_dialect() {
    for body in [
        json!({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}),
        json!({"choices": [{"message": {"content": null, "tool_calls": [{"id": "t"}]}, "finish_reason": "tool_calls"}]}),
        json!({"choices": [{"message": {"content": "", "reasoning_content": "hm"}, "finish_reason": "stop"}]}),
        json!({"choices": [{"message": {"content": ""}, "finish_reason": "length"}]}),
        json!({"choices": [{"message": {"content": null, "refusal": "no"}, "finish_reason": "stop"}]}),
        json!({"choices": [{"message": {"content": ""}}, {"message": {"content": "Hi"}}]}),
        json!({"object": "list", "data": [{"embedding": [0.1], "index": 0}], "usage": {"prompt_tokens": 1}}),
        json!({"error": null, "message": "ok", "choices": [{"message": {"content": "Hi"}}]}),
        json!({"usage": "none", "choices": [{"message": {"content": "an \"error\": {} in a text"}}]}),
    ] {
        for dialect in Dialect::ALL {
            assert_eq!(answer(200).from(dialect).json(&body).verdict(), Verdict::OK, "{dialect:?}: {body}");
        }
    }
}

#[test]
fn odd_but_legal_json_is_read() {
    assert_eq!(reason(r#"{"choices":[{"message":{"content":"\ud83d"}}]}"#), None);
    assert_eq!(reason(r#"{"choices":[],"choices":[{"message":{"content":"Hi"}}]}"#), None);
    assert_eq!(reason(" \r\n{\"choices\":[{\"message\":{\"content\":\"Hi\"}}]}\n"), None);
}

#[test]
fn o19_a_200_without_anything_usable_is_a_failure() {
    for (body, expected) in [
        ("", Reason::Empty),
        ("  \n", Reason::Empty),
        ("{}", Reason::Empty),
        (r#"{"choices":[]}"#, Reason::Empty),
        (r#"{"choices":null}"#, Reason::Empty),
        (r#"{"choices":{}}"#, Reason::Empty),
        (r#"{"choices":[null]}"#, Reason::Empty),
        (r#"{"choices":[{"message":{"content":""},"finish_reason":"stop"}]}"#, Reason::Empty),
        (r#"{"choices":[{"message":{"content":null}}]}"#, Reason::Empty),
        (r#"{"choices":[{"message":{"content":null},"finish_reason":"tool_calls"}]}"#, Reason::Empty),
        (r#"{"object":"list","data":[]}"#, Reason::Empty),
        (r#"{"choices":[{"mess"#, Reason::Truncated),
        (r#"{"choices":[{"message":{"content":"Hi"}}]"#, Reason::Truncated),
        ("<html>login</html>", Reason::InBandError),
        ("{\"response\":\"a\"}\n{\"response\":\"b\"}", Reason::InBandError),
        ("null", Reason::InBandError),
        ("Internal error", Reason::InBandError),
        (r#"{"error":"boom"}"#, Reason::InBandError),
        (r#"{"detail":"boom"}"#, Reason::InBandError),
        (r#"[{"error":{"message":"boom"}}]"#, Reason::InBandError),
        (r#"{"choices":[{"message":{"content":"part"},"finish_reason":"network_error"}]}"#, Reason::InBandError),
    ] {
        let verdict = answer(200).raw(body).verdict();
        assert_eq!((verdict.action, verdict.reason), (Action::NextEntry, Some(expected)), "{body}");
        assert_eq!(verdict.target, Target::Entry, "{body}");
        assert!(verdict.class.is_some(), "{body}");
    }
}

#[test]
fn moderation_that_left_nothing_goes_back() {
    let body = r#"{"choices":[{"message":{"content":null},"finish_reason":"content_filter"}]}"#;
    assert_eq!(reason(body), Some(Reason::ContentPolicy));
}

#[test]
fn an_error_code_in_a_200_counts_like_the_status() {
    for (body, reason, class) in [
        (json!({"error": {"code": 429, "message": "x"}}), Reason::RateLimit, CooldownClass::Unknown429),
        (json!({"error": {"code": "429", "message": "x"}}), Reason::RateLimit, CooldownClass::Unknown429),
        (json!({"error": {"code": "rate_limit_exceeded"}}), Reason::RateLimit, CooldownClass::Unknown429),
        (json!({"error": {"code": 402}}), Reason::Billing, CooldownClass::Billing),
        (json!({"error": {"code": 503}}), Reason::Overload, CooldownClass::Overload),
        (json!({"error": {"type": "overloaded_error"}}), Reason::InBandError, CooldownClass::Overload),
        (json!({"error": {"code": 502}}), Reason::InBandError, CooldownClass::ServerError),
        (json!({"error": {"code": "server_error"}}), Reason::InBandError, CooldownClass::ServerError),
        (json!({"error": {"code": 401}}), Reason::Auth, CooldownClass::Auth),
        (json!({"error": {"code": 404, "message": "no such model"}}), Reason::ModelGone, CooldownClass::ModelGone),
    ] {
        let verdict = answer(200).json(&body).verdict();
        assert_eq!((verdict.reason, verdict.class), (Some(reason), Some(class)), "{body}");
    }
}

#[test]
fn a_named_error_event_may_be_plain_text() {
    let verdict = in_band(Dialect::GenericOpenai, b"upstream gone, retry in 30s", NOW);
    assert_eq!((verdict.reason, verdict.target), (Some(Reason::InBandError), Target::Entry));
    assert_eq!(verdict.hint.map(|hint| hint.wait), Some(Duration::from_secs(30)));
    // Not an edge server's page: that would bench the whole provider.
    assert_eq!(in_band(Dialect::GenericOpenai, b"", NOW).target, Target::Entry);
}

#[test]
fn a_providers_own_code_needs_no_status() {
    let data = br#"{"error":{"code":"1302","message":"x"}}"#;
    assert_eq!(in_band(Dialect::Zai, data, NOW).reason, Some(Reason::Concurrency));
}

/// The short cut for usual answers takes none that the long way would refuse.
#[test]
fn the_short_cut_agrees_with_the_long_way() {
    let usual = r#"{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}"#;
    let unusual = [
        r#"{"choices":[{"message":{"content":""},"finish_reason":"stop"}]}"#,
        r#"{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop","error":{"code":502}}]}"#,
        r#"{"choices":[{"message":{"content":"Hi"},"finish_reason":"error"}]}"#,
        r#"{"error":{"message":"\"content\":\"x\" \"finish_reason\":\"stop\""}}"#,
        r#"[{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}]"#,
        r#"{"choices":[{"message":{"content":null},"finish_reason":"stop"}]}"#,
        usual,
    ];
    for body in unusual {
        let length = body.len().to_string();
        let short = answer(200).header("content-length", &length).raw(body).verdict();
        assert_eq!(short, answer(200).raw(body).verdict(), "{body}");
    }
    // Without a length, the end of the document has to be seen.
    let cut = usual.get(..usual.len() - 3).unwrap();
    assert_eq!(reason(&format!("{cut}}}")), Some(Reason::Truncated));
}
