//! The table: what was measured, and whether it keeps the budget.

use std::fs;
use std::time::Duration;

use crate::options::Options;

/// What DESIGN 8 asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Budget {
    /// Not less.
    AtLeast(f64),
    /// Not more.
    AtMost(f64),
    /// For information.
    None,
}

/// Unit of the result.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    /// One thing in parts of another.
    Ratio,
    /// Microseconds.
    Micros,
    /// Milliseconds.
    Millis,
    /// 1024 x 1024 bytes.
    Megabytes,
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Ratio => format!("{value:.2}"),
            Self::Micros => format!("{value:.0} us"),
            Self::Millis => format!("{value:.0} ms"),
            Self::Megabytes => format!("{value:.1} MB"),
        }
    }
}

/// One result per round.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    /// What was measured.
    pub(crate) what: &'a str,
    /// The other side: nginx, the shorter chain, or the proxy that records nothing.
    pub(crate) other: &'a str,
    /// Ours.
    pub(crate) ours: &'a str,
    /// One per round.
    pub(crate) results: &'a [f64],
    /// Of the results.
    pub(crate) unit: Unit,
    /// Of the median.
    pub(crate) budget: Budget,
}

/// Prints lines as they come.
#[derive(Debug)]
pub(crate) struct Report;

impl Report {
    /// Says on what machine this is, and how it is measured.
    pub(crate) fn begin(options: &Options, nginx: &str) -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let info = read("/proc/cpuinfo");
        let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
        let load = read("/proc/loadavg");
        println!(
            "{nginx}; {} x {}; load before {}; {} rounds of {} s",
            std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            model.unwrap_or("unknown processor"),
            load.split(' ').next().unwrap_or("unknown"),
            options.rounds,
            options.round.as_secs()
        );
        println!("1 KB requests, 0.6 KB answers, one worker each; median of the rounds (lowest .. highest)\n");
        println!("{:43} {:>10} {:>10}   {:26} budget", "", "other", "429chain", "result");
        Self
    }

    /// Prints how much of the machine others used until now.
    pub(crate) fn others(&self, share: f64) {
        let advice = if share > 0.05 { "; measure again when it is quiet" } else { "" };
        println!("other processes used {:.0} % of the processors during all this{advice}", share * 100.0);
    }

    /// Prints one line.
    pub(crate) fn line(&self, line: &Line<'_>) {
        let Line { what, other, ours, results, unit, budget } = line;
        let mut sorted = results.to_vec();
        sorted.sort_by(f64::total_cmp);
        let value = median(results);
        let spread = match (sorted.first(), sorted.last()) {
            (Some(first), Some(last)) if sorted.len() > 1 => {
                format!(" ({} .. {})", unit.show(*first), unit.show(*last))
            }
            _ => String::new(),
        };
        let (budget, kept) = match budget {
            Budget::AtLeast(least) => (format!(">= {}", unit.show(*least)), Some(value >= *least)),
            Budget::AtMost(most) => (format!("<= {}", unit.show(*most)), Some(value <= *most)),
            Budget::None => (String::new(), None),
        };
        let verdict = kept.map_or("", |kept| if kept { "PASS" } else { "MISS" });
        let result = unit.show(value) + &spread;
        println!("{what:43} {other:>10} {ours:>10}   {result:26} {budget:12} {verdict}");
    }
}

/// The middle one; of two, what lies between them.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN);
    match sorted.len() % 2 {
        0 => sorted.get((sorted.len() / 2).wrapping_sub(1)).map_or(upper, |lower| f64::midpoint(*lower, upper)),
        _ => upper,
    }
}

/// Microseconds.
pub(crate) fn micros(span: Duration) -> f64 {
    span.as_secs_f64() * 1e6
}
