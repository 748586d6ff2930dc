//! The tables, and the version of what they mean.

use redb::{ReadableTable, TableDefinition, TableError, TableHandle, WriteTransaction};

use super::error::Fault;
use super::totals;

/// The version that this program writes. One that reads an older version has to migrate it first.
pub(super) const SCHEMA: u64 = 2;

/// [`SCHEMA`] under [`SCHEMA_KEY`].
pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// The only key of [`META`].
pub(super) const SCHEMA_KEY: &str = "schema";

/// What entries have learnt: opaque here.
pub(super) const STATE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("state");

/// From the id of a request to its row as JSON. Ids sort by time.
pub(super) const REQUESTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("requests");

/// Sums of requests; see `store::totals`.
pub(super) const TOTALS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("totals");

/// Creates what is missing, because reading a table that was never created is an error, and refuses what this program
/// cannot have written.
pub(super) fn prepare(writing: &WriteTransaction) -> Result<(), Fault> {
    let new = writing.list_tables()?.next().is_none() && writing.list_multimap_tables()?.next().is_none();
    if !new && !writing.list_tables()?.any(|table| table.name() == META.name()) {
        return Err(Fault::Foreign);
    }
    let found = check_schema(writing, new)?;
    writing.open_table(STATE)?;
    writing.open_table(REQUESTS)?;
    writing.open_table(TOTALS)?;
    if found < SCHEMA {
        // Rows of the first version had no sums.
        totals::make_up_for(writing)?;
        writing.open_table(META)?.insert(SCHEMA_KEY, SCHEMA)?;
    }
    Ok(())
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
