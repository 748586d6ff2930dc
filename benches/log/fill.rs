//! Fills a database as the recorder does.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use chain429::actors::pending::{BATCH, Pending};
use chain429::actors::row::Row;
use chain429::clock::Clock;
use chain429::domain::time::Wall;
use chain429::store::database::Database;
use chain429::store::place::Place;

use crate::Result;
use crate::options::Options;
use crate::report::Report;
use crate::rows::Rows;

const DAYS: u64 = 30;
const HOUR: u64 = 3_600_000;

/// What was written.
#[derive(Debug)]
pub(crate) struct Filled {
    /// Time without the making of the rows.
    pub(crate) took: Duration,
    /// Length of the file while it was in use, in bytes.
    pub(crate) open: u64,
    /// The same when it was closed.
    pub(crate) closed: u64,
    /// Ids of some rows, from all of the time.
    pub(crate) ids: Vec<String>,
}

/// Writes all rows; the last of them arrives now.
pub(crate) fn fill(path: &Path, options: &Options, report: &Report) -> Result<Filled> {
    let now = Clock::system().now().wall.0;
    let step = DAYS * 24 * HOUR / options.rows;
    let start = now - step * options.rows;
    let database = Place::File(path.to_owned()).open()?;
    let (mut rows, mut pending) = (Rows::new(), Pending::default());
    let (mut took, mut ids) = (Duration::ZERO, Vec::new());
    // Requests that are under way, by when they end.
    let mut under_way: BTreeMap<(u64, u64), Row> = BTreeMap::new();
    let mut swept = start;
    for count in 0..options.rows {
        let at = start + count * step + rows.below(step.max(1));
        let row = rows.next(Wall(at));
        if count % (options.rows / 1_000).max(1) == 0 {
            ids.push(row.id.clone());
        }
        under_way.insert((at + u64::try_from(row.took.as_millis())?, count), row);
        let began = Instant::now();
        while let Some(entry) = under_way.first_entry().filter(|entry| entry.key().0 <= at) {
            write(&database, &mut pending, entry.remove(), options)?;
        }
        if at >= swept + HOUR {
            swept = at;
            while database.forget_totals(Wall(at), BATCH)? == BATCH {}
        }
        took += began.elapsed();
        if (count + 1) % (options.rows / 10).max(1) == 0 {
            report.progress(count + 1, std::fs::metadata(path)?.len());
        }
    }
    for row in under_way.into_values() {
        write(&database, &mut pending, row, options)?;
    }
    pending.write_to(&database)?;
    let open = std::fs::metadata(path)?.len();
    database.close()?;
    Ok(Filled { took, open, closed: std::fs::metadata(path)?.len(), ids })
}

fn write(database: &Database, pending: &mut Pending, row: Row, options: &Options) -> Result<()> {
    pending.add(row);
    if pending.rows() >= options.commit {
        pending.write_to(database)?;
    }
    Ok(())
}
