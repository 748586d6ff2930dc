//! Defects of earlier proxies in what is counted and what ends a cooldown, seen from outside.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Semaphore;

use crate::support::app::{ADMIN, App, ask, chain_of, healthy, piece, whole, with_a};
use crate::support::provider::{Answer, COMPLETION, Provider, delta};

fn used(entry: &Value, counts: &str) -> u64 {
    let buckets = entry["keys"][0]["buckets"].as_array().unwrap();
    buckets.iter().find(|bucket| bucket["counts"] == counts).unwrap()["used"].as_u64().unwrap()
}

/// LESSONS O7: nothing left and no reset was a cooldown of 0 ms.
#[actix_rt::test]
async fn o7_nothing_left_and_no_reset_is_not_tried_again_at_once() {
    let headers = [
        ("x-ratelimit-limit-requests", "10"),
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-limit-tokens", "1000"),
        ("x-ratelimit-remaining-tokens", "0"),
    ];
    let (a, b) = (Provider::script([Answer::json(200, &headers, COMPLETION)]).await, healthy().await);
    let app = App::start(&chain_of(&[("a", &a), ("b", &b)])).await;
    assert_eq!(app.served_by().await, "a/m");
    for _ in 0..5 {
        assert_eq!(app.served_by().await, "b/m");
        app.clock.advance(Duration::from_secs(11));
    }
    assert_eq!(a.calls(), 1);
    app.clock.advance(Duration::from_secs(6));
    assert_eq!(app.served_by().await, "a/m", "a window of unknown length is taken for a minute");
    app.stop().await;
}

/// LESSONS F9: failed, aborted and broken calls were not counted, although providers count them.
#[actix_rt::test]
async fn f9_failed_aborted_and_broken_calls_count() {
    let gate = Arc::new(Semaphore::new(0));
    let closed = Arc::clone(&gate);
    let a = Provider::with(move |_, before| match before {
        0 => Answer::json(500, &[], "{}"),
        1 => Answer::ok().behind(&closed),
        2 => Answer::stream().part(&delta("Hi")).close(),
        _ => Answer::ok(),
    })
    .await;
    let b = healthy().await;
    let limits = "    rateLimits: { requestsPerMinute: 4, tokensPerDay: 1000000 }\n";
    let app = App::start(&with_a(&chain_of(&[("a", &a), ("b", &b)]), limits)).await;
    let tokens = async || used(&app.entry("a").await, "tokens");

    assert_eq!(app.served_by().await, "b/m");
    let failed = tokens().await;
    assert!(failed > 0);
    app.clock.advance(Duration::from_secs(16));

    tokio::select! {
        _ = app.chat(ask("")) => panic!("nobody has opened the gate"),
        () = a.called(2) => {}
    }
    a.aborted(1).await;
    while app.entry("a").await["inFlight"] != 0 {
        tokio::task::yield_now().await;
    }
    let aborted = tokens().await;
    assert!(aborted > failed);

    let mut stream = app.open(ask(r#","stream":true"#)).await;
    while piece(&mut stream).await.is_some() {}
    while app.entry("a").await["inFlight"] != 0 {
        tokio::task::yield_now().await;
    }
    assert!(tokens().await > aborted);

    assert_eq!(app.served_by().await, "a/m");
    assert_eq!(used(&app.entry("a").await, "requests"), 4);
    assert_eq!(app.served_by().await, "b/m", "four a minute are used up");
    assert_eq!(a.calls(), 4);
    app.stop().await;
}

/// LESSONS F11: a working `GET /models` ended a cooldown, although it proves the credential and nothing else.
#[actix_rt::test]
async fn f11_only_time_ends_a_cooldown() {
    let a = Provider::with(|request, before| match (request.text().contains(r#""model":"m""#), before) {
        (true, 0) => Answer::rate_limited(Some("300")),
        _ => Answer::ok(),
    })
    .await;
    let b = healthy().await;
    let yaml = chain_of(&[("a", &a), ("b", &b)]).replace("  - id: a\n", "  - id: a\n    models: { n: {} }\n");
    let app = App::start(&yaml).await;
    assert_eq!(app.served_by().await, "b/m");
    let until = app.entry("a").await["cooldownUntil"].clone();
    for _ in 0..5 {
        app.clock.advance(Duration::from_secs(59));
        // The same key works for another model, and people look.
        assert_eq!(app.chat(ask("").replace("default", "a/n")).await.header("x-429chain-provider"), "a/n");
        for path in ["/v1/models", "/v1/models/a/m", "/health", "/v1/ratelimits"] {
            assert_eq!(app.get(path).await.status, 200);
        }
        let explain = app.client.post(format!("{}/v1/admin/explain", app.url)).bearer_auth(ADMIN);
        assert_eq!(whole(explain.send_body("{}").await.unwrap()).await.status, 200);
        assert_eq!(app.served_by().await, "b/m");
        assert_eq!(app.entry("a").await["cooldownUntil"], until);
    }
    assert!(a.requests().iter().all(|request| request.head.starts_with("POST ")), "nobody probes");
    app.clock.advance(Duration::from_secs(5));
    assert_eq!(app.served_by().await, "a/m");
    app.stop().await;
}

/// LESSONS F12: there were three clocks for days, and none was the provider's.
#[actix_rt::test]
async fn f12_a_day_ends_when_the_provider_says_so() {
    let (pacific, utc, rolling, last) = (healthy().await, healthy().await, healthy().await, healthy().await);
    let yaml = chain_of(&[("pacific", &pacific), ("utc", &utc), ("rolling", &rolling), ("last", &last)]);
    let yaml = [
        ("pacific", r#", dayResetsAt: "00:00 America/Los_Angeles""#),
        ("utc", r#", dayResetsAt: "00:00 UTC""#),
        ("rolling", ""),
    ]
    .iter()
    .fold(yaml, |yaml, (id, reset)| {
        let section = format!("  - id: {id}\n");
        yaml.replace(&section, &format!("{section}    rateLimits: {{ requestsPerDay: 1{reset} }}\n"))
    });
    let app = App::start(&yaml).await;
    for entry in ["pacific/m", "utc/m", "rolling/m", "last/m"] {
        assert_eq!(app.served_by().await, entry);
    }
    // It is noon in London, and four in the morning in California.
    for (hours, back) in [(11, None), (1, Some("utc/m")), (7, None), (1, Some("pacific/m")), (3, None)] {
        app.clock.advance(Duration::from_secs(hours * 3_600));
        for entry in back.into_iter().chain(["last/m"]) {
            assert_eq!(app.served_by().await, entry);
        }
    }
    app.clock.advance(Duration::from_secs(3_600 + 1));
    for entry in ["rolling/m", "last/m"] {
        assert_eq!(app.served_by().await, entry);
    }
    app.stop().await;
}
