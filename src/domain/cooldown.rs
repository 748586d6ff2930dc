//! Cooldowns: deadlines before which an entry, a key or a provider is not called.
//!
//! Evidence arrives out of order: a request that began before a 429 may succeed after it, and fifty requests in flight
//! may all be refused for the same reason. So a cooldown is only ever lengthened, a success that was under way when the
//! cooldown began says nothing about it, and of many refusals of one episode only the first raises the guess.

use std::time::Duration;

use super::outcome::{Basis, CooldownClass, Reason, Verdict};
use super::time::Mono;

/// The longest cooldown that is believed: month quotas reset within it.
pub const LONGEST: Duration = Duration::from_secs(31 * 24 * 3600);

/// More doublings than any class allows.
const MOST_STRIKES: u32 = 16;

/// A cooldown and why it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cooldown {
    /// When it ends.
    pub until: Deadline,
    /// What the provider did.
    pub reason: Reason,
    /// HTTP status of the answer; 0 when there was none.
    pub status: u16,
    /// Where its length comes from.
    pub basis: Basis,
}

/// The end of a cooldown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deadline {
    /// At this time.
    At(Mono),
    /// Not by waiting: the configuration has to change.
    Never,
}

impl Deadline {
    /// Whether the entry may be called at `now`.
    #[must_use]
    pub fn passed(self, now: Mono) -> bool {
        matches!(self, Self::At(end) if end <= now)
    }
}

/// The cooldown of one entry, key, provider or pool, with its memory of guesses that were too short.
#[derive(Clone, Debug, Default)]
pub struct Cooldowns {
    active: Option<Cooldown>,
    /// Guessed cooldowns in a row; each doubles the next one.
    strikes: u32,
    /// When the last episode began.
    episode: Option<Mono>,
}

/// What a change did, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A cooldown began, or an active one was lengthened.
    Cooling(Cooldown),
    /// Nothing new.
    Unchanged,
}

impl Cooldowns {
    /// The cooldown in force at `now`.
    #[must_use]
    pub fn active(&self, now: Mono) -> Option<&Cooldown> {
        self.active.as_ref().filter(|cooldown| !cooldown.until.passed(now))
    }

    /// Merges what a failed attempt says. `granted` is when that attempt was allowed, `unknown_429` the first guess for
    /// a 429 without any time.
    pub fn chill(&mut self, verdict: &Verdict, status: u16, granted: Mono, now: Mono, unknown_429: Duration) -> Change {
        let Some(reason) = verdict.reason else { return Change::Unchanged };
        let same_episode = !self.opens_episode(granted);
        let (wait, basis) = match (verdict.hint, verdict.class) {
            (Some(hint), _) => (hint.wait, hint.basis),
            (None, Some(class)) => (self.guess(class, same_episode, unknown_429), Basis::Guess),
            (None, None) if verdict.permanent => (LONGEST, Basis::Guess),
            (None, None) => return Change::Unchanged,
        };
        if !same_episode {
            self.episode = Some(now);
        }
        let until = if verdict.permanent { Deadline::Never } else { Deadline::At(now.after(wait.min(LONGEST))) };
        self.impose(Cooldown { until, reason, status, basis }, now)
    }

    /// An attempt granted at `granted` went well: the next guess is half as long. A cooldown in force stays, and an
    /// attempt that was under way before the last episode began proves nothing.
    pub fn warm(&mut self, granted: Mono) {
        if self.episode.is_none_or(|began| granted > began) {
            self.strikes = self.strikes.saturating_sub(1);
        }
    }

    /// True when a failure of a call that was granted at `granted` is news: later than the last episode began.
    #[must_use]
    pub fn opens_episode(&self, granted: Mono) -> bool {
        self.episode.is_none_or(|began| granted > began)
    }

    /// Forgets a cooldown that has ended, and returns it.
    pub fn recover(&mut self, now: Mono) -> Option<Cooldown> {
        self.active.take_if(|cooldown| cooldown.until.passed(now))
    }

    /// Puts a cooldown that was decided elsewhere in force, unless a longer one is.
    pub fn impose(&mut self, new: Cooldown, now: Mono) -> Change {
        if self.active(now).is_some_and(|old| old.until >= new.until) {
            return Change::Unchanged;
        }
        self.active = Some(new);
        Change::Cooling(new)
    }

    /// Ends a cooldown that is not for quota, or that no waiting ends: the configuration has changed. True if there was one.
    pub fn mend(&mut self) -> bool {
        let mended = |cooldown: &mut Cooldown| cooldown.until == Deadline::Never || !cooldown.reason.is_quota();
        let ended = self.active.take_if(mended).is_some();
        if ended {
            self.strikes = 0;
        }
        ended
    }

    /// Ends the cooldown in force because somebody says so, and forgets the guesses that led to it. Returns it.
    pub fn thaw(&mut self, now: Mono) -> Option<Cooldown> {
        let ended = self.active.take().filter(|cooldown| !cooldown.until.passed(now));
        if ended.is_some() {
            self.strikes = 0;
        }
        ended
    }

    /// Guessed cooldowns in a row.
    #[must_use]
    pub fn strikes(&self) -> u32 {
        self.strikes
    }

    /// Takes up what was known before a restart.
    pub fn restore(&mut self, cooldown: Option<Cooldown>, strikes: u32) {
        self.active = cooldown;
        self.strikes = strikes.min(MOST_STRIKES);
    }

    fn guess(&mut self, class: CooldownClass, same_episode: bool, unknown_429: Duration) -> Duration {
        if !same_episode || self.strikes == 0 {
            self.strikes = self.strikes.saturating_add(1);
        }
        let Span { first, longest } = class.span(unknown_429);
        let doublings = self.strikes.saturating_sub(1).min(MOST_STRIKES);
        first.saturating_mul(1 << doublings).min(longest)
    }
}

/// The first guess for a class and the longest it grows to by doubling.
struct Span {
    first: Duration,
    longest: Duration,
}

impl CooldownClass {
    /// Values of `PROVIDERS.md` 1.5.
    fn span(self, unknown_429: Duration) -> Span {
        let (first, longest) = match self {
            Self::Concurrency => (1, 1),
            Self::Overload => (10, 120),
            Self::LocalBusy => (3, 3),
            Self::ServerError | Self::Empty => (15, 120),
            Self::Minute => (60, 60),
            Self::Unknown429 => {
                return Span { first: unknown_429, longest: unknown_429.max(Duration::from_secs(600)) };
            }
            Self::Session5h => (1_800, 18_000),
            Self::Day => (3_600, 86_400),
            Self::Week | Self::Month | Self::Billing | Self::ModelGone => (86_400, 86_400),
            Self::Auth => (3_600, 3_600),
            Self::ProviderRejected => (600, 600),
        };
        Span { first: Duration::from_secs(first), longest: Duration::from_secs(longest) }
    }
}

#[cfg(test)]
mod tests;
