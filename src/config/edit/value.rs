//! The configuration as plain values, as the file has them: what an edit is worked out on before it is written.
//!
//! All scalars are text, as in [`document`](super::super::document): `30` and `"30"` are the same.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::super::document::{Content, Node};

/// One value. It may hold secrets: `Debug` shows none.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing. As the value of a key in what is put: the key is to be taken out.
    Null,
    /// A scalar of any kind, with its `${NAME}` as written.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// A mapping, in the order of the file.
    Map(Vec<(String, Self)>),
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value(***)")
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Text(number.to_string())
    }
}

impl From<bool> for Value {
    fn from(switch: bool) -> Self {
        Self::Text(switch.to_string())
    }
}

impl<K: Into<String>, const N: usize> From<[(K, Self); N]> for Value {
    fn from(members: [(K, Self); N]) -> Self {
        Self::Map(members.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }
}

impl Value {
    pub(in crate::config) fn of(node: &Node) -> Self {
        match &node.content {
            _ if node.dropped => Self::Null,
            Content::Null => Self::Null,
            Content::Text(text) => Self::Text(text.value.clone()),
            Content::List(items) => Self::List(items.iter().map(Self::of).collect()),
            Content::Map(entries) => {
                Self::Map(entries.iter().map(|entry| (entry.key.clone(), Self::of(&entry.value))).collect())
            }
        }
    }

    /// The value of `key`, if this is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.members().iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The same, where the key is probably the one at `at`.
    pub(super) fn get_near(&self, at: usize, key: &str) -> Option<&Self> {
        let near = self.members().get(at).filter(|(name, _)| name == key);
        near.map(|(_, value)| value).or_else(|| self.get(key))
    }

    /// The text of `key`, if this is a mapping that has one there.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Self::as_text)
    }

    /// The text, if this is a scalar.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items; none if this is no list.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The keys and values; none if this is no mapping.
    #[must_use]
    pub fn members(&self) -> &[(String, Self)] {
        match self {
            Self::Map(members) => members,
            _ => &[],
        }
    }

    /// Sets the value of `key`; [`Value::Null`] takes the key out. What is no mapping becomes one.
    pub fn set(&mut self, key: &str, value: Self) {
        if !matches!(self, Self::Map(_)) {
            *self = Self::Map(Vec::new());
        }
        let Self::Map(members) = self else { return };
        let at = members.iter().position(|(name, _)| name == key);
        match (at, value) {
            (Some(at), Self::Null) => _ = members.remove(at),
            (Some(at), value) => _ = members.get_mut(at).map(|member| member.1 = value),
            (None, Self::Null) => {}
            (None, value) => members.push((key.to_owned(), value)),
        }
    }

    /// Equal, whatever the order of keys.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(own), Self::List(others)) => {
                own.len() == others.len() && own.iter().zip(others).all(|(own, other)| own.same(other))
            }
            (Self::Map(own), Self::Map(others)) => {
                own.len() == others.len()
                    && own
                        .iter()
                        .enumerate()
                        .all(|(at, (key, value))| other.get_near(at, key).is_some_and(|other| value.same(other)))
            }
            _ => self == other,
        }
    }

    /// How many keys and values there are, with itself: what `document` counts.
    pub(super) fn nodes(&self) -> usize {
        match self {
            Self::Null | Self::Text(_) => 1,
            Self::List(items) => 1 + items.iter().map(Self::nodes).sum::<usize>(),
            Self::Map(members) => 1 + members.iter().map(|(_, value)| 1 + value.nodes()).sum::<usize>(),
        }
    }

    /// Without keys that have no value, all the way down.
    pub(super) fn without_nulls(self) -> Self {
        match self {
            Self::List(items) => Self::List(items.into_iter().map(Self::without_nulls).collect()),
            Self::Map(members) => Self::Map(
                members
                    .into_iter()
                    .filter(|(_, value)| *value != Self::Null)
                    .map(|(key, value)| (key, value.without_nulls()))
                    .collect(),
            ),
            value => value,
        }
    }
}

/// Whole numbers and switches as such, everything else as text.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Text(text) => match (text.as_str(), text.parse::<u64>()) {
                ("true", _) => serializer.serialize_bool(true),
                ("false", _) => serializer.serialize_bool(false),
                (_, Ok(number)) if number.to_string() == *text => serializer.serialize_u64(number),
                _ => serializer.serialize_str(text),
            },
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (key, value) in members {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of a configuration")
    }

    fn visit_bool<E: de::Error>(self, switch: bool) -> Result<Value, E> {
        Ok(switch.into())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(number.to_string().into())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        Ok(number.to_string().into())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    /// Keys that come twice are refused: which of them is meant cannot be known.
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map: Vec<(String, Value)> = Vec::new();
        while let Some((key, value)) = members.next_entry::<String, Value>()? {
            if map.iter().any(|(name, _)| *name == key) {
                return Err(de::Error::custom("a key is given twice"));
            }
            map.push((key, value));
        }
        Ok(Value::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_goes_in_and_out() {
        let json = r#"{"b":30,"a":[true,null,"x","1.10",-1,{"c":"007"}]}"#;
        let value: Value = serde_json::from_str(json).unwrap();
        assert_eq!(value.text("b"), Some("30"));
        assert_eq!(serde_json::to_string(&value).unwrap(), json.replace("-1", "\"-1\""));
        assert!(serde_json::from_str::<Value>(r#"{"a":1,"a":2}"#).is_err());
    }

    #[test]
    fn the_order_of_keys_makes_no_difference() {
        let (one, other) =
            (Value::from([("a", 1.into()), ("b", 2.into())]), Value::from([("b", 2.into()), ("a", 1.into())]));
        assert!(one.same(&other) && one != other);
        assert!(!one.same(&Value::from([("a", Value::from(1))])));
    }

    #[test]
    fn secrets_do_not_show() {
        assert_eq!(format!("{:?}", Value::from("hunter2")), "Value(***)");
    }
}
