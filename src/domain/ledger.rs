//! Who may be called now: cooldowns, calls under way, and buckets.
//!
//! A call is charged when it is granted and not when it is answered: two workers that ask at the same moment must not
//! both be promised the last slot. What a call will cost in tokens is held for it until it ends; then what it did cost
//! is charged. Settling only ever gives back what granting took.

mod ahead;
pub mod memory;
mod merge;
mod mid_stream;
mod retune;
mod thaw;

use std::time::Duration;

pub use self::merge::Answered;
pub use self::mid_stream::{MidStream, Policy};
use super::bucket::{Bucket, Source};
use super::cooldown::{Change, Cooldown, Cooldowns};
use super::demand::Need;
use super::evidence::Dimension;
use super::outcome::{Basis, Verdict};
use super::pace::Pace;
pub use super::refusal::Refusal;
use super::time::{Mono, Now};

/// Quota state of one owner of quota: an entry through one key, or what several of them share (a key, a provider, a
/// pool).
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Deadlines before which nobody calls.
    pub cooldowns: Cooldowns,
    /// Calls at the same time, as configured.
    slots: Option<u32>,
    in_flight: u32,
    /// Those of them that nothing has been heard of.
    unheard: u32,
    /// Calls that ended without a word on quota, and when the last of them did: only answers to later calls know of them
    /// for sure.
    mute: u32,
    mute_at: Mono,
    buckets: Vec<Bucket>,
    /// Tokens held for calls under way.
    held: u64,
    /// As much of that as they take at least.
    counted: u64,
    /// Everything ever granted, to tell what came before what.
    requests: u64,
    tokens: u64,
    /// Whether the owner is called itself, and does not only share: only then its pace is more than whether a first call
    /// is awaited.
    called: bool,
    pace: Pace,
    mid_stream: MidStream,
    /// Tokens of one request, prompt and answer: as configured, as a refusal has stated it.
    context: Option<u64>,
    stated_context: Option<(u64, Mono)>,
    /// Mean length of a call, in milliseconds.
    hold: Option<u64>,
    changed: bool,
}

/// What a ledger knew when it granted a call: tells which charges the answer may not have seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    requests: u64,
    tokens: u64,
    held: u64,
    unheard: u32,
}

/// What a call has used of the quota, as far as anybody can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Used {
    /// Nothing: it never reached the provider.
    Nothing,
    /// The provider has refused it, and counted the request at most.
    Request,
    /// Nobody knows how many tokens: all that were held for it.
    Reserved,
    /// What the answer says.
    Tokens {
        /// Of the prompt.
        prompt: u64,
        /// Of the answer.
        answer: u64,
    },
}

impl Ledger {
    /// A ledger that grants at most `slots` calls at the same time, out of these buckets; `None` means no limit.
    #[must_use]
    pub fn new(slots: Option<u32>, buckets: Vec<Bucket>) -> Self {
        Self { slots, buckets, ..Self::default() }
    }

    /// The same ledger of an owner that is called itself: it begins with a few calls, and takes requests of up to
    /// `context` tokens.
    #[must_use]
    pub fn called(mut self, context: Option<u64>) -> Self {
        self.called = true;
        self.context = context;
        self
    }

    /// Whether one more call may start now.
    ///
    /// # Errors
    /// The reason why not; of several the one that ends last.
    pub fn check(&mut self, need: Need, now: Now) -> Result<(), Refusal> {
        self.check_as(need, false, now)
    }

    /// The same; `free` says that an entry of unknown limits need not be spared: its limits are known elsewhere, or nobody
    /// else can be asked and the request may not wait.
    ///
    /// # Errors
    /// As above.
    pub fn check_as(&mut self, need: Need, free: bool, now: Now) -> Result<(), Refusal> {
        self.advance(now);
        let at = now.mono;
        // Whoever comes back when a cooldown ends must not meet a window that ends a moment later.
        let cooling = self.cooldowns.active(at).map(|cooldown| Refusal::Cooling(*cooldown));
        let full = self.slots.filter(|limit| self.in_flight >= *limit).map(|limit| Refusal::Full { limit });
        let reasons = [self.spent(need, at), full, self.too_large(need), cooling];
        if let Some(refusal) = reasons.into_iter().flatten().max_by_key(Refusal::end) {
            return Err(refusal);
        }
        let free = free || !self.called || self.is_guided();
        self.pace.check(free, at).map_err(|until| Refusal::Probing { until })
    }

