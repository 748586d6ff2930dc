//! A case as it is written: one JSON object on one line.

use std::fmt;

use serde::de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{Case, provider};
use crate::domain::time::Wall;

/// Why a line is no case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// Something else than an object.
    #[error("a case is one JSON object on one line; `jq -c '.[]'` makes lines of a list")]
    NoObject,
    /// Not JSON, or JSON of another form.
    #[error("{message}, at column {column}")]
    Json {
        /// What is wrong.
        message: String,
        /// Where, from 1; 0 for the line as a whole.
        column: usize,
    },
    /// A provider that nobody knows.
    #[error(
        "provider {name:?} is not known{}; take a provider type of the configuration, generic-openai for any other",
        like.map(|like| format!(", did you mean {like}?")).unwrap_or_default()
    )]
    Provider {
        /// As it was written.
        name: String,
        /// A name that is much like it.
        like: Option<&'static str>,
    },
    /// A time in another form.
    #[error("now is {0:?}, which is no time such as 2026-11-24T12:00:00Z")]
    Now(String),
    /// A body in another form.
    #[error("the body is no text: {0}")]
    Body(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    provider: String,
    status: u16,
    now: Option<String>,
    headers: Option<Lines>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    #[serde(default)]
    stream: bool,
    #[serde(rename = "case")]
    _case: Option<IgnoredAny>,
    #[serde(rename = "confidence")]
    _confidence: Option<IgnoredAny>,
    #[serde(rename = "expect")]
    _expect: Option<IgnoredAny>,
}

pub(super) fn read(line: &str, now: Wall) -> Result<Case, CaseError> {
    if !line.trim_start().starts_with('{') {
        return Err(CaseError::NoObject);
    }
    let parsed: Line<'_> = serde_json::from_str(line).map_err(|fault| {
        // The parser counts lines too, and knows only this one.
        let message = fault.to_string();
        let message = message.split(" at line ").next().unwrap_or_default().to_owned();
        CaseError::Json { message, column: fault.column() }
    })?;
    let Some(dialect) = provider::dialect(&parsed.provider) else {
        return Err(CaseError::Provider { like: provider::like(&parsed.provider), name: parsed.provider });
    };
    let now = match parsed.now {
        Some(text) => moment(&text).ok_or(CaseError::Now(text))?,
        None => now,
    };
    let headers = parsed.headers.unwrap_or_default().0;
    let body = parsed.body.map(body).transpose()?.unwrap_or_default();
    Ok(Case { dialect, now, status: parsed.status, headers, body, stream: parsed.stream })
}

fn moment(text: &str) -> Option<Wall> {
    let stamp: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(stamp.as_millisecond()).ok().map(Wall)
}

/// A text is the body itself; anything else is JSON as it was sent, in its own order and spelling.
fn body(raw: &RawValue) -> Result<Vec<u8>, CaseError> {
    if raw.get().starts_with('"') {
        let text: String = serde_json::from_str(raw.get()).map_err(|fault| CaseError::Body(fault.to_string()))?;
        return Ok(text.into_bytes());
    }
    Ok(raw.get().as_bytes().to_vec())
}

/// Header lines in their order; a list stands for a header that came in several lines.
#[derive(Default)]
struct Lines(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Lines;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of header names and values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Lines, A::Error> {
                let mut lines = Vec::new();
                while let Some((name, Values(values))) = map.next_entry::<String, _>()? {
                    lines.extend(values.into_iter().map(|value| (name.clone(), value)));
                }
                Ok(Lines(lines))
            }
        }
        source.deserialize_map(Names)
    }
}

/// The value of a header, or several.
struct Values(Vec<String>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct OneOrMore;
        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Values;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a header value, which is a string or a list of strings")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Values, E> {
                Ok(Values(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Values, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element()? {
                    values.push(value);
                }
                Ok(Values(values))
            }
        }
        source.deserialize_any(OneOrMore)
    }
}
