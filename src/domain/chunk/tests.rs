use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn chunk(value: &Value) -> Chunk {
    read(value.to_string().as_bytes())
}

fn delta(delta: &Value) -> Chunk {
    chunk(&json!({"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": null}]}))
}

#[test]
fn anything_the_client_can_use_is_content() {
    for member in [
        json!({"content": "Hi"}),
        json!({"content": " "}),
        json!({"content": [{"type": "text", "text": "Hi"}]}),
        json!({"reasoning": "hm"}),
        json!({"content": "", "reasoning_content": "hm"}),
        json!({"refusal": "no"}),
        json!({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": ""}}]}),
        json!({"function_call": {"name": "f"}}),
        json!({"audio": {"data": "AAAA"}}),
    ] {
        assert!(delta(&member).content, "{member}");
    }
}

#[test]
fn a_role_or_an_empty_delta_is_no_content() {
    for member in [
        json!({}),
        json!(null),
        json!("Hi"),
        json!([1]),
        json!({"role": "assistant"}),
        json!({"content": ""}),
        json!({"content": null, "tool_calls": null}),
        json!({"content": [], "tool_calls": [], "function_call": {}}),
    ] {
        let chunk = delta(&member);
        assert!(!chunk.content && chunk.readable && !chunk.failed, "{member}");
    }
}

#[test]
fn half_an_emoji_is_content() {
    // A token may end between the two halves of a surrogate pair.
    let data = br#"{"choices":[{"delta":{"content":"\ud83d"},"finish_reason":null}]}"#;
    let chunk = read(data);
    assert!(chunk.content && chunk.readable);
}

#[test]
fn finish_reasons() {
    for (name, finish) in [
        (json!("stop"), Some(Finish::Stop)),
        (json!("length"), Some(Finish::Length)),
        (json!("tool_calls"), Some(Finish::ToolCalls)),
        (json!("function_call"), Some(Finish::ToolCalls)),
        (json!("content_filter"), Some(Finish::ContentFilter)),
        (json!("sensitive"), Some(Finish::ContentFilter)),
        (json!("weather"), Some(Finish::Other)),
        (json!(""), None),
        (json!(null), None),
        (json!(7), None),
    ] {
        let chunk = chunk(&json!({"choices": [{"delta": {}, "finish_reason": name}]}));
        assert_eq!((chunk.finish, chunk.failed), (finish, false), "{name}");
    }
}

#[test]
fn o19_an_error_inside_a_stream_is_a_failure() {
    let mut failures = vec![
        json!({"error": {"code": 429, "message": "slow down"}}),
        json!({"error": "upstream timeout"}),
        json!({"choices": [{"delta": {}, "error": {"code": 502}}]}),
        json!({"choices": [], "x_groq": {"id": "r", "error": "over_capacity"}}),
        json!({"object": "error", "message": "no", "code": 400}),
        json!({"message": "no", "type": "too_many_requests_error"}),
        json!({"detail": "Internal Server Error"}),
        json!({"success": false, "errors": [{"code": 3040}]}),
        json!([{"error": {"code": 503, "status": "UNAVAILABLE"}}]),
    ];
    for reason in ["error", "ERROR", "TIMEOUT", "network_error"] {
        failures.push(json!({"choices": [{"delta": {"content": ""}, "finish_reason": reason}]}));
    }
    for failure in failures {
        let chunk = chunk(&failure);
        assert!(chunk.failed && chunk.readable && !chunk.usage_only, "{failure}");
    }
}

#[test]
fn an_empty_error_is_none() {
    for error in [json!(null), json!(""), json!({}), json!([]), json!(false), json!(0)] {
        let chunk = chunk(&json!({"error": error, "choices": [{"delta": {"content": "Hi"}}]}));
        assert!(!chunk.failed && chunk.content, "{error}");
    }
}

#[test]
fn usage_stands_in_four_places() {
    let usage = json!({"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15});
    for place in [
        json!({"choices": [], "usage": usage}),
        json!({"choices": [{"delta": {}}], "usage": usage}),
        json!({"choices": [{"delta": {}, "usage": usage}], "usage": null}),
        json!({"choices": [{"delta": {}}], "x_groq": {"usage": usage}}),
    ] {
        let read = chunk(&place).usage.map(|usage| (usage.prompt_tokens, usage.completion_tokens));
        assert_eq!(read, Some((12, 3)), "{place}");
    }
}

#[test]
fn only_the_extra_usage_chunk_is_usage_only() {
    let usage = json!({"prompt_tokens": 12, "completion_tokens": 3});
    assert!(chunk(&json!({"choices": [], "usage": usage})).usage_only);
    assert!(chunk(&json!({"usage": {"prompt_tokens": "?"}, "choices": []})).usage_only);
    // The usage may ride on the last choice, and an empty list may carry a content filter's findings (Azure).
    assert!(!chunk(&json!({"choices": [{"delta": {}}], "usage": usage})).usage_only);
    assert!(!chunk(&json!({"choices": [], "prompt_filter_results": []})).usage_only);
    assert!(!chunk(&json!({"choices": [], "usage": null})).usage_only);
    assert!(chunk(&json!({"usage": usage})).usage_only, "clients look for a choice in every other chunk");
}

#[test]
fn the_last_of_repeated_keys_counts() {
    let chunk = read(br#"{"choices":[],"choices":[{"delta":{"content":"","content":"Hi"}}]}"#);
    assert!(chunk.readable && chunk.content);
}

#[test]
fn unreadable_payloads_say_nothing() {
    for data in ["", " ", "{oops", "Hi", "null", "5", "\"Hi\"", "[]", "[DONE]", "{}{}", "<html>"] {
        assert_eq!(read(data.as_bytes()), Chunk::default(), "{data}");
    }
    assert!(read(b"{}").readable);
}

#[test]
fn the_end_of_a_stream() {
    assert!(is_done(b"[DONE]") && is_done(b" [DONE]\t"));
    assert!(!is_done(b"[done]") && !is_done(b"") && !is_done(br#"{"a":"[DONE]"}"#));
}

/// What [`read`] should say, the slow way.
fn oracle(value: &Value) -> (bool, bool) {
    let filled = |member: &Value| match member {
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        member => member == &Value::Bool(true),
    };
    let choices = value["choices"].as_array().cloned().unwrap_or_default();
    let content = choices.iter().any(|choice| {
        ["content", "reasoning", "reasoning_content", "tool_calls", "refusal"]
            .iter()
            .any(|name| choice["delta"].is_object() && filled(&choice["delta"][*name]))
    });
    let failed = filled(&value["error"])
        || choices.iter().any(|choice| filled(&choice["error"]) || choice["finish_reason"] == "error");
    (content, failed)
}

fn any_member() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        Just(json!(0)),
        Just(json!(1e300)),
        Just(json!("")),
        Just(json!("error")),
        Just(json!("Hi \u{1f600} \"quoted\" \\ \n")),
        Just(json!([])),
        Just(json!([{}])),
        Just(json!({})),
        Just(json!({"a": [1]})),
    ]
}

proptest! {
    #[test]
    fn agrees_with_a_full_parse(
        members in prop::collection::vec((any_member(), any_member(), any_member(), any_member()), 0..3),
        odd in any_member(),
        error in any_member(),
        listed in any::<bool>(),
    ) {
        let choices: Vec<Value> = members
            .into_iter()
            .map(|(content, reasoning, error, finish)| {
                json!({"delta": {"content": content, "reasoning": reasoning}, "error": error, "finish_reason": finish})
            })
            .chain([odd.clone()])
            .collect();
        let choices = if listed { Value::Array(choices) } else { odd };
        let value = json!({"id": 1, "choices": choices, "error": error});
        let chunk = chunk(&value);
        prop_assert!(chunk.readable);
        prop_assert_eq!((chunk.content, chunk.failed), oracle(&value));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(data in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&data);
        let _ = classify_in_band(Dialect::GenericOpenai, &data, Wall(0));
    }
}
