//! Any answer of any provider has a verdict that makes sense, and evidence that a ledger can believe.
//!
//! A provider's answer is one string of bytes here, so that a fuzzer can change any part of it: dialect and status in a
//! byte each, header lines, an empty line, the body.

use std::collections::HashSet;
use std::time::Duration;

use chain429::domain::case::Case;
use chain429::domain::dialect::Dialect;
use chain429::domain::evidence::{Evidence, MONTH, Stated};
use chain429::domain::hints::{CLAMP, FLOOR, LONG_CLAMP};
use chain429::domain::outcome::{Action, CooldownClass, Verdict};
use chain429::domain::time::Wall;

/// 2026-11-24T12:00:00Z
pub const NOW: Wall = Wall(1_795_521_600_000);

/// Set in the status byte of an event stream.
const STREAM: u8 = 0x80;

const STATUSES: [u16; 20] =
    [429, 200, 400, 401, 402, 403, 404, 405, 408, 410, 413, 415, 422, 498, 500, 502, 503, 524, 302, 0];

/// Reads the answer and judges the judgement.
pub fn check(bytes: &[u8]) {
    let Some(case) = decode(bytes) else { return };
    let outcome = case.run();
    check_verdict(&outcome.verdict);
    check_evidence(&outcome.evidence);
    let spent = outcome.evidence.spent(case.dialect, NOW);
    assert!(spent.is_none_or(|hint| (FLOOR..=CLAMP).contains(&hint.wait)), "{spent:?}");
    serde_json::to_string(&case.expectation()).expect("every outcome can be written down");
}

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

/// The case that bytes stand for.
pub fn decode(bytes: &[u8]) -> Option<Case> {
    let ([dialect, status], mut rest) = bytes.split_first_chunk::<2>()?;
    let mut headers = Vec::new();
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(&rest[..end]).into_owned();
        rest = &rest[end + 1..];
        match line.split_once(':') {
            Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
            None => break,
        }
    }
    Some(Case {
        dialect: Dialect::ALL[usize::from(*dialect) % Dialect::ALL.len()],
        now: NOW,
        status: STATUSES[usize::from(status & !STREAM) % STATUSES.len()],
        headers,
        body: rest.to_vec(),
        stream: status & STREAM != 0,
    })
}

/// The bytes that stand for a case.
pub fn encode(case: &Case) -> Vec<u8> {
    let place = |at: Option<usize>| u8::try_from(at.unwrap_or_default()).unwrap_or_default();
    let dialect = place(Dialect::ALL.iter().position(|known| *known == case.dialect));
    let status = place(STATUSES.iter().position(|known| *known == case.status));
    let mut bytes = vec![dialect, status | if case.stream { STREAM } else { 0 }];
    for (name, value) in &case.headers {
        bytes.extend_from_slice(format!("{name}:{value}\n").as_bytes());
    }
    bytes.push(b'\n');
    bytes.extend_from_slice(&case.body);
    bytes
}
