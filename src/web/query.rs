//! The query of a URL: what may be asked, and what is wrong with it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::RangeInclusive;

use actix_web::web;

use super::error::ApiError;
use crate::domain::time::Wall;

/// Times of a range, for short.
pub(super) const RANGES: [(&str, u64); 4] =
    [("1h", 3_600_000), ("24h", 86_400_000), ("7d", 7 * 86_400_000), ("30d", 30 * 86_400_000)];

/// The parameters of a query.
pub(crate) struct Query(BTreeMap<String, String>);

/// A span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) from: Wall,
    pub(crate) to: Wall,
    /// As it was asked for; `None` when by its ends.
    pub(crate) name: Option<&'static str>,
}

impl Query {
    /// Reads a query with no other parameters than these, each at most once.
    pub(crate) fn parse(query: &str, known: &[&'static str]) -> Result<Self, ApiError> {
        let pairs: Vec<(String, String)> = web::Query::from_query(query)
            .map(web::Query::into_inner)
            .map_err(|fault| ApiError::Query { param: "query", message: fault.to_string() })?;
        let mut values = BTreeMap::new();
        for (name, value) in pairs {
            if !known.contains(&name.as_str()) {
                let message = format!("there is no parameter `{name}`; use {}", known.join(", "));
                return Err(ApiError::Query { param: "query", message });
            }
            match values.entry(name) {
                Entry::Vacant(place) => place.insert(value),
                Entry::Occupied(taken) => {
                    let message = format!("`{}` is there twice; give it once", taken.key());
                    return Err(ApiError::Query { param: "query", message });
                }
            };
        }
        Ok(Self(values))
    }

    /// The text of a parameter; an empty one is none.
    pub(crate) fn text(&self, name: &'static str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// A number within bounds.
    pub(crate) fn number(&self, name: &'static str, bounds: RangeInclusive<u64>) -> Result<Option<u64>, ApiError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.parse() {
            Ok(number) if bounds.contains(&number) => Ok(Some(number)),
            _ => {
                let message = format!("`{name}` must be from {} to {}", bounds.start(), bounds.end());
                Err(ApiError::Query { param: name, message })
            }
        }
    }

    /// `range`, or `from` and `to`; the last 24 hours if there is neither.
    pub(crate) fn range(&self, now: Wall) -> Result<Range, ApiError> {
        let named = match self.text("range") {
            None => None,
            Some(text) => Some(RANGES.into_iter().find(|(name, _)| *name == text).ok_or_else(|| {
                let message = "`range` must be 1h, 24h, 7d or 30d; or give `from` and `to`".to_owned();
                ApiError::Query { param: "range", message }
            })?),
        };
        let (from, to) = (self.time("from")?, self.time("to")?);
        if named.is_some() && (from.is_some() || to.is_some()) {
            let message = "give `range`, or `from` and `to`, but not both".to_owned();
            return Err(ApiError::Query { param: "range", message });
        }
        let (name, length) = named.unwrap_or(("24h", 86_400_000));
        // Of what is still to come nothing is known yet, which is no mistake.
        let to = to.unwrap_or_else(|| from.map_or(now, |from| now.max(from)));
        let begins = from.unwrap_or(Wall(to.0.saturating_sub(length)));
        if begins > to {
            return Err(ApiError::Query { param: "from", message: "`from` must not lie behind `to`".to_owned() });
        }
        if from.is_none() && to == now {
            // By the minute, which is how sums are kept: nobody means this very millisecond.
            return Ok(Range { from: Wall(begins.0 / MINUTE * MINUTE), to, name: Some(name) });
        }
        Ok(Range { from: begins, to, name: None })
    }

    /// A time: RFC 3339, or milliseconds since the Unix epoch.
    pub(crate) fn time(&self, name: &'static str) -> Result<Option<Wall>, ApiError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        // Nothing is older than 1970: what lies before it is the begin.
        let stamp =
            || text.parse::<jiff::Timestamp>().ok().and_then(|stamp| stamp.as_millisecond().max(0).try_into().ok());
        match text.parse().ok().or_else(stamp) {
            Some(ms) if ms < MOST => Ok(Some(Wall(ms))),
            _ => {
                let message =
                    format!("`{name}` must be a time such as 2026-11-24T12:00:00Z, or milliseconds since 1970");
                Err(ApiError::Query { param: name, message })
            }
        }
    }
}

const MINUTE: u64 = 60_000;

/// The year 9999.
pub(super) const MOST: u64 = 253_402_300_800_000;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Wall = Wall(1_795_521_600_000);
    const DAY: u64 = 86_400_000;

    fn range(query: &str) -> Result<(u64, u64, Option<&'static str>), String> {
        let range = Query::parse(query, &["from", "to", "range"]).and_then(|query| query.range(NOW));
        range.map(|range| (range.from.0, range.to.0, range.name)).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_range_has_a_name_or_ends() {
        assert_eq!(range(""), Ok((NOW.0 - DAY, NOW.0, Some("24h"))));
        assert_eq!(range("range=7d"), Ok((NOW.0 - 7 * DAY, NOW.0, Some("7d"))));
        assert_eq!(range("from=2026-11-24T00:00:00Z"), Ok((NOW.0 - DAY / 2, NOW.0, None)));
        assert_eq!(
            range("from=2026-11-24T01:00:00%2B01:00&to=1795521500000"),
            Ok((NOW.0 - DAY / 2, 1_795_521_500_000, None))
        );
        assert_eq!(range("from=1969-07-20T20:17:40Z"), Ok((0, NOW.0, None)));
        assert_eq!(range("from=2026-11-25T12:00:00Z"), Ok((NOW.0 + DAY, NOW.0 + DAY, None)));
        assert_eq!(range("to=1795521500000"), Ok((1_795_521_500_000 - DAY, 1_795_521_500_000, None)));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (query, words) in [
            ("range=2h", "1h, 24h, 7d or 30d"),
            ("range=1h&from=1", "but not both"),
            ("from=yesterday", "2026-11-24T12:00:00Z"),
            ("from=99999999999999999999", "2026-11-24T12:00:00Z"),
            ("to=1&from=2", "must not lie behind"),
            ("range=1h&range=7d", "`range` is there twice"),
            ("form=1", "no parameter `form`; use from, to, range"),
        ] {
            assert!(range(query).unwrap_err().contains(words), "{query}: {:?}", range(query));
        }
    }
}