    /// Charges one call. Only after [`check`](Self::check) has allowed it, with nothing in between. Returns the cooldown
    /// that had ended, if this is the first call after it.
    pub fn charge(&mut self, need: Need, now: Mono) -> (Mark, Option<Cooldown>) {
        let over = self.cooldowns.recover(now);
        if let Some(over) = over.filter(|over| over.basis == Basis::Guess) {
            self.pace.probe(!over.reason.is_quota());
        }
        let (requests, tokens) = (self.requests + 1, self.tokens.saturating_add(need.tokens));
        let mark = Mark { requests, tokens, held: self.held, unheard: self.unheard };
        (self.requests, self.tokens) = (requests, tokens);
        self.in_flight = self.in_flight.saturating_add(1);
        self.unheard = self.unheard.saturating_add(1);
        self.held = self.held.saturating_add(need.tokens);
        self.counted = self.counted.saturating_add(need.least.min(need.tokens));
        for bucket in self.buckets.iter_mut().filter(|bucket| bucket.dimension() == Dimension::Requests) {
            bucket.charge(1, now);
        }
        self.pace.call(now);
        self.changed = true;
        (mark, over)
    }

    /// The first word of a provider on a call has come, good or bad, or none will ever come. Once per call. `told` says
    /// that it tells how many requests are left.
    pub fn heard(&mut self, good: bool, told: bool, granted: Mono, now: Mono) {
        self.unheard = self.unheard.saturating_sub(1);
        if !told {
            (self.mute, self.mute_at) = (self.mute.saturating_add(1), now);
        }
        self.pace.heard(now);
        if good {
            self.pace.good(granted, now);
        }
    }

