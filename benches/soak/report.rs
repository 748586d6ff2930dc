//! The table at the end, and whether it is as it has to be.

use std::time::Duration;

use crate::book::{Book, Wrong};
use crate::cast;
use crate::census::Census;
use crate::chains::Chains;
use crate::log::Log;
use crate::options::Options;
use crate::providers::Providers;
use crate::samples::{Sample, Samples};
use crate::stalls::Stalls;
use crate::standing::Standing;

/// Megabytes per ten minutes that memory may grow.
const GROWTH: f64 = 1.0;

/// Growth over a shorter time is noise.
const LONG_ENOUGH: Duration = Duration::from_secs(600);

/// Files that may be open after the load beyond those at the end of the warm-up.
const MORE_FILES: usize = 32;

/// Wrong answers that are shown.
const EXAMPLES: usize = 5;

/// All that was found.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    /// What was asked for.
    pub(crate) options: &'a Options,
    /// What clients have seen.
    pub(crate) book: &'a Book,
    /// What was recorded.
    pub(crate) census: &'a Census,
    /// What the proxy has said.
    pub(crate) log: &'a Log,
    /// When the machine had no time.
    pub(crate) stalls: &'a Stalls,
    /// Who was called.
    pub(crate) providers: &'a Providers,
    /// During the load.
    pub(crate) samples: &'a Samples,
    /// Most that was under way during the load.
    pub(crate) busiest: &'a Standing,
    /// After the load.
    pub(crate) calm: &'a Standing,
    /// After the load.
    pub(crate) after: Sample,
    /// The exit code; `None` when it did not stop.
    pub(crate) exit: Option<i32>,
}

