//! The trail of a request: every entry that was looked at, and what came of it. It answers "why did this fail, and when
//! will it work again?".

use std::collections::BTreeSet;
use std::time::Duration;

use super::cooldown::{Cooldown, Deadline};
use super::evidence::DAY;
use super::ids::EntryId;
use super::outcome::Reason;
use super::refusal::Refusal;
use super::time::{Mono, Now};

mod view;
mod words;

pub use view::{StepOutcome, StepView};
use words::Words;
pub use words::{Measure, Span};

/// One entry that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub entry: EntryId,
    /// What came of it.
    pub seen: Seen,
    /// How long it took.
    pub took: Duration,
}

/// What came of looking at an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Not called.
    Skipped(Refusal),
    /// Not called: the request was refused by this provider already, and another one is to confirm that.
    SameProvider,
    /// Called, without success.
    Failed(Failure),
    /// Called, and it served the request.
    Served,
    /// Not called, because nobody was: it could take the request.
    Able,
}

/// An attempt that did not serve the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// With which of the provider's keys, counted from 1; `None` when it has only one.
    pub key: Option<usize>,
    /// Why.
    pub reason: Reason,
    /// HTTP status of the answer; 0 when there was none.
    pub status: u16,
    /// What the connection said, when there was no answer. Never holds a key or a body.
    pub detail: Option<String>,
    /// The cooldown that is in force because of it.
    pub cooldown: Option<Cooldown>,
}

/// All steps of one request, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail(pub Vec<Step>);

impl Trail {
    /// Adds entries that were passed over. What an earlier look at them said is out of date; what a call of them said
    /// is not.
    pub fn skip(&mut self, steps: Vec<Step>) {
        let is_skip = |step: &Step| !matches!(step.seen, Seen::Failed(_) | Seen::Served);
        self.0.retain(|old| !is_skip(old) || steps.iter().all(|step| step.entry != old.entry));
        for step in steps {
            if self.0.iter().all(|old| old.entry != step.entry) {
                self.0.push(step);
            }
        }
    }

    /// Upstream calls made.
    #[must_use]
    pub fn attempts(&self) -> usize {
        self.0.iter().filter(|step| matches!(step.seen, Seen::Failed(_) | Seen::Served)).count()
    }

    /// True when at least one entry was called and every entry refused the request itself.
    #[must_use]
    pub fn blames_request(&self) -> bool {
        !self.0.is_empty()
            && self.0.iter().all(|step| match &step.seen {
                Seen::Failed(failure) => failure.reason.blames_request(),
                Seen::SameProvider | Seen::Skipped(Refusal::Off | Refusal::TooLarge { .. }) => true,
                Seen::Skipped(_) | Seen::Served | Seen::Able => false,
            })
            && self.attempts() > 0
    }

    /// True when every entry that is switched on is too small for the request, and none was called.
    #[must_use]
    pub fn too_large(&self) -> bool {
        let small = |step: &&Step| matches!(step.seen, Seen::Skipped(Refusal::TooLarge { .. }));
        let off = |step: &&Step| matches!(step.seen, Seen::Skipped(Refusal::Off));
        self.0.iter().any(|step| small(&step)) && self.0.iter().all(|step| small(&step) || off(&step))
    }

    /// The longest context among the entries, when the request is too long for all that are switched on.
    #[must_use]
    pub fn too_long(&self) -> Option<u64> {
        let mut longest = None;
        for step in &self.0 {
            match step.seen {
                Seen::Skipped(Refusal::TooLarge { limit, window: None, .. }) => longest = longest.max(Some(limit)),
                Seen::Skipped(Refusal::Off) => {}
                _ => return None,
            }
        }
        longest
    }

    /// How long until the first of these entries may be called again; `None` when waiting helps none of them.
    #[must_use]
    pub fn soonest(&self, now: Mono) -> Option<Duration> {
        self.told().filter(|(_, over)| !over).filter_map(|(step, _)| step.seen.back_in(now)).min()
    }

    /// `Tried 2 providers: groq/x (429, back in 42 s), cerebras/y (key rejected, 401)`
    #[must_use]
    pub fn message(&self, now: Mono) -> String {
        use std::fmt::Write as _;

        let entries: BTreeSet<&EntryId> = self.0.iter().map(|step| &step.entry).collect();
        let count = entries.len();
        let mut text = format!("Tried {count} provider{}", if count == 1 { "" } else { "s" });
        let mut lead = ": ";
        for (at, (step, over)) in self.told().enumerate() {
            // What happened again in the same way is told once, as it was the last time.
            if self.0.iter().skip(at + 1).any(|later| step.failed_like(later)) {
                continue;
            }
            // Writing to a String cannot fail.
            let _ = write!(text, "{lead}{} ({})", step.entry, Words { seen: &step.seen, took: step.took, now, over });
            let times = 1 + self.0.iter().take(at).filter(|earlier| step.failed_like(earlier)).count();
            if times > 1 {
                let _ = write!(text, " {times} times");
            }
            lead = ", ";
        }
        text
    }

