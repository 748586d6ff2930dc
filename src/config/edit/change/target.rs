//! The values of a file while a change is made to them.

use super::super::super::check::digest;
use super::super::super::model::{KeyDigest, Secret};
use super::super::super::path::YamlPath;
use super::super::error::{EditError, Use};
use super::super::keep::{Present, keep};
use super::super::value::Value;

/// The three places that a provider's key may come from; the first that is given takes the place of the others.
const KEY_SOURCES: [&str; 3] = ["apiKey", "apiKeys", "apiKeyFile"];

/// The file as it is, and as it is to be.
pub(super) struct File<'a> {
    pub(super) present: Present<'a>,
    pub(super) target: Value,
}

impl File<'_> {
    pub(super) fn set(&mut self, key: &str, value: &Value) -> Result<(), EditError> {
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

    pub(super) fn put_provider(&mut self, id: &str, provider: &Value) -> Result<(), EditError> {
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

    pub(super) fn delete_provider(&mut self, id: &str, with_entries: bool) -> Result<(), EditError> {
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

    pub(super) fn put_chain(&mut self, name: &str, chain: &Value) -> Result<(), EditError> {
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

    pub(super) fn rename_chain(&mut self, from: &str, to: &str) -> Result<(), EditError> {
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

    pub(super) fn delete_chain(&mut self, name: &str) -> Result<(), EditError> {
        let at = self.find("chains", "name", name, "chain")?;
        if chains_of(self.present.resolved).count() == 1 {
            // Nobody else could be the default, and the next chain is to be it whatever its name.
            self.set("defaultChain", &Value::Null)?;
        } else if default_of(self.present.resolved) == Some(name) {
            return Err(EditError::DefaultChain { chain: name.to_owned() });
        }
        self.items("chains", |chains| _ = chains.remove(at));
        Ok(())
    }

    pub(super) fn set_default(&mut self, name: &str) -> Result<(), EditError> {
        self.find("chains", "name", name, "chain")?;
        if default_of(self.present.resolved) == Some(name) {
            return Ok(());
        }
        self.set("defaultChain", &name.into())
    }

    /// Does something to the chains, and sees to it that the default one stays the same, under its new name. The first chain
    /// of a file becomes it, whatever the file has called it in advance.
    pub(super) fn keep_default(
        &mut self,
        from: &str,
        to: &str,
        change: impl FnOnce(&mut Self) -> Result<(), EditError>,
    ) -> Result<(), EditError> {
        let before = default_of(self.present.resolved).map(str::to_owned);
        change(self)?;
        let Some(before) = before else { return Ok(()) };
        let explicit = self.present.resolved.get("settings").and_then(|settings| settings.text("defaultChain"));
        let wanted = match before == from || chains_of(self.present.resolved).count() == 0 {
            true => to,
            false => &before,
        };
        let stays = match explicit {
            Some(name) => name == wanted,
            None => default_of(&self.target) == Some(wanted),
        };
        if stays { Ok(()) } else { self.set("defaultChain", &wanted.into()) }
    }

    pub(super) fn put_entry(&mut self, chain: &str, at: usize, entry: &Value) -> Result<(), EditError> {
        let index = self.find("chains", "name", chain, "chain")?;
        let present =
            self.present.get("chains").and_then(|chains| chains.items().nth(index)?.get("entries")?.items().nth(at));
        self.entries(chain, |entries, path| {
            let place = entries.get_mut(at).ok_or_else(|| no_entry(at))?;
            *place = keep(present, mapping(entry, &path.index(at))?, &path.index(at))?;
            Ok(())
        })
    }

    pub(super) fn add_key(&mut self, key: KeyDigest, label: Option<&str>) {
        if self.client_keys().any(|present| present == Some(key)) {
            return;
        }
        let written = Value::Text(key.written());
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

    pub(super) fn remove_key(&mut self, key: KeyDigest) -> Result<(), EditError> {
        let unknown =
            || EditError::Unknown { what: "client key", name: "with this digest".to_owned(), known: Vec::new() };
        let others: Vec<bool> = self.client_keys().map(|present| present != Some(key)).collect();
        if others.iter().all(|other| *other) {
            return Err(unknown());
        }
        let mut settings = self.target.get("settings").cloned().unwrap_or(Value::Null);
        let mut keys = settings.get("apiKeys").map(|keys| keys.items().to_vec()).unwrap_or_default();
        // It may be there twice, under two labels: afterwards it opens nothing.
        let mut others = others.into_iter();
        keys.retain(|_| others.next().unwrap_or(true));
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

    pub(super) fn order(&mut self, list: &str, key: &str, names: &[String]) -> Result<(), EditError> {
        let path = YamlPath::root().key(list);
        let mut order = Vec::new();
        for name in names {
            order.push(self.find(list, key, name, if list == "chains" { "chain" } else { "provider" })?);
        }
        let mut result = Ok(());
        self.items(list, |items| result = arrange(items, &order, &path));
        result
    }

    pub(super) fn entries(
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
pub(in crate::config::edit) fn users_of(file: &Value, provider: &str) -> Vec<Use> {
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
    explicit.or_else(|| match chains_of(file).collect::<Vec<_>>().as_slice() {
        [only] => *only,
        _ => chains_of(file).flatten().find(|name| *name == "default"),
    })
}

/// The names of the chains, by the values of a file.
fn chains_of(file: &Value) -> impl Iterator<Item = Option<&str>> {
    file.get("chains").map(Value::items).unwrap_or_default().iter().map(|chain| chain.text("name"))
}

pub(super) fn arrange(items: &mut Vec<Value>, order: &[usize], path: &YamlPath) -> Result<(), EditError> {
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    if !sorted.iter().copied().eq(0..items.len()) {
        let message = format!("name each of the {} once", items.len());
        return Err(EditError::Shape { path: path.clone(), message });
    }
    *items = order.iter().filter_map(|at| items.get(*at).cloned()).collect();
    Ok(())
}

pub(super) fn mapping(value: &Value, path: &YamlPath) -> Result<Value, EditError> {
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

pub(super) fn no_entry(at: usize) -> EditError {
    EditError::Unknown { what: "entry", name: format!("#{}", at + 1), known: Vec::new() }
}
