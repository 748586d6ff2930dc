use super::*;
use crate::domain::evidence::{DAY, HOUR, MINUTE, SECOND};
use crate::domain::hints::{CLAMP, FLOOR};
use crate::domain::outcome::{Basis, Hint};

use Dimension::{Requests, Tokens};

#[test]
fn an_answer_without_a_word_of_quota_holds_nothing_and_allocates_nothing() {
    let readings = head(Dialect::Groq, &[("content-type", "text/event-stream"), ("x-request-id", "1"), ("", "")]);
    assert_eq!(readings.capacity(), 0);
}

#[test]
fn a_name_without_a_window_means_what_the_dialect_says() {
    let lines = [("x-ratelimit-remaining-requests", "5"), ("x-ratelimit-remaining-tokens", "6")];
    for (dialect, requests, tokens) in [
        (Dialect::Groq, Some(DAY), Some(MINUTE)),
        (Dialect::Openai, None, Some(MINUTE)),
        (Dialect::Sambanova, Some(MINUTE), None),
        (Dialect::Together, Some(SECOND), Some(SECOND)),
        (Dialect::GenericOpenai, None, None),
    ] {
        let expected = [reading(Requests, requests, None, Some(5)), reading(Tokens, tokens, None, Some(6))];
        assert_eq!(head(dialect, &lines), expected, "{dialect:?}");
    }
}

#[test]
fn a_reset_is_a_rate_an_end_or_the_next_piece() {
    let lines = [("x-ratelimit-remaining-tokens", "6"), ("x-ratelimit-reset-tokens", "90")];
    for (dialect, kind) in [
        (Dialect::Groq, ResetKind::Full),
        (Dialect::Openai, ResetKind::Full),
        (Dialect::Together, ResetKind::Next),
        (Dialect::Cerebras, ResetKind::WindowEnd),
    ] {
        assert_eq!(head(dialect, &lines)[0].reset.map(|reset| reset.kind), Some(kind), "{dialect:?}");
    }
}

#[test]
fn unnamed_and_named_lines_of_one_bucket_are_merged() {
    let lines = [
        ("x-ratelimit-limit-requests", "20"),
        ("x-ratelimit-remaining-requests", "9"),
        ("x-ratelimit-remaining-requests-minute", "7"),
        ("x-ratelimit-reset-requests-minute", "40"),
    ];
    let expected = reading(Requests, Some(MINUTE), Some(20), Some(7)).after(40.0, ResetKind::WindowEnd);
    assert_eq!(head(Dialect::Sambanova, &lines), [expected]);
}

#[test]
fn of_repeated_lines_the_worst_counts() {
    let lines = [
        ("x-ratelimit-limit-tokens-hour", "100"),
        ("x-ratelimit-limit-tokens-hour", "50"),
        ("x-ratelimit-remaining-tokens-hour", "40"),
        ("x-ratelimit-remaining-tokens-hour", "30"),
        ("x-ratelimit-reset-tokens-hour", "5"),
        ("x-ratelimit-reset-tokens-hour", "9"),
        ("x-ratelimit-reset-tokens-hour", "7"),
    ];
    let expected = reading(Tokens, Some(HOUR), Some(50), Some(30)).after(9.0, ResetKind::WindowEnd);
    assert_eq!(head(Dialect::Cerebras, &lines), [expected]);
}

#[test]
fn numbers_are_read_strictly() {
    let left = |value| {
        let lines = [("x-ratelimit-limit-tokens", "100"), ("x-ratelimit-remaining-tokens", value)];
        head(Dialect::GenericOpenai, &lines)[0].remaining
    };
    for (value, expected) in [
        ("12.0", Some(12)),
        ("1,0", Some(10)),
        ("101", Some(100)),
        ("-1", Some(0)),
        ("99999999999999999999999", Some(100)),
        ("unlimited", None),
        ("1e1", None),
        ("0x1", None),
        ("+1", None),
        ("NaN", None),
        ("", None),
        ("12.5", None),
    ] {
        assert_eq!(left(value), expected, "{value}");
    }
}

#[test]
fn minus_one_alone_is_no_limit() {
    let lines = [("x-ratelimit-limit-tokens", "-1"), ("x-ratelimit-remaining-tokens", "-1")];
    assert_eq!(head(Dialect::GenericOpenai, &lines), []);
}

#[test]
fn a_reset_alone_is_no_bucket() {
    assert_eq!(head(Dialect::Openrouter, &[("x-ratelimit-reset", "1795564800000")]), []);
}

#[test]
fn a_window_is_told_by_azure_once_for_all() {
    let lines = [
        ("x-ratelimit-limit-tokens", "9"),
        ("x-ratelimit-limit-requests", "5"),
        ("x-ratelimit-renewalperiod-requests", "60"),
        ("x-ratelimit-limit-tokens-day", "90"),
    ];
    let expected = [
        reading(Tokens, Some(MINUTE), Some(9), None),
        reading(Requests, Some(MINUTE), Some(5), None),
        reading(Tokens, Some(DAY), Some(90), None),
    ];
    assert_eq!(head(Dialect::GenericOpenai, &lines), expected);
    let bad = [("x-ratelimit-limit-tokens", "9"), ("x-ratelimit-renewalperiod-tokens", "0")];
    assert_eq!(head(Dialect::GenericOpenai, &bad), [reading(Tokens, None, Some(9), None)]);
}

