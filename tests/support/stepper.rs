//! A scenario in time that stands still while anything happens: it moves on only when every client waits for the proxy
//! to be served, for a provider to answer, or for a time it was told.
//!
//! So a run depends on the proxy's decisions alone, whatever the machine does. What is left to chance is the order in
//! which requests of one moment are handled.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chain429::domain::time::Now;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::clock::{NOON, TestClock};
use super::oracle::{self, Mind};
use super::quota::client::KEY;
use super::quota::figures::Figures;
use super::quota::scenario::Scenario;
use super::quota::stage::{Ground, Stage};
use super::quota::wire::Wire;

/// Steps per window: the proxy's own timers fire up to one step late.
const STEPS: u32 = 600;

/// In real time; after that, something must be stuck.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stage and the hand on its clock.
pub struct Stepper {
    stage: Stage,
    clock: TestClock,
    /// To ask the proxy how many wait in its line.
    line: Wire,
}

/// Where requests are, as far as it can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    /// Arrivals and answers until now: equal means that nothing has moved.
    moves: usize,
    asking: usize,
    resting: usize,
    held: usize,
}

/// Runs a scenario with the proxy.
pub async fn run(scenario: Scenario) -> Figures {
    let clock = clock_of(&scenario);
    let stage = Stage::set(scenario, clock.clock(), Duration::ZERO).await;
    Stepper::over(stage, clock).await
}

/// Runs a scenario with an oracle in place of the proxy.
pub async fn run_oracle(scenario: Scenario, mind: Mind) -> Figures {
    let clock = clock_of(&scenario);
    let ground = Ground::prepare(&scenario, &clock.clock(), Duration::ZERO).await;
    let address = oracle::start(mind, &ground, clock.clock()).await;
    let stage = Stage::before(address, ground, scenario, clock.clock(), Duration::ZERO);
    Stepper::over(stage, clock).await
}

fn clock_of(scenario: &Scenario) -> TestClock {
    let clock = TestClock::default();
    clock.advance(scenario.start);
    clock
}

impl Stepper {
    async fn over(stage: Stage, clock: TestClock) -> Figures {
        let line = Wire::over(TcpStream::connect(stage.address()).await.unwrap()).unwrap();
        Self { stage, clock, line }.run().await
    }

    async fn run(mut self) -> Figures {
        let period = self.stage.period(self.stage.scenario.windows);
        let step = self.stage.scenario.window / STEPS;
        self.stage.begin();
        loop {
            self.settle().await;
            let left = Duration::from_millis(period.1.0.saturating_sub(NOON + self.clock.passed()));
            if left.is_zero() {
                return self.stage.end(period).await;
            }
            // Never past a time that a provider or a client waits for.
            let dues = [self.stage.held.soonest(), self.stage.crowd.resting.soonest()];
            let due = dues.into_iter().flatten().map(|due| due.from_now(self.now().mono)).min();
            self.clock.advance(due.unwrap_or(step).min(step).min(left).max(Duration::from_millis(1)));
        }
    }

    /// Waits until nothing goes on: looked at twice, because the proxy answers the first look while it may still be
    /// handling timers that the last step has set off.
    async fn settle(&mut self) {
        let mut quiet = 0;
        let given_up = Instant::now() + PATIENCE;
        while Instant::now() < given_up {
            if self.all_wait().await {
                quiet += 1;
                if quiet == 2 {
                    return;
                }
            } else {
                quiet = 0;
                tokio::task::yield_now().await;
            }
        }
        let depth = self.depth().await;
        panic!("requests are lost: {depth} wait in line, {:?} of {} clients", self.look(), self.clients());
    }

    /// Whether every client is accounted for. What is seen before and after asking the proxy must be the same, or a
    /// request that moved meanwhile would be counted twice and another, on its way, not at all.
    async fn all_wait(&mut self) -> bool {
        let before = self.look();
        if before.asking + before.resting != self.clients() {
            return false;
        }
        let depth = self.depth().await;
        before == self.look() && depth + before.held == before.asking
    }

    fn look(&self) -> Look {
        let (crowd, now) = (&self.stage.crowd, self.now().mono);
        Look {
            moves: crowd.moves.load(Ordering::SeqCst),
            asking: crowd.asking.load(Ordering::SeqCst),
            resting: crowd.resting.after(now),
            held: self.stage.held.after(now),
        }
    }

    fn clients(&self) -> usize {
        self.stage.scenario.demand.clients
    }

    fn now(&self) -> Now {
        self.stage.crowd.clock.now()
    }

    /// Requests in the waiting line of the chain.
    async fn depth(&mut self) -> usize {
        let request = format!("GET /v1/ratelimits HTTP/1.1\r\nhost: proxy\r\nauthorization: Bearer {KEY}\r\n\r\n");
        self.line.send(request.as_bytes()).await.unwrap();
        let answer = self.line.message().await.unwrap().expect("an answer");
        let view: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        match view["chains"][0]["waiting"]["depth"].as_u64() {
            Some(depth) => usize::try_from(depth).unwrap(),
            None if !self.stage.scenario.may_wait() => 0,
            None => panic!("chains[].waiting.depth is missing in /v1/ratelimits: {view}"),
        }
    }
}
