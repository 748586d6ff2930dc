//! What entries have learnt, kept from one run to the next. Opaque here: whoever writes a value reads it again.

use std::collections::BTreeMap;

use redb::{ReadableDatabase, ReadableTable, WriteTransaction};

use super::database::Database;
use super::error::{Fault, StoreError};
use super::tables::STATE;

/// All that is remembered.
pub type State = BTreeMap<String, Vec<u8>>;

/// The latest value of each key that has changed; `None` forgets it.
pub type Changes = BTreeMap<String, Option<Vec<u8>>>;

impl Database {
    /// All that is remembered.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn load_state(&self) -> Result<State, StoreError> {
        self.with(|engine| {
            let table = engine.begin_read()?.open_table(STATE)?;
            let mut state = State::new();
            for entry in table.iter()? {
                let (key, value) = entry?;
                state.insert(key.value().to_owned(), value.value().to_vec());
            }
            Ok(state)
        })
    }
}

pub(super) fn apply(writing: &WriteTransaction, changes: &Changes) -> Result<(), Fault> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut table = writing.open_table(STATE)?;
    for (key, value) in changes {
        match value {
            Some(value) => table.insert(key.as_str(), value.as_slice())?,
            None => table.remove(key.as_str())?,
        };
    }
    Ok(())
}
