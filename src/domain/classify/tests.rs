//! Every captured or documented answer of `tests/fixtures/dialects.json`, and inputs that nobody would send.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::domain::chunk;
use crate::domain::hints::{CLAMP, FLOOR, LONG_CLAMP};
use crate::domain::outcome::Action;
use crate::domain::stream::{End, Watch};
use crate::domain::usage::{self, Usage};

#[derive(Clone, Deserialize)]
struct Case {
    provider: String,
    case: String,
    now: String,
    stream: bool,
    status: u16,
    headers: BTreeMap<String, Value>,
    body: Value,
    expect: Expect,
}

#[derive(Clone, Deserialize)]
struct Expect {
    action: String,
    reason: Option<String>,
    target: String,
    cooldown_s: Option<f64>,
    cooldown_class: Option<String>,
    usage: Option<BTreeMap<String, u64>>,
    #[serde(default)]
    permanent: bool,
    /// A 200 that has spent a bucket: what follows from buckets is not part of classification.
    #[serde(default)]
    proactive: bool,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../../../tests/fixtures/dialects.json")).unwrap()
}

fn dialect(provider: &str) -> Dialect {
    match provider {
        "gemini" => Dialect::GoogleAi,
        "vllm" | "llamacpp" | "ollama" => Dialect::Local,
        "hostile" | "generic" | "github" | "opencode-zen" | "llm7" | "modelscope" | "fireworks" | "fastapi"
        | "anthropic-style" | "digitalocean-style" | "azure-style" => Dialect::GenericOpenai,
        other => serde_json::from_value(Value::from(other)).unwrap(),
    }
}

impl Case {
    fn name(&self) -> String {
        format!("{}/{}", self.provider, self.case)
    }

    fn now(&self) -> Wall {
        Wall(self.now.parse::<jiff::Timestamp>().unwrap().as_millisecond().try_into().unwrap())
    }

    fn lines(&self) -> Vec<(String, Vec<u8>)> {
        let mut lines = Vec::new();
        for (name, value) in &self.headers {
            let values = match value {
                Value::Array(values) => values.clone(),
                one => vec![one.clone()],
            };
            for value in values {
                lines.push((name.clone(), value.as_str().unwrap().as_bytes().to_vec()));
            }
        }
        lines
    }

    fn bytes(&self) -> Vec<u8> {
        match &self.body {
            Value::String(raw) => raw.as_bytes().to_vec(),
            Value::Null => Vec::new(),
            json => serde_json::to_vec(json).unwrap(),
        }
    }

    /// What the proxy makes of it: the action as the fixture words it, the verdict, the usage.
    fn read(&self) -> (&'static str, Verdict, Option<Usage>) {
        let body = self.bytes();
        if self.stream {
            return watch(dialect(&self.provider), &body, self.now());
        }
        let lines = self.lines();
        let headers: Vec<(&str, &[u8])> = lines.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let answer = Answer { status: self.status, headers: &headers, body: &body };
        let verdict = classify(dialect(&self.provider), &answer, self.now());
        let action = match verdict.action {
            Action::Ok => "ok",
            Action::NextEntry => "next_entry",
            Action::ReturnToClient => "return_to_client",
        };
        (action, verdict, usage::read(&body))
    }
}

/// A stream that arrives byte by byte.
fn watch(dialect: Dialect, body: &[u8], now: Wall) -> (&'static str, Verdict, Option<Usage>) {
    let mut watch = Watch::new(false);
    let failed = |watch: &Watch, verdict: Verdict| {
        (if watch.committed() { "abort_stream" } else { "next_entry" }, verdict, watch.usage().copied())
    };
    for byte in body {
        let fed = watch.feed(Bytes::copy_from_slice(&[*byte]));
        if let Some(data) = fed.failed {
            return failed(&watch, chunk::classify_in_band(dialect, &data, now));
        }
        if fed.done && watch.committed() {
            return ("ok", Verdict::OK, watch.usage().copied());
        }
        if fed.done {
            return failed(&watch, broken(dialect, Reason::Empty));
        }
    }
    match watch.end() {
        (fed, None) if fed.failed.is_some() => {
            failed(&watch, chunk::classify_in_band(dialect, &fed.failed.unwrap(), now))
        }
        (_, Some(End::Truncated)) => failed(&watch, broken(dialect, Reason::Truncated)),
        _ if !watch.committed() => failed(&watch, broken(dialect, Reason::Empty)),
        _ => ("ok", Verdict::OK, watch.usage().copied()),
    }
}

