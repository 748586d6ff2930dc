//! Sums of requests by the minute, the hour and the day: written in the same commit as the rows that they are made of.
//!
//! A range is put together from the largest units that fit into it, and from rows where it begins or ends within a
//! minute. Minutes are kept for two days and hours for a hundred; days are kept for good.

use std::collections::BTreeMap;

use redb::{ReadableDatabase, ReadableTable, WriteTransaction};

use super::database::Database;
use super::error::{Fault, StoreError};
use super::requests::{Encoded, Request, first_id_at, key_of};
use super::tables::{REQUESTS, TOTALS};
use crate::domain::time::Wall;
use crate::domain::totals::{Totals, fold};

mod key;

pub use key::{Kind, Unit, chain_and_entry};
use key::{around, decode, encode, name, start};

/// How long rows are kept at least: `retentionDays` is one or more.
const ROWS_FOR: u64 = 24 * 3_600_000;

/// How long minutes are kept.
pub const MINUTES_FOR: u64 = 48 * 3_600_000;

/// How long hours are kept.
pub const HOURS_FOR: u64 = 100 * 24 * 3_600_000;

/// Sums over a range, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Where it really begins: what is long gone is known by the hour or the day only.
    pub from: Wall,
    /// Where it really ends.
    pub to: Wall,
    /// One for each name that occurs; the name of [`Kind::All`] is empty.
    pub totals: BTreeMap<String, Totals>,
}

/// Sums by name, and for each name by time.
pub type Trends = BTreeMap<String, Vec<(Wall, Totals)>>;

impl Database {
    /// Sums of all requests that arrived from `from` on and before `to`, by the names of a kind. `now` tells how fine
    /// what is kept still is; a range that goes on until then has all that has come.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn totals(&self, kind: Kind, from: Wall, to: Wall, now: Wall) -> Result<Sums, StoreError> {
        // Nothing has come after now: the sums of the minute that goes on are those until now.
        let open = to >= now;
        let (from, to) = (coarsen(from, now, false), coarsen(to, now, true));
        let mut sums = Sums { from, to, totals: BTreeMap::new() };
        self.with(|engine| {
            let reading = engine.begin_read()?;
            let (table, rows) = (reading.open_table(TOTALS)?, reading.open_table(REQUESTS)?);
            let minute = Unit::Minute.ms();
            for part in parts(from.0, if open { (to.0 / minute + 1) * minute } else { to.0 }) {
                match part {
                    Part::Units { unit, first, end } => {
                        let range = encode(unit, kind, first, "")..encode(unit, kind, end, "");
                        for entry in table.range(range.start.as_slice()..range.end.as_slice())? {
                            let (key, value) = entry?;
                            let (_, name) = decode(key.value())?;
                            sums.totals.entry(name).or_default().add(&read(value.value())?);
                        }
                    }
                    Part::Rows { from, to } => {
                        let (first, end) = (first_id_at(Wall(from)), first_id_at(Wall(to)));
                        for entry in rows.range(key_of(&first).as_slice()..key_of(&end).as_slice())? {
                            let (key, row) = entry?;
                            // What is damaged there is told with the page that it is missing from.
                            let Ok(row) = Request::decode(key.value(), row.value()) else { continue };
                            fold(&row.facts(), |scope, totals| {
                                let (of, name) = name(scope);
                                if of == kind {
                                    sums.totals.entry(name.concat()).or_default().add(totals);
                                }
                            });
                        }
                    }
                }
            }
            Ok(())
        })?;
        Ok(sums)
    }

    /// The sums of each unit from `from` on and before `to`, for one name of a kind; units without requests are left out.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn series(
        &self,
        kind: Kind,
        name: &str,
        unit: Unit,
        from: Wall,
        to: Wall,
    ) -> Result<Vec<(Wall, Totals)>, StoreError> {
        let mut series = Vec::new();
        // With few names the neighbours cost less than a search for each unit.
        self.each_unit(kind, unit, from, to, |at, found, totals| {
            if found == name {
                series.push((at, totals()?));
            }
            Ok(())
        })?;
        Ok(series)
    }

    /// The same for all names of a kind.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn trends(&self, kind: Kind, unit: Unit, from: Wall, to: Wall) -> Result<Trends, StoreError> {
        let mut trends = Trends::new();
        self.each_unit(kind, unit, from, to, |at, name, totals| {
            trends.entry(name).or_default().push((at, totals()?));
            Ok(())
        })?;
        Ok(trends)
    }

    fn each_unit(
        &self,
        kind: Kind,
        unit: Unit,
        from: Wall,
        to: Wall,
        mut take: impl FnMut(Wall, String, &dyn Fn() -> Result<Totals, Fault>) -> Result<(), Fault>,
    ) -> Result<(), StoreError> {
        self.with(|engine| {
            let table = engine.begin_read()?.open_table(TOTALS)?;
            let (first, end) = (from.0 / unit.ms(), to.0.div_ceil(unit.ms()));
            let range = encode(unit, kind, first, "")..encode(unit, kind, end, "");
            for entry in table.range(range.start.as_slice()..range.end.as_slice())? {
                let (key, value) = entry?;
                let (at, name) = decode(key.value())?;
                take(start(unit, at), name, &|| read(value.value()))?;
            }
            Ok(())
        })
    }

    /// Removes minutes and hours that are too old, `at_most` so many in one commit; returns how many.
    ///
    /// # Errors
    /// When they are all still there.
    pub fn forget_totals(&self, now: Wall, at_most: usize) -> Result<usize, StoreError> {
        let old: Vec<Vec<u8>> = self.with(|engine| {
            let table = engine.begin_read()?.open_table(TOTALS)?;
            let mut old = Vec::new();
            for (unit, kept) in [(Unit::Minute, MINUTES_FOR), (Unit::Hour, HOURS_FOR)] {
                // The end of a range may be that old, and what comes before it within the next larger unit is asked for, too.
                let larger = if unit == Unit::Minute { Unit::Hour } else { Unit::Day };
                let first_kept = (now.0.saturating_sub(kept + larger.ms()) / unit.ms()).saturating_sub(1);
                for kind in Kind::ALL {
                    let range = encode(unit, kind, 0, "")..encode(unit, kind, first_kept, "");
                    let left = at_most.saturating_sub(old.len());
                    for entry in table.range(range.start.as_slice()..range.end.as_slice())?.take(left) {
                        old.push(entry?.0.value().to_vec());
                    }
                }
            }
            Ok(old)
        })?;
        if !old.is_empty() {
            self.change(|writing| {
                let mut table = writing.open_table(TOTALS)?;
                for key in &old {
                    table.remove(key.as_slice())?;
                }
                Ok(())
            })?;
        }
        Ok(old.len())
    }
}

