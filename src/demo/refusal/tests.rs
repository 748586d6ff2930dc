use std::time::Duration;

use serde_json::{Value, json};

use super::{Limited, Over, Refusal, Simulated};

const CAPTURED: &str = include_str!("../../../tests/fixtures/dialects.json");

/// The captured response `case` of a provider.
fn captured(provider: &str, case: &str) -> Value {
    let cases: Vec<Value> = serde_json::from_str(CAPTURED).unwrap();
    cases.into_iter().find(|one| one["provider"] == provider && one["case"] == case).unwrap()
}

/// The names and kinds in `value`, without what its numbers and texts say.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(object) => object.iter().map(|(key, value)| (key.clone(), shape(value))).collect(),
        Value::Array(array) => array.iter().map(shape).collect(),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("string"),
        other => other.clone(),
    }
}

fn rpm(wait: Duration) -> Refusal {
    let limited = Limited { over: Over::RequestsPerMinute, limit: 30, used: 30, requested: 1, wait };
    Refusal::Limited { model: "openai/gpt-oss-20b", limited }
}

#[test]
fn bodies_have_the_shape_of_captured_ones() {
    let unknown = Refusal::UnknownModel("x".to_owned());
    let bad = Refusal::BadRequest("'messages' : minimum number of items is 1".to_owned());
    let exceeded = Refusal::QuotaExceeded { model: "gemini-3.6-flash" };
    for (simulated, refusal, case) in [
        (Simulated::Groq, Refusal::WrongKey, "401_bad_key"),
        (Simulated::Groq, unknown, "404_model_gone"),
        (Simulated::Groq, bad, "400_malformed_request_is_the_clients"),
        (Simulated::Groq, rpm(Duration::from_secs(2)), "429_rpm_only_in_prose"),
        (Simulated::Gemini, Refusal::Overloaded, "503_overloaded"),
        (Simulated::Gemini, exceeded, "429_minute_array_wrapped_retryinfo"),
    ] {
        let refused = refusal.in_dialect_of(simulated);
        let captured = captured(simulated.id(), case);
        assert_eq!(refused.status, captured["status"], "{case}");
        assert_eq!(shape(&refused.body), shape(&captured["body"]), "{case}");
    }
}

#[test]
fn groqs_429_reads_as_captured_to_the_letter() {
    let refused = rpm(Duration::from_secs(2)).in_dialect_of(Simulated::Groq);
    assert_eq!(refused.body, captured("groq", "429_rpm_only_in_prose")["body"]);
    assert_eq!(refused.headers, [("retry-after", "2".to_owned())]);
}

#[test]
fn retry_after_is_whole_seconds_rounded_up() {
    for (millis, seconds) in [(1, "1"), (1_000, "1"), (1_001, "2"), (12_500, "13")] {
        let refused = rpm(Duration::from_millis(millis)).in_dialect_of(Simulated::Groq);
        assert_eq!(refused.headers, [("retry-after", seconds.to_owned())]);
    }
}

#[test]
fn a_request_that_never_fits_is_a_413() {
    let limited =
        Limited { over: Over::RequestSize, limit: 8_000, used: 0, requested: 13_431, wait: Duration::from_secs(9) };
    let refused = Refusal::Limited { model: "openai/gpt-oss-20b", limited }.in_dialect_of(Simulated::Groq);
    assert_eq!(refused.status, 413);
    assert_eq!(refused.body, captured("groq", "413_request_over_tpm_no_wait_helps")["body"]);
    assert_eq!(refused.headers, [("retry-after", "9".to_owned())]);
}

#[test]
fn openrouter_gives_numeric_codes() {
    let refused = Refusal::WrongKey.in_dialect_of(Simulated::OpenRouter);
    assert_eq!(refused.status, 401);
    assert_eq!(refused.body["error"]["code"], 401);
    assert_eq!(refused.body["error"]["message"], "User not found.");
}

#[test]
fn google_calls_a_wrong_key_an_invalid_argument() {
    let refused = Refusal::WrongKey.in_dialect_of(Simulated::Gemini);
    assert_eq!(refused.status, 400);
    assert_eq!(refused.body[0]["error"]["details"][0]["reason"], "API_KEY_INVALID");
    assert_eq!(Refusal::NoKey.in_dialect_of(Simulated::Gemini).status, 401);
}
