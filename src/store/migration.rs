//! Databases of versions 1 and 2: rows as JSON, and not all sums.
//!
//! They are converted when they are opened, some rows at a time: in one commit these rows leave the old table, enter the
//! new one, and are added to the sums that are missing. So each is counted once however often the process is killed on
//! the way, the next start goes on where this one ended, and memory is that for a few rows.

use redb::{ReadableTable, WriteTransaction};
use tracing::{info, warn};

use super::database::Database;
use super::error::{Fault, StoreError};
use super::requests;
use super::tables::{CONVERTS_KEY, META, OLD_REQUESTS};
use super::totals::{self, Kind};

mod old;

/// Rows in one commit: some 5 MB of JSON. Tests have several commits without so many rows.
const AT_ONCE: usize = if cfg!(test) { 3 } else { 4_000 };

/// Converts all that is left, and gives the room that it took back to the disk.
pub(super) fn run(database: &mut Database) -> Result<(), StoreError> {
    let path = database.path().to_owned();
    info!("{} is of an earlier version and is converted, which may take some seconds", path.display());
    let (mut rows, mut unreadable) = (0, 0);
    while let Some(step) = database.change(|writing| step(writing, AT_ONCE))? {
        rows += step.rows;
        unreadable += step.unreadable;
    }
    database.compact()?;
    if unreadable > 0 {
        warn!(unreadable, "rows of the log are damaged and were kept as they are");
    }
    info!(rows, "{} is converted", path.display());
    Ok(())
}

/// What was done in one commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Done {
    rows: usize,
    unreadable: usize,
}

/// Converts up to so many rows; `None` when there are none left, and nothing is said of an earlier version any more.
fn step(writing: &WriteTransaction, at_most: usize) -> Result<Option<Done>, Fault> {
    let Some(from) = writing.open_table(META)?.get(CONVERTS_KEY)?.map(|found| found.value()) else { return Ok(None) };
    let mut done = Done::default();
    let mut converted = Vec::new();
    let mut left = writing.open_table(OLD_REQUESTS)?;
    while done.rows < at_most
        && let Some((id, json)) = left.pop_first()?
    {
        done.rows += 1;
        match old::read(json.value()) {
            Ok(request) => converted.push(request.encode()),
            // Nobody can tell what it was; it is counted with those that cannot be read until it is too old.
            Err(_) => {
                done.unreadable += 1;
                requests::keep_as_it_is(writing, id.value(), json.value())?;
            }
        }
    }
    drop(left);
    if done.rows == 0 {
        writing.delete_table(OLD_REQUESTS)?;
        writing.open_table(META)?.remove(CONVERTS_KEY)?;
        return Ok(None);
    }
    requests::insert(writing, &converted)?;
    // Version 1 had no sums at all.
    totals::apply(writing, &converted, if from < 2 { &Kind::ALL } else { &[Kind::ChainEntry] })?;
    Ok(Some(done))
}

#[cfg(test)]
mod tests;
