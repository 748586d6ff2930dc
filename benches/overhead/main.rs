//! The whole proxy against nginx as a plain reverse proxy, as ratios within one run (DESIGN 8).
//!
//! `cargo bench --bench overhead` starts an nginx that plays the provider, an nginx that does nothing but pass requests
//! on, the least that can be made of our stack ([`bare`]), and the proxy as it is released. Rounds alternate between them,
//! so that whatever else the machine does meets all; what is printed is the median over the rounds, and in brackets the
//! lowest and the highest of them.
//!
//! Speed is no gate: the exit code says only whether everything could be measured.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a table is what this makes")]
#![allow(clippy::disallowed_methods, reason = "measuring time is what this is for")]

mod bare;
mod chains;
mod connection;
mod latency;
mod load;
mod memory;
mod nginx;
mod options;
mod others;
mod process;
mod provider;
mod proxy;
mod recording;
mod report;
mod size;
mod start;
mod throughput;

use std::error::Error;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use options::Options;
use report::Report;

/// As in the proxy: what is bare should lack nothing that costs the proxy no work.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What goes wrong here is told to a person, and that is all.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("overhead: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [role, address, upstream] = words.as_slice()
        && role == bare::ROLE
    {
        return bare::serve(address, upstream);
    }
    let Some(options) = Options::read()? else { return Ok(()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Dropping `all` ends every process it has started; so does a panic.
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            outcome = all(&options) => outcome,
            _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
            _ = terminate.recv() => Err("terminated".into()),
            () = tokio::time::sleep(options.at_most()) => Err("something hangs; given up".into()),
        }
    })
}

async fn all(options: &Options) -> Result<()> {
    process::allow_many_files();
    let dir = tempfile::tempdir()?;
    let program = nginx::find()?;
    let provider = provider::Provider::start()?;
    let upstream = nginx::upstream(&program, dir.path()).await?;
    let rival = nginx::reverse_proxy(&program, dir.path(), upstream.address, provider.address).await?;
    let floor = bare::start(dir.path(), upstream.address).await?;
    let config = proxy::Config { served_by: upstream.address, scripted: provider.address };
    let report = Report::begin(options, &nginx::version(&program)?);

    let ours = proxy::start(dir.path(), "rounds", &config).await?;
    let others = others::Others::watch(&[&upstream, &rival, &floor, &ours])?;
    throughput::measure(options, &[&rival, &floor, &ours], &report).await?;
    latency::measure(options, &[&rival, &floor, &ours], &report).await?;
    chains::measure(options, &ours, &report).await?;
    recording::measure(options, dir.path(), &config, &ours, &report).await?;
    report.others(others.share()?);
    drop(ours);

    memory::measure(options, dir.path(), &config, &report).await?;
    start::measure(options, dir.path(), &config, &report).await?;
    size::measure(dir.path(), &report)
}
