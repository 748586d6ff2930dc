//! Structured values: `20, 20;w=60`, and the fields `RateLimit` and `RateLimit-Policy` of the IETF draft, in its present
//! form (`"default";r=0;t=30`, `"default";q=100;w=60`) and an earlier one (`limit=100, remaining=0, reset=30`).

use std::time::Duration;

use super::tally::Tally;
use super::{Dimension, MONTH, Reset, ResetKind};
use crate::domain::hints::{number, when};
use crate::domain::time::Wall;

/// A limit, and the window that stands behind it.
pub(super) fn limit(value: &str) -> (Option<u64>, Option<Duration>) {
    // Without a parameter a comma separates thousands.
    if !value.bytes().any(|byte| byte == b';') {
        return (positive(value), None);
    }
    let Some((first, rest)) = value.split_once([',', ';']).filter(|_| value.contains(";w=")) else {
        return (positive(value), None);
    };
    let limit = positive(first);
    // Of several policies the one that is in force repeats the number.
    let policies = || value.split(',').filter(|item| item.contains(";w="));
    let item = policies().find(|item| item.split(';').next().and_then(positive) == limit).or_else(|| policies().next());
    (limit, item.and_then(|item| parameter(item, "w")).or_else(|| parameter(rest, "w")).and_then(window))
}

/// A window in whole seconds.
pub(super) fn window(value: &str) -> Option<Duration> {
    let seconds = number::seconds(value)?.as_secs();
    (seconds > 0).then(|| Duration::from_secs(seconds).min(MONTH))
}

/// A count, unless it is negative: `-1` stands for "unlimited".
fn positive(value: &str) -> Option<u64> {
    number::count(value).filter(|_| !value.trim_start().starts_with('-'))
}

/// The value of `;key=value` in an item.
fn parameter<'a>(item: &'a str, key: &str) -> Option<&'a str> {
    let mut pairs = item.split([';', ',']).filter_map(|part| part.split_once('='));
    pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case(key)).map(|(_, value)| value.trim().trim_matches('"'))
}

/// When a state says that its bucket recovers.
pub(super) fn reset(state: &str) -> Option<&str> {
    parameter(state, "t").or_else(|| parameter(state, "reset"))
}

/// What stands before the first parameter: the name that states and policies share.
fn label(item: &str) -> &str {
    item.split(';').next().unwrap_or_default().trim().trim_matches('"')
}

/// The draft's two fields, which belong together by name.
#[derive(Debug, Default)]
pub(super) struct Drafts<'a> {
    states: Vec<&'a str>,
    policies: Vec<&'a str>,
}

impl<'a> Drafts<'a> {
    pub(super) fn state(&mut self, value: &'a str) {
        if value.contains("remaining=") {
            self.states.push(value);
        } else {
            self.states.extend(items(value));
        }
    }

    pub(super) fn policy(&mut self, value: &'a str) {
        self.policies.extend(items(value));
    }

    /// Puts what belongs together into one bucket.
    pub(super) fn settle(self, now: Wall, tally: &mut Tally) {
        for policy in &self.policies {
            let Some((dimension, window)) = bucket(policy) else { continue };
            // The first form of the draft had the limit in the place of the name: `100;w=60`.
            let limit = parameter(policy, "q").and_then(positive).or_else(|| positive(label(policy)));
            if let Some(limit) = limit {
                tally.bucket(dimension, window).limited(limit);
            }
        }
        for state in &self.states {
            let policy = match self.policies.as_slice() {
                [only] => Some(only),
                several => several.iter().find(|policy| label(policy) == label(state)),
            };
            let Some((dimension, window)) = policy.map_or(Some((Dimension::Requests, None)), |policy| bucket(policy))
            else {
                continue;
            };
            let bucket = tally.bucket(dimension, window);
            if let Some(limit) = parameter(state, "limit").and_then(positive) {
                bucket.limited(limit);
            }
            if let Some(left) = parameter(state, "r").or_else(|| parameter(state, "remaining")).and_then(positive) {
                bucket.left(left, false);
            }
            if let Some(when) = reset(state).and_then(|value| when::read(value, now)) {
                bucket.resets(Reset { after: when.wait, kind: ResetKind::WindowEnd });
            }
        }
    }
}

fn items(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// What a policy counts and in which window; `None` for a unit that is not counted here (bytes, concurrent requests).
fn bucket(policy: &str) -> Option<(Dimension, Option<Duration>)> {
    let dimension = match parameter(policy, "qu") {
        None | Some("requests" | "request") => Dimension::Requests,
        Some("tokens" | "token") => Dimension::Tokens,
        Some(_) => return None,
    };
    Some((dimension, parameter(policy, "w").and_then(window)))
}
