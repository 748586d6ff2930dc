//! What a log of a million requests costs: room on the disk, and time to read it.
//!
//! `cargo bench --bench log` writes rows of 30 days into a new database, through the code that the recorder uses: rows of
//! requests in the order in which they end, 256 to a commit (or `--commit N`), and what is too old of the sums is removed
//! by the hour. Then the proxy is started on that file, and asked over HTTP for what people look at.
//!
//! A gate: the exit code says whether the budgets are kept.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a table is what this makes")]
#![allow(clippy::disallowed_methods, reason = "measuring time is what this is for")]

mod ask;
mod fill;
mod options;
mod report;
mod rows;

use std::error::Error;
use std::process::ExitCode;

use options::Options;
use report::Report;

/// What goes wrong here is told to a person, and that is all.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("log: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all budgets are kept.
fn run() -> Result<bool> {
    let Some(options) = Options::read()? else { return Ok(true) };
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("usage.redb");
    let mut report = Report::begin(&options);
    let filled = fill::fill(&path, &options, &report)?;
    report.filled(&options, &filled);
    actix_rt::System::new().block_on(ask::all(&path, &options, &filled, &mut report))?;
    Ok(report.kept())
}
