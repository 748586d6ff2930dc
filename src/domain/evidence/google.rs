//! Google's quota ids: `GenerateRequestsPerDayPerProjectPerModel-FreeTier` with its value beside it.

use super::refusal::{Refusal, state};
use super::tally::Tally;
use super::text::{self, Named};
use super::{DAY, Dimension, MINUTE, Reset, ResetKind, Stated, rules};
use crate::domain::dialect::Dialect;
use crate::domain::envelope::{Delay, Quota};
use crate::domain::hints::{number, when};

/// Reads all quotas that were exceeded.
pub(super) fn read(refusal: &Refusal<'_>, tally: &mut Tally, stated: &mut Vec<Stated>) {
    let quotas = &refusal.envelope.quotas;
    let mut found: Vec<_> = quotas.iter().filter_map(named).collect();
    if let ([only], [_]) = (found.as_mut_slice(), quotas.as_slice()) {
        // Without a value beside it, the text tells it: "limit: 0, model: ...".
        let limits = || text::behind(&refusal.envelope.text, ", limit: ").find_map(|(_, rest)| text::leading(rest));
        only.limit = only.limit.or_else(|| Some(limits()?.0));
    }
    if quotas.is_empty() {
        found.extend(coded(refusal));
    }
    let longest = found.iter().map(|named| named.window).max();
    for named in found {
        let bucket = tally.bucket(named.dimension, Some(named.window));
        bucket.left(0, false);
        if let Some(limit) = named.limit {
            bucket.limited(limit);
        }
        if Some(named.window) == longest {
            bucket.refused();
        } else if let Some(after) = delay(refusal) {
            // The wait of the verdict is that of the longest window; the shorter ones have the one that Google tells.
            bucket.resets(Reset { after, kind: ResetKind::Next });
        }
        state(named, stated);
    }
}

/// The newer API has no ids: a code for the window, and the metric in the text.
fn coded(refusal: &Refusal<'_>) -> Option<Named> {
    if refusal.dialect != Dialect::GoogleAi {
        return None;
    }
    let window = if refusal.envelope.has_code(&["quota_exceeded"]) {
        DAY
    } else if refusal.envelope.has_code(&["rate_limit_exceeded"]) {
        MINUTE
    } else {
        return None;
    };
    let mut metrics = text::behind(&refusal.envelope.text, ", limit: ");
    let (metric, rest) = metrics.next()?;
    let metric = metric.rsplit([' ', '/']).next()?;
    let (limit, _) = text::leading(rest)?;
    Some(Named { dimension: dimension(metric)?, window, limit: Some(limit), remaining: Some(0) })
}

/// From an id or the name of a metric.
fn dimension(name: &str) -> Option<Dimension> {
    if name.contains("token") {
        Some(Dimension::Tokens)
    } else if name.contains("request") {
        Some(Dimension::Requests)
    } else {
        None
    }
}

fn named(quota: &Quota) -> Option<Named> {
    let id = quota.id.to_ascii_lowercase();
    let window = if id.contains("perday") {
        DAY
    } else if id.contains("perminute") {
        MINUTE
    } else {
        return None;
    };
    let limit = quota.value.as_deref().and_then(number::count);
    Some(Named { dimension: dimension(&id)?, window, limit, remaining: Some(0) })
}

/// `RetryInfo.retryDelay`, unless the plan has no such quota and waiting is no use.
fn delay(refusal: &Refusal<'_>) -> Option<std::time::Duration> {
    let hint = refusal.verdict.hint?;
    let told = refusal.envelope.delays.iter().find_map(|delay| match delay {
        Delay::Seconds(value) => when::wait(value, refusal.now),
        Delay::Millis(value) => Some(number::seconds(value)? / 1_000),
    });
    // A delay as long as the day's is the day's.
    told.filter(|wait| *wait < rules::boundary(refusal.dialect, DAY, refusal.now).unwrap_or(hint.wait))
}
