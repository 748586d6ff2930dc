//! What the state of its entries means for a chain.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::lately::Lately;
use crate::actors::line::LineView;
use crate::actors::posted::Owner;
use crate::actors::report::{EntryReport, LaneReport};
use crate::actors::route::{Route, RouteTable};
use crate::domain::cooldown::Deadline;
use crate::domain::evidence::Dimension;
use crate::domain::ids::EntryId;
use crate::domain::refusal::Refusal;
use crate::domain::time::Now;

/// What the state of its entries means for a chain.
#[derive(Serialize, ToSchema)]
#[schema(as = ChainState)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChainView<'a> {
    chain: &'a str,
    /// Who would be asked first now.
    #[schema(value_type = Option<String>)]
    next: Option<&'a EntryId>,
    ready: usize,
    entries: usize,
    /// Until the next reset; null when a limit is not known.
    requests_left: Option<u64>,
    tokens_left: Option<u64>,
    #[schema(format = DateTime)]
    next_reset: Option<String>,
    /// When the first entry is back, if none can be asked now.
    #[schema(format = DateTime)]
    first_recovery: Option<String>,
    /// Over the last five minutes; null when nothing is recorded.
    requests_per_minute: Option<f64>,
    tokens_per_minute: Option<f64>,
    /// When nothing is left at that rate, if that is before the next reset; null when a limit is not known.
    #[schema(format = DateTime)]
    exhausted_at: Option<String>,
    waiting: Waiting,
}

/// Requests that wait for a chain.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Waiting {
    depth: usize,
    oldest_ms: u64,
}

pub(super) fn view<'a>(
    table: &'a RouteTable,
    reports: &'a [EntryReport],
    lines: &[LineView],
    lately: &Lately,
    now: Now,
) -> Vec<ChainView<'a>> {
    let routes = table.order.iter().filter_map(|name| table.chains.get(name));
    routes.map(|route| one(route, reports, lines, lately, now)).collect()
}

fn one<'a>(
    route: &'a Route,
    reports: &'a [EntryReport],
    lines: &[LineView],
    lately: &Lately,
    now: Now,
) -> ChainView<'a> {
    let entries: Vec<&EntryReport> =
        route.places.iter().filter_map(|place| reports.iter().find(|report| report.id == place.entry.id)).collect();
    let able: Vec<&&EntryReport> = entries.iter().filter(|report| is_able(report)).collect();
    let lanes = || entries.iter().filter(|report| report.enabled).flat_map(|report| &report.lanes);
    let resets = lanes().flat_map(|lane| &lane.buckets).filter_map(|bucket| bucket.resets_at);
    let recoveries = lanes().filter_map(|lane| match lane.refusal.as_ref().and_then(Refusal::end) {
        Some(Deadline::At(end)) => Some(end),
        _ => None,
    });
    let (requests_left, tokens_left) = (left(&entries, Dimension::Requests), left(&entries, Dimension::Tokens));
    let next_reset = resets.min();
    let rate = lately.rate(&route.label);
    let ends = [(requests_left, rate.map(|rate| rate.requests)), (tokens_left, rate.map(|rate| rate.tokens))];
    let end = ends.into_iter().filter_map(|(left, per_minute)| after(left?, per_minute?)).min();
    let exhausted = end.map(|wait| now.mono.after(wait)).filter(|end| next_reset.is_none_or(|reset| *end < reset));
    let line = lines.iter().find(|line| line.label == route.label);
    ChainView {
        chain: &route.label,
        next: able.first().map(|report| &report.id),
        ready: able.len(),
        entries: entries.len(),
        requests_left,
        tokens_left,
        next_reset: next_reset.map(|end| now.wall_of(end).to_string()),
        first_recovery: recoveries.min().filter(|_| able.is_empty()).map(|end| now.wall_of(end).to_string()),
        requests_per_minute: rate.map(|rate| rate.requests),
        tokens_per_minute: rate.map(|rate| rate.tokens),
        exhausted_at: exhausted.map(|end| now.wall_of(end).to_string()),
        waiting: line.map_or_else(Waiting::default, |line| Waiting {
            depth: line.depth,
            oldest_ms: u64::try_from(line.oldest.as_millis()).unwrap_or(u64::MAX),
        }),
    }
}

/// How long so much lasts.
fn after(left: u64, per_minute: f64) -> Option<Duration> {
    let minutes = left as f64 / per_minute;
    (per_minute > 0.0).then(|| Duration::try_from_secs_f64(minutes * 60.0).ok()).flatten()
}

fn is_able(report: &EntryReport) -> bool {
    report.enabled && report.lanes.iter().any(|lane| lane.refusal.is_none())
}

/// How much is left of all entries together; `None` when one that can be asked has no known limit. What several entries
/// share is counted once.
fn left(entries: &[&EntryReport], dimension: Dimension) -> Option<u64> {
    // By account: what its lanes have left, and what they share.
    let mut accounts: BTreeMap<(&str, usize), (u64, u64)> = BTreeMap::new();
    for report in entries.iter().filter(|report| report.enabled) {
        for (key, lane) in report.lanes.iter().enumerate() {
            if lane.cooldown.is_some() {
                continue;
            }
            let (own, shared) = (least(lane, dimension, true), least(lane, dimension, false));
            let account = accounts.entry((report.id.provider.as_str(), key)).or_insert((0, u64::MAX));
            account.0 = account.0.saturating_add(own);
            account.1 = account.1.min(shared);
        }
    }
    let total = accounts.values().fold(0_u64, |sum, (own, shared)| sum.saturating_add(*own.min(shared)));
    (total < u64::MAX).then_some(total)
}

fn least(lane: &LaneReport, dimension: Dimension, own: bool) -> u64 {
    let buckets = lane.buckets.iter().filter(|bucket| bucket.dimension == dimension);
    let mine = buckets.filter(|bucket| matches!(bucket.owner, Owner::Lane | Owner::Model) == own);
    mine.map(|bucket| bucket.remaining).min().unwrap_or(u64::MAX)
}
