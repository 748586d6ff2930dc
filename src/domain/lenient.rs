//! Reading JSON whose members may have any type: what has an unexpected one counts as absent.
//!
//! `Option<T>` would refuse the whole document because of one odd member. Providers do send odd members (`"usage":
//! "none"`, a list for an object), and an answer must not be lost to them.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A value that can be made from the JSON types it overrides, and is its default for all others.
pub(super) trait Member<'de>: Default {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }

    fn from_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }

    fn from_count(_: u64) -> Self {
        Self::default()
    }

    fn from_float(_: f64) -> Self {
        Self::default()
    }
}

/// A member read leniently.
#[derive(Clone, Copy, Default)]
pub(super) struct Lenient<T>(pub(super) T);

impl<'de, T: Member<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(Reader(PhantomData)).map(Lenient)
    }
}

struct Reader<T>(PhantomData<T>);

impl<'de, T: Member<'de>> Visitor<'de> for Reader<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::from_map(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::from_list(list)
    }

    fn visit_u64<E>(self, count: u64) -> Result<T, E> {
        Ok(T::from_count(count))
    }

    fn visit_f64<E>(self, number: f64) -> Result<T, E> {
        Ok(T::from_float(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }
}
