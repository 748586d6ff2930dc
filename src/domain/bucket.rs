//! One counter: so many requests or tokens per window.
//!
//! What is known of a limit comes from three sides: the configuration, headers that announce it, and refusals that
//! state it. A bucket counts what passes through here, and merges what answers say about it.

pub mod log;
pub mod memory;
pub mod refill;
mod retune;
mod sight;

use std::time::Duration;

use self::log::Log;
use self::refill::Refill;
pub use self::sight::Sight;
use super::evidence::{Dimension, MINUTE};
use super::time::{Mono, Now};

/// Between a grant and the moment in which the provider counts it lies the way there; clocks differ, and resets are
/// told in whole seconds. A window is taken to be longer by its 240th part, but not by more than this.
const MOST_SLACK: u64 = 250;

/// Sums of floats are not exact; a millionth of a unit is nothing.
const GRAIN: f64 = 1e-6;

/// Where a limit is known from.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The user has written it down.
    Configured,
    /// Headers announce it.
    Header,
    /// A refusal stated it.
    Learnt,
}

/// The counter.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    dimension: Dimension,
    /// As it is called; `None` when nobody has said how long it is.
    window: Option<Duration>,
    /// Length of the window, known or guessed.
    span: u64,
    source: Source,
    limit: u64,
    /// Headers may tell what remains of a limit that they do not tell.
    limit_told: bool,
    refill: Refill,
    /// A window that ends at a told time ends at the earliest then: an answer says until when, but not since when it is
    /// on its way.
    ends_after: Mono,
    /// The rate of a steady refill was told, and not guessed from the window.
    rate_told: bool,
    log: Log,
    /// What is left of a bucket that refills steadily, as of `level_at`; negative when more was used than there was.
    level: f64,
    level_at: Mono,
    /// When it was made. Calls from before that were charged then, but for so many.
    born: Mono,
    spared: u64,
    /// When the limit was last said.
    told: Mono,
    /// When the call was granted whose answer was merged last.
    merged: Option<Mono>,
    /// The lowest number that was told of the window whose end is known.
    lowest_told: Option<u64>,
}

impl Bucket {
    /// A bucket in which nothing has been used. A window of unknown length is taken for a minute.
    #[must_use]
    pub fn new(
        dimension: Dimension,
        window: Option<Duration>,
        limit: u64,
        refill: Refill,
        source: Source,
        now: Mono,
    ) -> Self {
        let span = u64::try_from(window.unwrap_or(MINUTE).as_millis()).unwrap_or(u64::MAX).max(1);
        Self {
            dimension,
            window,
            span,
            source,
            limit,
            limit_told: true,
            refill,
            ends_after: Mono(u64::MAX),
            rate_told: false,
            log: Log::new(span),
            level: as_level(limit),
            level_at: now,
            born: now,
            spared: 0,
            told: now,
            merged: None,
            lowest_told: None,
        }
    }

    /// What it counts.
    #[must_use]
    pub fn dimension(&self) -> Dimension {
        self.dimension
    }

    /// Length of its window, where it is known.
    #[must_use]
    pub fn window(&self) -> Option<Duration> {
        self.window
    }

    /// Where its limit is known from.
    #[must_use]
    pub fn source(&self) -> Source {
        self.source
    }

    /// How much fits into its window.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// How much fits into its window, unless nobody has said so.
    #[must_use]
    pub fn told_limit(&self) -> Option<u64> {
        self.limit_told.then_some(self.limit)
    }

    /// When its limit was last said.
    #[must_use]
    pub fn told(&self) -> Mono {
        self.told
    }

    /// How it recovers.
    #[must_use]
    pub fn refill(&self) -> &Refill {
        &self.refill
    }

    /// Lets time pass. Everything below speaks of the time that was given here last.
    pub fn advance(&mut self, now: Now) {
        let slack = self.slack();
        match &mut self.refill {
            Refill::Rolling => {}
            Refill::Ending(end) if now.mono.0 >= end.0.saturating_add(slack) => {
                let surely = self.ends_after.min(*end);
                self.log.drop_until(Mono(surely.0.saturating_sub(slack)));
                self.refill = Refill::Rolling;
                self.lowest_told = None;
            }
            Refill::Ending(_) => {}
            Refill::Calendar(calendar) => {
                let end = calendar.end();
                if calendar.advance(now) {
                    self.log.drop_until(Mono(end.0.saturating_sub(slack)));
                }
                return;
            }
            Refill::Steady(rate) => {
                let back = *rate * as_level(now.mono.0.saturating_sub(self.level_at.0));
                self.level = (self.level + back).min(as_level(self.limit));
                self.level_at = self.level_at.max(now.mono);
                return;
            }
        }
        // What lies a whole window back counts for nobody, wherever the provider's windows begin.
        self.log.drop_until(Mono(now.mono.0.saturating_sub(self.span.saturating_add(slack))));
    }

