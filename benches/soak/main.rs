//! The real binary under mixed load for a long time, with providers that do everything wrong that providers do.
//!
//! `cargo bench --bench soak` shows that nothing leaks, that every request that a client made has exactly one row in the
//! database, that no lease stays behind, and that no client gets an error where somebody in its chain could have served
//! it. Everything is on 127.0.0.1, and it stops by itself. The exit code says whether all that holds.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a table is what this makes")]
#![allow(clippy::disallowed_methods, reason = "real time is what this is about")]

mod answer;
mod ask;
mod book;
mod cast;
mod census;
mod chains;
mod client;
mod dice;
mod errand;
mod faults;
mod judge;
mod log;
mod manner;
mod options;
mod pace;
mod process;
mod providers;
mod proxy;
mod report;
mod samples;
mod stalls;
mod standing;
mod step;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use book::Book;
use census::Census;
use chains::Chains;
use client::Client;
use log::Log;
use options::Options;
use pace::Pace;
use process::Process;
use providers::Providers;
use proxy::Files;
use report::Report;
use samples::Samples;
use stalls::Stalls;
use standing::Standing;

/// What goes wrong here is told to a person, and that is all.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// How often the proxy is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Every so many looks it is asked what is under way.
const ASK: usize = 10;

/// Every so many looks a line is printed.
const TELL: usize = 60;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("soak: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool> {
    let Some(options) = Options::read()? else { return Ok(true) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Dropping `soak` ends the process it has started; so does a panic.
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            outcome = soak(&options) => outcome,
            _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
            _ = terminate.recv() => Err("terminated".into()),
            () = tokio::time::sleep(options.at_most()) => Err("something hangs; given up".into()),
        }
    })
}

async fn soak(options: &Options) -> Result<bool> {
    let dir = tempfile::tempdir()?;
    let files = Files::under(dir.path());
    let stalls = Arc::new(Stalls::default());
    tokio::spawn(Arc::clone(&stalls).watch());
    let providers = Providers::start(&stalls)?;
    let chains = Arc::new(Chains::deal(&options.faults(), options.seed));
    let proxy = proxy::start(dir.path(), &files, options, &providers, &chains).await?;
    Report::begin(options, &chains);

    let began = Instant::now();
    let (mut samples, mut busiest) = (Samples::default(), Standing::default());
    let watched = watch(options, &proxy, &chains, began, &mut samples, &mut busiest).await;
    let book = watched.map_err(|fault| {
        let said = std::fs::read_to_string(&files.log).unwrap_or_default();
        let last = said.get(said.len().saturating_sub(2_000)..).unwrap_or_default();
        format!("{fault}. The proxy's last words:\n{last}")
    })?;

    let calm = Standing::calm(proxy.address).await?;
    let mut after = Samples::default();
    after.take(&proxy, began.elapsed())?;
    let exit = proxy.stop().await?.and_then(|status| status.code());
    let census = Census::take(&files.database, &book)?;
    let log = Log::read(&files.log)?;
    let report = Report {
        options,
        book: &book,
        census: &census,
        log: &log,
        stalls: &stalls,
        providers: &providers,
        samples: &samples,
        busiest: &busiest,
        calm: &calm,
        after: after.last().ok_or("nothing was measured")?,
        exit,
    };
    Ok(report.print())
}

/// Sends clients, and looks at the proxy meanwhile.
async fn watch(
    options: &Options,
    proxy: &Process,
    chains: &Arc<Chains>,
    began: Instant,
    samples: &mut Samples,
    busiest: &mut Standing,
) -> Result<Book> {
    let pace = Arc::new(Pace::new(options.rate, options.most_requests(), options.lasting));
    let mut clients = JoinSet::new();
    for number in 0..options.clients as u64 {
        let (chains, pace) = (Arc::clone(chains), Arc::clone(&pace));
        clients.spawn(Client { number, proxy: proxy.address, chains, pace, seed: options.seed }.run());
    }
    let mut book = Book::default();
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut count = 0;
    loop {
        tokio::select! {
            joined = clients.join_next() => match joined {
                Some(joined) => book.merge(joined?),
                None => return Ok(book),
            },
            _ = looks.tick() => {
                samples.take(proxy, began.elapsed())?;
                if count % ASK == 0 {
                    let now = Standing::ask(proxy.address).await?;
                    busiest.in_flight = busiest.in_flight.max(now.in_flight);
                    busiest.waiting = busiest.waiting.max(now.waiting);
                }
                if let Some(sample) = samples.last().filter(|_| count % TELL == 0) {
                    let (at, files) = (began.elapsed().as_secs() / 60, sample.files);
                    println!("{at:>4} min {:>8.1} MB {files:>6} open files", sample.resident);
                }
                count += 1;
            }
        }
    }
}
