//! How chains and entries have done lately: what live figures alone do not tell.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::web;
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::domain::time::Wall;
use crate::domain::totals::Totals;
use crate::store::database::Database;
use crate::store::error::StoreError;
use crate::store::shelf::Shelf;
use crate::store::totals::{Kind, Trends, Unit};
use crate::web::quantiles::Quantiles;

const MINUTE: u64 = 60_000;

/// Spans of a health view.
const SPANS: [u64; 3] = [5 * MINUTE, 60 * MINUTE, 24 * 60 * MINUTE];

/// What was read is good for so long, however many ask.
const FRESH: Duration = Duration::from_millis(250);

/// The last that was read, for all who ask.
#[derive(Debug, Default)]
pub struct Recent(Mutex<Option<(Instant, Arc<Lately>)>>);

impl Recent {
    /// How it has gone lately. Live figures are worth telling also when nothing can be read: then it is empty.
    pub(crate) async fn get(&self, shelf: &Shelf, now: Wall) -> Arc<Lately> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((read, lately)) = known
            && read.elapsed() < FRESH
        {
            return lately;
        }
        let read = match shelf.get() {
            Some(database) => web::block(move || Lately::read(&database, now)).await.ok().and_then(Result::ok),
            None => None,
        };
        let lately = Arc::new(read.unwrap_or_default());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), Arc::clone(&lately)));
        lately
    }
}

/// Sums of the last five minutes, hour and day. Empty when nothing is recorded.
#[derive(Debug, Default)]
pub(crate) struct Lately {
    /// How long the shortest span is by now; `None` when nothing could be read.
    minutes: Option<f64>,
    /// By chain, of five minutes.
    chains: BTreeMap<String, Totals>,
    /// By entry, of each span.
    entries: [BTreeMap<String, Totals>; 3],
    /// By entry, of each hour of the longest span.
    hours: Trends,
}

/// What went through a chain in a minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rate {
    pub(super) requests: f64,
    pub(super) tokens: f64,
}

/// An entry over several spans.
#[derive(Serialize, ToSchema)]
#[schema(as = EntryHealth)]
pub(crate) struct HealthView {
    #[serde(rename = "5m")]
    minutes: SpanView,
    #[serde(rename = "1h")]
    hour: SpanView,
    #[serde(rename = "24h")]
    day: SpanView,
}

/// An entry over one hour.
#[derive(Serialize, ToSchema)]
#[schema(as = HourHealth)]
pub(crate) struct HourView {
    /// When it begins.
    #[schema(format = DateTime)]
    at: String,
    #[serde(flatten)]
    span: SpanView,
}

/// An entry over one span.
#[derive(Serialize, ToSchema)]
#[schema(as = SpanHealth)]
#[serde(rename_all = "camelCase")]
struct SpanView {
    attempts: u64,
    /// Part of the attempts that failed, 0 to 1; null without any.
    error_rate: Option<f64>,
    latency_ms: Option<Quantiles>,
    first_token_ms: Option<Quantiles>,
    tokens_per_second: Option<f64>,
}

impl Lately {
    /// Reads the sums.
    pub(super) fn read(database: &Database, now: Wall) -> Result<Self, StoreError> {
        // By the minute, for which there are sums: the one that goes on is the last.
        let end = now.0 / MINUTE * MINUTE + MINUTE;
        let sums = |kind, span: u64| Ok(database.totals(kind, Wall(end.saturating_sub(span)), now, now)?.totals);
        let [minutes, hour, day] = SPANS;
        Ok(Self {
            minutes: Some((now.0 + minutes - end) as f64 / MINUTE as f64),
            chains: sums(Kind::Chain, minutes)?,
            entries: [sums(Kind::Entry, minutes)?, sums(Kind::Entry, hour)?, sums(Kind::Entry, day)?],
            hours: database.trends(Kind::Entry, Unit::Hour, Wall(now.0.saturating_sub(day - 60 * MINUTE)), now)?,
        })
    }

    pub(super) fn rate(&self, chain: &str) -> Option<Rate> {
        let minutes = self.minutes?;
        let none = Totals::default();
        let totals = self.chains.get(chain).unwrap_or(&none);
        let (requests, tokens) = (totals.requests as f64 / minutes, totals.total_tokens as f64 / minutes);
        Some(Rate { requests, tokens })
    }

    /// What all requests, whatever their chain, have drawn on these entries in a minute.
    pub(super) fn draw<'a>(&self, entries: impl Iterator<Item = &'a str>) -> Option<Rate> {
        let minutes = self.minutes?;
        let [lately, ..] = &self.entries;
        let (calls, tokens) = entries
            .filter_map(|entry| lately.get(entry))
            .fold((0, 0), |(calls, tokens), totals| (calls + totals.attempts, tokens + totals.total_tokens));
        Some(Rate { requests: calls as f64 / minutes, tokens: tokens as f64 / minutes })
    }

    /// How an entry has done; `None` when nothing could be read.
    pub(crate) fn health(&self, entry: &str) -> Option<HealthView> {
        let [minutes, hour, day] = self.entries.each_ref().map(|span| SpanView::of(span.get(entry)));
        self.minutes.map(|_| HealthView { minutes, hour, day })
    }

    /// The hours of the last day in which an entry was called.
    pub(crate) fn trend(&self, entry: &str) -> Vec<HourView> {
        let hours = self.hours.get(entry).into_iter().flatten();
        hours.map(|(at, totals)| HourView { at: at.to_string(), span: SpanView::of(Some(totals)) }).collect()
    }
}

impl SpanView {
    fn of(totals: Option<&Totals>) -> Self {
        let none = Totals::default();
        let totals = totals.unwrap_or(&none);
        Self {
            attempts: totals.attempts,
            error_rate: totals.error_rate(),
            latency_ms: Quantiles::of(&totals.latency),
            first_token_ms: Quantiles::of(&totals.first_token),
            tokens_per_second: totals.tokens_per_second(),
        }
    }
}
