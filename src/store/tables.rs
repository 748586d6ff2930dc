//! The tables, and the version of what they mean.

use redb::{ReadableTable, TableDefinition, TableError, TableHandle, WriteTransaction};

use super::error::Fault;

/// The version that this program writes. One that reads an older version has to migrate it first.
pub(super) const SCHEMA: u64 = 3;

/// Numbers about the whole: [`SCHEMA`] under [`SCHEMA_KEY`].
pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// Under it is the version of the tables.
pub(super) const SCHEMA_KEY: &str = "schema";

/// Under it is the version that is converted, until all of it is.
pub(super) const CONVERTS_KEY: &str = "converts";

/// What entries have learnt: opaque here.
pub(super) const STATE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("state");

/// From the id of a request to its row; see `store::requests`. Ids sort by time.
pub(super) const REQUESTS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("log");

/// The same in versions 1 and 2: from an id as text to a row as JSON.
pub(super) const OLD_REQUESTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("requests");

/// Sums of requests; see `store::totals`.
pub(super) const TOTALS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("totals");

/// What is there when the tables are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prepared {
    /// All of it is of this version.
    Current,
    /// Some of it is of an earlier version, and has to be converted.
    Earlier,
}

/// Creates what is missing, because reading a table that was never created is an error, and refuses what this program
/// cannot have written.
pub(super) fn prepare(writing: &WriteTransaction) -> Result<Prepared, Fault> {
    let new = writing.list_tables()?.next().is_none() && writing.list_multimap_tables()?.next().is_none();
    if !new && !writing.list_tables()?.any(|table| table.name() == META.name()) {
        return Err(Fault::Foreign);
    }
    let found = check_schema(writing, new)?;
    writing.open_table(STATE)?;
    writing.open_table(REQUESTS)?;
    writing.open_table(TOTALS)?;
    let mut meta = writing.open_table(META)?;
    if found < SCHEMA {
        // From now on an earlier version refuses it: it would find a part of the log only.
        meta.insert(SCHEMA_KEY, SCHEMA)?;
        meta.insert(CONVERTS_KEY, found)?;
    }
    let converts = meta.get(CONVERTS_KEY)?.is_some();
    Ok(if converts { Prepared::Earlier } else { Prepared::Current })
}

/// The version of what is there.
fn check_schema(writing: &WriteTransaction, new: bool) -> Result<u64, Fault> {
    let mut meta = match writing.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::TableTypeMismatch { .. }) => return Err(Fault::Foreign),
        Err(fault) => return Err(fault.into()),
    };
    if new {
        meta.insert(SCHEMA_KEY, SCHEMA)?;
        return Ok(SCHEMA);
    }
    match meta.get(SCHEMA_KEY)?.map(|found| found.value()) {
        None => Err(Fault::Foreign),
        Some(found) if found > SCHEMA => Err(Fault::Newer { found }),
        Some(found) => Ok(found),
    }
}
