//! One entry, as `/v1/ratelimits` shows it.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::lately::{HealthView, HourView, Lately};
use crate::actors::posted::Owner;
use crate::actors::report::{BucketReport, EntryReport, LaneReport};
use crate::domain::bucket::Source;
use crate::domain::cooldown::{Cooldown, Deadline};
use crate::domain::evidence::{Dimension, window_name};
use crate::domain::outcome::{Basis, Reason};
use crate::domain::refusal::Refusal;
use crate::domain::time::{Mono, Now};
use crate::domain::trail::{Measure, Span};

/// A bucket with no more than this part of its limit left is low.
const LOW: u64 = 5;

/// What is known of an entry now.
#[derive(Serialize, ToSchema)]
#[schema(as = EntryState)]
#[serde(rename_all = "camelCase")]
pub(in crate::web) struct EntryView<'a> {
    provider: &'a str,
    model: &'a str,
    #[serde(flatten)]
    state: State,
    in_flight: u32,
    tokens_per_byte: Option<f32>,
    quota: Quota,
    /// How it has done lately; null when nothing is recorded.
    health: Option<HealthView>,
    /// By the hour, of the last day.
    trend: Vec<HourView>,
    keys: Vec<LaneView<'a>>,
}

/// What can be expected of an entry, or of one of its keys.
#[derive(Serialize, ToSchema)]
#[schema(as = Outlook)]
#[serde(rename_all = "camelCase")]
struct State {
    status: Status,
    /// RFC 3339.
    #[schema(format = DateTime)]
    cooldown_until: Option<String>,
    /// Whole milliseconds from now.
    cooldown_ms: Option<u64>,
    reason: Option<String>,
    cause: Option<Cause>,
}

/// Best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ToSchema)]
#[schema(as = EntryStatus)]
#[serde(rename_all = "snake_case")]
pub(in crate::web) enum Status {
    Ready,
    Untried,
    Low,
    Cooling,
    AuthError,
    Off,
}

impl Status {
    /// All of them.
    pub(in crate::web) const ALL: [Self; 6] =
        [Self::Ready, Self::Untried, Self::Low, Self::Cooling, Self::AuthError, Self::Off];
}

/// Why it cools down.
#[derive(Serialize, ToSchema)]
#[schema(as = CooldownCause)]
struct Cause {
    reason: Reason,
    status: u16,
    basis: Basis,
    target: &'static str,
}

/// The scarcest of everything that is counted.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Quota {
    concurrent_requests: Option<Slots>,
    requests: Option<BucketView>,
    tokens: Option<BucketView>,
}

/// Requests at the same time.
#[derive(Serialize, ToSchema)]
struct Slots {
    limit: u32,
    remaining: u32,
}

/// An entry through one of its provider's keys.
#[derive(Serialize, ToSchema)]
#[schema(as = KeyState)]
#[serde(rename_all = "camelCase")]
struct LaneView<'a> {
    key: Option<&'a str>,
    #[serde(flatten)]
    state: State,
    in_flight: u32,
    buckets: Vec<BucketView>,
}

/// A counter over a window.
#[derive(Serialize, ToSchema)]
#[schema(as = Bucket)]
#[serde(rename_all = "camelCase")]
struct BucketView {
    counts: Dimension,
    window: Option<String>,
    /// Null when only what is left was told; then nobody knows what was used either.
    limit: Option<u64>,
    used: Option<u64>,
    reserved: u64,
    remaining: u64,
    #[schema(format = DateTime)]
    resets_at: Option<String>,
    source: Source,
    /// How long ago it was said; null for what is configured.
    age_ms: Option<u64>,
    /// Who shares it.
    of: &'static str,
}

pub(in crate::web) fn view<'a>(report: &'a EntryReport, lately: &Lately, now: Now) -> EntryView<'a> {
    let keys: Vec<LaneView<'_>> = report.lanes.iter().map(|lane| lane_view(lane, report.enabled, now)).collect();
    let (best, whole) = best(report, now);
    let slots = report.lanes.iter().filter_map(|lane| lane.slots);
    let (limit, free) = slots
        .clone()
        .fold((0_u32, 0_u32), |(limit, free), (more, also)| (limit.saturating_add(more), free.saturating_add(also)));
    let scarcest = |dimension| {
        let buckets = best.iter().flat_map(|lane| &lane.buckets).filter(|bucket| bucket.dimension == dimension);
        buckets.min_by_key(|bucket| thousandths(bucket)).map(|bucket| bucket_view(bucket, now))
    };
    EntryView {
        provider: report.id.provider.as_str(),
        model: report.id.model.as_str(),
        state: whole,
        in_flight: report.lanes.iter().map(|lane| lane.in_flight).sum(),
        tokens_per_byte: report.tokens_per_byte,
        quota: Quota {
            concurrent_requests: slots.map(|_| Slots { limit, remaining: free }).next(),
            requests: scarcest(Dimension::Requests),
            tokens: scarcest(Dimension::Tokens),
        },
        health: lately.health(&report.id.label()),
        trend: lately.trend(&report.id.label()),
        keys,
    }
}

