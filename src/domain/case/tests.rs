use super::*;

/// 2026-11-24T12:00:00Z
const NOW: Wall = Wall(1_795_521_600_000);

fn fault(line: &str) -> String {
    Case::read(line, NOW).unwrap_err().to_string()
}

fn json(line: &str) -> Value {
    serde_json::to_value(Case::read(line, NOW).unwrap().expectation()).unwrap()
}

#[test]
fn mistakes_say_what_and_where() {
    for (line, words) in [
        ("{", &["EOF", "column 1"][..]),
        (r#"[{"provider":"groq","status":429}]"#, &["one JSON object", "jq -c"]),
        (r#"{"provider":"groq"}"#, &["missing field `status`"]),
        (r#"{"provider":"groq","status":429,"header":{}}"#, &["unknown field `header`", "`headers`"]),
        (r#"{"provider":"gorq","status":429}"#, &["\"gorq\"", "did you mean groq?", "generic-openai"]),
        (r#"{"provider":"groq","status":70000}"#, &["70000", "u16"]),
        (r#"{"provider":"groq","status":429,"now":"noon"}"#, &["\"noon\"", "2026-11-24T12:00:00Z"]),
        (r#"{"provider":"groq","status":429,"headers":{"retry-after":7}}"#, &["a string or a list of strings"]),
        (r#"{"provider":"groq","status":429,"headers":[]}"#, &["header names and values"]),
    ] {
        let fault = fault(line);
        for word in words {
            assert!(fault.contains(word), "{word} is not in {fault}");
        }
        assert!(!fault.contains("line 1"), "{fault}");
    }
}

#[test]
fn what_is_left_out_has_a_default() {
    let case = Case::read(r#"{"provider":"vllm","status":503}"#, NOW).unwrap();
    assert_eq!((case.dialect, case.now, case.stream), (Dialect::Local, NOW, false));
    assert!(case.headers.is_empty() && case.body.is_empty());
    let case = Case::read(r#"{"provider":"groq","status":200,"now":"2026-11-24T12:00:01Z"}"#, NOW).unwrap();
    assert_eq!(case.now, Wall(NOW.0 + 1_000));
}

#[test]
fn a_body_is_raw_text_or_json_as_it_was_sent() {
    let body = |body: &str| {
        let line = format!(r#"{{"provider":"groq","status":429,"body":{body}}}"#);
        String::from_utf8(Case::read(&line, NOW).unwrap().body).unwrap()
    };
    assert_eq!(body(r#""a\n\"b\"""#), "a\n\"b\"");
    assert_eq!(body(r#"{"b":1, "a":2.50}"#), r#"{"b":1, "a":2.50}"#);
    assert_eq!(body("[]"), "[]");
}

#[test]
fn repeated_headers_are_lines_of_their_own() {
    let line = r#"{"provider":"groq","status":429,"headers":{"Retry-After":["10","60"]}}"#;
    assert_eq!(Case::read(line, NOW).unwrap().headers.len(), 2);
    assert_eq!(json(line)["cooldown_s"], 60);
}

#[test]
fn a_good_answer_that_spends_a_bucket_is_proactive() {
    let line = r#"{"provider":"cohere","status":200,"headers":{"x-trial-endpoint-call-remaining":"0"},
        "body":{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}}"#;
    let out = json(line);
    assert_eq!((&out["action"], &out["reason"]), (&"ok".into(), &"exhausted".into()));
    assert_eq!((&out["cooldown_s"], &out["basis"]), (&60.into(), &"window_length".into()));
    assert_eq!(out["proactive"], true);
    assert!(out.get("text").is_none() && out.get("permanent").is_none() && out.get("clamped").is_none());
}

#[test]
fn a_stream_is_judged_with_its_headers() {
    let line = r#"{"provider":"groq","status":200,"stream":true,"headers":{"x-ratelimit-limit-requests":"1000",
        "x-ratelimit-remaining-requests":"7"},"body":"data: {\"error\":{\"code\":429,\"message\":\"on tokens per day (TPD): Limit 10, Used 10, Requested 1. Please try again in 9s.\"}}\n\n"}"#;
    let out = json(line);
    assert_eq!((&out["action"], &out["text"]), (&"next_entry".into(), &"".into()));
    assert_eq!(out["buckets"].as_array().unwrap().len(), 2, "{out}");
    assert_eq!((&out["basis"], &out["cooldown_s"]), (&"body_hint".into(), &9.into()));
}

#[test]
fn a_window_without_a_name_is_shown_as_a_length() {
    let line = r#"{"provider":"generic","status":200,"headers":{"ratelimit-policy":"\"x\";q=5;w=18000"},
        "body":{"choices":[{"message":{"content":"Hi"}}]}}"#;
    assert_eq!(json(line)["buckets"][0]["window"], "18000 s");
}
