//! Any answer of any provider has a verdict that makes sense, and evidence that a ledger can believe.

#![no_main]

use std::collections::HashSet;
use std::time::Duration;

use chain429::domain::evidence::{Evidence, MONTH, Stated};
use chain429::domain::hints::{CLAMP, FLOOR, LONG_CLAMP};
use chain429::domain::outcome::{Action, CooldownClass, Verdict};
use chain429_fuzz::{NOW, decode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(case) = decode(bytes) else { return };
    let outcome = case.run();
    check_verdict(&outcome.verdict);
    check_evidence(&outcome.evidence);
    let spent = outcome.evidence.spent(case.dialect, NOW);
    assert!(spent.is_none_or(|hint| (FLOOR..=CLAMP).contains(&hint.wait)), "{spent:?}");
    serde_json::to_string(&case.expectation()).expect("every outcome can be written down");
});

fn check_verdict(verdict: &Verdict) {
    if let Some(hint) = verdict.hint {
        let long = matches!(verdict.class, Some(CooldownClass::Week | CooldownClass::Month));
        let clamp = if long { LONG_CLAMP } else { CLAMP };
        assert!((FLOOR..=clamp).contains(&hint.wait), "{verdict:?}");
    }
    let complete = match verdict.action {
        Action::Ok => verdict.reason.is_none() && verdict.class.is_none(),
        Action::ReturnToClient => verdict.reason.is_some() && verdict.class.is_none() && verdict.hint.is_none(),
        Action::NextEntry => verdict.reason.is_some() && (verdict.hint.is_none() || verdict.class.is_some()),
    };
    assert!(complete, "{verdict:?}");
}

fn check_evidence(evidence: &Evidence) {
    let mut seen = HashSet::new();
    for reading in &evidence.readings {
        assert!(seen.insert((reading.dimension, reading.window)), "twice: {reading:?}");
        assert!(reading.limit.is_some() || reading.remaining.is_some(), "nothing: {reading:?}");
        if let (Some(limit), Some(remaining)) = (reading.limit, reading.remaining) {
            assert!(remaining <= limit, "more than all: {reading:?}");
        }
        assert!(reading.reset.is_none_or(|reset| reset.after <= MONTH), "too late: {reading:?}");
        let window = reading.window.unwrap_or(MONTH);
        assert!(window > Duration::ZERO && window <= MONTH, "odd: {reading:?}");
    }
    for stated in &evidence.stated {
        let (Stated::Context(limit) | Stated::Window { limit, .. }) = stated;
        assert!(*limit > 0, "no limit: {stated:?}");
    }
}
