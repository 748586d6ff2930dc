//! `429chain classify`: what answers of providers mean, as lines.

use std::io::Write;
use std::process::{Output, Stdio};

use serde_json::Value;

use super::text;
use crate::support::binary::command;

const FIXTURES: &str = include_str!("../fixtures/dialects.json");

/// Runs `classify` with these lines on stdin.
fn classify(lines: &str) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let mut command = command(dir.path(), &["classify"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let lines = lines.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    output
}

/// What `classify` may answer otherwise than a fixture expects, and why.
fn differs_knowingly(name: &str, key: &str, got: &Value) -> bool {
    match (name, key) {
        // Only `rateLimits.scope: provider` tells that this provider counts over all models.
        ("llm7/429_body_field", "target") => got == "entry",
        // Both headers say 432 s; `retry-after-ms` is read first.
        ("openai/429_rpd", "basis") => got == "retry_after_ms_header",
        _ => false,
    }
}

#[test]
fn classify_understands_every_recorded_answer() {
    // One line each, headers in their order and bodies as they were written.
    let cases: Vec<&serde_json::value::RawValue> = serde_json::from_str(FIXTURES).unwrap();
    assert_eq!(cases.len(), 224);
    let lines: Vec<_> = cases.iter().map(|case| case.get().replace('\n', " ")).collect();
    let output = classify(&lines.join("\n"));
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
    let answers = text(&output.stdout);
    assert_eq!(answers.lines().count(), cases.len());
    let mut knowingly = 0;
    for (line, answer) in lines.iter().zip(answers.lines()) {
        let case: Value = serde_json::from_str(line).unwrap();
        let name = format!("{}/{}", case["provider"].as_str().unwrap(), case["case"].as_str().unwrap());
        let got: Value = serde_json::from_str(answer).unwrap();
        let expect = case["expect"].as_object().unwrap();
        for (key, expected) in expect {
            let agrees = match key.as_str() {
                // For people.
                "note" | "alt_cooldown_class" => true,
                "cooldown_s" => close(expected, &got[key], 1.0),
                // The fixtures know no target "provider".
                "target" if expect["reason"] == "provider_rejected" && expected == "key" => got[key] == "provider",
                _ => close(expected, &got[key], 0.1),
            };
            knowingly += usize::from(!agrees && differs_knowingly(&name, key, &got[key]));
            let excused = differs_knowingly(&name, key, &got[key]);
            assert!(agrees || excused, "{name}: {key} should be {expected}, is {}", got[key]);
        }
        for flag in ["permanent", "clamped", "proactive"] {
            assert_eq!(expect.contains_key(flag), got.get(flag).is_some(), "{name}: {flag}");
        }
        if !expect.contains_key("learn") {
            assert_eq!(got["learn"], Value::Array(Vec::new()), "{name}");
        }
    }
    assert_eq!(knowingly, 2, "a known difference is gone");
}

/// Equal, with some slack for numbers.
fn close(left: &Value, right: &Value, slack: f64) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            (left.as_f64().unwrap() - right.as_f64().unwrap()).abs() <= slack
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| close(left, right, slack))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, left)| right.get(key).is_some_and(|right| close(left, right, slack)))
        }
        (left, right) => left == right,
    }
}

#[test]
fn classify_names_the_line_that_it_does_not_understand_and_goes_on() {
    let good = r#"{"provider":"ollama","status":503}"#;
    let output = classify(&format!("{good}\n\n{{\"provider\":\"gorq\",\"status\":429}}\n{{\n{good}"));
    assert_eq!(output.status.code(), Some(2));
    let answers = text(&output.stdout);
    let answers: Vec<Value> = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let error = |at: usize| answers[at]["error"].as_str().unwrap();
    assert_eq!(answers.len(), 4);
    assert_eq!((&answers[0]["cooldown_class"], &answers[0]["usage"]), (&"local_busy".into(), &Value::Null));
    assert!(error(1).starts_with("line 3: ") && error(1).contains("did you mean groq?"), "{}", error(1));
    assert!(error(2).starts_with("line 4: ") && error(2).contains("column 1"), "{}", error(2));
    assert_eq!(answers[3], answers[0]);
    assert!(text(&output.stderr).contains("2 of 4 lines"), "{output:?}");
}

#[test]
fn classify_reads_times_by_the_clock_unless_the_line_names_one() {
    let at = |now: &str| {
        let line = r#"{"provider":"generic-openai","status":429,"headers":{"retry-after":"Tue, 24 Nov 2026 12:02:00 GMT"}NOW}"#;
        let output = classify(&line.replace("NOW", now));
        serde_json::from_str::<Value>(&text(&output.stdout)).unwrap()["cooldown_s"].clone()
    };
    assert_eq!(at(r#","now":"2026-11-24T12:00:00Z""#), 120);
    assert_ne!(at(""), 120);
}