/// Adds what these rows add up to, to the sums of these kinds.
pub(super) fn apply<'a>(
    writing: &WriteTransaction,
    rows: impl IntoIterator<Item = &'a Encoded>,
    kinds: &[Kind],
) -> Result<(), Fault> {
    // Rows of one commit are nearly always of the same minute, so hours and days are made of minutes and not of rows.
    let mut minutes: BTreeMap<Vec<u8>, Totals> = BTreeMap::new();
    let mut key = Vec::new();
    for row in rows {
        let minute = row.facts().arrived / Unit::Minute.ms();
        fold(row.facts(), |scope, totals| {
            let (kind, name) = name(scope);
            if !kinds.contains(&kind) {
                return;
            }
            key::write(&mut key, Unit::Minute, kind, minute, name);
            match minutes.get_mut(key.as_slice()) {
                Some(sum) => sum.add(totals),
                None => {
                    minutes.insert(key.clone(), totals.clone());
                }
            }
        });
    }
    if minutes.is_empty() {
        return Ok(());
    }
    let mut cells: BTreeMap<Vec<u8>, Totals> = BTreeMap::new();
    for (key, totals) in &minutes {
        for unit in [Unit::Day, Unit::Hour] {
            cells.entry(around(key, unit)?).or_default().add(totals);
        }
    }
    cells.append(&mut minutes);
    let mut table = writing.open_table(TOTALS)?;
    for (key, mut totals) in cells {
        if let Some(known) = table.get(key.as_slice())? {
            totals.add(&read(known.value())?);
        }
        let json = serde_json::to_vec(&totals).map_err(damaged)?;
        table.insert(key.as_slice(), json.as_slice())?;
    }
    Ok(())
}

fn read(json: &[u8]) -> Result<Totals, Fault> {
    serde_json::from_slice(json).map_err(damaged)
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn damaged(fault: serde_json::Error) -> Fault {
    Fault::Damaged(format!("a sum, or what it is made of: {fault}"))
}

/// The time, or the end of the unit around it that is still kept.
fn coarsen(at: Wall, now: Wall, up: bool) -> Wall {
    let ms = match now.0.saturating_sub(at.0) {
        age if age <= ROWS_FOR => return at,
        age if age <= MINUTES_FOR => Unit::Minute.ms(),
        age if age <= HOURS_FOR => Unit::Hour.ms(),
        _ => Unit::Day.ms(),
    };
    Wall(if up { at.0.div_ceil(ms) * ms } else { at.0 / ms * ms })
}

/// A piece of a range.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// Whole units, from `first` on and before `end`, counted from the epoch.
    Units { unit: Unit, first: u64, end: u64 },
    /// Less than a minute.
    Rows { from: u64, to: u64 },
}

/// A range in the largest units that fit into it.
fn parts(from: u64, to: u64) -> Vec<Part> {
    let mut parts = Vec::new();
    split(from, to, &Unit::ALL, &mut parts);
    parts
}

fn split(from: u64, to: u64, units: &[Unit], parts: &mut Vec<Part>) {
    if from >= to {
        return;
    }
    let Some((unit, smaller)) = units.split_first() else {
        parts.push(Part::Rows { from, to });
        return;
    };
    let (first, end) = (from.div_ceil(unit.ms()), to / unit.ms());
    if first >= end {
        return split(from, to, smaller, parts);
    }
    split(from, first * unit.ms(), smaller, parts);
    parts.push(Part::Units { unit: *unit, first, end });
    split(end * unit.ms(), to, smaller, parts);
}

#[cfg(test)]
mod tests;
