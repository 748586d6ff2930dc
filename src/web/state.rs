//! What handlers share.

use std::sync::Arc;

use crate::actors::drain::Drain;
use crate::actors::metrics::Metrics;
use crate::actors::reload::Reload;
use crate::clock::Clock;
use crate::config::live::Live;
use crate::config::model::Config;
use crate::domain::time::Now;
use crate::store::shelf::Shelf;
use crate::web::admin::catalogue::Catalogue;
use crate::web::ratelimits::lately::Recent;
use crate::web::ui::Ui;

/// Shared by all worker threads.
#[derive(Debug)]
pub struct State {
    /// The configuration in use. A request takes it once, at its beginning.
    pub live: Arc<Live>,
    /// Puts another one in its place.
    pub reload: Reload,
    /// On the way out?
    pub drain: Arc<Drain>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Time.
    pub clock: Clock,
    /// When the process started.
    pub started: Now,
    /// Makes request ids.
    pub ids: RequestIds,
    /// What is recorded.
    pub shelf: Shelf,
    /// How it has gone lately.
    pub lately: Recent,
    /// What providers say that they have.
    pub catalogue: Catalogue,
    /// Who is at the web UI, and what they look at.
    pub ui: Ui,
}

impl State {
    /// The configuration in use.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        self.live.config()
    }
}

/// Makes request ids that are unique and sort by time.
#[derive(Debug)]
pub struct RequestIds {
    process: u32,
    next: std::sync::atomic::AtomicU32,
}

impl RequestIds {
    /// Ids of this process.
    #[must_use]
    pub fn new(process: u32) -> Self {
        Self { process, next: std::sync::atomic::AtomicU32::new(0) }
    }

    /// The next id: `req_`, then milliseconds, a counter and the process, in hexadecimal.
    #[must_use]
    pub fn next(&self, now: Now) -> String {
        let count = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut id = String::with_capacity(31);
        id.push_str("req_");
        hex(&mut id, now.wall.0, 11);
        hex(&mut id, count.into(), 8);
        hex(&mut id, self.process.into(), 8);
        id
    }
}

/// The last `digits` hexadecimal digits.
fn hex(out: &mut String, number: u64, digits: u32) {
    out.extend((0..digits).rev().filter_map(|at| char::from_digit((number >> (4 * at)) as u32 & 15, 16)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Wall;

    #[test]
    fn ids_are_unique_and_sort_by_time() {
        let ids = RequestIds::new(0xabcd);
        let at = |ms: u64| Now { wall: Wall(1_795_521_600_000 + ms), ..Now::default() };
        let made = [ids.next(at(0)), ids.next(at(0)), ids.next(at(1))];
        assert!(made.is_sorted() && made[0] != made[1]);
        assert_eq!(made[0].len(), 31);
    }
}
