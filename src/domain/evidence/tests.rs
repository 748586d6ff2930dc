mod names;
mod properties;
mod refusals;
mod success;

use std::time::Duration;

use super::{Dimension, Evidence, Reading, Reset, ResetKind, read};
use crate::domain::answer::Answer;
use crate::domain::classify::classify;
use crate::domain::dialect::Dialect;
use crate::domain::outcome::Verdict;
use crate::domain::time::Wall;

/// 2026-11-24T12:00:00Z
const NOW: Wall = Wall(1_795_521_600_000);

/// Reads an answer as the proxy does: its verdict first.
fn judged(dialect: Dialect, status: u16, headers: &[(&str, &str)], body: &str) -> (Verdict, Evidence) {
    let lines: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let answer = Answer { status, headers: &lines, body: body.as_bytes() };
    let verdict = classify(dialect, &answer, NOW);
    (verdict, read(dialect, &answer, &verdict, NOW))
}

/// Reads the head of a stream.
fn head(dialect: Dialect, headers: &[(&str, &str)]) -> Vec<Reading> {
    let lines: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let answer = Answer { status: 200, headers: &lines, body: b"" };
    let evidence = read(dialect, &answer, &Verdict::OK, NOW);
    assert!(evidence.stated.is_empty(), "a success states no limit in its body");
    evidence.readings
}

fn reading(dimension: Dimension, window: Option<Duration>, limit: Option<u64>, remaining: Option<u64>) -> Reading {
    Reading { dimension, window, limit, remaining, reset: None }
}

impl Reading {
    fn after(mut self, seconds: f64, kind: ResetKind) -> Self {
        self.reset = Some(Reset { after: Duration::from_secs_f64(seconds), kind });
        self
    }
}
