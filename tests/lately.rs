//! What `/v1/ratelimits` knows beyond the moment: health, forecast, and news for those who watch.

use std::time::Duration;

use serde_json::Value;

use crate::support::app::{ADMIN, App, ask, chain_of, healthy, piece, with_a};
use crate::support::provider::{Answer, DONE, Provider, STOP, USAGE, delta};

/// How it has gone lately, from what is recorded, and how long what is left lasts at that rate.
#[actix_rt::test]
async fn health_and_forecast_come_from_what_was_recorded() {
    let stream = Answer::sse(&[&delta("Hi"), STOP, USAGE, DONE]);
    let provider = Provider::script([Answer::ok(), Answer::json(500, &[], "{}"), stream]).await;
    let second = Provider::script([Answer::ok()]).await;
    let limits = "    rateLimits: { requestsPerDay: 100 }\n";
    let app = App::start(&with_a(&chain_of(&[("a", &provider), ("b", &second)]), limits)).await;
    assert_eq!(app.entry("a").await["health"]["5m"]["attempts"], 0);
    for more in ["", "", r#","stream":true"#] {
        app.chat(ask(more)).await;
        app.clock.advance(Duration::from_secs(30));
    }
    let recorded = async { while app.entry("a").await["health"]["24h"]["attempts"] != 3 {} };
    tokio::time::timeout(Duration::from_secs(10), recorded).await.expect("it is written within moments");
    let health = app.entry("a").await["health"].clone();
    let rate = health["5m"]["errorRate"].as_f64().unwrap();
    assert!((rate - 1.0 / 3.0).abs() < 1e-9, "{health}");
    assert!(health["5m"]["latencyMs"]["p95"].is_u64() && health["5m"]["firstTokenMs"]["p50"].is_u64(), "{health}");
    let trend = app.entry("a").await["trend"].clone();
    let [hour] = trend.as_array().unwrap().as_slice() else { panic!("{trend}") };
    assert_eq!((&hour["at"], &hour["attempts"]), (&"2026-11-24T12:00:00.000Z".into(), &3.into()));
    let listed = app.get("/v1/stats/entries/a/m").await.json();
    assert_eq!((&listed["health"], &listed["trend"]), (&health, &trend));
    app.clock.advance(Duration::from_secs(600));
    // What was read is shown for a moment.
    let over = async { while app.entry("a").await["health"]["5m"]["attempts"] != 0 {} };
    tokio::time::timeout(Duration::from_secs(10), over).await.expect("five minutes are over");
    assert_eq!(app.entry("a").await["health"]["1h"]["attempts"], 3);
    app.stop().await;

    // Three hundred in the last four minutes, and forty left of a day: the minute that has just begun is the fifth.
    let provider = healthy().await;
    let limits = "    rateLimits: { requestsPerDay: 340, dayResetsAt: \"00:00 UTC\" }\n";
    let app = App::start(&with_a(&chain_of(&[("a", &provider)]), limits)).await;
    for _ in 0..300 {
        assert_eq!(app.chat(ask("")).await.status, 200);
    }
    let chain = async || app.get("/v1/ratelimits").await.json()["chains"][0].clone();
    let recorded = async { while chain().await["requestsPerMinute"] != 75.0 {} };
    tokio::time::timeout(Duration::from_secs(10), recorded).await.expect("it is written within moments");
    let chain = chain().await;
    assert_eq!((&chain["requestsLeft"], &chain["exhaustedAt"]), (&40.into(), &"2026-11-24T12:00:32.000Z".into()));
    app.stop().await;
}

/// `watch=1`: the same at once, and again when it has changed, and not because the clock has moved.
#[actix_rt::test]
async fn whoever_watches_is_told_of_every_change() {
    let provider = Provider::script([Answer::ok(), Answer::rate_limited(Some("60"))]).await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let request = app.client.get(format!("{}/v1/ratelimits?watch=1", app.url)).bearer_auth(ADMIN);
    let mut events = request.send().await.unwrap();
    assert_eq!(events.headers().get("content-type").unwrap(), "text/event-stream");
    let status = |event: Option<String>| {
        let event = event.unwrap();
        let data = event.trim_end().strip_prefix("event: ratelimits\ndata: ").unwrap();
        serde_json::from_str::<Value>(data).unwrap()["ratelimits"][0]["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status(piece(&mut events).await), "untried");
    app.chat(ask("")).await;
    // How long what was recorded takes to show is of no interest here.
    while status(piece(&mut events).await) != "ready" {}
    app.chat(ask("").replace("default", "a/m")).await;
    while status(piece(&mut events).await) != "cooling" {}
    for wrong in ["watch=2", "watch=yes", "wach=1"] {
        assert_eq!(app.get(&format!("/v1/ratelimits?{wrong}")).await.status, 400, "{wrong}");
    }
    // A stop does not wait for those who watch.
    tokio::time::timeout(Duration::from_secs(8), app.stop()).await.unwrap();
    assert!(piece(&mut events).await.is_none());
}
