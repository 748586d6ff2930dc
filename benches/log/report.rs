//! The table: what was measured, and whether it keeps the budget.

use std::fs;
use std::time::Duration;

use crate::fill::Filled;
use crate::options::Options;

/// Bytes that a million rows and all their sums may take.
const ROOM: u64 = 400_000_000;

/// How long an answer may take.
const WAIT: Duration = Duration::from_millis(20);

/// Prints lines as they come, and remembers whether all was well.
#[derive(Debug)]
pub(crate) struct Report {
    kept: bool,
}

/// How long answers took.
#[derive(Debug)]
pub(crate) struct Times {
    /// Half of them took no longer.
    p50: Duration,
    /// Of a hundred one took longer.
    p99: Duration,
}

impl Times {
    pub(crate) fn of(mut waits: Vec<Duration>) -> Self {
        waits.sort_unstable();
        let at = |part: f64| {
            let rank = (waits.len() as f64 * part).ceil() as usize;
            waits.get(rank.saturating_sub(1)).copied().unwrap_or_default()
        };
        Self { p50: at(0.50), p99: at(0.99) }
    }
}

impl Report {
    /// Says on what machine this is.
    pub(crate) fn begin(options: &Options) -> Self {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        println!(
            "{} x {}; load before {}; {} rows over 30 days, {} to a commit",
            std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            model.unwrap_or("unknown processor"),
            load.split(' ').next().unwrap_or("unknown"),
            options.rows,
            options.commit
        );
        Self { kept: true }
    }

    /// How far it is, with the memory of this process: what grows with the file would show.
    pub(crate) fn progress(&self, rows: u64, bytes: u64) {
        println!("{rows:>10} rows {:>6.1} MB file {:>6.1} MB memory", megabytes(bytes), megabytes(resident()));
    }

    /// Prints what the rows have cost.
    pub(crate) fn filled(&mut self, options: &Options, filled: &Filled) {
        let rate = options.rows as f64 / filled.took.as_secs_f64();
        println!("\n{:42} {:>22}", "rows per second", format!("{rate:.0}"));
        let room = ROOM * options.rows / 1_000_000;
        for (what, bytes) in [("file in use", filled.open), ("file when closed", filled.closed)] {
            let each = bytes as f64 / options.rows as f64;
            let size = format!("{:.1} MB ({each:.0} B a row)", megabytes(bytes));
            println!("{what:42} {size:>22}   <= {:.0} MB {}", megabytes(room), self.verdict(bytes <= room));
        }
        println!("\n{:42} {:>10} {:>11}", "", "p50", "p99");
    }

    /// Prints how long answers to one question took.
    pub(crate) fn asked(&mut self, what: &str, times: &Times) {
        let show = |span: Duration| format!("{:.2} ms", span.as_secs_f64() * 1e3);
        let verdict = self.verdict(times.p99 <= WAIT);
        println!("{what:42} {:>10} {:>11}   <= {} ms {verdict}", show(times.p50), show(times.p99), WAIT.as_millis());
    }

    /// Whether all budgets are kept.
    pub(crate) fn kept(&self) -> bool {
        self.kept
    }

    fn verdict(&mut self, kept: bool) -> &'static str {
        self.kept &= kept;
        if kept { "PASS" } else { "MISS" }
    }
}

/// Memory of this process in bytes.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or_default() * 1_024
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
