//! The log of requests: one row for each, with its whole trail.

use std::borrow::Cow;
use std::mem;
use std::ops::Bound;

use redb::{AccessGuard, ReadableDatabase, ReadableTable, WriteTransaction};

use super::database::Database;
use super::error::{Fault, StoreError};
use super::tables::REQUESTS;
use crate::domain::outcome::Reason;
use crate::domain::time::Wall;
use crate::domain::totals::{Call, Facts};
use crate::domain::trail::{StepOutcome, StepView};
use crate::domain::usage::Usage;

mod form;
mod key;

/// A row, as it is kept. Never holds a key or a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The id in the answer's `X-Request-Id`; ids sort by time.
    pub id: String,
    /// When it arrived.
    pub arrived: Wall,
    /// Label of the route: a chain, or `provider/model`. Empty when the request selected none.
    pub chain: String,
    /// Label of the client's key.
    pub client: String,
    /// What the client asked for.
    pub model: String,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// `provider/model` of who served it.
    pub served_by: Option<String>,
    /// Every entry that was looked at, as in the `error.trail` of an answer.
    pub trail: Vec<StepView>,
    /// HTTP status of the answer; 499 when the client left first.
    pub status: u16,
    /// Machine code of the error, when there was one.
    pub code: Option<Cow<'static, str>>,
    /// As reported by the provider, or as estimated.
    pub usage: Option<Usage>,
    /// How long it has waited for quota.
    pub waited_ms: u64,
    /// From the request to the first content of a stream.
    pub first_token_ms: Option<u64>,
    /// From the request to the end of the answer.
    pub ms: u64,
    /// Bytes of the request's body.
    pub bytes_in: u64,
    /// Bytes of the answer's body.
    pub bytes_out: u64,
}

/// A row ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    key: Vec<u8>,
    row: Vec<u8>,
    facts: Facts<'static>,
}

/// Part of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The newest first.
    pub rows: Vec<Request>,
    /// The id to go on before, if there may be more.
    pub next: Option<String>,
    /// Rows that were looked at and cannot be read: what is there of them is damaged.
    pub unreadable: usize,
}

impl Request {
    /// Ready to be written.
    #[must_use]
    pub fn encode(mut self) -> Encoded {
        let (key, row) = (key::encode(&self.id), form::encode(&self));
        let names = (mem::take(&mut self.chain).into(), mem::take(&mut self.client).into());
        Encoded { key, row, facts: self.facts_with(names) }
    }

    /// What sums are made of.
    #[must_use]
    pub fn facts(&self) -> Facts<'_> {
        self.facts_with((self.chain.as_str().into(), self.client.as_str().into()))
    }

    fn facts_with<'a>(&self, (chain, client): (Cow<'a, str>, Cow<'a, str>)) -> Facts<'a> {
        let served = self.trail.iter().find(|step| step.outcome == StepOutcome::Served);
        let passed_on = match (self.trail.first(), served) {
            (Some(first), Some(by)) => (&first.provider, &first.model) != (&by.provider, &by.model),
            _ => false,
        };
        let calls = self.trail.iter().filter(|step| step.outcome.is_call()).map(|step| Call {
            failed: (step.outcome == StepOutcome::Failed).then(|| step.reason.unwrap_or(Reason::Unknown)),
            provider: step.provider.clone(),
            model: step.model.clone(),
            ms: step.ms.unwrap_or_default(),
        });
        Facts {
            arrived: key::time_of(&self.id),
            chain,
            client,
            code: self.code.clone(),
            usage: self.usage,
            waited_ms: self.waited_ms,
            first_token_ms: self.first_token_ms,
            ms: self.ms,
            calls: calls.collect(),
            passed_on,
        }
    }

    pub(super) fn decode(key: &[u8], row: &[u8]) -> Result<Self, Fault> {
        form::decode(key::decode(key)?, row)
    }
}

impl Encoded {
    /// What it adds to sums.
    #[must_use]
    pub fn facts(&self) -> &Facts<'static> {
        &self.facts
    }

    /// Bytes of memory that it takes while it waits.
    #[must_use]
    pub fn size(&self) -> usize {
        let Facts { chain, client, calls, .. } = &self.facts;
        // Names of providers and models are shared with the configuration.
        let facts = chain.len() + client.len() + calls.len() * size_of::<Call>();
        size_of::<Self>() + self.key.len() + self.row.len() + facts
    }
}

/// The id that sorts before those of all requests that arrive at `time` or later, and after those of all others.
#[must_use]
pub fn first_id_at(time: Wall) -> String {
    format!("req_{:011x}", time.0)
}

/// The key that such an id, or another one, has in the table.
pub(super) fn key_of(id: &str) -> Vec<u8> {
    key::encode(id)
}

