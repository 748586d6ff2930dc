//! Resident memory: of a proxy that has nothing to do, and of one with many open streams.

use std::path::Path;
use std::time::Duration;

use crate::Result;
use crate::connection::{self, Connection};
use crate::options::Options;
use crate::proxy::{self, Config, PATH};
use crate::report::{Budget, Line, Report, Unit};

const MEGABYTE: f64 = 1_048_576.0;

/// Measures both in a fresh process.
pub(crate) async fn measure(options: &Options, dir: &Path, config: &Config, report: &Report) -> Result<()> {
    let ours = proxy::start(dir, "memory", config).await?;
    Connection::open(ours.address).await?.ask(&connection::request(PATH, "one", false)).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    show("memory after one request", ours.resident()?, 30.0, report);

    let request = connection::request(PATH, "hold", true);
    let mut open = Vec::with_capacity(options.streams);
    for _ in 0..options.streams {
        let mut stream = Connection::open(ours.address).await?;
        stream.send(&request).await?;
        stream.until(b"data: {").await?;
        open.push(stream);
    }
    show(&format!("memory with {} open streams", open.len()), ours.resident()?, 60.0, report);
    Ok(())
}

fn show(what: &str, bytes: u64, at_most: f64, report: &Report) {
    let results = [bytes as f64 / MEGABYTE];
    let budget = Budget::AtMost(at_most);
    report.line(&Line { what, other: "", ours: "", results: &results, unit: Unit::Megabytes, budget });
}
