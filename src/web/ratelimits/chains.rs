//! What the state of its entries means for a chain.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use super::entries::window_label;
use super::lately::Lately;
use crate::actors::line::LineView;
use crate::actors::report::{Ahead, EntryReport, Left, Supply};
use crate::actors::route::{Route, RouteTable};
use crate::domain::cooldown::Deadline;
use crate::domain::forecast::used_up;
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
    /// At this moment; null when a limit is not known.
    requests_left: Option<u64>,
    tokens_left: Option<u64>,
    /// Until each next reset, by the window that ends then.
    forecast: Vec<ForecastView>,
    #[schema(format = DateTime)]
    next_reset: Option<String>,
    /// When the first entry is back, if none can be asked now.
    #[schema(format = DateTime)]
    first_recovery: Option<String>,
    /// Over the last five minutes; null when nothing is recorded.
    requests_per_minute: Option<f64>,
    tokens_per_minute: Option<f64>,
    /// When nothing is left at that rate; null when it lasts until all of those resets, or a limit is not known.
    #[schema(format = DateTime)]
    exhausted_at: Option<String>,
    waiting: Waiting,
}

/// What can be had until a limit resets; null when a limit is not known.
#[derive(Serialize, ToSchema)]
#[schema(as = Forecast)]
#[serde(rename_all = "camelCase")]
struct ForecastView {
    window: Option<String>,
    #[schema(format = DateTime)]
    until: String,
    requests_left: Option<u64>,
    tokens_left: Option<u64>,
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
    supplies: &[Supply],
    lines: &[LineView],
    lately: &Lately,
    now: Now,
) -> Vec<ChainView<'a>> {
    let routes = table.order.iter().filter_map(|name| table.chains.get(name));
    routes.map(|route| one(route, reports, supplies, lines, lately, now)).collect()
}

fn one<'a>(
    route: &'a Route,
    reports: &'a [EntryReport],
    supplies: &[Supply],
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
    let next_reset = resets.min();
    let rate = lately.rate(&route.label);
    let supply = supplies.iter().find(|supply| supply.route == route.label);
    let ahead = supply.map_or(&[][..], |supply| &supply.ahead);
    let end = |left: fn(&Left) -> Option<u64>, per_minute| {
        used_up(ahead.iter().map(|ahead| (ahead.until, left(&ahead.left))), per_minute, now.mono)
    };
    // Others may draw on the same quota.
    let labels: BTreeSet<String> = entries.iter().map(|report| report.id.label()).collect();
    let draw = lately.draw(labels.iter().map(String::as_str));
    let ends = draw.map(|rate| [end(|left| left.requests, rate.requests), end(|left| left.tokens, rate.tokens)]);
    let exhausted = ends.into_iter().flatten().flatten().min();
    let line = lines.iter().find(|line| line.label == route.label);
    ChainView {
        chain: &route.label,
        next: able.first().map(|report| &report.id),
        ready: able.len(),
        entries: entries.len(),
        requests_left: supply.and_then(|supply| supply.now.requests),
        tokens_left: supply.and_then(|supply| supply.now.tokens),
        forecast: ahead.iter().map(|ahead| ForecastView::of(ahead, now)).collect(),
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

impl ForecastView {
    fn of(ahead: &Ahead, now: Now) -> Self {
        Self {
            window: ahead.window.map(window_label),
            until: now.wall_of(ahead.until).to_string(),
            requests_left: ahead.left.requests,
            tokens_left: ahead.left.tokens,
        }
    }
}

fn is_able(report: &EntryReport) -> bool {
    report.enabled && report.lanes.iter().any(|lane| lane.refusal.is_none())
}
