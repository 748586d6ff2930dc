//! The tables, and the version of what they mean.

use redb::{ReadableTable, TableDefinition, TableError, TableHandle, WriteTransaction};

use super::error::Fault;

/// The version that this program writes. One that reads an older version has to migrate it first.
pub(super) const SCHEMA: u64 = 1;

/// [`SCHEMA`] under [`SCHEMA_KEY`].
pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// The only key of [`META`].
pub(super) const SCHEMA_KEY: &str = "schema";

/// What entries have learnt: opaque here.
pub(super) const STATE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("state");

/// From the id of a request to its row as JSON. Ids sort by time.
pub(super) const REQUESTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("requests");

/// Creates what is missing, because reading a table that was never created is an error, and refuses what this program
/// cannot have written.
pub(super) fn prepare(writing: &WriteTransaction) -> Result<(), Fault> {
    let new = writing.list_tables()?.next().is_none() && writing.list_multimap_tables()?.next().is_none();
    if !new && !writing.list_tables()?.any(|table| table.name() == META.name()) {
        return Err(Fault::Foreign);
    }
    check_schema(writing, new)?;
    writing.open_table(STATE)?;
    writing.open_table(REQUESTS)?;
    Ok(())
}

fn check_schema(writing: &WriteTransaction, new: bool) -> Result<(), Fault> {
    let mut meta = match writing.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::TableTypeMismatch { .. }) => return Err(Fault::Foreign),
        Err(fault) => return Err(fault.into()),
    };
    if new {
        meta.insert(SCHEMA_KEY, SCHEMA)?;
        return Ok(());
    }
    match meta.get(SCHEMA_KEY)?.map(|found| found.value()) {
        None => Err(Fault::Foreign),
        Some(found) if found > SCHEMA => Err(Fault::Newer { found }),
        Some(_) => Ok(()),
    }
}