    /// Each step, and whether it is over: the same entry was called again later, by the same key. When it may be called
    /// is told by the last one.
    fn told(&self) -> impl Iterator<Item = (&Step, bool)> {
        self.0.iter().enumerate().map(|(at, step)| {
            let by = step.called_by();
            (step, by.is_some() && self.0.iter().skip(at + 1).any(|later| later.called_by() == by))
        })
    }

    /// The trail as JSON, with deadlines on the wall clock.
    #[must_use]
    pub fn view(&self, now: Now) -> Vec<StepView> {
        self.told().map(|(step, over)| StepView::of(step, over, now)).collect()
    }
}

impl Step {
    /// By which key the entry was called; `None` when it was not.
    fn called_by(&self) -> Option<(&EntryId, Option<usize>)> {
        match &self.seen {
            Seen::Failed(failure) => Some((&self.entry, failure.key)),
            Seen::Served => Some((&self.entry, None)),
            Seen::Skipped(_) | Seen::SameProvider | Seen::Able => None,
        }
    }

    /// Whether both are failures of the same entry and key, of the same kind.
    fn failed_like(&self, other: &Self) -> bool {
        match (&self.seen, &other.seen) {
            (Seen::Failed(one), Seen::Failed(two)) => {
                self.called_by() == other.called_by() && (one.reason, one.status) == (two.reason, two.status)
            }
            _ => false,
        }
    }
}

impl Seen {
    /// How long until the entry may be called again; `None` when waiting does not help.
    fn back_in(&self, now: Mono) -> Option<Duration> {
        /// A slot that is taken, or an actor that restarts: nobody knows, soon.
        const SOON: Duration = Duration::from_secs(1);
        let until = match self {
            Self::Skipped(Refusal::Cooling(cooldown)) | Self::Failed(Failure { cooldown: Some(cooldown), .. }) => {
                cooldown.until
            }
            Self::Skipped(Refusal::Spent { until: Some(end), .. } | Refusal::Probing { until: Some(end) }) => {
                Deadline::At(*end)
            }
            Self::Skipped(
                Refusal::Full { .. }
                | Refusal::Gone
                | Refusal::Spent { until: None, .. }
                | Refusal::Probing { until: None }
                | Refusal::Queued,
            ) => return Some(SOON),
            Self::Able => return Some(Duration::ZERO),
            // Nobody rests because of it, and the next request of this kind will be told the same.
            Self::Failed(Failure { reason: Reason::ModelGone | Reason::ProviderRejected, .. }) => return None,
            Self::Failed(failure) if !failure.reason.blames_request() => return Some(SOON),
            _ => return None,
        };
        match until {
            Deadline::At(end) => Some(end.from_now(now)),
            Deadline::Never => None,
        }
    }

    fn outcome(&self) -> StepOutcome {
        match self {
            Self::Skipped(_) | Self::SameProvider => StepOutcome::Skipped,
            Self::Failed(_) => StepOutcome::Failed,
            Self::Served => StepOutcome::Served,
            Self::Able => StepOutcome::Able,
        }
    }

