//! A request behind nine entries that are cooling down, against one behind none.

use std::sync::Arc;

use crate::Result;
use crate::connection::{self, Connection};
use crate::load::{Load, Until};
use crate::options::Options;
use crate::process::Process;
use crate::proxy::{COLD, PATH};
use crate::report::{Budget, Line, Report, Unit, median, micros};

/// Makes the nine cold, then measures both chains in turn.
pub(crate) async fn measure(options: &Options, ours: &Process, report: &Report) -> Result<()> {
    let ten: Arc<[u8]> = connection::request(PATH, "ten", false).into();
    let one: Arc<[u8]> = connection::request(PATH, "one", false).into();
    let mut connection = Connection::open(ours.address).await?;
    for (tries, why) in [(COLD + 1, "the first request meets every entry"), (1, "the next one only the last")] {
        let answer = connection.ask(&ten).await?;
        if !answer.contains(&format!("\r\nx-429chain-attempts: {tries}\r\n")) {
            return Err(format!("expected {tries} attempts, because {why}:\n{answer}").into());
        }
    }
    for (connections, what) in [(1, "1 connection: p50 behind 9 cold entries"), (64, "64 connections: the same")] {
        let load = |request: &Arc<[u8]>| Load {
            target: ours.address,
            request: Arc::clone(request),
            connections,
            lasting: options.short_round(),
            until: Until::Answered,
        };
        let (mut short, mut long) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds {
            short.push(micros(load(&one).run().await?.quantile(0.50)));
            long.push(micros(load(&ten).run().await?.quantile(0.50)));
        }
        let results: Vec<f64> = long.iter().zip(&short).map(|(long, short)| long / short).collect();
        let show = |values: &[f64]| format!("{:.0} us", median(values));
        let (other, ours) = (show(&short), show(&long));
        let budget = Budget::AtMost(1.05);
        report.line(&Line { what, other: &other, ours: &ours, results: &results, unit: Unit::Ratio, budget });
    }
    Ok(())
}
