//! The log of requests: one row for each, with its whole trail.

use std::borrow::Cow;
use std::ops::Bound;

use redb::{ReadableDatabase, ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::database::Database;
use super::error::{Fault, StoreError};
use super::tables::REQUESTS;
use crate::domain::time::Wall;
use crate::domain::usage::Usage;

/// A row, as it is kept. Never holds a key or a body.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// The id in the answer's `X-Request-Id`; ids sort by time.
    pub id: String,
    /// When it arrived: RFC 3339 in UTC.
    pub time: String,
    /// Label of the route: a chain, or `provider/model`. Empty when the request selected none.
    pub chain: String,
    /// What the client asked for.
    pub model: String,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// `provider/model` of who served it.
    #[serde(default)]
    pub served_by: Option<String>,
    /// Every entry that was looked at, as in the `error.trail` of an answer.
    pub trail: Box<RawValue>,
    /// HTTP status of the answer; 499 when the client left first.
    pub status: u16,
    /// Machine code of the error, when there was one.
    #[serde(default)]
    pub code: Option<Cow<'static, str>>,
    /// As reported by the provider.
    #[serde(default)]
    pub usage: Option<Usage>,
    /// How long it has waited for quota.
    #[serde(default)]
    pub waited_ms: u64,
    /// From the request to the first content of a stream.
    #[serde(default)]
    pub first_token_ms: Option<u64>,
    /// From the request to the end of the answer.
    pub ms: u64,
}

/// A row ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    id: String,
    json: Vec<u8>,
}

impl Request {
    /// Ready to be written.
    ///
    /// # Errors
    /// Never, as far as is known.
    pub fn encode(self) -> serde_json::Result<Encoded> {
        Ok(Encoded { json: serde_json::to_vec(&self)?, id: self.id })
    }

    fn decode(json: &[u8]) -> Result<Self, Fault> {
        serde_json::from_slice(json).map_err(|fault| Fault::Damaged(format!("a request's row: {fault}")))
    }
}

impl Encoded {
    /// Bytes of it.
    #[must_use]
    pub fn size(&self) -> usize {
        self.id.len() + self.json.len()
    }
}

/// The id that sorts before those of all requests that arrive at `time` or later, and after those of all others.
#[must_use]
pub fn first_id_at(time: Wall) -> String {
    format!("req_{:011x}", time.0)
}

impl Database {
    /// The row of one request.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn request(&self, id: &str) -> Result<Option<Request>, StoreError> {
        self.with(|engine| {
            let table = engine.begin_read()?.open_table(REQUESTS)?;
            table.get(id)?.map(|json| Request::decode(json.value())).transpose()
        })
    }

    /// The newest rows, newest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn newest_requests(&self, at_most: usize) -> Result<Vec<Request>, StoreError> {
        self.with(|engine| {
            let table = engine.begin_read()?.open_table(REQUESTS)?;
            table.iter()?.rev().take(at_most).map(|entry| Request::decode(entry?.1.value())).collect()
        })
    }

    /// The rows whose ids sort after `id`, oldest first: with the id of the last one, all can be read part by part.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn requests_after(&self, id: &str, at_most: usize) -> Result<Vec<Request>, StoreError> {
        self.with(|engine| {
            let table = engine.begin_read()?.open_table(REQUESTS)?;
            let rest = table.range::<&str>((Bound::Excluded(id), Bound::Unbounded))?;
            rest.take(at_most).map(|entry| Request::decode(entry?.1.value())).collect()
        })
    }

    /// Removes the oldest rows whose ids sort before `first_kept`, `at_most` so many in one commit; returns how many.
    ///
    /// # Errors
    /// When they are all still there.
    pub fn forget_requests(&self, first_kept: &str, at_most: usize) -> Result<usize, StoreError> {
        let old = self.with(|engine| {
            let table = engine.begin_read()?.open_table(REQUESTS)?;
            let old = table.range(..first_kept)?.take(at_most).map(|entry| Ok(entry?.0.value().to_owned()));
            old.collect::<Result<Vec<String>, Fault>>()
        })?;
        if old.is_empty() {
            return Ok(0);
        }
        self.change(|writing| {
            let mut table = writing.open_table(REQUESTS)?;
            for id in &old {
                table.remove(id.as_str())?;
            }
            Ok(old.len())
        })
    }
}

pub(super) fn insert<'a>(writing: &WriteTransaction, rows: impl IntoIterator<Item = &'a Encoded>) -> Result<(), Fault> {
    let mut table = writing.open_table(REQUESTS)?;
    for row in rows {
        table.insert(row.id.as_str(), row.json.as_slice())?;
    }
    Ok(())
}
