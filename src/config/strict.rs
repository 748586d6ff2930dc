//! Reads values into the shapes of `raw`, and takes nothing for what it is not.
//!
//! The deserializer that comes with the `config` crate is lenient: `port: true` would be port 1 and 29.5 requests
//! would be 30. Its errors are sentences with the value in them. These here are data, so that the messages can be in
//! the user's words and never show a secret.

use std::fmt;

use config::{Value, ValueKind};
use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{self, Deserializer, Expected, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

/// Name of the struct that may also be written as plain text.
pub(super) const SHORT: &str = "ClientKey";

pub(super) const MAPPING: &str = "a mapping (`key: value` lines)";

/// Why a value does not fit.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// It is something else.
    Expected(&'static str),
    /// A mapping has a key that means nothing here.
    UnknownKey { key: String, known: &'static [&'static str] },
    /// A word that is none of those that mean something here.
    UnknownWord { word: String, known: &'static [&'static str] },
    /// Cannot come from a file, as every key may be left out and the shapes expect nothing but the above.
    Other,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expected(what) => write!(f, "expected {what}"),
            Self::UnknownKey { key, .. } => write!(f, "unknown key `{key}`"),
            Self::UnknownWord { word, .. } => write!(f, "unknown value `{word}`"),
            Self::Other => f.write_str("a value that cannot be used"),
        }
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Other
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::Other
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        Self::UnknownWord { word: word.to_owned(), known }
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Self::UnknownKey { key: key.to_owned(), known }
    }
}

/// A value that is read strictly.
#[derive(Clone, Copy)]
pub(super) struct Strict<'a>(pub(super) &'a Value);

impl<'de> IntoDeserializer<'de, Misfit> for Strict<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl Strict<'_> {
    fn whole(self) -> Option<u64> {
        match &self.0.kind {
            ValueKind::U64(number) => Some(*number),
            ValueKind::I64(number) => u64::try_from(*number).ok(),
            ValueKind::String(text) => whole(text),
            _ => None,
        }
    }

    fn text(self) -> Option<String> {
        match &self.0.kind {
            ValueKind::String(text) => Some(text.clone()),
            ValueKind::I64(_) | ValueKind::U64(_) | ValueKind::Boolean(_) => Some(self.0.kind.to_string()),
            _ => None,
        }
    }
}

/// `30`, and what YAML also counts as whole: `+30`, `3e4`, `30.0`.
fn whole(text: &str) -> Option<u64> {
    /// Above it, a float no longer holds every whole number.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if !text.ends_with(|last: char| last.is_ascii_digit()) || text.starts_with('.') {
        return None;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be whole and in range")]
    text.parse().ok().or_else(|| {
        let number: f64 = text.parse().ok()?;
        (number.fract() == 0.0 && (0.0..=EXACT).contains(&number)).then_some(number as u64)
    })
}

/// `0.59`, `.5`, `3`, `1e-3`; not `inf`, `nan` and what else Rust takes for a number.
fn decimal(text: &str) -> Option<f64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse().ok().filter(|number: &f64| digits && number.is_finite())
}