impl Database {
    /// The row of one request.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn request(&self, id: &str) -> Result<Option<Request>, StoreError> {
        let key = key::encode(id);
        self.with(|engine| {
            let table = engine.begin_read()?.open_table(REQUESTS)?;
            table.get(key.as_slice())?.map(|row| Request::decode(&key, row.value())).transpose()
        })
    }

    /// The newest rows, newest first.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn newest_requests(&self, at_most: usize) -> Result<Vec<Request>, StoreError> {
        self.with(|engine| {
            let table = engine.begin_read()?.open_table(REQUESTS)?;
            table.iter()?.rev().take(at_most).map(|entry| decoded(entry?)).collect()
        })
    }

    /// The rows whose ids sort after `id`, oldest first: with the id of the last one, all can be read part by part.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn requests_after(&self, id: &str, at_most: usize) -> Result<Vec<Request>, StoreError> {
        let after = key::encode(id);
        self.with(|engine| {
            let table = engine.begin_read()?.open_table(REQUESTS)?;
            let rest = table.range::<&[u8]>((Bound::Excluded(after.as_slice()), Bound::Unbounded))?;
            rest.take(at_most).map(|entry| decoded(entry?)).collect()
        })
    }

    /// Looks at rows from the newest on, of those that sort before `before` where that is given and not before `from`, and
    /// keeps those that `keep` says yes to: up to `at_most`, having looked at up to `look_at`. A row that cannot be read is
    /// counted, and hides no other.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub fn search_requests(
        &self,
        before: Option<&str>,
        from: &str,
        at_most: usize,
        look_at: usize,
        keep: impl Fn(&Request) -> bool,
    ) -> Result<Page, StoreError> {
        let (from, before) = (key::encode(from), before.map(key::encode));
        let end = before.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut page = Page::default();
        if before.as_ref().is_some_and(|before| *before <= from) {
            return Ok(page);
        }
        self.with(|engine| {
            let table = engine.begin_read()?.open_table(REQUESTS)?;
            let mut last = Vec::new();
            for (looked, entry) in table.range::<&[u8]>((Bound::Included(from.as_slice()), end))?.rev().enumerate() {
                if page.rows.len() >= at_most || looked >= look_at {
                    page.next = Some(key::decode(&last)?).filter(|id| !id.is_empty());
                    break;
                }
                let (key, row) = entry?;
                match Request::decode(key.value(), row.value()) {
                    Ok(row) if keep(&row) => page.rows.push(row),
                    Ok(_) => {}
                    Err(_) => {
                        page.unreadable += 1;
                        if key::decode(key.value()).is_err() {
                            continue;
                        }
                    }
                }
                last.clear();
                last.extend_from_slice(key.value());
            }
            Ok(())
        })?;
        Ok(page)
    }

    /// Removes the oldest rows whose ids sort before `first_kept`, `at_most` so many in one commit; returns how many.
    ///
    /// # Errors
    /// When they are all still there.
    pub fn forget_requests(&self, first_kept: &str, at_most: usize) -> Result<usize, StoreError> {
        let first_kept = key::encode(first_kept);
        let old = self.with(|engine| {
            let table = engine.begin_read()?.open_table(REQUESTS)?;
            let old = table.range(..first_kept.as_slice())?.take(at_most).map(|entry| Ok(entry?.0.value().to_vec()));
            old.collect::<Result<Vec<Vec<u8>>, Fault>>()
        })?;
        if old.is_empty() {
            return Ok(0);
        }
        self.change(|writing| {
            let mut table = writing.open_table(REQUESTS)?;
            for key in &old {
                table.remove(key.as_slice())?;
            }
            Ok(old.len())
        })
    }
}

fn decoded((key, row): (AccessGuard<'_, &'static [u8]>, AccessGuard<'_, &'static [u8]>)) -> Result<Request, Fault> {
    Request::decode(key.value(), row.value())
}

/// The order of ids is that in which the engine packs pages best: it leaves a page full when the next row comes behind
/// all others, and halves it otherwise.
///
/// Returns those that were not there yet: a commit may have reached the disk although it said that it failed, and then
/// its rows come again.
pub(super) fn insert<'a>(
    writing: &WriteTransaction,
    rows: impl IntoIterator<Item = &'a Encoded>,
) -> Result<Vec<&'a Encoded>, Fault> {
    let mut rows: Vec<&Encoded> = rows.into_iter().collect();
    rows.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    let mut table = writing.open_table(REQUESTS)?;
    let mut new = Vec::with_capacity(rows.len());
    for row in rows {
        if table.insert(row.key.as_slice(), row.row.as_slice())?.is_none() {
            new.push(row);
        }
    }
    Ok(new)
}

/// Puts bytes that are no row in the place of one.
pub(super) fn keep_as_it_is(writing: &WriteTransaction, id: &str, bytes: &[u8]) -> Result<(), Fault> {
    writing.open_table(REQUESTS)?.insert(key::encode(id).as_slice(), bytes)?;
    Ok(())
}
