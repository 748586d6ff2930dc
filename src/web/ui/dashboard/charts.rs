//! Figures over time, in spans that make some sixty of a range.

use std::collections::BTreeMap;

use crate::domain::time::Wall;
use crate::domain::totals::Totals;
use crate::store::database::Database;
use crate::store::error::StoreError;
use crate::store::totals::{Kind, Unit};
use crate::web::ui::chart::{Bin, Chart, Kind as Shape, Series};
use crate::web::ui::live::view::Range;

/// How a range is cut.
struct Cut {
    unit: Unit,
    /// Units of a span.
    of: u64,
    spans: u64,
    words: &'static str,
}

impl Cut {
    fn of(range: Range) -> Self {
        match range {
            Range::Hour => Self { unit: Unit::Minute, of: 1, spans: 60, words: "per minute" },
            Range::Day => Self { unit: Unit::Minute, of: 20, spans: 72, words: "per 20 minutes" },
            Range::Week => Self { unit: Unit::Hour, of: 3, spans: 56, words: "per 3 hours" },
            Range::Month => Self { unit: Unit::Day, of: 1, spans: 30, words: "per day (UTC)" },
        }
    }

    fn ms(&self) -> u64 {
        self.unit.ms() * self.of
    }

    /// Where the first span begins; the last one is the one that goes on.
    fn first(&self, now: Wall) -> u64 {
        (now.0 / self.ms() + 1).saturating_sub(self.spans) * self.ms()
    }

    /// Sums of each span.
    fn read(&self, database: &Database, kind: Kind, name: &str, now: Wall) -> Result<Vec<Totals>, StoreError> {
        let first = self.first(now);
        let mut spans: BTreeMap<u64, Totals> = BTreeMap::new();
        for (at, totals) in database.series(kind, name, self.unit, Wall(first), Wall(now.0 + 1))? {
            spans.entry(at.0.saturating_sub(first) / self.ms()).or_default().add(&totals);
        }
        Ok((0..self.spans).map(|at| spans.remove(&at).unwrap_or_default()).collect())
    }
}

/// Requests, and how long they took.
pub(super) fn over_time(database: &Database, range: Range, now: Wall) -> Result<Vec<Chart>, StoreError> {
    let cut = Cut::of(range);
    let spans = cut.read(database, Kind::All, "", now)?;
    let bins = |values: &dyn Fn(&Totals) -> Vec<Option<u64>>| -> Vec<Bin> {
        let times = spans.iter().zip(0_u64..);
        times.map(|(totals, at)| bin(Wall(cut.first(now) + at * cut.ms()), range, values(totals))).collect()
    };
    let series = |names: &[(&str, &'static str)]| -> Vec<Series> {
        names.iter().map(|(name, class)| Series { name: (*name).to_owned(), class }).collect()
    };
    let requests = bins(&|totals: &Totals| {
        let failed = totals.failed();
        let first = totals.requests.saturating_sub(failed).saturating_sub(totals.waterfalled);
        vec![Some(first), Some(totals.waterfalled), Some(failed)]
    });
    let latency = bins(&|totals: &Totals| vec![totals.latency.quantile(0.5), totals.latency.quantile(0.95)]);
    Ok(vec![
        Chart {
            id: "chart-req",
            title: format!("Requests {}", cut.words),
            unit: "",
            series: series(&[("first try", "c-ok"), ("after waterfall", "c-warn"), ("failed", "c-bad")]),
            bins: requests,
            kind: Shape::Stacked,
        },
        Chart {
            id: "chart-latency",
            title: "Latency of what was served".to_owned(),
            unit: "ms",
            series: series(&[("p50", "c-link"), ("p95", "c-muted")]),
            bins: latency,
            kind: Shape::Lines,
        },
    ])
}

/// Upstream calls of a provider, for a small line beside its name: by the hour where minutes would be many.
pub(super) fn calls(database: &Database, provider: &str, range: Range, now: Wall) -> Result<Vec<u64>, StoreError> {
    let cut = match range {
        Range::Day => Cut { unit: Unit::Hour, of: 1, spans: 24, words: "" },
        other => Cut::of(other),
    };
    Ok(cut.read(database, Kind::Provider, provider, now)?.iter().map(|totals| totals.attempts).collect())
}

fn bin(at: Wall, range: Range, values: Vec<Option<u64>>) -> Bin {
    let time = at.to_string();
    let (date, clock) = (time.get(5..10).unwrap_or_default(), time.get(11..16).unwrap_or_default());
    let label = match range {
        Range::Hour | Range::Day => clock.to_owned(),
        Range::Week => format!("{date} {clock}"),
        Range::Month => date.to_owned(),
    };
    Bin { time, label, values }
}