    /// What is left.
    #[must_use]
    pub fn left(&self) -> u64 {
        match self.refill {
            Refill::Steady(_) => ((self.level + GRAIN).max(0.0) as u64).min(self.limit),
            _ => self.limit.saturating_sub(self.log.sum()),
        }
    }

    /// When `amount` fits beside what is `held` for calls under way: now, or at a time, or (`None`) when calls have
    /// ended. More than the limit never fits; the caller has seen to that.
    #[must_use]
    pub fn when(&self, amount: u64, held: u64, now: Mono) -> Option<Mono> {
        let wanted = amount.saturating_add(held);
        let slack = self.slack();
        match &self.refill {
            Refill::Steady(rate) => {
                let missing = as_level(wanted) - self.level - GRAIN;
                if missing <= 0.0 {
                    return Some(now);
                }
                let wait = || (missing / rate).ceil() as u64;
                let from = now.max(self.level_at);
                (wanted <= self.limit && *rate > 0.0).then(|| Mono(from.0.saturating_add(wait())))
            }
            refill => {
                // More may have been used than there was.
                let missing = wanted.saturating_add(self.log.sum()).saturating_sub(self.limit);
                if missing == 0 {
                    return Some(now);
                }
                let leaves = |last: Mono| Mono(last.0.saturating_add(self.span + slack));
                match refill {
                    Refill::Ending(end) => (wanted <= self.limit).then(|| {
                        let back = Mono(end.0.saturating_add(slack));
                        let back = self
                            .stays_behind(self.ends_after.min(*end), wanted)
                            .map_or(back, |last| back.max(leaves(last)));
                        // An end that was told late is no reason to wait for longer than a whole window.
                        self.log.youngest_of(missing).map_or(back, |last| back.min(leaves(last)))
                    }),
                    Refill::Calendar(calendar) => (wanted <= self.limit).then(|| {
                        let end = calendar.end();
                        self.stays_behind(end, wanted).map_or(end, |_| Mono(end.0.saturating_add(self.span)))
                    }),
                    _ => self.log.youngest_of(missing).map(leaves),
                }
            }
        }
    }

    /// What was charged shortly before a window ends may be counted in the next one. If there is so much of it that
    /// `wanted` does not fit then: when the last charge was made that has to leave first.
    fn stays_behind(&self, end: Mono, wanted: u64) -> Option<Mono> {
        let gone = self.log.until(Mono(end.0.saturating_sub(self.slack())));
        let missing = wanted.saturating_add(self.log.sum()).saturating_sub(gone).saturating_sub(self.limit);
        (missing > 0).then(|| self.log.youngest_of(gone.saturating_add(missing))).flatten()
    }

    /// How much will have been free for use by the time `at`, all windows until then together.
    #[must_use]
    pub fn released_by(&self, held: u64, now: Mono, at: Mono) -> u64 {
        let free = self.left().saturating_sub(held);
        let wait = at.0.saturating_sub(now.0);
        let after = |end: Mono| match at.0.checked_sub(end.0.saturating_add(self.slack())) {
            Some(beyond) => self.limit.saturating_mul(1 + beyond / self.span),
            None => 0,
        };
        let back = match &self.refill {
            Refill::Steady(rate) => (*rate * as_level(wait)) as u64,
            Refill::Ending(end) => after(*end),
            Refill::Calendar(calendar) => after(calendar.end()),
            Refill::Rolling => {
                // Whatever comes back and is used again comes back a window later.
                let window = self.span + self.slack();
                let old = self.log.until(Mono((now.0 + wait % window).saturating_sub(window)));
                old.saturating_add(self.limit.saturating_mul(wait / window))
            }
        };
        free.saturating_add(back)
    }

    /// When something comes back that was used, if nothing more is used; `None` when it does so all the time, or
    /// nothing was used.
    #[must_use]
    pub fn rises_at(&self) -> Option<Mono> {
        match &self.refill {
            Refill::Steady(_) => None,
            Refill::Calendar(calendar) => Some(calendar.end()),
            refill => {
                let oldest = self.log.youngest_of(1).map(|last| last.0.saturating_add(self.span));
                let end = if let Refill::Ending(end) = refill { Some(end.0) } else { None };
                oldest.into_iter().chain(end).min().map(|back| Mono(back.saturating_add(self.slack())))
            }
        }
    }

