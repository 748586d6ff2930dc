//! The `messages` of a chat request, looked at in the one pass over the body.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{Kind, Malformed};

/// What is looked at of `messages`, read in the one pass over the body.
pub(super) struct Messages {
    found: Kind,
    count: usize,
    /// The first that is no object.
    odd: Option<usize>,
}

impl Messages {
    pub(super) fn check(read: Option<&Self>) -> Result<(), Malformed> {
        match read {
            None => Err(Malformed::field("messages", "`messages` is missing; it must be an array".into())),
            Some(Self { found: Kind::List, count: 0, .. }) => {
                Err(Malformed::field("messages", "`messages` is empty; it needs at least one message".into()))
            }
            Some(Self { found: Kind::List, odd: None, .. }) => Ok(()),
            Some(Self { found: Kind::List, odd: Some(at), .. }) => {
                Err(Malformed::field("messages", format!("`messages[{at}]` must be an object with a role")))
            }
            Some(Self { found, .. }) => Err(Malformed::kind("messages", Kind::List, *found)),
        }
    }
}

impl<'de> Deserialize<'de> for Messages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading)
    }
}

struct Reading;

impl Reading {
    fn other<E>(found: Kind) -> Result<Messages, E> {
        Ok(Messages { found, count: 0, odd: None })
    }
}

impl<'de> Visitor<'de> for Reading {
    type Value = Messages;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Messages, A::Error> {
        let mut messages = Messages { found: Kind::List, count: 0, odd: None };
        while let Some(message) = seq.next_element::<&RawValue>()? {
            if Kind::of(message) != Kind::Object && messages.odd.is_none() {
                messages.odd = Some(messages.count);
            }
            messages.count += 1;
        }
        Ok(messages)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Messages, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Self::other(Kind::Object)
    }

    fn visit_str<E>(self, _: &str) -> Result<Messages, E> {
        Self::other(Kind::Text)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Messages, E> {
        Self::other(Kind::Flag)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Messages, E> {
        Self::other(Kind::Number)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Messages, E> {
        Self::other(Kind::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Messages, E> {
        Self::other(Kind::Number)
    }

    fn visit_unit<E>(self) -> Result<Messages, E> {
        Self::other(Kind::Null)
    }
}
