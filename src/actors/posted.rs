//! A ledger with a gauge that shows its state, and with one or more owners.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::gauge::Gauge;
use crate::domain::ledger::Ledger;
use crate::domain::outcome::{Target, Verdict};
use crate::domain::time::{Mono, Now};

/// Whose ledger it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// An entry through one key.
    Lane,
    /// An entry through whichever key: where there are several, a model that is overloaded or gone is so for all.
    Model,
    /// All entries through one key.
    Key,
    /// All entries of the provider.
    Provider,
    /// All entries through one key that share the named counter.
    Pool(&'static str),
}

impl Owner {
    /// Who cools down by this verdict; `None` for nobody.
    #[must_use]
    pub fn blamed(verdict: &Verdict) -> Option<Self> {
        Some(match verdict.target {
            Target::Request => return None,
            Target::Entry if verdict.reason.is_some_and(|reason| reason.is_of_key()) => Self::Lane,
            Target::Entry => Self::Model,
            Target::Key => Self::Key,
            Target::Provider => Self::Provider,
            Target::Pool(name) => Self::Pool(name),
        })
    }
}

/// A ledger whose state is shown on a gauge after every change.
#[derive(Debug)]
pub struct Posted {
    owner: Owner,
    ledger: Ledger,
    gauge: Arc<Gauge>,
}

/// A posted ledger with one or more holders on the same thread.
pub type Shared = Rc<RefCell<Posted>>;

impl Posted {
    /// Posts `ledger`.
    #[must_use]
    pub fn shared(owner: Owner, mut ledger: Ledger, now: Now) -> Shared {
        let gauge = Arc::new(Gauge::default());
        gauge.publish(&mut ledger, now);
        Rc::new(RefCell::new(Self { owner, ledger, gauge }))
    }

    /// Whose ledger it is.
    #[must_use]
    pub fn owner(&self) -> Owner {
        self.owner
    }

    /// The gauge that shows it.
    #[must_use]
    pub fn gauge(&self) -> Arc<Gauge> {
        Arc::clone(&self.gauge)
    }

    /// The ledger, to look at.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Changes the ledger, and shows what came of it.
    pub fn change<R>(&mut self, now: Now, change: impl FnOnce(&mut Ledger) -> R) -> R {
        let result = change(&mut self.ledger);
        self.gauge.publish(&mut self.ledger, now);
        result
    }

    /// Looks at the ledger as it is at this time. What time alone has changed is shown with the next change.
    pub fn consult<R>(&mut self, look: impl FnOnce(&mut Ledger) -> R) -> R {
        look(&mut self.ledger)
    }

    /// Remembers that an attempt has ended here.
    pub fn mark_tried(&self) {
        self.gauge.mark_tried();
    }

    /// The cooldown in force.
    #[must_use]
    pub fn cooldown(&self, now: Mono) -> Option<crate::domain::cooldown::Cooldown> {
        self.ledger.cooldowns.active(now).copied()
    }
}
