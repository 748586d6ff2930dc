//! Waits for the clock that others can see: who moves time has to know what time is being waited for.

use std::sync::{Arc, Mutex};

use chain429::clock::Clock;
use chain429::domain::time::Mono;

/// Deadlines that are being waited for.
#[derive(Clone, Default)]
pub struct Waits(Arc<Mutex<Vec<Mono>>>);

impl Waits {
    /// Waits until `due`; counts from now on, polled or not. A wait that is given up is forgotten.
    pub fn until(&self, due: Mono, clock: &Clock) -> impl Future<Output = ()> + use<> {
        self.0.lock().unwrap().push(due);
        let (forget, alarm) = (Forget { waits: self.clone(), due }, clock.until(due));
        async move {
            alarm.await;
            drop(forget);
        }
    }

    /// Waits that go on after `now`.
    #[must_use]
    pub fn after(&self, now: Mono) -> usize {
        self.0.lock().unwrap().iter().filter(|due| **due > now).count()
    }

    /// All waits.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// The first of them to end.
    #[must_use]
    pub fn soonest(&self) -> Option<Mono> {
        self.0.lock().unwrap().iter().min().copied()
    }
}

struct Forget {
    waits: Waits,
    due: Mono,
}

impl Drop for Forget {
    fn drop(&mut self) {
        let mut waits = self.waits.0.lock().unwrap();
        if let Some(at) = waits.iter().position(|due| *due == self.due) {
            waits.swap_remove(at);
        }
    }
}
