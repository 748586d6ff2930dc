//! Times at which the machine had no time for this process. Good providers look silent then and rest for a while, and an
//! error that a client gets because of that is not the proxy's.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How often a thread shows that it is alive.
const BEAT: Duration = Duration::from_millis(20);

/// A thread that is so late has stood still: half of the shortest timeout of the proxy.
const LATE: Duration = Duration::from_millis(1_000);

/// Whoever was taken for silent is asked again within this time.
const AFTERMATH: Duration = Duration::from_secs(60);

/// Times at which a thread stood still: from, to.
#[derive(Debug, Default)]
pub(crate) struct Stalls(Mutex<Vec<(Instant, Instant)>>);

impl Stalls {
    /// Watches the thread that this runs on, for ever.
    pub(crate) async fn watch(self: Arc<Self>) {
        loop {
            let from = Instant::now();
            sleep(BEAT).await;
            let to = Instant::now();
            if to.duration_since(from) > BEAT + LATE {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).push((from, to));
            }
        }
    }

    /// Whether what a client saw between these times may come from that.
    pub(crate) fn excuse(&self, sent: Instant, ended: Instant) -> bool {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.iter().any(|(from, to)| *from <= ended && sent <= *to + AFTERMATH)
    }

    /// How many there were, and the longest.
    pub(crate) fn summary(&self) -> (usize, Duration) {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (found.len(), found.iter().map(|(from, to)| to.duration_since(*from)).max().unwrap_or_default())
    }
}