    /// True for a limit that was told so long ago that it has to show itself again. Limits can rise.
    #[must_use]
    pub fn is_stale(&self, now: Mono) -> bool {
        let kept = self.span.saturating_mul(10).clamp(3_600_000, 31 * 86_400_000);
        self.source != Source::Configured && now.0.saturating_sub(self.told.0) > kept
    }

    /// When all of it is back, if nothing more is used; `None` when nothing is missing.
    #[must_use]
    pub fn full_again(&self, now: Mono) -> Option<Mono> {
        if self.left() >= self.limit {
            return None;
        }
        match &self.refill {
            Refill::Ending(end) => Some(*end),
            Refill::Calendar(calendar) => Some(calendar.end()),
            _ => self.when(self.limit, 0, now),
        }
    }

    /// When its window ends: when all is back if something is missing, else a window from now or the provider's own
    /// end of it; `None` when it refills all the time.
    #[must_use]
    pub fn next_reset(&self, now: Mono) -> Option<Mono> {
        match &self.refill {
            Refill::Calendar(calendar) => Some(calendar.end()),
            Refill::Steady(_) => self.full_again(now),
            Refill::Ending(end) => Some(*end),
            // Nobody has told how long it takes.
            Refill::Rolling if self.window.is_none() => None,
            Refill::Rolling => self.full_again(now).or(Some(Mono(now.0.saturating_add(self.span)))),
        }
    }

    /// How much can be had from `begin` on and until `at`; `None` when nobody knows: how much there is after its end, or
    /// when that is.
    #[must_use]
    pub fn left_by(&self, held: u64, now: Mono, begin: Mono, at: Mono) -> Option<u64> {
        let all = self.released_by(held, now, at);
        let comes_back = self.window.is_some() || matches!(self.refill, Refill::Steady(_));
        let ends = matches!(self.refill, Refill::Ending(end) if at <= end);
        let known = ends || (comes_back && self.told_limit().is_some()) || all == self.released_by(held, now, now);
        // What has come back by then and was not used does not add up.
        let before = self.released_by(held, now, begin);
        known.then(|| all.saturating_sub(before).saturating_add(before.min(self.limit)))
    }

    /// Counts `amount` as used at the time `at`.
    pub fn charge(&mut self, amount: u64, at: Mono) {
        match self.refill {
            Refill::Steady(rate) => {
                // A full bucket begins to refill when the call arrives, and not when it is granted.
                let full_in = (as_level(self.limit) - self.level) / rate;
                let lag = as_level(self.slack()) - full_in;
                if lag > 0.0 {
                    self.level_at = self.level_at.max(Mono(at.0.saturating_add(lag as u64)));
                }
                self.level -= as_level(amount);
            }
            _ => self.log.add_beside(at, amount, self.cut()),
        }
    }

    /// Charges calls from before it was made, as far as there is anything left of a level: that is bounded from below by
    /// what answers tell.
    pub fn charge_earlier(&mut self, amount: u64, now: Mono) {
        let charged = if matches!(self.refill, Refill::Steady(_)) { amount.min(self.left()) } else { amount };
        self.spared = amount - charged;
        self.charge(charged, now);
    }

    /// What is charged after this may be counted in the next window.
    fn cut(&self) -> Mono {
        let end = match &self.refill {
            Refill::Calendar(calendar) => calendar.end(),
            Refill::Ending(end) => self.ends_after.min(*end),
            Refill::Rolling | Refill::Steady(_) => return Mono(u64::MAX),
        };
        Mono(end.0.saturating_sub(self.slack()))
    }

    /// Takes back what was charged at `at` and never reached the provider.
    pub fn refund(&mut self, amount: u64, at: Mono) {
        let spared = if at <= self.born { amount.min(self.spared) } else { 0 };
        self.spared -= spared;
        let amount = amount - spared;
        match self.refill {
            Refill::Steady(_) => self.level = (self.level + as_level(amount)).min(as_level(self.limit)),
            _ => self.log.take(at.max(self.born), amount),
        }
    }

    /// See [`MOST_SLACK`].
    fn slack(&self) -> u64 {
        (self.span / 240).min(MOST_SLACK)
    }
}

/// Quotas are far below the 53 bits that a float holds exactly.
fn as_level(amount: u64) -> f64 {
    amount as f64
}

#[cfg(test)]
mod tests;