#[test]
fn structured_values_and_both_drafts() {
    let minute = |limit, remaining| reading(Requests, Some(MINUTE), limit, remaining);
    type Row<'a> = (&'a [(&'a str, &'a str)], &'a [Reading]);
    let table: [Row<'_>; 8] = [
        (&[("x-ratelimit-limit", "20, 20;w=60")], &[minute(Some(20), None)]),
        (&[("ratelimit-limit", "9, 100;w=3600, 9;w=60")], &[minute(Some(9), None)]),
        (&[("ratelimit-limit", "9;w=60")], &[minute(Some(9), None)]),
        (&[("ratelimit-policy", "100;w=60")], &[minute(Some(100), None)]),
        (
            &[("ratelimit", "limit=100, remaining=50, reset=5")],
            &[reading(Requests, None, Some(100), Some(50)).after(5.0, ResetKind::WindowEnd)],
        ),
        (
            &[
                ("ratelimit", r#""day";r=7;t=900, "burst";r=1"#),
                ("ratelimit-policy", r#""burst";q=2;w=60,"day";q=10;w=86400"#),
            ],
            &[
                minute(Some(2), Some(1)),
                reading(Requests, Some(DAY), Some(10), Some(7)).after(900.0, ResetKind::WindowEnd),
            ],
        ),
        (
            &[("ratelimit", r#""t";r=5"#), ("ratelimit-policy", r#""t";q=9;w=60;qu="tokens""#)],
            &[reading(Tokens, Some(MINUTE), Some(9), Some(5))],
        ),
        // Bytes are not counted here.
        (&[("ratelimit", r#""t";r=5"#), ("ratelimit-policy", r#""t";q=9;qu="content-bytes""#)], &[]),
    ];
    for (lines, expected) in table {
        assert_eq!(head(Dialect::GenericOpenai, lines), expected, "{lines:?}");
    }
}

#[test]
fn resets_are_clamped_to_a_day_or_to_the_window() {
    let after = |name: &str, value: &str| {
        let lines = [("x-ratelimit-limit-tokens-month", "9"), ("x-ratelimit-limit-tokens-day", "9"), (name, value)];
        let readings = head(Dialect::Cerebras, &lines);
        readings.iter().find_map(|reading| reading.reset).unwrap().after
    };
    assert_eq!(after("x-ratelimit-reset-tokens-day", "9999999h"), CLAMP);
    assert_eq!(after("x-ratelimit-reset-tokens-month", "9999999h"), Duration::from_secs(31 * 86_400));
    assert_eq!(after("x-ratelimit-reset-tokens-month", "600000"), Duration::from_secs(600_000));
    assert_eq!(after("x-ratelimit-reset-tokens-day", "1795521300"), Duration::ZERO, "a moment that has passed");
}

#[test]
fn more_buckets_than_any_provider_has_are_not_believed() {
    let policies: Vec<String> = (1..100).map(|window| format!("{window};w={window}")).collect();
    let lines: Vec<_> = policies.iter().map(|policy| ("ratelimit-policy", policy.as_str())).collect();
    assert_eq!(head(Dialect::GenericOpenai, &lines).len(), 16);
}

fn spent(dialect: Dialect, lines: &[(&str, &str)]) -> Option<Hint> {
    Evidence { readings: head(dialect, lines), stated: Vec::new() }.spent(dialect, NOW)
}

#[test]
fn a_spent_bucket_says_for_how_long() {
    let zero = ("x-ratelimit-remaining-requests-day", "0");
    let seconds = |wait| Duration::from_secs(wait);
    for (dialect, lines, wait, basis) in [
        (Dialect::Cerebras, &[zero, ("x-ratelimit-reset-requests-day", "90")][..], seconds(90), Basis::ResetHeader),
        (Dialect::Cerebras, &[zero], seconds(43_200), Basis::Calendar),
        (Dialect::GoogleAi, &[zero], seconds(72_000), Basis::Calendar),
        (Dialect::Mistral, &[("x-ratelimit-remaining-req-minute", "0")], seconds(60), Basis::Calendar),
        (Dialect::GenericOpenai, &[zero], CLAMP, Basis::WindowLength),
        (Dialect::GenericOpenai, &[("x-ratelimit-remaining-tokens-month", "0")], CLAMP, Basis::WindowLength),
        (
            Dialect::Groq,
            &[
                ("x-ratelimit-limit-requests", "1000"),
                ("x-ratelimit-remaining-requests", "0"),
                ("x-ratelimit-reset-requests", "24h"),
            ],
            Duration::from_millis(86_400),
            Basis::RefillRate,
        ),
        (
            Dialect::Groq,
            &[
                ("x-ratelimit-limit-tokens", "8000"),
                ("x-ratelimit-remaining-tokens", "0"),
                ("x-ratelimit-reset-tokens", "60s"),
            ],
            FLOOR,
            Basis::RefillRate,
        ),
        // Of two the later.
        (
            Dialect::GenericOpenai,
            &[zero, ("x-ratelimit-reset-requests-day", "90"), ("x-ratelimit-remaining-tokens-minute", "0")],
            seconds(90),
            Basis::ResetHeader,
        ),
    ] {
        assert_eq!(spent(dialect, lines), Some(Hint { wait, basis }), "{dialect:?} {lines:?}");
    }
}

#[test]
fn what_is_not_spent_says_nothing() {
    for lines in [
        &[("x-ratelimit-remaining-requests-day", "1")][..],
        &[("x-ratelimit-limit-requests-day", "9")],
        // A plan without the model, and a window that is over.
        &[("x-ratelimit-limit-requests-day", "0"), ("x-ratelimit-remaining-requests-day", "0")],
        &[("x-ratelimit-remaining-requests-day", "0"), ("x-ratelimit-reset-requests-day", "0")],
        // Nobody knows for how long.
        &[("x-ratelimit-remaining", "0")],
    ] {
        assert_eq!(spent(Dialect::GenericOpenai, lines), None, "{lines:?}");
    }
}
