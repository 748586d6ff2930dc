//! The log of requests: one row for each, with its whole trail.

use std::borrow::Cow;
use std::ops::Bound;

use redb::{ReadableDatabase, ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::database::Database;
use super::error::{Fault, StoreError};
use super::tables::REQUESTS;
use crate::domain::outcome::Reason;
use crate::domain::time::Wall;
use crate::domain::totals::{Call, Facts};
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
    /// Label of the client's key.
    #[serde(default)]
    pub client: String,
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
    /// As reported by the provider, or as estimated.
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
    /// Bytes of the request's body.
    #[serde(default)]
    pub bytes_in: u64,
    /// Bytes of the answer's body.
    #[serde(default)]
    pub bytes_out: u64,
}

/// A row ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    id: String,
    json: Vec<u8>,
    facts: Facts<'static>,
}

/// What sums need of a step of a trail.
#[derive(Deserialize)]
struct Step {
    provider: String,
    model: String,
    outcome: String,
    #[serde(default)]
    reason: Option<Reason>,
    #[serde(default)]
    ms: u64,
}

impl Request {
    /// Ready to be written.
    ///
    /// # Errors
    /// Never, as far as is known.
    pub fn encode(self) -> serde_json::Result<Encoded> {
        Ok(Encoded { json: serde_json::to_vec(&self)?, facts: self.facts()?, id: self.id })
    }

    /// What sums are made of.
    ///
    /// # Errors
    /// When the trail is none.
    pub fn facts(&self) -> serde_json::Result<Facts<'static>> {
        let steps: Vec<Step> = serde_json::from_str(self.trail.get())?;
        let served = steps.iter().position(|step| step.outcome == "served");
        let passed_on = match (steps.first(), served.and_then(|at| steps.get(at))) {
            (Some(first), Some(by)) => (&first.provider, &first.model) != (&by.provider, &by.model),
            _ => false,
        };
        let is_call = |step: &Step| matches!(step.outcome.as_str(), "served" | "failed");
        let calls = steps.into_iter().filter(is_call).map(|step| Call {
            failed: (step.outcome == "failed").then(|| step.reason.unwrap_or(Reason::Unknown)),
            provider: step.provider.into(),
            model: step.model.into(),
            ms: step.ms,
        });
        Ok(Facts {
            arrived: time_of(&self.id),
            chain: self.chain.clone().into(),
            client: self.client.clone().into(),
            code: self.code.clone(),
            usage: self.usage,
            waited_ms: self.waited_ms,
            first_token_ms: self.first_token_ms,
            ms: self.ms,
            calls: calls.collect(),
            passed_on,
        })
    }

    pub(super) fn decode(json: &[u8]) -> Result<Self, Fault> {
        serde_json::from_slice(json).map_err(|fault| Fault::Damaged(format!("a request's row: {fault}")))
    }
}

impl Encoded {
    /// What it adds to sums.
    #[must_use]
    pub fn facts(&self) -> &Facts<'static> {
        &self.facts
    }

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

/// When a request with this id arrived, in milliseconds since the Unix epoch.
fn time_of(id: &str) -> u64 {
    id.get(4..15).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default()
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

    /// Looks at rows from the newest on, of those that sort before `id` where that is given, and keeps those that `keep`
    /// says yes to: up to `at_most`, having looked at up to `look_at`. Returns them, newest first, and the id to go on
    /// before if there may be more.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn search_requests(
        &self,
        before: Option<&str>,
        from: &str,
        at_most: usize,
        look_at: usize,
        keep: impl Fn(&Request) -> bool,
    ) -> Result<(Vec<Request>, Option<String>), StoreError> {
        self.with(|engine| {
            let table = engine.begin_read()?.open_table(REQUESTS)?;
            let end = before.map_or(Bound::Unbounded, Bound::Excluded);
            if before.is_some_and(|before| before <= from) {
                return Ok((Vec::new(), None));
            }
            let mut found = Vec::new();
            for (looked, entry) in table.range::<&str>((Bound::Included(from), end))?.rev().enumerate() {
                let (id, json) = entry?;
                if found.len() >= at_most || looked >= look_at {
                    // This one is the first that was not looked at.
                    return Ok((found, Some(format!("{}!", id.value()))));
                }
                let row = Request::decode(json.value())?;
                if keep(&row) {
                    found.push(row);
                }
            }
            Ok((found, None))
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
