//! What each entry did about a request: the same list under a row of the log and in the playground.

use askama::Template;

use super::words;
use crate::domain::trail::{StepOutcome, StepView};

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
    key: Option<usize>,
}

impl Trail {
    /// What is shown of these steps.
    pub(super) fn of(steps: &[StepView]) -> Self {
        Self { steps: steps.iter().map(Step::of).collect(), trying: None }
    }
}

impl Step {
    fn of(step: &StepView) -> Self {
        let (class, word) = match step.outcome {
            StepOutcome::Served => ("ready", "served"),
            StepOutcome::Failed => ("auth", "failed"),
            StepOutcome::Skipped | StepOutcome::Able => ("skipped", "skipped"),
        };
        let message = step.message.clone().unwrap_or_default();
        let status = Some(step.status).filter(|status| *status > 0 && !message.contains(&status.to_string()));
        let text = match status {
            Some(status) if message.is_empty() => status.to_string(),
            Some(status) => format!("{status}, {message}"),
            None => message,
        };
        Self {
            entry: format!("{} / {}", step.provider, step.model),
            class,
            word,
            text,
            took: step.ms.filter(|_| step.outcome.is_call()).map(words::span),
            key: step.key,
        }
    }
}

/// `Tried 2 providers: a/m (429, back in 42 s), b/m (key rejected, 401)`
pub(super) fn sentence(steps: &[StepView]) -> Option<String> {
    let mut entries: Vec<String> = steps.iter().map(StepView::label).collect();
    entries.sort_unstable();
    entries.dedup();
    let said = steps.iter().map(|step| format!("{} ({})", step.label(), step.message.as_deref().unwrap_or("served")));
    let said: Vec<String> = said.collect();
    let count = entries.len();
    (count > 0).then(|| format!("Tried {count} provider{}: {}", if count == 1 { "" } else { "s" }, said.join(", ")))
}

/// Upstream calls in it.
pub(super) fn calls(steps: &[StepView]) -> usize {
    steps.iter().filter(|step| step.outcome.is_call()).count()
}
