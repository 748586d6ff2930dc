//! A verdict in the making: what the rules found, before the waiting time is settled.

use std::time::Duration;

use super::dialects;
use super::signs::Signs;
use crate::domain::answer::Headers;
use crate::domain::dialect::Dialect;
use crate::domain::envelope::Delay;
use crate::domain::hints::window::Window;
use crate::domain::hints::{self, number, prose, reset, retry_after, when};
use crate::domain::outcome::{Basis, Hint, Reason, Target, Verdict};

/// What the rules found.
pub(super) struct Ruling {
    verdict: Verdict,
    window: Option<Window>,
    boundary: Option<Boundary>,
}

/// The end of a calendar window that is known without being told.
struct Boundary {
    wait: Duration,
    /// The provider is known to tell shorter times that are wrong.
    outranks: bool,
}

impl From<Verdict> for Ruling {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, window: None, boundary: None }
    }
}

impl Ruling {
    /// The window of the limit that was hit.
    pub(super) fn within(mut self, window: Window) -> Self {
        self.window = Some(window);
        self
    }

    /// The end of the window, for a provider that does not tell it.
    pub(super) fn unless_told(mut self, wait: Duration) -> Self {
        self.boundary = Some(Boundary { wait, outranks: false });
        self
    }

    /// The end of the window, for a provider that tells shorter times beside it.
    pub(super) fn at_least(mut self, wait: Duration) -> Self {
        self.boundary = Some(Boundary { wait, outranks: true });
        self
    }

    /// Adds the waiting time, if waiting is what helps.
    pub(super) fn settle(self, signs: &Signs<'_>) -> Verdict {
        let mut verdict = dialects::softened(signs.dialect, self.verdict);
        // Where the window does not make the class, it is no reason to believe in a longer wait either.
        let window = self.window.filter(|_| verdict.class == self.verdict.class);
        if signs.envelope.upstream && matches!(verdict.target, Target::Key | Target::Provider) {
            // The key, the money and the region of somebody behind the aggregator: one of many, and not ours.
            verdict.target = Target::Entry;
        }
        let waiting_helps = matches!(
            verdict.reason,
            Some(Reason::RateLimit | Reason::Quota | Reason::Concurrency | Reason::Overload | Reason::Server)
        );
        if !waiting_helps {
            return verdict;
        }
        let told = told(signs);
        let hint = match (told, self.boundary) {
            (Some(told), Some(end)) if !end.outranks || told.wait > end.wait => Some(told),
            (_, Some(end)) => Some(Hint { wait: end.wait, basis: Basis::Calendar }),
            (told, None) => told,
        };
        verdict.told(hint.map(|hint| hints::bounded(hint, window)))
    }
}

/// The best of what the answer says about time. A stated zero is worth less than any other statement.
fn told(signs: &Signs<'_>) -> Option<Hint> {
    let header = retry_after::read(signs.headers, signs.now);
    let stated = [header, body_field(signs), phrase(signs)];
    let positive = stated.into_iter().flatten().find(|hint| !hint.wait.is_zero());
    let reset = reset(signs);
    match (positive, reset) {
        // Both speak for the provider; being early would cost another refusal.
        (Some(hint), Some(reset)) if from_header(hint) && reset.wait > hint.wait => Some(reset),
        (Some(hint), _) => Some(hint),
        (None, Some(reset)) => Some(reset),
        (None, None) => stated.into_iter().flatten().next(),
    }
}

fn from_header(hint: Hint) -> bool {
    matches!(hint.basis, Basis::RetryAfterHeader | Basis::RetryAfterMsHeader)
}

/// `retry_after`, `RetryInfo.retryDelay`, and the `Retry-After` that an aggregator repeats.
fn body_field(signs: &Signs<'_>) -> Option<Hint> {
    let delays = signs.envelope.delays.iter().filter_map(|delay| match delay {
        Delay::Seconds(value) => when::wait(value, signs.now),
        Delay::Millis(value) => Some(number::seconds(value)? / 1_000),
    });
    let wait = delays.max().or_else(|| repeated(signs, |headers| Some(retry_after::read(headers, signs.now)?.wait)))?;
    Some(Hint { wait, basis: Basis::BodyField })
}

fn phrase(signs: &Signs<'_>) -> Option<Hint> {
    prose::wait(&signs.envelope.text).map(|wait| Hint { wait, basis: Basis::BodyHint })
}

/// When the spent bucket is back.
fn reset(signs: &Signs<'_>) -> Option<Hint> {
    let read = |headers: Headers<'_>| match signs.dialect {
        // Their resets say when a bucket is full again, which is no waiting time.
        Dialect::Groq | Dialect::Openai => None,
        // They send one bare reset, and only for the limit that was hit.
        Dialect::Openrouter | Dialect::Together => reset::stated(headers, signs.now),
        _ => reset::spent(headers, signs.now).wait,
    };
    let header = read(signs.headers).map(|wait| Hint { wait, basis: Basis::ResetHeader });
    header.or_else(|| repeated(signs, read).map(|wait| Hint { wait, basis: Basis::BodyField }))
}

/// Reads the header lines that the body repeats.
fn repeated(signs: &Signs<'_>, read: impl Fn(Headers<'_>) -> Option<Duration>) -> Option<Duration> {
    let lines: Vec<_> = signs.envelope.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    read(Headers(&lines))
}
