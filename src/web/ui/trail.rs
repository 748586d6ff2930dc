//! What each entry did about a request: the same list under a row of the log and in the playground.

use askama::Template;
use serde::Deserialize;

use super::words;

/// The list.
#[derive(Template)]
#[template(path = "trail.html")]
pub(super) struct Trail {
    pub(super) steps: Vec<Step>,
    /// The entry that is being asked.
    pub(super) trying: Option<String>,
}

/// One entry.
pub(super) struct Step {
    entry: String,
    class: &'static str,
    word: &'static str,
    text: String,
    took: Option<String>,
    key: Option<u64>,
}

/// As it is kept, and told in `error.trail`.
#[derive(Deserialize)]
struct Kept {
    provider: String,
    model: String,
    outcome: String,
    #[serde(default)]
    status: Option<u16>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    key: Option<u64>,
    #[serde(default)]
    ms: u64,
}

impl Trail {
    /// Reads one that was kept.
    pub(super) fn read(json: &str) -> Self {
        let kept: Vec<Kept> = serde_json::from_str(json).unwrap_or_default();
        Self { steps: kept.into_iter().map(Step::of).collect(), trying: None }
    }
}

impl Step {
    fn of(kept: Kept) -> Self {
        let Kept { provider, model, outcome, status, message, key, ms } = kept;
        let (class, word) = match outcome.as_str() {
            "served" => ("ready", "served"),
            "failed" => ("auth", "failed"),
            _ => ("skipped", "skipped"),
        };
        let message = message.unwrap_or_default();
        let said = status.is_some_and(|status| message.contains(&status.to_string()));
        let text = match status.filter(|_| !said) {
            Some(status) if message.is_empty() => status.to_string(),
            Some(status) => format!("{status}, {message}"),
            None => message,
        };
        let called = class != "skipped";
        Self { entry: format!("{provider} / {model}"), class, word, text, took: called.then(|| words::span(ms)), key }
    }
}

/// `Tried 2 providers: a/m (429, back in 42 s), b/m (key rejected, 401)`
pub(super) fn sentence(json: &str) -> Option<String> {
    let kept: Vec<Kept> = serde_json::from_str(json).unwrap_or_default();
    let mut entries: Vec<(&str, &str)> =
        kept.iter().map(|step| (step.provider.as_str(), step.model.as_str())).collect();
    entries.sort_unstable();
    entries.dedup();
    let said = kept.iter().map(|step| {
        let message = step.message.as_deref().unwrap_or("served");
        format!("{}/{} ({message})", step.provider, step.model)
    });
    let said: Vec<String> = said.collect();
    let count = entries.len();
    (count > 0).then(|| format!("Tried {count} provider{}: {}", if count == 1 { "" } else { "s" }, said.join(", ")))
}

/// Upstream calls in it.
pub(super) fn calls(json: &str) -> usize {
    let kept: Vec<Kept> = serde_json::from_str(json).unwrap_or_default();
    kept.iter().filter(|step| matches!(step.outcome.as_str(), "served" | "failed")).count()
}
