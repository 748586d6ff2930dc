//! Defects of earlier proxies of this kind. Each test names the row of the list of lessons that it covers.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::answer;
use crate::domain::dialect::Dialect;
use crate::domain::outcome::{Action, Basis, CooldownClass, Reason, Target};

#[test]
fn o9_a_429_uses_every_kind_of_hint() {
    let date = answer(429).header("Retry-After", "Tue, 24 Nov 2026 12:02:00 GMT");
    assert_eq!(date.wait(), Some(Duration::from_secs(120)));
    let millis = answer(429).header("retry-after-ms", "1574").header("retry-after", "2");
    assert_eq!(millis.wait(), Some(Duration::from_millis(1_574)));
    let reset = answer(429).header("x-ratelimit-remaining", "0").header("x-ratelimit-reset", "1795521690");
    assert_eq!(reset.wait(), Some(Duration::from_secs(90)));
    let info = json!({"error": {"details": [{"@type": "RetryInfo", "retryDelay": "38.2s"}]}});
    assert_eq!(answer(429).json(&info).wait(), Some(Duration::from_millis(38_200)));
    let prose = json!({"error": {"message": "Please try again in 7m12s."}});
    assert_eq!(answer(429).json(&prose).wait(), Some(Duration::from_secs(432)));
}

#[test]
fn o10_a_generic_provider_has_its_resets_read_with_every_unit() {
    for (reset, seconds) in [("1h2m", 3_720), ("7200", 7_200), ("4h17m", 15_420), ("1d2h", 86_400)] {
        let answer =
            answer(429).header("x-ratelimit-remaining-requests", "0").header("x-ratelimit-reset-requests", reset);
        assert_eq!(answer.wait(), Some(Duration::from_secs(seconds)), "{reset}");
    }
}

#[test]
fn o13_a_bad_request_goes_back_and_a_dead_key_cools_down() {
    let typed = json!({"error": {"message": "'messages' is required", "type": "invalid_request_error"}});
    for dialect in Dialect::ALL {
        let bad = answer(400).from(dialect).json(&typed).verdict();
        assert_eq!((bad.action, bad.reason), (Action::ReturnToClient, Some(Reason::BadRequest)), "{dialect:?}");
        let dead = answer(401).from(dialect).verdict();
        assert_eq!(dead.target, Target::Key, "{dialect:?}");
        assert_eq!(dead.class, Some(CooldownClass::Auth), "{dialect:?}");
    }
}

#[test]
fn o14_no_answer_in_time_cools_the_entry() {
    for dialect in Dialect::ALL {
        let late = super::super::broken(dialect, Reason::Timeout);
        assert_eq!((late.action, late.target), (Action::NextEntry, Target::Entry));
        assert!(late.class.is_some());
    }
}

#[test]
fn f2_a_500_that_mentions_the_daily_limit_is_a_500() {
    for words in ["daily limit", "quota exceeded per day", "insufficient balance", "invalid api key", "model not found"]
    {
        for dialect in Dialect::ALL {
            let verdict = answer(500).from(dialect).json(&json!({"error": {"message": words}})).verdict();
            assert_eq!(verdict.reason, Some(Reason::Server), "{dialect:?}: {words}");
            assert_eq!((verdict.target, verdict.hint), (Target::Entry, None), "{dialect:?}: {words}");
        }
    }
}

#[test]
fn f4_a_hint_of_one_second_is_one_second() {
    let verdict = answer(429).header("retry-after", "1").verdict();
    assert_eq!(verdict.hint.map(|hint| (hint.wait.as_secs(), hint.basis)), Some((1, Basis::RetryAfterHeader)));
}

#[test]
fn f4_a_weekly_limit_may_tell_more_than_a_day() {
    let body = json!({"error": "you (name) have reached your weekly usage limit"});
    let week = answer(429).from(Dialect::OllamaCloud).header("retry-after", "300000").json(&body);
    assert_eq!(week.wait(), Some(Duration::from_secs(300_000)));
    assert_eq!(answer(429).header("retry-after", "300000").wait(), Some(Duration::from_secs(86_400)));
}

#[test]
fn f5_a_fraction_or_a_zero_does_not_hide_what_the_body_says() {
    let body = json!({"error": {"message": "Please try again in 20s."}});
    assert_eq!(answer(429).header("retry-after", "2.5").json(&body).wait(), Some(Duration::from_millis(2_500)));
    assert_eq!(answer(429).header("retry-after", "0").json(&body).wait(), Some(Duration::from_secs(20)));
    assert_eq!(answer(429).header("retry-after", "0").wait(), Some(Duration::from_secs(1)));
    let past = answer(429).header("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT").json(&body);
    assert_eq!(past.wait(), Some(Duration::from_secs(20)));
}

#[test]
fn f6_one_sick_model_does_not_rule_out_its_provider() {
    for status in [408, 409, 425, 499, 500, 502, 503, 504, 522, 524, 529, 599] {
        for dialect in Dialect::ALL {
            assert_eq!(answer(status).from(dialect).verdict().target, Target::Entry, "{dialect:?} {status}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, ..ProptestConfig::default() })]

    /// A proxy that looked for "402", "403" and "404" in the text benched 2 % of these for a day.
    #[test]
    fn f1_numbers_in_a_groq_429_never_change_its_class(
        organization in any::<u64>(),
        limit in 1_u32..,
        used in any::<u32>(),
        requested in any::<u32>(),
        wait in 1_u32..86_400,
        dialect in prop::sample::select(Dialect::ALL.to_vec()),
        window in prop::sample::select(vec![
            ("tokens per minute (TPM)", Reason::RateLimit),
            ("requests per minute (RPM)", Reason::RateLimit),
            ("tokens per day (TPD)", Reason::Quota),
        ]),
    ) {
        let (words, reason) = window;
        let message = format!(
            "Rate limit reached for model `m` in organization `org_{organization}` on {words}: Limit {limit}, Used \
             {used}, Requested {requested}. Please try again in {wait}s. Visit https://console.example/docs/{used}"
        );
        let body = json!({"error": {"message": message, "type": "tokens", "code": "rate_limit_exceeded"}});
        let verdict = answer(429).from(dialect).json(&body).verdict();
        prop_assert_eq!(verdict.action, Action::NextEntry);
        prop_assert_eq!(verdict.reason, Some(reason));
        prop_assert!(verdict.hint.is_some_and(|hint| hint.wait >= Duration::from_secs(u64::from(wait))));
        prop_assert!(!matches!(
            verdict.class,
            Some(CooldownClass::Billing | CooldownClass::Auth | CooldownClass::ModelGone)
        ));
    }
}
