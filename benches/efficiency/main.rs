//! How well the proxy uses quota, against providers that know the truth (DESIGN 1): false exhaustion, overshoot, waste
//! and utilisation, with more clients than the quota of the chain can serve.
//!
//! `cargo bench --bench efficiency` runs every scenario for a few windows of its limits: real sockets, real time; where
//! limits are per minute, the clock of proxy and providers runs faster than real time. What the machine does meanwhile
//! shows up in the figures, and times faster at that: the tests hold the same scenarios with a clock that stands still
//! while the machine works.
//!
//! No gate: the exit code says only whether everything could be run.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a table is what this makes")]

mod options;
#[path = "../../tests/support/oracle.rs"]
mod oracle;
#[path = "../../tests/support/quota/mod.rs"]
mod quota;
mod report;
mod tempo;

use std::process::ExitCode;
use std::time::Duration;

use options::Options;
use oracle::Mind;
use quota::figures::Figures;
use quota::scenario::Scenario;
use quota::stage::{Ground, Stage};
use tempo::Tempo;

/// How long an answer may take from a provider until the proxy acts on it, in real time.
const NEWS: Duration = Duration::from_millis(20);

fn main() -> ExitCode {
    let options = match Options::read() {
        Ok(Some(options)) => options,
        Ok(None) => return ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("efficiency: {fault}");
            return ExitCode::FAILURE;
        }
    };
    let system = actix_rt::System::new();
    report::begin(&options);
    for scenario in &options.scenarios {
        let figures = system.block_on(run(scenario.clone(), &options));
        report::line(&figures, &options);
    }
    ExitCode::SUCCESS
}

async fn run(scenario: Scenario, options: &Options) -> Figures {
    let windows = options.windows(&scenario);
    let tempo = Tempo::new(scenario.start, scenario.pace);
    let (clock, news) = (tempo.clock(), NEWS * tempo.pace());
    let mut stage = if options.oracle {
        let ground = Ground::prepare(&scenario, &clock, news).await;
        let address = oracle::start(Mind::Knowing, &ground, clock.clone()).await;
        Stage::before(address, ground, scenario, clock, news)
    } else {
        Stage::set(scenario, clock, news).await
    };
    let period = stage.period(windows);
    tempo.go();
    stage.begin();
    tempo.until(period.1).await;
    stage.end(period).await
}
