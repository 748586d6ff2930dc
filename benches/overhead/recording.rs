//! What recording costs: the proxy against one that has nowhere to record to.
//!
//! There is no setting to switch recording off, so the other one is the same binary with a folder in the place of its
//! database. It does all that is done for a row on the worker's thread, hands the row over, writes the log line and brings
//! the row into its short form; then it keeps the newest 8 MiB in memory. Compared are therefore the sums, the commits and
//! the waiting for the disk. The short form itself costs about a microsecond on the recorder's thread
//! (`cargo bench --bench log` has it in its rows per second).

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::Result;
use crate::connection;
use crate::load::{Load, Until};
use crate::options::Options;
use crate::process::Process;
use crate::proxy::{self, Config, PATH};
use crate::report::{Budget, Line, Report, Unit, median};
use crate::throughput::{CONNECTIONS, Side};

/// The name of the one that records nothing.
const OTHER: &str = "unrecorded";

/// Measures both in turn.
pub(crate) async fn measure(
    options: &Options,
    dir: &Path,
    config: &Config,
    ours: &Process,
    report: &Report,
) -> Result<()> {
    let other = proxy::start_without_records(dir, OTHER, config).await?;
    let request: Arc<[u8]> = connection::request(PATH, "one", false).into();
    let load = |process: &Process, lasting| Load {
        target: process.address,
        request: Arc::clone(&request),
        connections: CONNECTIONS,
        lasting,
        until: Until::Answered,
    };
    load(&other, Duration::from_millis(500)).run().await?;
    let (mut without, mut with) = (Side::default(), Side::default());
    for _ in 0..options.rounds {
        without.round(&other, &load(&other, options.round)).await?;
        with.round(ours, &load(ours, options.round)).await?;
    }
    if !fs::read_to_string(proxy::log(dir, OTHER))?.contains("nothing is recorded for now") {
        return Err("the proxy that is to record nothing does not say so".into());
    }
    if fs::metadata(proxy::database(dir, "rounds"))?.len() < 1 << 20 {
        return Err("the proxy that is to record has hardly recorded anything".into());
    }
    let compare = |what, other: &[f64], ours: &[f64], show: fn(f64) -> String, budget| {
        let results: Vec<f64> = ours.iter().zip(other).map(|(ours, other)| ours / other).collect();
        let (other, ours) = (show(median(other)), show(median(ours)));
        report.line(&Line { what, other: &other, ours: &ours, results: &results, unit: Unit::Ratio, budget });
    };
    let per_second: fn(f64) -> String = |rate| format!("{rate:.0}/s");
    let span: fn(f64) -> String = |micros| format!("{micros:.1} us");
    compare("recording against no database: requests/s", &without.rate, &with.rate, per_second, Budget::AtLeast(0.90));
    compare("recording against no database: CPU", &without.cpu, &with.cpu, span, Budget::None);
    Ok(())
}