impl<'de> Deserializer<'de> for Strict<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.0.kind {
            ValueKind::Nil => visitor.visit_unit(),
            ValueKind::Table(_) => self.deserialize_map(visitor),
            ValueKind::Array(_) => self.deserialize_seq(visitor),
            _ => self.deserialize_string(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.0.kind {
            ValueKind::Boolean(value) => visitor.visit_bool(*value),
            ValueKind::String(text) if matches!(text.as_str(), "true" | "True" | "TRUE") => visitor.visit_bool(true),
            ValueKind::String(text) if matches!(text.as_str(), "false" | "False" | "FALSE") => {
                visitor.visit_bool(false)
            }
            _ => Err(Misfit::Expected("true or false")),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_u64(self.whole().ok_or(Misfit::Expected("a whole number"))?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let number = match &self.0.kind {
            ValueKind::Float(number) => Some(*number),
            ValueKind::String(text) => decimal(text),
            _ => self.whole().map(|number| number as f64),
        };
        visitor.visit_f64(number.ok_or(Misfit::Expected("a number"))?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_string(self.text().ok_or(Misfit::Expected("text"))?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_string(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.0.kind {
            ValueKind::Nil => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let word = self.text().ok_or(Misfit::Expected("one word"))?;
        visitor.visit_enum(StrDeserializer::new(&word))
    }

    /// A key without a value is an empty list.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.0.kind {
            ValueKind::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.iter().map(Strict))),
            ValueKind::Nil => visitor.visit_seq(SeqDeserializer::new(std::iter::empty::<Strict<'_>>())),
            _ => Err(Misfit::Expected("a list")),
        }
    }

    /// A key without a value is an empty mapping. The table has no order of its own, and what is stumbled over first
    /// decides what is reported: without an order the same file would get other messages each time.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.0.kind {
            ValueKind::Table(table) => {
                let mut entries: Vec<_> = table.iter().map(|(key, value)| (key.as_str(), Strict(value))).collect();
                entries.sort_unstable_by_key(|(key, _)| *key);
                visitor.visit_map(MapDeserializer::new(entries.into_iter()))
            }
            ValueKind::Nil => visitor.visit_map(MapDeserializer::new(std::iter::empty::<(&str, Strict<'_>)>())),
            _ => Err(Misfit::Expected(MAPPING)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match (&self.0.kind, self.text()) {
            (ValueKind::Table(_), _) => self.deserialize_map(visitor),
            (_, Some(text)) if name == SHORT => visitor.visit_string(text),
            _ if name == SHORT => Err(Misfit::Expected("text, or a mapping with `key` and `label`")),
            _ => self.deserialize_map(visitor),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
        ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    fn read<T: for<'de> Deserialize<'de>>(kind: impl Into<ValueKind>) -> Result<T, Misfit> {
        T::deserialize(Strict(&Value::new(None, kind)))
    }

    #[test]
    fn whole_numbers_may_be_written_in_several_ways_but_must_be_whole() {
        for (text, number) in [("30", 30), ("0", 0), ("30.0", 30), ("3e4", 30_000), ("18446744073709551615", u64::MAX)]
        {
            assert_eq!(read::<u64>(text), Ok(number), "{text}");
        }
        for text in ["", "-1", "29.5", "abc", "true", "0x10", "1_000", "1e99", ".inf", "inf", "nan", "1e-3", "30 "] {
            assert_eq!(read::<u64>(text), Err(Misfit::Expected("a whole number")), "{text}");
        }
        assert_eq!(read::<u64>(true), Err(Misfit::Expected("a whole number")));
        assert_eq!(read::<u64>(29.5), Err(Misfit::Expected("a whole number")));
    }

    #[test]
    fn prices_are_plain_decimal_numbers() {
        for (text, number) in [("0.59", 0.59), (".5", 0.5), ("3", 3.0), ("1e-3", 0.001), ("-1", -1.0)] {
            assert_eq!(read::<f64>(text), Ok(number), "{text}");
        }
        for text in ["", "inf", "nan", "infinity", "1_000", "0x1", "$1", "1,5", "1e999", "e"] {
            assert_eq!(read::<f64>(text), Err(Misfit::Expected("a number")), "{text}");
        }
        assert_eq!(read::<f64>(true), Err(Misfit::Expected("a number")));
    }

    #[test]
    fn only_true_and_false_are_switches() {
        assert_eq!(read::<bool>("true"), Ok(true));
        assert_eq!(read::<bool>("False"), Ok(false));
        for text in ["yes", "on", "1", "", "abc"] {
            assert_eq!(read::<bool>(text), Err(Misfit::Expected("true or false")), "{text}");
        }
    }

    #[test]
    fn a_key_without_a_value_is_an_empty_list_but_not_an_empty_text() {
        assert_eq!(read::<Vec<String>>(ValueKind::Nil), Ok(vec![]));
        assert_eq!(read::<Option<String>>(ValueKind::Nil), Ok(None));
        assert_eq!(read::<String>(ValueKind::Nil), Err(Misfit::Expected("text")));
        assert_eq!(read::<Vec<String>>("one"), Err(Misfit::Expected("a list")));
    }
}
