//! `GET /v1/ratelimits`: what is known about every entry right now.

use std::rc::Rc;

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::json;

use super::error::ApiError;
use crate::actors::msg::Routes;
use crate::actors::route::{Entry, RouteTable};
use crate::domain::cooldown::{Cooldown, Deadline};
use crate::domain::outcome::{Basis, Reason};
use crate::domain::time::Now;
use crate::upstream::waterfall::Worker;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryView<'a> {
    provider: &'a str,
    model: &'a str,
    status: Status,
    /// RFC 3339.
    cooldown_until: Option<String>,
    /// Whole milliseconds from now.
    cooldown_ms: Option<u64>,
    reason: Option<&'static str>,
    cause: Option<Cause>,
    in_flight: u32,
    quota: Quota,
}

#[derive(Serialize)]
struct Cause {
    reason: Reason,
    status: u16,
    basis: Basis,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Quota {
    concurrent_requests: Option<Slots>,
}

#[derive(Serialize)]
struct Slots {
    limit: u32,
    remaining: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Ready,
    Cooling,
    AuthError,
    Off,
    Untried,
}

/// The state of all entries, and which of them each chain would ask first.
pub async fn ratelimits(request: HttpRequest) -> HttpResponse {
    let Some(worker) = request.app_data::<Rc<Worker>>() else { return ApiError::ShuttingDown.response() };
    let Ok(table) = worker.router.send(Routes).await else { return ApiError::ShuttingDown.response() };
    let now = worker.clock.now();
    let entries = table.entries.values().flat_map(|route| &route.places);
    HttpResponse::Ok().json(json!({
        "ratelimits": entries.map(|place| view(&place.entry, now)).collect::<Vec<_>>(),
        "chains": chains(&table, now),
    }))
}

fn view(entry: &Entry, now: Now) -> EntryView<'_> {
    let gauges = entry.handle.iter().flat_map(|handle| handle.gauges.iter());
    let cooldown = gauges.clone().filter_map(|gauge| gauge.cooldown(now.mono)).max_by_key(|cooldown| cooldown.until);
    let slots = gauges.filter_map(|gauge| {
        gauge.limit().map(|limit| Slots { limit, remaining: limit.saturating_sub(gauge.in_flight()) })
    });
    let own = entry.handle.as_ref().and_then(|handle| handle.own());
    let status = match (own, &cooldown) {
        (None, _) => Status::Off,
        (_, Some(Cooldown { reason: Reason::Auth, .. })) => Status::AuthError,
        (_, Some(_)) => Status::Cooling,
        (Some(own), None) if own.tried() => Status::Ready,
        (Some(_), None) => Status::Untried,
    };
    let ends = cooldown.and_then(|cooldown| match cooldown.until {
        Deadline::At(end) => Some(end),
        Deadline::Never => None,
    });
    EntryView {
        provider: entry.id.provider.as_str(),
        model: entry.id.model.as_str(),
        status,
        cooldown_until: ends.map(|end| now.wall_at(end).to_string()),
        cooldown_ms: ends.and_then(|end| u64::try_from(end.from_now(now.mono).as_millis()).ok()),
        reason: cooldown.map(|cooldown| cooldown.reason.words()),
        cause: cooldown.map(|Cooldown { reason, status, basis, .. }| Cause { reason, status, basis }),
        in_flight: own.map_or(0, |own| own.in_flight()),
        quota: Quota { concurrent_requests: slots.min_by_key(|slots| slots.remaining) },
    }
}

fn chains(table: &RouteTable, now: Now) -> Vec<serde_json::Value> {
    let routes = table.order.iter().filter_map(|name| table.chains.get(name));
    routes
        .map(|route| {
            let able = |entry: &Entry| entry.handle.as_ref().is_some_and(|door| door.refusal(now.mono).is_none());
            let next = route.places.iter().map(|place| &*place.entry).find(|entry| able(entry));
            json!({ "chain": route.label, "next": next.map(|entry| &entry.id) })
        })
        .collect()
}
