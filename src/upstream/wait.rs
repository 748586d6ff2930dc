//! Waiting for quota instead of failing.

use std::sync::Arc;

use super::waterfall::Worker;
use crate::actors::line::Turn;
use crate::actors::msg::Join;
use crate::actors::route::Route;
use crate::config::model::Queue;
use crate::domain::demand::Demand;
use crate::domain::refusal::Refusal;
use crate::domain::time::Mono;
use crate::domain::trail::{Seen, Step};

/// A request that no entry of its route can take now.
pub struct Applicant {
    /// The route.
    pub route: Arc<Route>,
    /// Its size.
    pub demand: Demand,
    /// Places that have refused this very request.
    pub excluded: Vec<usize>,
    /// When it came, among others.
    pub turn: u64,
    /// When it came.
    pub arrived: Mono,
}

/// Why a request was not served after waiting, or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unserved {
    /// No quota comes back in time.
    NoQuota,
    /// As many wait as may.
    LineFull,
    /// It has waited for as long as may be.
    WaitedEnough,
    /// Its chain was taken out of the configuration meanwhile.
    ChainGone,
}

/// How waiting ended.
pub enum Waited {
    /// With a turn, which is a grant.
    Turn(Turn),
    /// Without.
    Unserved {
        /// Why.
        why: Unserved,
        /// When it would have been its turn, where anybody can tell.
        eta: Option<Mono>,
        /// Why each entry cannot take it.
        skipped: Vec<Step>,
    },
    /// The router is gone; the process is going down.
    Unavailable,
}

impl Worker {
    /// Waits until an entry can take the request, if that is worth it. Dropping this leaves the line at once.
    pub async fn wait(&self, applicant: Applicant, queue: &Queue) -> Waited {
        let Applicant { route, demand, excluded, turn, arrived } = applicant;
        // Without a queue the deadline has passed: the answer says when quota comes back.
        let deadline = if queue.enabled { arrived.after(queue.max_wait) } else { arrived };
        let join = Join { route: Arc::clone(&route), demand, excluded, turn, deadline };
        let Ok(mut ticket) = self.router.send(join).await else { return Waited::Unavailable };
        let too_late = self.clock.until(deadline);
        let ended = match deadline <= self.clock.mono() {
            true => Some((&mut ticket.turn).await),
            false => tokio::select! {
                biased;
                turn = &mut ticket.turn => Some(turn),
                () = too_late => None,
            },
        };
        match ended {
            Some(Ok(Turn::TurnedAway { eta, full, skipped })) => {
                let why = if full { Unserved::LineFull } else { Unserved::NoQuota };
                Waited::Unserved { why, eta, skipped }
            }
            Some(Ok(Turn::Dissolved)) => Waited::Unserved { why: Unserved::ChainGone, eta: None, skipped: Vec::new() },
            Some(Ok(granted)) => Waited::Turn(granted),
            Some(Err(_)) => Waited::Unavailable,
            None => {
                let skipped = self.reasons(&route, demand);
                Waited::Unserved { why: Unserved::WaitedEnough, eta: None, skipped }
            }
        }
    }

    /// Why each entry of a route cannot take a request, as far as gauges tell.
    fn reasons(&self, route: &Route, demand: Demand) -> Vec<Step> {
        let now = self.clock.mono();
        let steps = route.places.iter().map(|place| {
            let refusal = match &place.entry.handle {
                None => Refusal::Off,
                Some(handle) => handle.refusal(demand, now).unwrap_or(Refusal::Queued),
            };
            Step { entry: place.entry.id.clone(), seen: Seen::Skipped(refusal), took: std::time::Duration::ZERO }
        });
        steps.collect()
    }
}
