//! How entries and waiting lines stand now.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::actors::line::LineView;
use crate::actors::metrics::{ChainLabel, Who, Word};
use crate::actors::posted::Owner;
use crate::actors::report::{BucketReport, EntryReport};
use crate::actors::route::RouteTable;
use crate::domain::cooldown::Deadline;
use crate::domain::evidence::{Dimension, window_name};
use crate::domain::time::Now;
use crate::web::ratelimits::entries::{Status, owner_name, status};

type Whole<L> = Family<L, Gauge<u64, AtomicU64>>;
type Seconds<L> = Family<L, Gauge<f64, AtomicU64>>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LaneLabels {
    #[prometheus(flatten)]
    who: Who,
    key: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabels {
    #[prometheus(flatten)]
    who: Who,
    status: Word<Status>,
}

/// A bucket. What several entries share has no model, what several keys share has no key: it is there once, so that sums
/// are right.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QuotaLabels {
    #[prometheus(flatten)]
    who: Who,
    /// Which of the provider's, counted from 1. Even a masked key is not for a database of metrics.
    key: String,
    scope: &'static str,
    counts: Word<Dimension>,
    window: &'static str,
}

/// Quota, cooldowns, status and calls under way of every entry.
pub(super) fn entries(registry: &mut Registry, reports: &[EntryReport], now: Now) {
    let (states, calls, colds) = (Whole::default(), Whole::default(), Seconds::default());
    let mut scarcest: HashMap<QuotaLabels, &BucketReport> = HashMap::new();
    for report in reports {
        let who = Who::from(&report.id);
        let current = status(report, now);
        for status in Status::ALL {
            let labels = StatusLabels { who: who.clone(), status: Word(status) };
            states.get_or_create(&labels).set(u64::from(status == current));
        }
        let under_way = report.lanes.iter().map(|lane| u64::from(lane.in_flight)).sum();
        calls.get_or_create(&who).set(under_way);
        for (lane, ordinal) in report.lanes.iter().zip(1..) {
            let key = lane.key.as_ref().map_or_else(String::new, |_| u32::to_string(&ordinal));
            let left = match lane.cooldown.map(|(_, cooldown)| cooldown.until) {
                None => 0.0,
                Some(Deadline::At(end)) => end.from_now(now.mono).as_secs_f64(),
                Some(Deadline::Never) => f64::INFINITY,
            };
            colds.get_or_create(&LaneLabels { who: who.clone(), key: key.clone() }).set(left);
            for bucket in &lane.buckets {
                let known = scarcest.entry(labels(&who, &key, bucket)).or_insert(bucket);
                if bucket.remaining < known.remaining {
                    *known = bucket;
                }
            }
        }
    }
    let (remaining, limits) = (Whole::default(), Whole::default());
    for (labels, bucket) in scarcest {
        remaining.get_or_create(&labels).set(bucket.remaining);
        if let Some(limit) = bucket.limit {
            limits.get_or_create(&labels).set(limit);
        }
    }
    registry.register("entry_status", "1 for the status that an entry has now, 0 for all others", states);
    registry.register("entry_in_flight_calls", "Calls of an entry under way", calls);
    registry.register(
        "cooldown_seconds",
        "How long an entry rests yet through one key; +Inf until the configuration changes",
        colds,
    );
    registry.register(
        "quota_remaining",
        "How much of a limit can be had now: requests or tokens, of the scarcest bucket with these labels",
        remaining,
    );
    registry.register("quota_limit", "The limit that quota_remaining is what is left of, where it is known", limits);
}

fn labels(who: &Who, key: &str, bucket: &BucketReport) -> QuotaLabels {
    let (one_model, one_key) = match bucket.owner {
        Owner::Lane => (true, true),
        Owner::Model => (true, false),
        Owner::Key | Owner::Pool(_) => (false, true),
        Owner::Provider => (false, false),
    };
    QuotaLabels {
        who: Who { provider: who.provider.clone(), model: who.model.clone().filter(|_| one_model) },
        key: if one_key { key.to_owned() } else { String::new() },
        scope: owner_name(bucket.owner),
        counts: Word(bucket.dimension),
        window: bucket.window.map_or("", name_of),
    }
}

/// Providers may announce windows of any length; a label has to be one of a few.
fn name_of(window: Duration) -> &'static str {
    window_name(window).unwrap_or("other")
}

/// Who waits.
pub(super) fn lines(registry: &mut Registry, table: &RouteTable, lines: &[LineView]) {
    let (depths, ages) = (Whole::default(), Seconds::default());
    let set = |chain: &str, depth: usize, oldest: Duration| {
        let label = ChainLabel { chain: chain.to_owned() };
        depths.get_or_create(&label).set(depth as u64);
        ages.get_or_create(&label).set(oldest.as_secs_f64());
    };
    table.order.iter().for_each(|chain| set(chain.as_str(), 0, Duration::ZERO));
    lines.iter().for_each(|line| set(&line.label, line.depth, line.oldest));
    registry.register("waiting_requests", "Requests that wait for quota", depths);
    registry.register("waiting_oldest_seconds", "How long the first of those who wait has waited", ages);
}
