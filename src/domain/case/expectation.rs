//! What came out of a case, in the words of the fixtures' `expect`.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Number, Value};

use super::{Case, Outcome, basis};
use crate::domain::evidence::{self, Dimension, Reading, Reset, ResetKind, Stated};
use crate::domain::outcome::{Action, Basis, CooldownClass, Reason, Target};

/// One answer, understood.
#[derive(Clone, Debug, Serialize)]
pub struct Expectation {
    action: &'static str,
    reason: Option<Cause>,
    target: String,
    cooldown_s: Option<Number>,
    /// Which default holds when the answer names no time.
    cooldown_class: Option<CooldownClass>,
    basis: Option<String>,
    buckets: Vec<Bucket>,
    learn: Vec<Learned>,
    usage: Option<Spent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    permanent: bool,
    #[serde(skip_serializing_if = "is_false")]
    clamped: bool,
    #[serde(skip_serializing_if = "is_false")]
    proactive: bool,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
enum Cause {
    Failed(Reason),
    /// The answer was good, and spent a bucket.
    Spent(&'static str),
}

#[derive(Clone, Debug, Serialize)]
struct Bucket {
    scope: Dimension,
    window: String,
    limit: Option<u64>,
    remaining: Option<u64>,
    reset_after_s: Option<Number>,
    reset_kind: Option<ResetKind>,
}

#[derive(Clone, Debug, Serialize)]
struct Learned {
    scope: Value,
    window: String,
    limit: u64,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Spent {
    prompt_tokens: u64,
    completion_tokens: u64,
}

impl Expectation {
    pub(super) fn of(case: &Case, outcome: &Outcome) -> Self {
        let verdict = &outcome.verdict;
        let good = verdict.action == Action::Ok;
        let spent = good.then(|| outcome.evidence.spent(case.dialect, case.now)).flatten();
        let hint = verdict.hint.or(spent);
        Self {
            action: action(outcome),
            reason: verdict.reason.map(Cause::Failed).or(spent.map(|_| Cause::Spent("exhausted"))),
            // A good answer is about the entry that gave it.
            target: if good { "entry".to_owned() } else { target(verdict.target) },
            cooldown_s: hint.map(|hint| seconds(hint.wait)),
            cooldown_class: verdict.class.filter(|_| hint.is_none()),
            basis: hint.map(|hint| basis::name(case, outcome, hint)),
            buckets: outcome.evidence.readings.iter().map(bucket).collect(),
            learn: outcome.evidence.stated.iter().map(learned).collect(),
            usage: outcome
                .usage
                .map(|usage| Spent { prompt_tokens: usage.prompt_tokens, completion_tokens: usage.completion_tokens }),
            text: outcome.text.clone(),
            permanent: verdict.permanent,
            clamped: hint.is_some_and(|hint| hint.basis == Basis::Clamp),
            proactive: spent.is_some(),
        }
    }
}

fn action(outcome: &Outcome) -> &'static str {
    match outcome.verdict.action {
        Action::Ok => "ok",
        _ if outcome.aborted => "abort_stream",
        Action::NextEntry => "next_entry",
        Action::ReturnToClient => "return_to_client",
    }
}

fn target(target: Target) -> String {
    match target {
        Target::Request => "request".to_owned(),
        Target::Entry => "entry".to_owned(),
        Target::Key => "key".to_owned(),
        Target::Provider => "provider".to_owned(),
        Target::Pool(name) => format!("pool:{name}"),
    }
}

fn bucket(reading: &Reading) -> Bucket {
    Bucket {
        scope: reading.dimension,
        window: reading.window.map_or("unknown".to_owned(), window),
        limit: reading.limit,
        remaining: reading.remaining,
        reset_after_s: reading.reset.map(|reset| seconds(reset.after)),
        reset_kind: reading.reset.map(|Reset { kind, .. }| kind),
    }
}

fn learned(stated: &Stated) -> Learned {
    match *stated {
        Stated::Window { dimension, window: length, limit } => {
            Learned { scope: serde_json::json!(dimension), window: window(length), limit }
        }
        Stated::Context(limit) => Learned { scope: "context".into(), window: "request".to_owned(), limit },
    }
}

/// The name of a window, or its length where it has none.
fn window(length: Duration) -> String {
    let name = match length {
        evidence::SECOND => "second",
        evidence::MINUTE => "minute",
        evidence::HOUR => "hour",
        evidence::DAY => "day",
        evidence::WEEK => "week",
        evidence::MONTH => "month",
        other => return format!("{} s", other.as_secs()),
    };
    name.to_owned()
}

/// A whole number where it is one.
fn seconds(length: Duration) -> Number {
    match length.subsec_nanos() {
        0 => length.as_secs().into(),
        _ => Number::from_f64(length.as_secs_f64()).unwrap_or_else(|| length.as_secs().into()),
    }
}

fn is_false(flag: &bool) -> bool {
    !*flag
}
