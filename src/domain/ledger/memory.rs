//! A ledger as it is kept over a restart.

use serde::{Deserialize, Serialize};

use super::{Ledger, MidStream};
use crate::domain::bucket::memory::Memory as BucketMemory;
use crate::domain::cooldown::{Cooldown, Deadline};
use crate::domain::evidence::Dimension;
use crate::domain::outcome::{Basis, Reason};
use crate::domain::pace::Learnt;
use crate::domain::time::{Now, Wall};

/// What is kept of a ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// When this was written, on the wall clock.
    at: u64,
    /// The limits that held then, in words of the caller's choice. Where they have changed, what was counted under them
    /// is worth nothing.
    limits: String,
    cooldown: Option<Cold>,
    strikes: u32,
    buckets: Vec<BucketMemory>,
    context: Option<(u64, u64)>,
    /// Streams that broke in a row.
    #[serde(default)]
    broken: MidStream,
    /// What the window holds, as refusals have shown.
    #[serde(default)]
    pace: Option<Learnt>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Cold {
    /// On the wall clock; `None`: until the configuration changes.
    until: Option<u64>,
    reason: Reason,
    status: u16,
    basis: Basis,
}

impl Ledger {
    /// What is to be kept; `None` when there is nothing.
    #[must_use]
    pub fn remember(&self, limits: &str, now: Now) -> Option<Memory> {
        let cooldown = self.cooldowns.active(now.mono).map(|cooldown| Cold {
            until: match cooldown.until {
                Deadline::At(end) => Some(now.wall_of(end).0),
                Deadline::Never => None,
            },
            reason: cooldown.reason,
            status: cooldown.status,
            basis: cooldown.basis,
        });
        let buckets: Vec<_> = self
            .buckets
            .iter()
            .map(|bucket| {
                let held = if bucket.dimension() == Dimension::Tokens { self.held } else { 0 };
                bucket.remember(held, now)
            })
            .collect();
        let strikes = self.cooldowns.strikes();
        let context = self.stated_context.map(|(limit, told)| (limit, now.wall_of(told).0));
        let (broken, pace) = (self.mid_stream, self.pace.learnt().filter(|_| self.called));
        let nothing = cooldown.is_none()
            && strikes == 0
            && buckets.is_empty()
            && context.is_none()
            && broken == MidStream::default()
            && pace.is_none();
        let (at, limits) = (now.wall.0, limits.to_owned());
        (!nothing).then_some(Memory { at, limits, cooldown, strikes, buckets, context, broken, pace })
    }

    /// Takes up what was kept, unless it was kept under other limits; true if so.
    pub fn restore(&mut self, memory: &Memory, limits: &str, now: Now) -> bool {
        if memory.limits != limits {
            return false;
        }
        // A wall clock that has gone back since tells nothing of the time that has passed: it may have been none.
        let present = now;
        let now = Now { wall: now.wall.max(Wall(memory.at)), ..now };
        let cooldown = memory.cooldown.as_ref().map(|cold| {
            let until = cold.until.map_or(Deadline::Never, |end| Deadline::At(now.mono_at(Wall(end))));
            Cooldown { until, reason: cold.reason, status: cold.status, basis: cold.basis }
        });
        let over = |cooldown: &Cooldown| cooldown.until.passed(now.mono);
        self.cooldowns.restore(cooldown.filter(|cooldown| !over(cooldown)), memory.strikes);
        for kept in &memory.buckets {
            match kept.revive(now) {
                Some(bucket) => self.buckets.push(bucket),
                None => _ = self.buckets.iter_mut().any(|bucket| kept.restore_into(bucket, now)),
            }
        }
        self.stated_context = memory.context.map(|(limit, told)| (limit, now.mono_at(Wall(told))));
        self.mid_stream = memory.broken;
        if let Some(learnt) = memory.pace.filter(|_| self.called) {
            self.pace.restore(learnt, now.mono_at(Wall(memory.at)), now.mono);
        }
        self.advance(present);
        true
    }

    /// The same for a ledger that is in use already, because what was kept could not be read before: what was counted
    /// counts together, and of two cooldowns the longer one.
    pub fn catch_up(&mut self, memory: &Memory, limits: &str, now: Now) -> bool {
        let mut before = Self { buckets: std::mem::take(&mut self.buckets), called: self.called, ..Self::default() };
        let known: Vec<_> = before.buckets.iter().map(|bucket| (bucket.dimension(), bucket.window())).collect();
        let restored = before.restore(memory, limits, now);
        self.buckets = before.buckets;
        // Where an answer has told of the same limit since, it knows better.
        let mut place = 0;
        self.buckets.retain(|bucket| {
            place += 1;
            place <= known.len() || !known.contains(&(bucket.dimension(), bucket.window()))
        });
        if let Some(cooldown) = before.cooldowns.active(now.mono).copied() {
            self.cooldowns.impose(cooldown, now.mono);
        }
        self.stated_context = self.stated_context.or(before.stated_context);
        self.changed = true;
        restored
    }
}
