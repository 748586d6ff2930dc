//! Every recorded or documented provider answer in `tests/fixtures/dialects.json`, read as the proxy would read it.

use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use super::NOW;
use crate::domain::case::Case;

const FIXTURES: &str = include_str!("../../../../tests/fixtures/dialects.json");

/// Where the expectation of a fixture is not met, and why. A difference that is listed here must exist.
const DIFFERENCES: [(&str, &str, &str); 2] = [
    // Nothing in the answer tells that this provider counts per token over all models; `rateLimits.scope: provider`
    // in the configuration does.
    ("llm7/429_body_field", "target", "\"entry\""),
    // Both headers say 432 s; `retry-after-ms` is read first.
    ("openai/429_rpd", "basis", "\"retry_after_ms_header\""),
];

/// Each case as it is written, and parsed.
fn cases() -> Vec<(String, Case, Value)> {
    let raw: Vec<&RawValue> = serde_json::from_str(FIXTURES).unwrap();
    let read = |raw: &RawValue| {
        let value: Value = serde_json::from_str(raw.get()).unwrap();
        let name = format!("{}/{}", value["provider"].as_str().unwrap(), value["case"].as_str().unwrap());
        (name, Case::read(raw.get(), NOW).unwrap(), value["expect"].clone())
    };
    raw.into_iter().map(read).collect()
}

/// All differences between what was expected and what came out, as (what, expected, got).
fn differences(expect: &Value, got: &Value) -> Vec<(String, String, String)> {
    let expected = |key: &str| match (key, &expect[key]) {
        // The fixtures know no target "provider": they bench the key where the provider's address or region is at fault.
        ("target", key) if expect["reason"] == "provider_rejected" && key == "key" => "provider".into(),
        ("learn", Value::Null) => Value::Array(Vec::new()),
        ("permanent" | "clamped" | "proactive", Value::Null) => false.into(),
        (_, value) => value.clone(),
    };
    let found = |key: &str| match (key, &got[key]) {
        ("permanent" | "clamped" | "proactive", Value::Null) => false.into(),
        (_, value) => value.clone(),
    };
    let always = ["action", "reason", "target", "cooldown_s", "cooldown_class", "basis", "buckets", "learn"];
    let flags = ["permanent", "clamped", "proactive"];
    let optional = ["usage", "text"].into_iter().filter(|key| expect.get(key).is_some());
    let keys = always.into_iter().chain(flags).chain(optional);
    let different = keys.filter(|key| !alike(&expected(key), &found(key)));
    different.map(|key| (key.to_owned(), expected(key).to_string(), found(key).to_string())).collect()
}

/// Equal, with a tenth of a second to spare for times that the fixtures have rounded.
fn alike(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => (left.as_f64().unwrap() - right.as_f64().unwrap()).abs() < 0.1,
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| alike(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| alike(value, other)))
        }
        (left, right) => left == right,
    }
}

#[test]
fn every_recorded_answer_is_read_as_expected() {
    let cases = cases();
    assert_eq!(cases.len(), 224);
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (name, case, expect) in cases {
        let got = serde_json::to_value(case.expectation()).unwrap();
        for (what, expected, got) in differences(&expect, &got) {
            if DIFFERENCES.contains(&(name.as_str(), what.as_str(), got.as_str())) {
                seen += 1;
            } else {
                wrong.push(format!("{name}: {what} should be {expected}, is {got}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(seen, DIFFERENCES.len(), "a listed difference is gone");
}

#[test]
fn told_waits_stay_between_floor_and_clamp_in_every_case() {
    for (name, case, _) in cases() {
        if let Some(hint) = case.run().verdict.hint {
            assert!((Duration::from_secs(1)..=Duration::from_secs(86_400)).contains(&hint.wait), "{name}");
        }
    }
}
