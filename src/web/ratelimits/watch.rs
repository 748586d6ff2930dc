//! The same state as server-sent events: at once, and whenever it has changed.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::Bytes;
use serde_json::Value;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::snapshot;
use crate::upstream::waterfall::Worker;
use crate::web::state::State;

/// From one look at the state to the next: what has changed is told twice a second at most.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Looks without news until a sign of life is sent, so that proxies in between keep the connection.
const LOOKS_OF_SILENCE: u32 = 30;

/// Members that change with every look, though nothing has happened.
const CLOCKWORK: [&str; 8] =
    ["now", "cooldownMs", "ageMs", "oldestMs", "requestsPerMinute", "tokensPerMinute", "exhaustedAt", "until"];

/// The stream; it ends when the client leaves, or the proxy stops.
pub(super) fn stream(worker: Rc<Worker>, state: Arc<State>) -> HttpResponse {
    let (send, events) = tokio::sync::mpsc::channel::<Bytes>(1);
    actix_rt::spawn(async move {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (mut told, mut silent) = (Value::Null, 0);
        while !state.drain.draining() {
            tokio::select! {
                _ = tick.tick() => {}
                () = send.closed() => return,
            }
            let Ok(now) = snapshot(&worker, &state).await else { return };
            let essence = essence(&now);
            silent += 1;
            let event = if essence != told {
                told = essence;
                Bytes::from(format!("event: ratelimits\ndata: {now}\n\n"))
            } else if silent >= LOOKS_OF_SILENCE {
                Bytes::from_static(b": nothing new\n\n")
            } else {
                continue;
            };
            silent = 0;
            if send.send(event).await.is_err() {
                return;
            }
        }
    });
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(ReceiverStream::new(events).map(Ok::<_, std::convert::Infallible>))
}

/// The state without what only the clock changes.
fn essence(state: &Value) -> Value {
    match state {
        Value::Object(members) => {
            let lasting = members.iter().filter(|(name, _)| !CLOCKWORK.contains(&name.as_str()));
            lasting.map(|(name, value)| (name.clone(), essence(value))).collect()
        }
        Value::Array(items) => items.iter().map(essence).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_only_the_clock_changes_is_no_news() {
        let state = |now: &str, until: &str, rate: f64, left: u64| {
            json!({
                "now": now,
                "ratelimits": [{ "cooldownMs": left, "keys": [{ "buckets": [{ "ageMs": left, "remaining": 3 }] }] }],
                "chains": [{ "requestsPerMinute": rate, "tokensPerMinute": rate, "exhaustedAt": until,
                             "forecast": [{ "until": until, "requestsLeft": 3 }], "waiting": { "oldestMs": left } }],
            })
        };
        let before = essence(&state("12:00:00", "12:01:00", 1.5, 700));
        assert_eq!(before, essence(&state("12:00:01", "12:01:01", 1.4, 200)));
        let mut other = state("12:00:01", "12:01:01", 1.4, 200);
        other["ratelimits"][0]["keys"][0]["buckets"][0]["remaining"] = 2.into();
        assert_ne!(before, essence(&other));
    }
}
