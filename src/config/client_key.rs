//! How a client's key may be written: as it is, or as a mapping with a label.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::model::Secret;
use super::raw::ClientKey;
use super::strict::SHORT;

/// The long form.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Mapping {
    key: Option<Secret>,
    label: Option<String>,
}

struct Form;

impl<'de> Deserialize<'de> for ClientKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct(SHORT, &["key", "label"], Form)
    }
}

impl<'de> Visitor<'de> for Form {
    type Value = ClientKey;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key, or a mapping with `key` and `label`")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<ClientKey, E> {
        Ok(ClientKey { key: Some(Secret::new(key)), label: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ClientKey, A::Error> {
        let Mapping { key, label } = Mapping::deserialize(MapAccessDeserializer::new(map))?;
        Ok(ClientKey { key, label })
    }
}