impl Report<'_> {
    /// Says what is about to happen.
    pub(crate) fn begin(options: &Options, chains: &Chains) {
        let Options { clients, rate, workers, seed, lasting, .. } = options;
        println!(
            "{clients} clients, at most {rate} requests/s for {} min; {} faults in {} chains; {workers} worker(s), seed {seed}",
            lasting.as_secs() / 60,
            options.faults().len(),
            chains.all().count()
        );
    }

    /// Prints everything. True when all is as it has to be.
    pub(crate) fn print(&self) -> bool {
        self.requests();
        self.faults();
        self.process();
        println!();
        let passed = self.criteria();
        let (wrong, _) = self.wrong();
        let told = wrong.iter().map(|wrong| &wrong.told).take(EXAMPLES);
        for example in told.chain(&self.census.examples).chain(&self.log.examples) {
            println!("  {example}");
        }
        println!("\n{}", if passed { "PASS" } else { "FAIL" });
        passed
    }

    /// Wrong answers, the worst first, and how many of them say nothing about the proxy.
    fn wrong(&self) -> (Vec<&Wrong>, usize) {
        let excused = |wrong: &Wrong| !wrong.crossed && self.stalls.excuse(wrong.sent, wrong.ended);
        let (excused, mut wrong): (Vec<&Wrong>, Vec<&Wrong>) = self.book.wrong.iter().partition(|it| excused(it));
        wrong.sort_by_key(|wrong| (!wrong.crossed, wrong.ended));
        (wrong, excused.len())
    }

    fn requests(&self) {
        let requests = self.book.requests();
        let rate = requests as f64 / self.options.lasting.as_secs_f64();
        println!("\n{requests} requests in {} min, {rate:.0}/s:\n", self.options.lasting.as_secs() / 60);
        let mut before = "";
        for ((errand, outcome), count) in &self.book.outcomes {
            println!("  {:22} {outcome:40} {count:>8}", if *errand == before { "" } else { errand });
            before = errand;
        }
    }

    fn faults(&self) {
        println!("\n{} calls of providers, {} failed. Faults met:", self.providers.calls(), self.failed());
        for row in self.options.faults().chunks(5) {
            let cells = row.iter().map(|manner| format!("{:18}{:>6}", manner.name, self.met(manner.name)));
            println!("  {}", cells.collect::<Vec<_>>().join("  "));
        }
    }

    fn failed(&self) -> u64 {
        self.census.failed.values().sum()
    }

    /// How often a fault was met. Who does not listen knows of no calls.
    fn met(&self, name: &str) -> u64 {
        match cast::named(name) {
            Some(manner) if !manner.absent => self.providers.faults(manner),
            _ => self.census.failed.get(name).copied().unwrap_or_default(),
        }
    }

    fn process(&self) {
        let show = |what: &str, sample: Option<Sample>| {
            if let Some(Sample { at, resident, files }) = sample {
                println!("  {what:22} {:>6} s {resident:>8.1} MB {files:>6} open files", at.as_secs());
            }
        };
        let (resident, files) = self.samples.most();
        println!("\nThe proxy:");
        show("first", self.samples.at(Duration::ZERO));
        show("warm", self.samples.at(self.options.warm_up()));
        show("last", self.samples.last());
        show("after the load", Some(self.after));
        println!("  {:22} {:>8} {resident:>8.1} MB {files:>6} open files", "most", "");
        let Standing { in_flight, waiting, .. } = self.busiest;
        println!("  most under way: {in_flight} calls, {waiting} waiting (asked every 10 s)");
        println!(
            "  log: {} lines, {} warnings; database: {} MB",
            self.log.lines,
            self.log.warnings,
            self.census.size >> 20
        );
    }

    fn criteria(&self) -> bool {
        let mut all = true;
        let mut line = |what: &str, value: String, holds: bool| {
            println!("  {what:60} {value:>16}  {}", if holds { "PASS" } else { "FAIL" });
            all &= holds;
        };
        let (wrong, excused) = self.wrong();
        let crossed = wrong.iter().filter(|wrong| wrong.crossed).count();
        if let (stalls @ 1.., longest) = self.stalls.summary() {
            println!(
                "  The machine had no time for this {stalls} times, {:.1} s at most: {excused} wrong answers are not judged.",
                longest.as_secs_f64()
            );
        }
        let none = |count: u64| (count.to_string(), count == 0);
        for (what, (value, holds)) in [
            ("answers that belong to another request (must be 0)", none(crossed as u64)),
            ("other wrong answers (0)", none((wrong.len() - crossed) as u64)),
            ("rows / requests", (format!("{} / {}", self.census.rows, self.book.requests()), true)),
            ("requests without a row (0)", none(self.census.lost)),
            ("rows without a request, or second ones (0)", none(self.census.extra)),
            ("rows that tell another end than the client saw (0)", none(self.census.other)),
            ("calls in flight after the load (0)", none(self.calm.in_flight)),
            ("requests waiting after the load (0)", none(self.calm.waiting)),
            ("errors in the log (0)", none(self.log.errors)),
            ("panics in the log (0)", none(self.log.panics)),
        ] {
            line(what, value, holds);
        }
        let word = |value: Option<String>| value.unwrap_or_else(|| "nothing".to_owned());
        let (code, cut) = (self.exit.map(|code| code.to_string()), self.log.cut.map(|cut| cut.to_string()));
        let end = format!("code {}, {} cut", word(code), word(cut));
        line("stops by itself, with no request cut", end, self.exit == Some(0) && self.log.cut == Some(0));
        let faults = self.options.faults();
        let unmet: Vec<&str> = faults.iter().map(|it| it.name).filter(|name| self.met(name) == 0).collect();
        line("faults never met", unmet.join(" "), unmet.is_empty());
        let warm = self.options.warm_up();
        let files = self.samples.at(warm).map_or(0, |sample| sample.files);
        let value = format!("{files} -> {}", self.after.files);
        line("open files, warm -> after the load", value, self.after.files <= files + MORE_FILES);
        let slope = self.samples.slope(warm);
        let value = format!("{slope:+.2} MB");
        if self.options.lasting.saturating_sub(warm) >= LONG_ENOUGH {
            line("growth of memory per 10 min, once warm (< 1 MB)", value, slope < GROWTH);
        } else {
            println!("  {:60} {value:>16}  too short to tell", "growth of memory per 10 min, once warm");
        }
        if !self.calm.holders.is_empty() {
            println!("  still in flight: {}", self.calm.holders.join(", "));
        }
        all
    }
}
