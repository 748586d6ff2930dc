//! The changes that can be made, as what they mean for the values of the file. Nothing here knows about text.

use super::super::check::digest;
use super::super::model::{KeyDigest, Secret};
use super::super::path::YamlPath;
use super::error::{EditError, Use};
use super::keep::{Present, keep};
use super::value::Value;

/// The three places that a provider's key may come from; the first that is given takes the place of the others.
const KEY_SOURCES: [&str; 3] = ["apiKey", "apiKeys", "apiKeyFile"];

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
    /// Deletes it, unless it is the default.
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
    /// Removes a client key, in whatever form it is there.
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

struct File<'a> {
    present: Present<'a>,
    target: Value,
}

impl File<'_> {
    fn set(&mut self, key: &str, value: &Value) -> Result<(), EditError> {
        let present = self.present.get("settings").and_then(|settings| settings.get(key));
        let value = keep(present, value.clone(), &YamlPath::root().key("settings").key(key))?;
        let mut settings = self.target.get("settings").cloned().unwrap_or(Value::Null);
        if value == Value::Null && settings.get(key).is_none() {
            return Ok(());
        }
        settings.set(key, value);
        self.put("settings", settings);
        Ok(())
    }

    fn put_provider(&mut self, id: &str, provider: &Value) -> Result<(), EditError> {
        let (at, path) = self.place("providers", "id", id);
        let present = at.and_then(|at| self.present.get("providers")?.items().nth(at));
        let mut new = mapping(provider, &path)?;
        named(&mut new, "id", id, &path)?;
        let mut new = keep(present, new, &path)?;
        let given = |key: &&str| provider.get(key).is_some();
        if !KEY_SOURCES.iter().any(|key| given(key) && provider.get(key) != Some(&Value::Null)) {
            for key in KEY_SOURCES.iter().filter(|key| !given(key)) {
                let stays = present.and_then(|present| present.get(key)).map_or(Value::Null, |it| it.written.clone());
                new.set(key, stays);
            }
        }
        self.put_item("providers", at, new);
        Ok(())
    }

    fn delete_provider(&mut self, id: &str, with_entries: bool) -> Result<(), EditError> {
        let at = self.find("providers", "id", id, "provider")?;
        let used = users_of(self.present.resolved, id);
        if !used.is_empty() && !with_entries {
            return Err(EditError::InUse { provider: id.to_owned(), chains: used });
        }
        if let Some(emptied) = used.iter().find(|used| used.all) {
            return Err(EditError::LastEntry { chain: emptied.chain.clone() });
        }
        for Use { chain, entries: gone, .. } in used {
            self.entries(&chain, |entries, _| {
                let mut at = 0;
                entries.retain(|_| {
                    at += 1;
                    !gone.contains(&(at - 1))
                });
                Ok(())
            })?;
        }
        self.items("providers", |providers| _ = providers.remove(at));
        Ok(())
    }

    fn put_chain(&mut self, name: &str, chain: &Value) -> Result<(), EditError> {
        let (at, path) = self.place("chains", "name", name);
        let present = at.and_then(|at| self.present.get("chains")?.items().nth(at));
        let mut new = mapping(chain, &path)?;
        named(&mut new, "name", name, &path)?;
        let mut new = keep(present, new, &path)?;
        if let (None, Some(entries)) = (chain.get("entries"), present.and_then(|present| present.get("entries"))) {
            new.set("entries", entries.written.clone());
        }
        self.put_item("chains", at, new);
        Ok(())
    }

    fn rename_chain(&mut self, from: &str, to: &str) -> Result<(), EditError> {
        let at = self.find("chains", "name", from, "chain")?;
        if from == to {
            return Ok(());
        }
        if self.place("chains", "name", to).0.is_some() {
            return Err(EditError::Taken { what: "chain", name: to.to_owned() });
        }
        self.items("chains", |chains| chains.get_mut(at).into_iter().for_each(|chain| chain.set("name", to.into())));
        Ok(())
    }

    fn delete_chain(&mut self, name: &str) -> Result<(), EditError> {
        let at = self.find("chains", "name", name, "chain")?;
        if default_of(self.present.resolved) == Some(name) {
            return Err(EditError::DefaultChain { chain: name.to_owned() });
        }
        self.items("chains", |chains| _ = chains.remove(at));
        Ok(())
    }

    fn set_default(&mut self, name: &str) -> Result<(), EditError> {
        self.find("chains", "name", name, "chain")?;
        if default_of(self.present.resolved) == Some(name) {
            return Ok(());
        }
        self.set("defaultChain", &name.into())
    }

    /// Does something to the chains, and sees to it that the default one stays the same, under its new name.
    fn keep_default(
        &mut self,
        from: &str,
        to: &str,
        change: impl FnOnce(&mut Self) -> Result<(), EditError>,
    ) -> Result<(), EditError> {
        let before = default_of(self.present.resolved).map(str::to_owned);
        change(self)?;
        let Some(before) = before else { return Ok(()) };
        let explicit = self.present.resolved.get("settings").and_then(|settings| settings.text("defaultChain"));
        let wanted = if before == from { to } else { &before };
        let stays = match explicit {
            Some(name) => name == wanted,
            None => default_of(&self.target) == Some(wanted),
        };
        if stays { Ok(()) } else { self.set("defaultChain", &wanted.into()) }
    }

    fn put_entry(&mut self, chain: &str, at: usize, entry: &Value) -> Result<(), EditError> {
        let index = self.find("chains", "name", chain, "chain")?;
        let present =
            self.present.get("chains").and_then(|chains| chains.items().nth(index)?.get("entries")?.items().nth(at));
        self.entries(chain, |entries, path| {
            let place = entries.get_mut(at).ok_or_else(|| no_entry(at))?;
            *place = keep(present, mapping(entry, &path.index(at))?, &path.index(at))?;
            Ok(())
        })
    }

    fn add_key(&mut self, key: KeyDigest, label: Option<&str>) {
        if self.client_keys().any(|present| present == Some(key)) {
            return;
        }
        let hex: String = key.0.iter().map(|byte| format!("{byte:02x}")).collect();
        let written = Value::Text(format!("sha256:{hex}"));
        let item = match label {
            Some(label) => Value::from([("key", written), ("label", label.into())]),
            None => written,
        };
        let mut settings = self.target.get("settings").cloned().unwrap_or(Value::Null);
        let mut keys = settings.get("apiKeys").map(|keys| keys.items().to_vec()).unwrap_or_default();
        keys.push(item);
        settings.set("apiKeys", Value::List(keys));
        self.put("settings", settings);
    }

    fn remove_key(&mut self, key: KeyDigest) -> Result<(), EditError> {
        let unknown =
            || EditError::Unknown { what: "client key", name: "with this digest".to_owned(), known: Vec::new() };
        let at = self.client_keys().position(|present| present == Some(key)).ok_or_else(unknown)?;
        let mut settings = self.target.get("settings").cloned().unwrap_or(Value::Null);
        let mut keys = settings.get("apiKeys").map(|keys| keys.items().to_vec()).unwrap_or_default();
        keys.remove(at);
        settings.set("apiKeys", Value::List(keys));
        self.put("settings", settings);
        Ok(())
    }

    fn client_keys(&self) -> impl Iterator<Item = Option<KeyDigest>> {
        let keys = self.present.get("settings").and_then(|settings| settings.get("apiKeys"));
        keys.into_iter().flat_map(Present::items).map(|item| {
            let key = item.resolved.as_text().or_else(|| item.resolved.text("key"))?;
            digest(&Secret::new(key))
        })
    }

    fn order(&mut self, list: &str, key: &str, names: &[String]) -> Result<(), EditError> {
        let path = YamlPath::root().key(list);
        let mut order = Vec::new();
        for name in names {
            order.push(self.find(list, key, name, if list == "chains" { "chain" } else { "provider" })?);
        }
        let mut result = Ok(());
        self.items(list, |items| result = arrange(items, &order, &path));
        result
    }

    fn entries(
        &mut self,
        chain: &str,
        change: impl FnOnce(&mut Vec<Value>, &YamlPath) -> Result<(), EditError>,
    ) -> Result<(), EditError> {
        let at = self.find("chains", "name", chain, "chain")?;
        let path = YamlPath::root().key("chains").index(at).key("entries");
        let mut result = Ok(());
        self.items("chains", |chains| {
            let Some(chain) = chains.get_mut(at) else { return };
            let mut entries = chain.get("entries").map(|entries| entries.items().to_vec()).unwrap_or_default();
            result = change(&mut entries, &path);
            chain.set("entries", Value::List(entries));
        });
        result
    }

    /// Where the item called `name` is in the list, and its path or that of the next one.
    fn place(&self, list: &str, key: &str, name: &str) -> (Option<usize>, YamlPath) {
        let items = self.present.get(list).map(|list| list.items()).into_iter().flatten();
        let at = items.clone().position(|item| item.resolved.text(key) == Some(name));
        (at, YamlPath::root().key(list).index(at.unwrap_or(items.count())))
    }

    fn find(&self, list: &str, key: &str, name: &str, what: &'static str) -> Result<usize, EditError> {
        self.place(list, key, name).0.ok_or_else(|| {
            let items = self.present.get(list).map(|list| list.items()).into_iter().flatten();
            let known = items.filter_map(|item| item.resolved.text(key).map(str::to_owned)).collect();
            EditError::Unknown { what, name: name.to_owned(), known }
        })
    }

    fn items(&mut self, list: &str, change: impl FnOnce(&mut Vec<Value>)) {
        let mut items = self.target.get(list).map(|list| list.items().to_vec()).unwrap_or_default();
        change(&mut items);
        self.put(list, Value::List(items));
    }

    fn put_item(&mut self, list: &str, at: Option<usize>, new: Value) {
        self.items(list, |items| match at.and_then(|at| items.get_mut(at)) {
            Some(item) => *item = new,
            None => items.push(new),
        });
    }

    fn put(&mut self, key: &str, value: Value) {
        self.target.set(key, value);
    }
}