    fn reason(&self) -> Option<(Reason, u16)> {
        match self {
            Self::Skipped(Refusal::Cooling(cooldown)) => Some((cooldown.reason, cooldown.status)),
            Self::Failed(failure) => Some((failure.reason, failure.status)),
            Self::Skipped(Refusal::Spent { dimension: _, window, .. }) => {
                let long = window.is_some_and(|window| window >= DAY);
                Some((if long { Reason::Quota } else { Reason::RateLimit }, 0))
            }
            Self::Skipped(Refusal::TooLarge { window: Some(_), .. }) => Some((Reason::TooLarge, 0)),
            Self::Skipped(Refusal::TooLarge { window: None, .. }) => Some((Reason::Context, 0)),
            Self::Skipped(Refusal::Full { .. }) => Some((Reason::Concurrency, 0)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{ModelId, ProviderId};
    use crate::domain::outcome::Basis;
    use crate::domain::time::Wall;

    fn step(provider: &str, seen: Seen, took_ms: u64) -> Step {
        let entry = EntryId { provider: ProviderId::new(provider), model: ModelId::new("m") };
        Step { entry, seen, took: Duration::from_millis(took_ms) }
    }

    fn cooldown(reason: Reason, status: u16, until: u64) -> Cooldown {
        Cooldown { until: Deadline::At(Mono(until)), reason, status, basis: Basis::Guess }
    }

    fn failed(reason: Reason, status: u16, cooldown: Option<Cooldown>) -> Seen {
        Seen::Failed(Failure { key: None, reason, status, detail: None, cooldown })
    }

    /// A local server that fails is asked again and again while the request waits.
    #[test]
    fn calls_that_failed_alike_are_told_as_one() {
        let sick = |until| failed(Reason::Server, 501, Some(cooldown(Reason::Server, 501, until)));
        let trail = Trail(vec![
            step("home", sick(1_000), 5),
            step("home", sick(2_000), 5),
            step("home", failed(Reason::Timeout, 0, None), 30_000),
            step("home", sick(9_000), 5),
            step("home", sick(12_000), 5),
            step("far", sick(5_000), 5),
        ]);
        assert_eq!(
            trail.message(Mono(9_000)),
            "Tried 2 providers: home/m (timeout after 30 s), home/m (server error, 501, back in 3 s) 4 times, \
             far/m (server error, 501, may be called again)"
        );
        assert_eq!(trail.soonest(Mono(9_000)), Some(Duration::ZERO), "far");
        let home = Trail(trail.0.into_iter().take(5).collect());
        assert_eq!(home.soonest(Mono(9_000)), Some(Duration::from_secs(3)));
        let back = |step: &StepView| step.retry_at;
        let now = Now { mono: Mono(9_000), wall: Wall(0) };
        assert_eq!(home.view(now).iter().filter_map(back).collect::<Vec<_>>(), [Wall(3_000)]);
    }

    #[test]
    fn the_message_names_every_entry_and_reason() {
        let trail = Trail(vec![
            step("groq", Seen::Skipped(Refusal::Cooling(cooldown(Reason::RateLimit, 429, 41_001))), 0),
            step("openrouter", failed(Reason::Timeout, 0, Some(cooldown(Reason::Timeout, 0, 99_000))), 10_000),
            step("cerebras", failed(Reason::Auth, 401, None), 80),
            step("local", Seen::Skipped(Refusal::Full { limit: 4 }), 0),
        ]);
        assert_eq!(
            trail.message(Mono(0)),
            "Tried 4 providers: groq/m (429, back in 42 s), openrouter/m (timeout after 10 s), \
             cerebras/m (key rejected, 401), local/m (4 of 4 requests in flight)"
        );
        assert_eq!(trail.attempts(), 2);
        assert_eq!(trail.soonest(Mono(0)), Some(Duration::from_secs(1)));
        assert!(!trail.blames_request());
    }

    #[test]
    fn keys_of_one_provider_are_told_apart() {
        let with = |key| {
            let failure =
                Failure { key: Some(key), reason: Reason::RateLimit, status: 429, detail: None, cooldown: None };
            step("groq", Seen::Failed(failure), 1)
        };
        let trail = Trail(vec![with(2), with(1)]);
        assert_eq!(trail.message(Mono(0)), "Tried 1 provider: groq/m (key 2: 429), groq/m (key 1: 429)");
        let json = serde_json::to_value(trail.view(Now::default())).unwrap();
        assert_eq!((&json[0]["key"], &json[1]["key"]), (&2.into(), &1.into()));
    }

    #[test]
    fn only_refusals_of_the_request_itself_blame_it() {
        let refused = Trail(vec![
            step("a", failed(Reason::Context, 400, None), 5),
            step("b", failed(Reason::UnsupportedParameter, 422, None), 5),
            step("c", Seen::Skipped(Refusal::Off), 0),
        ]);
        assert!(refused.blames_request());
        assert_eq!(refused.soonest(Mono(0)), None);
        let nobody_asked = Trail(vec![step("c", Seen::Skipped(Refusal::Off), 0)]);
        assert!(!nobody_asked.blames_request());
    }

    #[test]
    fn json_shows_deadlines_on_the_wall_clock() {
        let now = Now { mono: Mono(1_000), wall: Wall(1_795_521_600_000) };
        let trail = Trail(vec![step(
            "groq",
            failed(Reason::RateLimit, 429, Some(cooldown(Reason::RateLimit, 429, 3_000))),
            12,
        )]);
        assert_eq!(
            serde_json::to_value(trail.view(now)).unwrap(),
            serde_json::json!([{
                "provider": "groq", "model": "m", "outcome": "failed", "reason": "rate_limit", "status": 429,
                "message": "429, back in 2 s", "retryAt": "2026-11-24T12:00:02.000Z", "ms": 12
            }])
        );
    }

    #[test]
    fn spans_read_naturally_and_round_up() {
        for (ms, text) in [
            (850, "850 ms"),
            (1_000, "1 s"),
            (41_001, "42 s"),
            (119_000, "119 s"),
            (301_000, "6 min"),
            (12_000_000, "3 h 20 min"),
            (187_200_000, "2 d 4 h"),
        ] {
            assert_eq!(Span(Duration::from_millis(ms)).to_string(), text);
        }
    }
}
