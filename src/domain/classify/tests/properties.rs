//! What holds for every answer, however odd.

use std::sync::LazyLock;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;

use super::NOW;
use crate::domain::answer::Answer;
use crate::domain::classify::classify;
use crate::domain::dialect::Dialect;
use crate::domain::hints::{CLAMP, FLOOR, LONG_CLAMP};
use crate::domain::outcome::{Action, CooldownClass, Verdict};

const FIXTURES: &str = include_str!("../../../../tests/fixtures/dialects.json");

/// Status, headers and body.
type Recorded = (u16, Vec<(String, Vec<u8>)>, Vec<u8>);

static RECORDED: LazyLock<Vec<Recorded>> = LazyLock::new(|| {
    let cases: Vec<Value> = serde_json::from_str(FIXTURES).unwrap();
    cases
        .iter()
        .map(|case| {
            let headers = case["headers"].as_object().unwrap().iter();
            let headers = headers
                .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().as_bytes().to_vec()))
                .collect();
            let body = match &case["body"] {
                Value::String(raw) => raw.clone().into_bytes(),
                json => json.to_string().into_bytes(),
            };
            (u16::try_from(case["status"].as_u64().unwrap()).unwrap(), headers, body)
        })
        .collect()
});

fn read(dialect: Dialect, status: u16, headers: &[(String, Vec<u8>)], body: &[u8]) -> Verdict {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    classify(dialect, &Answer { status, headers: &headers, body }, NOW)
}

/// True for what must hold of every verdict.
fn sane(verdict: &Verdict) -> bool {
    let told = verdict.hint.is_none_or(|hint| {
        let long = matches!(verdict.class, Some(CooldownClass::Week | CooldownClass::Month));
        let clamp = if long { LONG_CLAMP } else { CLAMP };
        (FLOOR..=clamp).contains(&hint.wait)
    });
    // Who is told to wait must be known, and nobody waits for a request that was refused.
    let complete = match verdict.action {
        Action::Ok => verdict.reason.is_none() && verdict.class.is_none(),
        Action::ReturnToClient => verdict.reason.is_some() && verdict.class.is_none() && verdict.hint.is_none(),
        Action::NextEntry => verdict.reason.is_some() && (verdict.hint.is_none() || verdict.class.is_some()),
    };
    told && complete
}

/// Replaces every digit that stands in a text for people, and none in a code.
fn reworded(value: &mut Value, digit: &mut impl FnMut() -> char) {
    match value {
        Value::Object(map) => {
            for (key, member) in map {
                match member {
                    Value::String(text) if matches!(key.as_str(), "message" | "detail" | "msg" | "error" | "title") => {
                        *text = text.chars().map(|old| if old.is_ascii_digit() { digit() } else { old }).collect();
                    }
                    member => reworded(member, digit),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|member| reworded(member, digit)),
        _ => {}
    }
}

fn any_dialect() -> impl Strategy<Value = Dialect> {
    prop::sample::select(Dialect::ALL.to_vec())
}

fn any_header() -> impl Strategy<Value = (String, Vec<u8>)> {
    let name = prop::sample::select(vec![
        "Retry-After",
        "retry-after-ms",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "x-ratelimit-remaining-requests-day",
        "x-ratelimit-reset-requests-day",
        "ratelimit",
        "x-ratelimit-type",
    ]);
    let value = prop_oneof![
        "[0-9]{1,30}",
        "[0-9]{1,4}(\\.[0-9]{1,3})?(ms|s|m|h|d)([0-9]{1,4}s)?",
        "[-+0-9.eExX,:;=rt ]{0,20}",
        ".{0,80}",
        Just("0".to_owned()),
        Just("Tue, 24 Nov 2026 12:02:00 GMT".to_owned()),
        Just("2026-11-24T12:01:15Z".to_owned()),
    ];
    (name.prop_map(str::to_owned), value.prop_map(String::into_bytes))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_024, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_have_a_sane_verdict(
        dialect in any_dialect(),
        status in any::<u16>(),
        headers in prop::collection::vec((".{0,20}", prop::collection::vec(any::<u8>(), 0..80)), 0..4),
        body in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        prop_assert!(sane(&read(dialect, status, &headers, &body)));
    }

    #[test]
    fn hostile_headers_have_a_sane_verdict(
        dialect in any_dialect(),
        status in prop::sample::select(vec![402_u16, 403, 404, 408, 413, 429, 498, 500, 503]),
        headers in prop::collection::vec(any_header(), 0..6),
        at in any::<prop::sample::Index>(),
    ) {
        let (_, _, body) = at.get(&RECORDED);
        prop_assert!(sane(&read(dialect, status, &headers, body)));
    }

    #[test]
    fn damaged_answers_have_a_sane_verdict(
        dialect in any_dialect(),
        at in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let (status, mut headers, mut body) = at.get(&RECORDED).clone();
        for (place, byte) in damage {
            if !body.is_empty() {
                *place.get_mut(&mut body) = byte;
            }
            if let Some((_, value)) = headers.first_mut().filter(|(_, value)| !value.is_empty()) {
                *place.get_mut(value) = byte;
            }
        }
        if let Some(cut) = cut {
            body.truncate(cut.index(body.len() + 1));
        }
        prop_assert!(sane(&read(dialect, status, &headers, &body)));
    }

    #[test]
    fn f1_digits_in_a_text_change_no_class(
        dialect in any_dialect(),
        at in any::<prop::sample::Index>(),
        digits in prop::collection::vec(prop::char::range('1', '9'), 1..40),
    ) {
        let (status, headers, body) = at.get(&RECORDED);
        let Ok(mut json) = serde_json::from_slice::<Value>(body) else { return Ok(()) };
        let original = json.to_string();
        // The one number in a text that means something: Google's "limit: 0".
        prop_assume!(dialect != Dialect::GoogleAi || !original.contains("limit: 0"));
        let mut digits = digits.into_iter().cycle();
        reworded(&mut json, &mut || digits.next().unwrap_or('1'));
        let told = |body: &str| {
            let verdict = read(dialect, *status, headers, body.as_bytes());
            (verdict.action, verdict.reason, verdict.target, verdict.class, verdict.permanent)
        };
        prop_assert_eq!(told(&original), told(&json.to_string()), "{}", json);
    }
}

#[test]
fn every_recorded_answer_has_a_sane_verdict_in_every_dialect() {
    for (status, headers, body) in RECORDED.iter() {
        for dialect in Dialect::ALL {
            let verdict = read(dialect, *status, headers, body);
            assert!(sane(&verdict), "{dialect:?} {status}: {verdict:?} for {}", String::from_utf8_lossy(body));
            assert!(verdict.hint.is_none_or(|hint| hint.wait <= Duration::from_secs(86_400)));
        }
    }
}

/// Found by chance by the property above.
#[test]
fn a_month_in_the_words_of_a_server_of_ones_own_makes_no_month_of_waiting() {
    let headers = [("Retry-After".to_owned(), b"2000000000000000000".to_vec())];
    let verdict = read(Dialect::Local, 429, &headers, br#"{"message": "limited to 1000 API calls / month"}"#);
    assert_eq!(verdict.hint.map(|hint| hint.wait), Some(CLAMP));
}
