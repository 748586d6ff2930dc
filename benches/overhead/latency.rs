//! What the proxy adds to a request that is alone.

use crate::Result;
use crate::connection;
use crate::load::{Load, Until};
use crate::options::Options;
use crate::process::Process;
use crate::proxy::PATH;
use crate::report::{Budget, Line, Report, Unit, median, micros};

/// Measures whole answers, then the first event of streams.
pub(crate) async fn measure(options: &Options, rivals: &[&Process; 3], report: &Report) -> Result<()> {
    let [nginx, bare, ours] = rivals;
    let whole = connection::request(PATH, "one", false);
    let load = |process| Load { request: whole.clone().into(), ..alone(options, process, Until::Answered) };
    let budget = Budget::AtMost(60.0);
    added(options, &[load(nginx), load(ours)], "1 connection: p50 added to an answer", budget, report).await?;
    added(options, &[load(nginx), load(bare)], "the same of the bare stack", Budget::None, report).await?;

    let (theirs, own) = (format!("/stream{PATH}"), PATH);
    let pair = [
        Load { request: connection::request(&theirs, "m", true).into(), ..alone(options, nginx, Until::FirstEvent) },
        Load { request: connection::request(own, "stream", true).into(), ..alone(options, ours, Until::FirstEvent) },
    ];
    added(options, &pair, "1 connection: p50 added to the first event", Budget::AtMost(100.0), report).await
}

fn alone(options: &Options, process: &Process, until: Until) -> Load {
    Load { target: process.address, request: [].into(), connections: 1, lasting: options.short_round(), until }
}

async fn added(options: &Options, pair: &[Load; 2], what: &str, budget: Budget, report: &Report) -> Result<()> {
    let [nginx, chain] = pair;
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        theirs.push(micros(nginx.run().await?.quantile(0.50)));
        ours.push(micros(chain.run().await?.quantile(0.50)));
    }
    let results: Vec<f64> = ours.iter().zip(&theirs).map(|(ours, theirs)| ours - theirs).collect();
    let show = |values: &[f64]| format!("{:.0} us", median(values));
    let (other, ours) = (show(&theirs), show(&ours));
    report.line(&Line { what, other: &other, ours: &ours, results: &results, unit: Unit::Micros, budget });
    Ok(())
}
