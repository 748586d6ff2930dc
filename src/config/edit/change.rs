//! The changes that can be made, as what they mean for the values of the file. Nothing here knows about text.

mod target;

use super::super::model::KeyDigest;
use super::error::EditError;
use super::keep::{Present, keep};
use super::value::Value;
use target::{File, arrange, mapping, no_entry};

pub(super) use target::users_of;

/// One change. Names are those of the file, values as it has them: `${NAME}` is a reference to the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Sets `settings.key`; [`Value::Null`] takes it out, which makes it the default.
    Set {
        /// The name of the setting.
        key: String,
        /// Its new value.
        value: Value,
    },
    /// Makes the provider what is given, or adds it at the end. What is left out is taken out, but for where its key comes
    /// from: that stays unless another place is given, or [`Value::Null`].
    PutProvider {
        /// Its id.
        id: String,
        /// The mapping; `id` may be left out.
        provider: Value,
    },
    /// Deletes it.
    DeleteProvider {
        /// Its id.
        id: String,
        /// Deletes the entries that use it as well. Otherwise, a provider in use is not deleted.
        with_entries: bool,
    },
    /// Brings the providers into this order.
    OrderProviders {
        /// Each id once.
        ids: Vec<String>,
    },
    /// Makes the chain what is given, or adds it at the end. Without `entries`, an existing chain keeps its own.
    PutChain {
        /// Its name.
        name: String,
        /// The mapping; `name` may be left out.
        chain: Value,
    },
    /// Gives it another name, also where it is the default.
    RenameChain {
        /// The present name.
        from: String,
        /// The new name.
        to: String,
    },
    /// Deletes it, unless it is the default of others.
    DeleteChain {
        /// Its name.
        name: String,
    },
    /// Brings the chains into this order.
    OrderChains {
        /// Each name once.
        names: Vec<String>,
    },
    /// Makes it the default.
    SetDefaultChain {
        /// Its name.
        name: String,
    },
    /// Brings the entries of a chain into this order.
    OrderEntries {
        /// The chain.
        chain: String,
        /// The present places, counted from 0, each once.
        order: Vec<usize>,
    },
    /// Adds an entry.
    InsertEntry {
        /// The chain.
        chain: String,
        /// Its place, counted from 0; `None` is the end.
        at: Option<usize>,
        /// The mapping.
        entry: Value,
    },
    /// Makes an entry what is given.
    PutEntry {
        /// The chain.
        chain: String,
        /// Its place, counted from 0.
        at: usize,
        /// The mapping.
        entry: Value,
    },
    /// Removes an entry that is not the only one.
    RemoveEntry {
        /// The chain.
        chain: String,
        /// Its place, counted from 0.
        at: usize,
    },
    /// Moves an entry.
    MoveEntry {
        /// The chain.
        chain: String,
        /// Its place, counted from 0.
        from: usize,
        /// The place it has afterwards.
        to: usize,
    },
    /// Adds a client key, if it is not there yet. Only its digest is written down.
    AddClientKey {
        /// Of the key.
        digest: KeyDigest,
        /// For people. Makes the item a mapping, `{ key, label }`.
        label: Option<String>,
    },
    /// Removes a client key, in whatever form and however often it is there.
    RemoveClientKey {
        /// Of the key.
        digest: KeyDigest,
    },
}

impl Change {
    /// The values of the file after the change.
    pub(super) fn apply(&self, present: Present<'_>) -> Result<Value, EditError> {
        let mut file = File { present, target: present.written.clone() };
        match self {
            Self::Set { key, value } => file.set(key, value),
            Self::PutProvider { id, provider } => file.put_provider(id, provider),
            Self::DeleteProvider { id, with_entries } => file.delete_provider(id, *with_entries),
            Self::OrderProviders { ids } => file.order("providers", "id", ids),
            Self::PutChain { name, chain } => file.keep_default(name, name, |file| file.put_chain(name, chain)),
            Self::RenameChain { from, to } => file.keep_default(from, to, |file| file.rename_chain(from, to)),
            Self::DeleteChain { name } => file.delete_chain(name),
            Self::OrderChains { names } => file.order("chains", "name", names),
            Self::SetDefaultChain { name } => file.set_default(name),
            Self::OrderEntries { chain, order } => file.entries(chain, |entries, path| arrange(entries, order, path)),
            Self::InsertEntry { chain, at, entry } => file.entries(chain, |entries, path| {
                let at = at.unwrap_or(entries.len());
                if at > entries.len() {
                    return Err(no_entry(at));
                }
                entries.insert(at, keep(None, mapping(entry, &path.index(at))?, &path.index(at))?);
                Ok(())
            }),
            Self::PutEntry { chain, at, entry } => file.put_entry(chain, *at, entry),
            Self::RemoveEntry { chain, at } => file.entries(chain, |entries, _| match entries.len() {
                many if *at >= many => Err(no_entry(*at)),
                1 => Err(EditError::LastEntry { chain: chain.clone() }),
                _ => {
                    entries.remove(*at);
                    Ok(())
                }
            }),
            Self::MoveEntry { chain, from, to } => file.entries(chain, |entries, _| {
                if let Some(beyond) = [from, to].into_iter().find(|at| **at >= entries.len()) {
                    return Err(no_entry(*beyond));
                }
                let entry = entries.remove(*from);
                entries.insert(*to, entry);
                Ok(())
            }),
            Self::AddClientKey { digest, label } => {
                file.add_key(*digest, label.as_deref());
                Ok(())
            }
            Self::RemoveClientKey { digest } => file.remove_key(*digest),
        }?;
        Ok(file.target)
    }
}