/// Which chains use a provider, by the values of a file.
pub(super) fn users_of(file: &Value, provider: &str) -> Vec<Use> {
    let chains = file.get("chains").map(Value::items).unwrap_or_default();
    let used = chains.iter().filter_map(|chain| {
        let entries = chain.get("entries").map(Value::items).unwrap_or_default();
        let places: Vec<usize> = entries
            .iter()
            .enumerate()
            .filter(|(_, it)| it.text("provider") == Some(provider))
            .map(|(at, _)| at)
            .collect();
        let all = places.len() == entries.len();
        Some(Use { chain: chain.text("name")?.to_owned(), entries: places, all })
    });
    used.filter(|used| !used.entries.is_empty()).collect()
}

/// As `raw::File::default_chain`.
fn default_of(file: &Value) -> Option<&str> {
    let explicit = file.get("settings").and_then(|settings| settings.text("defaultChain"));
    let names = || file.get("chains").map(Value::items).unwrap_or_default().iter().map(|chain| chain.text("name"));
    explicit.or_else(|| match names().collect::<Vec<_>>().as_slice() {
        [only] => *only,
        _ => names().flatten().find(|name| *name == "default"),
    })
}

fn arrange(items: &mut Vec<Value>, order: &[usize], path: &YamlPath) -> Result<(), EditError> {
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    if !sorted.iter().copied().eq(0..items.len()) {
        let message = format!("name each of the {} once", items.len());
        return Err(EditError::Shape { path: path.clone(), message });
    }
    *items = order.iter().filter_map(|at| items.get(*at).cloned()).collect();
    Ok(())
}

fn mapping(value: &Value, path: &YamlPath) -> Result<Value, EditError> {
    match value {
        Value::Map(_) => Ok(value.clone().without_nulls()),
        _ => Err(EditError::Shape { path: path.clone(), message: "expected a mapping of keys to values".to_owned() }),
    }
}

fn named(value: &mut Value, key: &str, name: &str, path: &YamlPath) -> Result<(), EditError> {
    match value.text(key) {
        Some(given) if given != name => {
            let message = "must be the same as in the address, or left out".to_owned();
            Err(EditError::Shape { path: path.key(key), message })
        }
        Some(_) => Ok(()),
        None => {
            let mut members = vec![(key.to_owned(), Value::from(name))];
            members.extend(value.members().iter().filter(|(other, _)| other != key).cloned());
            *value = Value::Map(members);
            Ok(())
        }
    }
}

fn no_entry(at: usize) -> EditError {
    EditError::Unknown { what: "entry", name: format!("#{}", at + 1), known: Vec::new() }
}