fn text(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap_or_default().to_owned()
}

fn target(verdict: &Verdict) -> String {
    match verdict.target {
        Target::Pool(name) => format!("pool:{name}"),
        // The fixtures have one key per provider and say `key` for both.
        Target::Provider => "key".into(),
        other => text(other),
    }
}

/// Everything in which a reading differs from what is expected.
fn differences(case: &Case) -> Vec<String> {
    let expect = &case.expect;
    let (action, verdict, usage) = case.read();
    let mut found = Vec::new();
    let mut compare = |what: &str, expected: String, actual: String| {
        if expected != actual {
            found.push(format!("{}: {what}: expected {expected}, read {actual}", case.name()));
        }
    };
    compare("action", expect.action.clone(), action.into());
    if let Some(tokens) = &expect.usage {
        let read = usage.unwrap_or_default();
        compare("prompt tokens", tokens["prompt_tokens"].to_string(), read.prompt_tokens.to_string());
        compare("completion tokens", tokens["completion_tokens"].to_string(), read.completion_tokens.to_string());
    }
    if expect.proactive || action == "ok" {
        return found;
    }
    compare("reason", expect.reason.clone().unwrap_or_default(), verdict.reason.map(text).unwrap_or_default());
    compare("target", expect.target.clone(), target(&verdict));
    compare("permanent", expect.permanent.to_string(), verdict.permanent.to_string());
    match (expect.cooldown_s, verdict.hint) {
        (Some(expected), Some(hint)) if (hint.wait.as_secs_f64() - expected).abs() <= 1.0 => {}
        (None, None) => compare(
            "class",
            expect.cooldown_class.clone().unwrap_or_default(),
            verdict.class.map(text).unwrap_or_default(),
        ),
        (expected, hint) => compare("cooldown", format!("{expected:?}"), format!("{hint:?}")),
    }
    found
}

/// What cannot be read as the fixtures want it, and why.
const KNOWN: [(&str, &str); 1] = [(
    "llm7/429_body_field: target: expected key, read entry",
    "LLM7 has no dialect of its own, and nothing in its answer tells that the limit is that of the key",
)];

#[test]
fn every_case_of_the_fixtures_is_read_as_expected() {
    let cases = cases();
    assert_eq!(cases.len(), 224);
    let mut found: Vec<String> = cases.iter().flat_map(differences).collect();
    for (known, _) in KNOWN {
        assert!(found.iter().any(|difference| difference == known), "{known} is read as expected by now");
        found.retain(|difference| difference != known);
    }
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
}

/// LESSONS F1: a number inside the text of a rate limit made it a payment or a missing model.
#[test]
fn f1_numbers_in_a_text_never_change_the_class() {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for round in 0..20_000 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let (limit, used) = (random % 100_000, random / 7 % 100_000);
        let body = format!(
            r#"{{"error":{{"message":"Rate limit reached for model `m` in organization `org_{random}` on tokens per minute (TPM): Limit {limit}, Used {used}, Requested {}. Please try again in 7.{round}s.","type":"tokens","code":"rate_limit_exceeded"}}}}"#,
            random % 999
        );
        let answer = Answer { status: 429, headers: &[], body: body.as_bytes() };
        let verdict = classify(Dialect::Groq, &answer, Wall(0));
        assert_eq!((verdict.reason, verdict.target), (Some(Reason::RateLimit), Target::Entry), "{body}");
    }
}

/// LESSONS F2: a 500 that mentions a daily limit benched the entry to midnight.
#[test]
fn f2_a_500_that_mentions_a_daily_limit_is_a_500() {
    let body =
        br#"{"error":{"message":"could not read daily limit of quota per day, free-models-per-day","code":500}}"#;
    for dialect in [Dialect::Groq, Dialect::Openrouter, Dialect::GoogleAi, Dialect::GenericOpenai] {
        let verdict = classify(dialect, &Answer { status: 500, headers: &[], body }, Wall(0));
        assert_eq!((verdict.reason, verdict.class), (Some(Reason::Server), Some(CooldownClass::ServerError)));
    }
}

