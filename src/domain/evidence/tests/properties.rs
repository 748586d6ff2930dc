//! What holds for the evidence of every answer, however odd.

use std::collections::HashSet;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::value::RawValue;

use super::*;
use crate::domain::case::Case;
use crate::domain::evidence::{DAY, MONTH, SECOND, Stated};

const FIXTURES: &str = include_str!("../../../../tests/fixtures/dialects.json");

static RECORDED: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let cases: Vec<&RawValue> = serde_json::from_str(FIXTURES).unwrap();
    cases.into_iter().map(|case| Case::read(case.get(), NOW).unwrap()).collect()
});

/// Complains about what must not be.
fn check(dialect: Dialect, evidence: &Evidence) -> Result<(), TestCaseError> {
    let mut seen = HashSet::new();
    for reading in &evidence.readings {
        prop_assert!(seen.insert((reading.dimension, reading.window)), "twice: {:?}", reading);
        prop_assert!(reading.limit.is_some() || reading.remaining.is_some(), "nothing: {:?}", reading);
        if let (Some(limit), Some(remaining)) = (reading.limit, reading.remaining) {
            prop_assert!(remaining <= limit, "more than all: {:?}", reading);
        }
        prop_assert!(reading.reset.is_none_or(|reset| reset.after <= MONTH), "too late: {:?}", reading);
        prop_assert!(reading.window.is_none_or(|window| !window.is_zero() && window <= MONTH), "odd: {:?}", reading);
    }
    for stated in &evidence.stated {
        let (Stated::Context(limit) | Stated::Window { limit, .. }) = stated;
        prop_assert!(*limit > 0, "no limit: {:?}", stated);
    }
    prop_assert!(evidence.readings.len() <= 16);
    let spent = evidence.spent(dialect, NOW);
    prop_assert!(spent.is_none_or(|hint| hint.wait >= SECOND && hint.wait <= DAY), "{:?}", spent);
    Ok(())
}

fn evidence(dialect: Dialect, case: &Case) -> Evidence {
    Case { dialect, now: NOW, ..case.clone() }.run().evidence
}

fn any_dialect() -> impl Strategy<Value = Dialect> {
    prop::sample::select(Dialect::ALL.to_vec())
}

fn any_name() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "x",
        "ratelimit",
        "rate",
        "limit",
        "remaining",
        "reset",
        "requests",
        "req",
        "tokens",
        "minute",
        "day",
        "month",
        "per",
        "ratelimitbysize",
        "anthropic",
        "renewalperiod",
        "policy",
        "trial",
        "endpoint",
        "call",
        "monthly",
        "",
    ]);
    let words = prop::collection::vec(word, 1..6).prop_map(|words| words.join("-"));
    let known = prop::sample::select(vec![
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "ratelimit",
        "ratelimit-policy",
        "x-ratelimit-remaining-requests-day",
        "x-ratelimit-limit-requests-day",
        "x-ratelimit-reset-requests-day",
        "x-ratelimit-type",
        "retry-after",
    ]);
    prop_oneof![words, known.prop_map(str::to_owned)]
}

fn any_value() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?[0-9]{1,25}",
        "[0-9]{1,3}(,[0-9]{3}){0,6}(\\.0)?",
        "[0-9]{1,4}(\\.[0-9]{1,3})?(ms|s|m|h|d)([0-9]{1,4}s)?",
        "\"?[a-z]{1,3}\"?;(r|q)=[0-9]{1,20};(t|w)=[0-9]{1,20}(, [a-z0-9]{1,3};w=[0-9]{1,9})?",
        "[0-9]{1,3}, [0-9]{1,3};w=[0-9]{1,12}",
        "limit=[0-9]{1,9}, remaining=[0-9]{1,9}, reset=[0-9]{1,20}",
        "UserByModelBy(Day|Minute)(Tokens)?",
        ".{0,80}",
        Just("0".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_024, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_read_without_a_panic(
        dialect in any_dialect(),
        status in any::<u16>(),
        headers in prop::collection::vec((".{0,30}", ".{0,80}"), 0..4),
        body in prop::collection::vec(any::<u8>(), 0..300),
        stream in any::<bool>(),
    ) {
        let case = Case { dialect, now: NOW, status, headers, body, stream };
        check(dialect, &case.run().evidence)?;
    }

    #[test]
    fn hostile_headers_have_sane_evidence(
        dialect in any_dialect(),
        headers in prop::collection::vec((any_name(), any_value()), 0..12),
        at in any::<prop::sample::Index>(),
    ) {
        let mut case = at.get(&RECORDED).clone();
        case.headers.extend(headers);
        check(dialect, &evidence(dialect, &case))?;
    }

    #[test]
    fn damaged_answers_have_sane_evidence(
        dialect in any_dialect(),
        at in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut case = at.get(&RECORDED).clone();
        for (place, byte) in damage {
            if !case.body.is_empty() {
                *place.get_mut(&mut case.body) = byte;
            }
        }
        if let Some(cut) = cut {
            case.body.truncate(cut.index(case.body.len() + 1));
        }
        check(dialect, &evidence(dialect, &case))?;
    }

    /// Lines that say the same in another order say the same.
    #[test]
    fn the_order_of_header_lines_does_not_matter(
        dialect in any_dialect(),
        // The draft's fields are lists, whose order may matter.
        headers in prop::collection::vec((any_name().prop_filter("a list", |name| !name.starts_with("ratelimit")), any_value()), 0..8),
    ) {
        let read = |headers: Vec<(String, String)>| {
            let case = Case { dialect, now: NOW, status: 200, headers, body: Vec::new(), stream: false };
            let lines: Vec<_> =
                case.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
            let answer = Answer { status: 200, headers: &lines, body: b"" };
            let mut readings = super::super::read(dialect, &answer, &Verdict::OK, NOW).readings;
            readings.sort_by_key(|reading| (reading.dimension, reading.window));
            readings
        };
        let backwards: Vec<_> = headers.iter().rev().cloned().collect();
        prop_assert_eq!(read(headers), read(backwards));
    }
}

#[test]
fn every_recorded_answer_has_sane_evidence_in_every_dialect() {
    for case in RECORDED.iter() {
        for dialect in Dialect::ALL {
            check(dialect, &evidence(dialect, case)).unwrap();
        }
    }
}

/// A digit in a model's name or in an id is no limit: what a text states does not change with them.
#[test]
fn f1_digits_in_names_change_no_limit() {
    for case in RECORDED.iter() {
        let original = case.run().evidence;
        for name in ["llama3-70b-8192", "org_999", "4096k"] {
            let body = String::from_utf8_lossy(&case.body).replace("for model `", &format!("for model `{name}-"));
            let renamed = Case { body: body.into_bytes(), ..case.clone() };
            assert_eq!(renamed.run().evidence, original);
        }
    }
}