    /// A call has ended that was charged `need` at `granted`.
    pub fn settle(&mut self, need: Need, used: Used, granted: Mono, now: Mono) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.held = self.held.saturating_sub(need.tokens);
        self.counted = self.counted.saturating_sub(need.least.min(need.tokens));
        for bucket in &mut self.buckets {
            match (bucket.dimension(), used) {
                (Dimension::Requests, Used::Nothing) => bucket.refund(1, granted),
                (Dimension::Tokens, Used::Reserved) => bucket.charge(need.tokens, now),
                (Dimension::Tokens, Used::Tokens { prompt, answer }) => {
                    // A provider counts the prompt when it comes, and the answer when it is written.
                    bucket.charge(prompt, granted);
                    bucket.charge(answer, now);
                }
                _ => {}
            }
        }
        if let Used::Tokens { prompt, answer } = used {
            // What came on top of the estimate has not been seen either by answers that were on their way.
            self.tokens = self.tokens.saturating_add(prompt.saturating_add(answer).saturating_sub(need.tokens));
        }
        if !matches!(used, Used::Nothing | Used::Request) {
            let took = now.0.saturating_sub(granted.0);
            self.hold = Some(self.hold.map_or(took, |mean| (7 * mean + took) / 8));
        }
        self.changed = true;
    }

    /// Gives back `calls` calls whose ends nobody will ever tell.
    pub fn write_off(&mut self, calls: u32, tokens: u64) {
        self.in_flight = self.in_flight.saturating_sub(calls);
        self.unheard = self.unheard.min(self.in_flight);
        self.held = self.held.saturating_sub(tokens);
        self.counted = self.counted.min(self.held);
        self.pace = Pace::default();
    }

    /// A call that was granted at `granted` has failed: cools down as the verdict says. `unknown_429` is the first guess
    /// for a 429 without any time.
    pub fn chill(&mut self, verdict: &Verdict, status: u16, granted: Mono, now: Mono, unknown_429: Duration) -> Change {
        let news = self.cooldowns.opens_episode(granted);
        if news && verdict.reason.is_some_and(|reason| reason.is_quota()) {
            self.pace.refused(now);
        }
        self.changed = true;
        let change = self.cooldowns.chill(verdict, status, granted, now, unknown_429);
        if change != Change::Unchanged {
            // Whoever was awaited: the next first call is the one behind this cooldown.
            self.pace.awaits_nobody();
        }
        change
    }

    /// A call that was granted at `granted` went well.
    pub fn warm(&mut self, granted: Mono) {
        self.cooldowns.warm(granted);
        self.changed |= self.mid_stream.whole();
    }

    /// The part of the scarcest bucket that is left, in thousandths.
    #[must_use]
    pub fn headroom(&self) -> u32 {
        let buckets = self.buckets.iter().map(|bucket| {
            let held = if bucket.dimension() == Dimension::Tokens { self.held } else { 0 };
            thousandths(bucket.left().saturating_sub(held), bucket.limit())
        });
        let slots = self.slots.map(|limit| thousandths(limit.saturating_sub(self.in_flight).into(), limit.into()));
        buckets.chain(slots).min().unwrap_or(1_000)
    }

    /// Calls under way.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Tokens held for calls under way.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.held
    }

    /// Whether a first call after a guessed cooldown is awaited.
    #[must_use]
    pub fn is_probing(&self) -> bool {
        self.pace.is_probing()
    }

    /// The configured limit of calls under way.
    #[must_use]
    pub fn slots(&self) -> Option<u32> {
        self.slots
    }

    /// Everything that is counted here.
    #[must_use]
    pub fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    /// The largest request that it ever takes, in tokens, and the window that this is the whole of; no window for the
    /// context of the model.
    #[must_use]
    pub fn largest(&self) -> Option<(u64, Option<Duration>)> {
        let context = self.context().map(|limit| (limit, None));
        self.smallest_window().into_iter().chain(context).min_by_key(|(limit, _)| *limit)
    }

    fn smallest_window(&self) -> Option<(u64, Option<Duration>)> {
        let windows = self.buckets.iter().filter(|bucket| bucket.dimension() == Dimension::Tokens);
        windows.map(|bucket| (bucket.limit(), bucket.window())).min_by_key(|(limit, _)| *limit)
    }

    /// True when no bucket and no context limits what it takes, only calls at the same time and cooldowns.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        self.buckets.is_empty() && self.context().is_none()
    }

    /// Of the token bucket with the least in it: how much, until when that is so at least, and its window. What calls
    /// under way hold counts as there: it may come back any moment.
    #[must_use]
    pub fn scarcest_tokens(&self) -> Option<(u64, Mono, Option<Duration>)> {
        let tokens = self.buckets.iter().filter(|bucket| bucket.dimension() == Dimension::Tokens);
        let scarcest = tokens.min_by_key(|bucket| bucket.left())?;
        Some((scarcest.left(), scarcest.rises_at().unwrap_or(Mono(0)), scarcest.window()))
    }

    /// Whether anything has changed since this was asked last.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Lets time pass for the buckets.
    pub fn advance(&mut self, now: Now) {
        for bucket in &mut self.buckets {
            bucket.advance(now);
        }
        self.buckets.retain(|bucket| !bucket.is_stale(now.mono));
        self.forget_context(now.mono);
    }

    /// The bucket that is in the way of this request for longest.
    #[must_use]
    pub fn spent(&self, need: Need, now: Mono) -> Option<Refusal> {
        let waits = self.buckets.iter().filter_map(|bucket| {
            let (amount, held) = self.share(bucket, need);
            let until = bucket.when(amount, held, now);
            let wait = until.map_or(u64::MAX, |until| until.0.saturating_sub(now.0));
            (wait > 0).then_some((wait, bucket, until))
        });
        let (_, bucket, until) = waits.max_by_key(|(wait, _, _)| *wait)?;
        Some(Refusal::Spent { dimension: bucket.dimension(), window: bucket.window(), until })
    }

    fn too_large(&self, need: Need) -> Option<Refusal> {
        let (limit, window) = if need.batch { self.smallest_window()? } else { self.largest()? };
        (need.least > limit).then_some(Refusal::TooLarge { need: need.least, limit, window })
    }

    fn context(&self) -> Option<u64> {
        self.context.into_iter().chain(self.stated_context.map(|(limit, _)| limit)).min()
    }

    /// What the request takes of a bucket, and what is held of it.
    fn share(&self, bucket: &Bucket, need: Need) -> (u64, u64) {
        match bucket.dimension() {
            Dimension::Tokens => (need.within(bucket.limit()), self.held),
            _ => (1, 0),
        }
    }

    /// True when a known limit of requests in a short window holds calls back.
    #[must_use]
    pub fn is_guided(&self) -> bool {
        const SHORT: Duration = Duration::from_secs(3_600);
        self.slots.is_some()
            || self.buckets.iter().any(|bucket| {
                bucket.dimension() == Dimension::Requests && bucket.window().is_none_or(|window| window <= SHORT)
            })
    }

    /// Answers that came from a bucket's own provider are worth more than a guess: when a request fits again.
    #[must_use]
    pub fn knows_end(&self, need: Need, now: Mono) -> Option<Mono> {
        let told = self.buckets.iter().filter(|bucket| bucket.source() != Source::Configured);
        told.filter_map(|bucket| {
            let (amount, held) = self.share(bucket, need);
            bucket.when(amount, held, now).filter(|when| *when > now)
        })
        .max()
    }
}

fn thousandths(part: u64, whole: u64) -> u32 {
    let share = part.saturating_mul(1_000).checked_div(whole).unwrap_or(0).min(1_000);
    u32::try_from(share).unwrap_or(1_000)
}

#[cfg(test)]
mod tests;
