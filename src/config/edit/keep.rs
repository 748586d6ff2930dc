//! What is put over what is there: a mask means the value behind it, and a `${NAME}` whose value is put stays a `${NAME}`.

use super::super::path::YamlPath;
use super::error::EditError;
use super::mask::{NOTHING, Secrets, is_mask, is_secret, mask, shown_keys};
use super::value::Value;

/// A value of the file, as written and with its variables filled in.
#[derive(Clone, Copy)]
pub(super) struct Present<'a> {
    pub(super) written: &'a Value,
    pub(super) resolved: &'a Value,
    /// Of the whole file: they are hidden elsewhere, too.
    pub(super) secrets: &'a Secrets,
}

impl<'a> Present<'a> {
    pub(super) fn get(self, key: &str) -> Option<Self> {
        let written = self.written.get(key)?;
        Some(Self { written, resolved: self.resolved.get(key).unwrap_or(&Value::Null), ..self })
    }

    pub(super) fn items(self) -> impl Iterator<Item = Self> + Clone + 'a {
        let Self { written, resolved, .. } = self;
        let resolved = move |at: usize| resolved.items().get(at).unwrap_or(&Value::Null);
        written.items().iter().enumerate().map(move |(at, written)| Self { written, resolved: resolved(at), ..self })
    }

    fn text(self) -> Option<(&'a str, Option<&'a str>)> {
        Some((self.written.as_text()?, self.resolved.as_text()))
    }

    /// Whether `text` is another way to say what is there.
    fn is_meant_by(self, text: &str, path: &YamlPath) -> bool {
        let Some((written, resolved)) = self.text() else { return false };
        let masked = |value: &str| self.secrets.shown(value, path) == text || (is_secret(path) && mask(value) == text);
        written == text
            || resolved == Some(text)
            || (is_mask(text, path) && (masked(written) || resolved.is_some_and(masked)))
    }
}

/// `new` with everything in it that means the present value replaced by that.
///
/// # Errors
/// A mask that is not that of the present value.
pub(super) fn keep(present: Option<Present<'_>>, new: Value, path: &YamlPath) -> Result<Value, EditError> {
    match new {
        Value::Null => Ok(Value::Null),
        Value::Text(text) => match present {
            Some(present) if present.is_meant_by(&text, path) => Ok(present.written.clone()),
            // Nothing of it may be known: it is what it says, all of it hidden.
            Some(present) if text == NOTHING && present.text().is_some() && is_secret(path) => {
                Ok(present.written.clone())
            }
            _ if is_mask(&text, path) => Err(EditError::Masked { path: path.clone().masked() }),
            _ => Ok(Value::Text(text)),
        },
        Value::List(items) => {
            let mut free: Vec<Present<'_>> = present.into_iter().flat_map(Present::items).collect();
            let mut used = vec![false; free.len()];
            if items.len() != free.len()
                && let Some(at) = items.iter().enumerate().position(|(at, _)| is_unclear(&free, &items, at, path))
            {
                return Err(EditError::Masked { path: path.index(at).masked() });
            }
            let mut list = Vec::with_capacity(items.len());
            for (at, item) in items.into_iter().enumerate() {
                let found = partner(&free, &used, &item, at, &path.index(at));
                found.and_then(|found| used.get_mut(found)).into_iter().for_each(|used| *used = true);
                let partner = found.and_then(|found| free.get_mut(found)).copied();
                list.push(keep(partner, item, &path.index(at))?);
            }
            Ok(Value::List(list))
        }
        Value::Map(members) => {
            let keys = Keys::of(present, path);
            let mut map = Vec::with_capacity(members.len());
            for (key, value) in members {
                let key = keys.meant_by(key, path)?;
                let value = keep(present.and_then(|it| it.get(&key)), value, &path.key(key.as_str()))?;
                if value != Value::Null {
                    map.push((key, value));
                }
            }
            Ok(Value::Map(map))
        }
    }
}

/// Whether the mask at `at` of a list that is to be shorter or longer stands for several values that are different, of which
/// not all are to stay: which of them is meant cannot be known.
fn is_unclear(present: &[Present<'_>], items: &[Value], at: usize, path: &YamlPath) -> bool {
    let in_key = |item: &Value| item.get("key").is_some();
    let key = |item: &Value| item.as_text().or_else(|| item.text("key")).map(str::to_owned);
    let Some((item, mask)) = items.get(at).and_then(|item| Some((item, key(item)?))) else { return false };
    let place = if in_key(item) { path.index(at).key("key") } else { path.index(at) };
    if !is_mask(&mask, &place) {
        return false;
    }
    let keys = present.iter().filter_map(|present| if in_key(item) { present.get("key") } else { Some(*present) });
    let meant: Vec<&Value> = keys.filter(|key| key.is_meant_by(&mask, &place)).map(|key| key.written).collect();
    let differ = meant.windows(2).any(|pair| matches!(pair, [one, other] if one != other));
    let stay = items.iter().filter(|other| key(other).as_ref() == Some(&mask)).count();
    differ && stay != meant.len()
}

/// The keys of a mapping, which may come back masked, too.
struct Keys<'a> {
    members: &'a [(String, Value)],
    shown: Vec<String>,
}

impl<'a> Keys<'a> {
    fn of(present: Option<Present<'a>>, path: &YamlPath) -> Self {
        let members = present.map(|present| present.written.members()).unwrap_or_default();
        Self { members, shown: shown_keys(members, path) }
    }

    fn meant_by(&self, key: String, path: &YamlPath) -> Result<String, EditError> {
        let at = self.shown.iter().position(|shown| *shown == key);
        match at.and_then(|at| self.members.get(at)) {
            Some((own, _)) => Ok(own.clone()),
            None if key.starts_with(NOTHING) => Err(EditError::Masked { path: path.key(key).masked() }),
            None => Ok(key),
        }
    }
}

/// The item of the list that `item` is about: the one at its place if it can be, else the first that can.
fn partner(present: &[Present<'_>], used: &[bool], item: &Value, at: usize, path: &YamlPath) -> Option<usize> {
    let has_name_of = |present: &Present<'_>, key: &str| match (item.text(key), present.get(key)) {
        (Some(name), Some(present)) => present.is_meant_by(name, &path.key(key)),
        (name, present) => name.is_none() && present.is_none_or(|present| present.text().is_none()),
    };
    let is_about = |present: &Present<'_>| match item {
        Value::Text(text) => present.is_meant_by(text, path),
        Value::Map(_) if item.get("key").is_some() => {
            let key = item.text("key").unwrap_or_default();
            present.get("key").is_some_and(|present| present.is_meant_by(key, &path.key("key")))
        }
        Value::Map(_) => ["id", "name", "provider", "model", "key"].iter().all(|key| has_name_of(present, key)),
        Value::Null | Value::List(_) => false,
    };
    let fits = |at: &usize| used.get(*at).is_some_and(|used| !used) && present.get(*at).is_some_and(is_about);
    Some(at).filter(fits).or_else(|| (0..present.len()).find(fits))
}