/// LESSONS F5, O9 and O10: `Retry-After` in every form.
#[test]
fn f5_o9_o10_retry_after_in_every_form() {
    // 2026-11-24T12:00:00Z
    let now = Wall(1_795_521_600_000);
    for (value, seconds) in [
        ("2", Some(2.0)),
        ("2.5", Some(2.5)),
        ("0", Some(1.0)),
        ("Tue, 24 Nov 2026 12:02:00 GMT", Some(120.0)),
        ("Tue, 24 Nov 2026 11:00:00 GMT", None),
        ("1d2h", Some(86_400.0)),
        ("1h2m3s", Some(3_723.0)),
        ("7200", Some(7_200.0)),
        ("soon", None),
        ("-5", None),
    ] {
        let headers: [(&str, &[u8]); 1] = [("Retry-After", value.as_bytes())];
        let verdict = classify(Dialect::GenericOpenai, &Answer { status: 429, headers: &headers, body: b"" }, now);
        assert_eq!(verdict.hint.map(|hint| hint.wait.as_secs_f64()), seconds, "{value}");
    }
}

/// LESSONS O7: nothing left and no reset was a cooldown of 0 ms.
#[test]
fn o7_nothing_left_and_no_reset_is_a_default_and_not_zero() {
    let headers: [(&str, &[u8]); 2] =
        [("x-ratelimit-remaining-requests", b"0"), ("x-ratelimit-remaining-tokens", b"0")];
    let verdict = classify(Dialect::GenericOpenai, &Answer { status: 429, headers: &headers, body: b"{}" }, Wall(0));
    assert!(verdict.hint.is_none() && verdict.class.is_some());
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
        let body = serde_json::json!({"error": {"message": text, "type": "invalid_request_error"}}).to_string();
        let answer = Answer { status: 400, headers: &[], body: body.as_bytes() };
        let verdict = classify(Dialect::GenericOpenai, &answer, Wall(0));
        assert_eq!(verdict.reason, Some(reason), "{text}");
    }
}

fn junk() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..120),
        "[0-9eE.,;:+\\-xa-f dhmsTZ]{0,40}".prop_map(String::into_bytes),
        Just(b"99999999999999999999999999".to_vec()),
        Just(b"1e309".to_vec()),
        Just("٣".as_bytes().to_vec()),
    ]
}

proptest! {
    /// Mutated answers of every dialect: no panic, no wait out of bounds, never a good answer out of a bad status.
    #[test]
    fn mutated_answers_stay_within_bounds(
        at in any::<prop::sample::Index>(), value in junk(), body in junk(), cut in any::<prop::sample::Index>(),
        status in prop_oneof![Just(None), (100u16..600).prop_map(Some)], whole in any::<bool>(),
    ) {
        let cases = cases();
        let case = &cases[at.index(cases.len())];
        let mut lines = case.lines();
        for (_, line) in &mut lines {
            line.clone_from(&value);
        }
        let original = case.bytes();
        let body = if whole { body } else { original[..cut.index(original.len() + 1)].to_vec() };
        let headers: Vec<(&str, &[u8])> = lines.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let status = status.unwrap_or(case.status);
        for dialect in [dialect(&case.provider), Dialect::GenericOpenai] {
            let verdict = classify(dialect, &Answer { status, headers: &headers, body: &body }, case.now());
            if let Some(hint) = verdict.hint {
                prop_assert!(hint.wait >= FLOOR && hint.wait <= LONG_CLAMP, "{hint:?}");
                let long = matches!(verdict.class, Some(CooldownClass::Week | CooldownClass::Month));
                prop_assert!(long || hint.wait <= CLAMP, "{:?}", verdict);
            }
            if !(200..300).contains(&status) {
                prop_assert!(verdict.action != Action::Ok);
            }
            let _ = (chunk::classify_in_band(dialect, &body, case.now()), chunk::read(&body), usage::read(&body));
        }
    }
}
