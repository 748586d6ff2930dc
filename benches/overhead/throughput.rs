//! Requests per second and CPU per request with 64 connections, every request recorded.

use std::sync::Arc;
use std::time::Duration;

use crate::Result;
use crate::connection;
use crate::load::{Load, Until};
use crate::options::Options;
use crate::process::Process;
use crate::proxy::PATH;
use crate::report::{Budget, Line, Report, Unit, median, micros};

/// At the same time.
pub(crate) const CONNECTIONS: usize = 64;

/// What the rounds against one of two showed.
#[derive(Debug, Default)]
pub(crate) struct Side {
    /// Requests per second.
    pub(crate) rate: Vec<f64>,
    /// CPU time per request in microseconds.
    pub(crate) cpu: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
}

impl Side {
    /// Runs one more.
    pub(crate) async fn round(&mut self, process: &Process, load: &Load) -> Result<()> {
        let before = process.cpu()?;
        let round = load.run().await?;
        let used = process.cpu()?.saturating_sub(before);
        self.rate.push(round.rate());
        self.cpu.push(micros(used) / round.answers as f64);
        self.p50.push(micros(round.quantile(0.50)));
        self.p99.push(micros(round.quantile(0.99)));
        Ok(())
    }
}

/// Measures nginx, the bare stack and ours in turn.
pub(crate) async fn measure(options: &Options, rivals: &[&Process; 3], report: &Report) -> Result<()> {
    let request: Arc<[u8]> = connection::request(PATH, "one", false).into();
    let load = |process: &Process, lasting| Load {
        target: process.address,
        request: Arc::clone(&request),
        connections: CONNECTIONS,
        lasting,
        until: Until::Answered,
    };
    for process in rivals {
        load(process, Duration::from_millis(500)).run().await?;
    }
    let mut sides: [Side; 3] = Default::default();
    for _ in 0..options.rounds {
        for (side, process) in sides.iter_mut().zip(rivals) {
            side.round(process, &load(process, options.round)).await?;
        }
    }
    let [nginx, bare, chain] = sides;
    let compare = |what: &str, other: &[f64], ours: &[f64], show: fn(f64) -> String, budget| {
        let results: Vec<f64> = ours.iter().zip(other).map(|(ours, other)| ours / other).collect();
        let (other, ours) = (show(median(other)), show(median(ours)));
        report.line(&Line { what, other: &other, ours: &ours, results: &results, unit: Unit::Ratio, budget });
    };
    let per_second: fn(f64) -> String = |rate| format!("{rate:.0}/s");
    let span: fn(f64) -> String = |micros| format!("{micros:.1} us");
    compare("64 connections: requests/s", &nginx.rate, &chain.rate, per_second, Budget::AtLeast(0.85));
    compare("the same of the bare stack", &nginx.rate, &bare.rate, per_second, Budget::None);
    compare("64 connections: CPU per request", &nginx.cpu, &chain.cpu, span, Budget::AtMost(1.3));
    compare("the same of the bare stack", &nginx.cpu, &bare.cpu, span, Budget::None);
    compare("64 connections: p50", &nginx.p50, &chain.p50, span, Budget::None);
    compare("64 connections: p99", &nginx.p99, &chain.p99, span, Budget::None);
    Ok(())
}
