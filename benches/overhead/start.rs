//! How long after its start the proxy answers.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::Result;
use crate::connection::{self, Connection};
use crate::options::Options;
use crate::proxy::{self, Config, PATH};
use crate::report::{Budget, Line, Report, Unit};

/// How often a process that may not listen yet is asked.
const AGAIN: Duration = Duration::from_micros(200);

/// How long is asked.
const AT_MOST: Duration = Duration::from_secs(10);

/// Starts the proxy once per round.
pub(crate) async fn measure(options: &Options, dir: &Path, config: &Config, report: &Report) -> Result<()> {
    // With a key, because nobody's connection is kept without one.
    let key = proxy::KEY;
    let health = format!("GET /health HTTP/1.1\r\nhost: bench.localhost\r\nauthorization: Bearer {key}\r\n\r\n");
    let chat = connection::request(PATH, "one", false);
    let (mut healthy, mut served) = (Vec::new(), Vec::new());
    for round in 0..options.rounds {
        let began = Instant::now();
        let ours = proxy::launch(dir, &format!("start-{round}"), config)?;
        let mut connection = loop {
            match Connection::open(ours.address).await {
                Ok(connection) => break connection,
                Err(fault) if began.elapsed() > AT_MOST => return Err(fault),
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        };
        connection.ask(health.as_bytes()).await?;
        healthy.push(began.elapsed().as_secs_f64() * 1e3);
        connection.ask(&chat).await?;
        served.push(began.elapsed().as_secs_f64() * 1e3);
    }
    for (what, results) in [("start to the first 200 of /health", healthy), ("start to the first completion", served)] {
        let budget = Budget::AtMost(150.0);
        report.line(&Line { what, other: "", ours: "", results: &results, unit: Unit::Millis, budget });
    }
    Ok(())
}
