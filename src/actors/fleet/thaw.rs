//! Cooldowns that somebody ends by hand.

use tracing::info;

use super::Fleet;
use crate::actors::msg::Frozen;
use crate::actors::report::{Ended, Thawed};

impl Fleet {
    /// Ends everything that an entry, or all entries of a provider, cool down for; of what they share with others, those
    /// others are free of it, too. Requests that wait are told. `None` when there is no such entry.
    pub fn thaw(&mut self, frozen: &Frozen) -> Option<Thawed> {
        let now = self.now();
        let meant = || {
            self.entries.iter().filter(|(id, _)| match frozen {
                Frozen::Entry(label) => id.label() == *label,
                Frozen::Provider(provider) => id.provider.as_str() == provider,
            })
        };
        meant().next()?;
        let mut ended = Vec::new();
        for (id, running) in meant() {
            for (key, lane) in running.lanes.iter().enumerate() {
                for shared in &lane.ledgers {
                    let mut posted = shared.borrow_mut();
                    if let Some(cooldown) = posted.change(now, |ledger| ledger.thaw(now.mono)) {
                        let (entry, owner) = (id.clone(), posted.owner());
                        info!(entry.id = %id, key = key + 1, owner = ?owner, "the cooldown of {id} was ended by hand");
                        ended.push(Ended { entry, key, owner, cooldown });
                    }
                }
            }
        }
        let ids: Vec<_> = meant().map(|(id, _)| id.clone()).collect();
        if !ended.is_empty() {
            self.bell.ring();
        }
        let entries = self.survey().into_iter().filter(|report| ids.contains(&report.id)).collect();
        Some(Thawed { ended, entries })
    }
}
