//! Streams that break after their first content. One may break for any reason; several in a row are the entry's fault.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Ledger;
use crate::domain::cooldown::{Change, Cooldown, Deadline};
use crate::domain::outcome::{Basis, Reason};
use crate::domain::time::Mono;

/// What happens to an entry whose streams break after the first content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Failures in a row before it cools down.
    pub threshold: u32,
    /// First cooldown.
    pub cooldown: Duration,
    /// Longest cooldown.
    pub cooldown_max: Duration,
}

/// Broken streams in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MidStream {
    broken: u32,
    /// Cooldowns for it in a row; each doubles the next one.
    cooldowns: u32,
}

impl MidStream {
    /// A call went well to its end. True if any had broken before.
    pub(super) fn whole(&mut self) -> bool {
        std::mem::take(self) != Self::default()
    }

    /// How long to cool down now that one more has broken; `None` while it may have been chance.
    fn broke(&mut self, policy: Policy) -> Option<Duration> {
        self.broken = self.broken.saturating_add(1);
        if self.broken < policy.threshold {
            return None;
        }
        self.broken = 0;
        let wait = policy.cooldown.saturating_mul(1 << self.cooldowns.min(16)).min(policy.cooldown_max);
        self.cooldowns = self.cooldowns.saturating_add(1);
        Some(wait)
    }
}

impl Ledger {
    /// A stream broke after its first content.
    pub fn broke_off(&mut self, reason: Reason, policy: Policy, now: Mono) -> Change {
        self.changed = true;
        match self.mid_stream.broke(policy) {
            Some(wait) if !wait.is_zero() => {
                let until = Deadline::At(now.after(wait));
                self.cooldowns.impose(Cooldown { until, reason, status: 200, basis: Basis::Guess }, now)
            }
            _ => Change::Unchanged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_broken_streams_in_a_row_cool_down_for_longer_each_time() {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        let policy = Policy { threshold: 3, cooldown: minutes(2), cooldown_max: minutes(5) };
        let mut streams = MidStream::default();
        let three = |streams: &mut MidStream| [(); 3].map(|()| streams.broke(policy));
        assert_eq!(three(&mut streams), [None, None, Some(minutes(2))]);
        assert_eq!(three(&mut streams), [None, None, Some(minutes(4))]);
        assert_eq!(three(&mut streams), [None, None, Some(minutes(5))]);
        streams.whole();
        assert_eq!(three(&mut streams), [None, None, Some(minutes(2))]);
    }

    #[test]
    fn a_whole_stream_in_between_starts_the_count_anew() {
        let second = Duration::from_secs(1);
        let policy = Policy { threshold: 2, cooldown: second, cooldown_max: second };
        let mut streams = MidStream::default();
        assert_eq!(streams.broke(policy), None);
        streams.whole();
        assert_eq!(streams.broke(policy), None);
        assert_eq!(streams.broke(policy), Some(second));
    }
}