/// What can be expected of an entry.
pub(in crate::web) fn status(report: &EntryReport, now: Now) -> Status {
    best(report, now).1.status
}

/// An entry is as well as the best of its keys.
fn best(report: &EntryReport, now: Now) -> (Option<&LaneReport>, State) {
    let end = |lane: &LaneReport| lane.refusal.as_ref().and_then(Refusal::end);
    let state = |lane| state(lane, report.enabled, now);
    let best = report.lanes.iter().min_by_key(|lane| (state(lane).status, end(lane)));
    let mut whole = best.map_or_else(off, state);
    if whole.status == Status::Untried && report.lanes.iter().any(|lane| state(lane).status != Status::Untried) {
        // It was tried with another key.
        whole.status = Status::Ready;
    }
    (best, whole)
}

fn lane_view(lane: &LaneReport, enabled: bool, now: Now) -> LaneView<'_> {
    LaneView {
        key: lane.key.as_deref(),
        state: state(lane, enabled, now),
        in_flight: lane.in_flight,
        buckets: lane.buckets.iter().map(|bucket| bucket_view(bucket, now)).collect(),
    }
}

fn off() -> State {
    State { status: Status::Off, cooldown_until: None, cooldown_ms: None, reason: None, cause: None }
}

fn state(lane: &LaneReport, enabled: bool, now: Now) -> State {
    if !enabled {
        return off();
    }
    let cold = lane.cooldown.map(|(owner, cooldown)| cold(owner, &cooldown, now));
    cold.or_else(|| refused(lane, now)).unwrap_or_else(|| {
        let low = lane.buckets.iter().any(|bucket| thousandths(bucket) <= 1_000 / LOW);
        let tried = lane.tried || lane.buckets.iter().any(|bucket| bucket.used.is_some_and(|used| used > 0));
        let status = match (low, tried) {
            (true, _) => Status::Low,
            (false, true) => Status::Ready,
            (false, false) => Status::Untried,
        };
        State { status, ..off() }
    })
}

fn cold(owner: Owner, cooldown: &Cooldown, now: Now) -> State {
    let end = match cooldown.until {
        Deadline::At(end) => Some(end),
        Deadline::Never => None,
    };
    let status = if cooldown.reason == Reason::Auth { Status::AuthError } else { Status::Cooling };
    let Cooldown { reason, status: code, basis, .. } = *cooldown;
    let cause = Cause { reason, status: code, basis, target: owner_name(owner) };
    State {
        status,
        cooldown_until: end.map(|end| now.wall_at(end).to_string()),
        cooldown_ms: end.map(|end| millis_until(end, now)),
        reason: Some(reason.words().to_owned()),
        cause: Some(cause),
    }
}

/// Not cold, and still no request would be granted, be it as small as can be.
fn refused(lane: &LaneReport, now: Now) -> Option<State> {
    let (status, until, reason) = match lane.refusal? {
        Refusal::Spent { dimension, window, until } => {
            (Status::Cooling, until, format!("{} used up", Measure(dimension, window)))
        }
        Refusal::Full { limit } => (Status::Low, None, format!("{limit} of {limit} requests in flight")),
        Refusal::Probing { until } => (Status::Low, until, "first call under way".to_owned()),
        _ => return None,
    };
    Some(State {
        status,
        cooldown_until: until.map(|end| now.wall_at(end).to_string()),
        cooldown_ms: until.map(|end| millis_until(end, now)),
        reason: Some(reason),
        cause: None,
    })
}

/// `minute`, `day`, or the length of a window without a name.
pub(super) fn window_label(window: Duration) -> String {
    window_name(window).map_or_else(|| Span(window).to_string(), str::to_owned)
}

fn bucket_view(bucket: &BucketReport, now: Now) -> BucketView {
    BucketView {
        counts: bucket.dimension,
        window: bucket.window.map(window_label),
        limit: bucket.limit,
        used: bucket.used,
        reserved: bucket.reserved,
        remaining: bucket.remaining,
        resets_at: bucket.resets_at.map(|end| now.wall_of(end).to_string()),
        source: bucket.source,
        age_ms: bucket.told.map(|told| now.mono.0.saturating_sub(told.0)),
        of: owner_name(bucket.owner),
    }
}

pub(in crate::web) fn owner_name(owner: Owner) -> &'static str {
    match owner {
        Owner::Lane | Owner::Model => "entry",
        Owner::Key => "key",
        Owner::Provider => "provider",
        Owner::Pool(name) => name,
    }
}

fn thousandths(bucket: &BucketReport) -> u64 {
    let whole = bucket.limit.unwrap_or(bucket.remaining);
    bucket.remaining.saturating_mul(1_000).checked_div(whole).unwrap_or(1_000)
}

fn millis_until(end: Mono, now: Now) -> u64 {
    end.0.saturating_sub(now.mono.0)
}
