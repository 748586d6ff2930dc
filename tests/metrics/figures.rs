//! What the figures are after known requests.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::Scrape;
use crate::support::app::{App, CLIENT, ask, chain_of, config_of, healthy, piece, whole, with_a};
use crate::support::provider::{Answer, DONE, Provider, STOP, USAGE, delta};

/// A request to one entry.
fn ask_of(entry: &str, more: &str) -> String {
    ask(more).replace("default", entry)
}

fn requests(scrape: &Scrape, chain: &str, served_by: &str, outcome: &str) -> f64 {
    let model = if served_by.is_empty() { "" } else { "m" };
    let labels = [("chain", chain), ("provider", served_by), ("model", model), ("outcome", outcome)];
    scrape.value("chain429_requests_total", &labels)
}

fn attempts(scrape: &Scrape, provider: &str, reason: &str) -> f64 {
    scrape.value("chain429_attempts_total", &[("provider", provider), ("model", "m"), ("reason", reason)])
}

fn tokens(scrape: &Scrape, provider: &str, kind: &str) -> f64 {
    scrape.value("chain429_tokens_total", &[("provider", provider), ("model", "m"), ("kind", kind)])
}

#[actix_rt::test]
async fn every_request_is_counted_once_and_where_it_belongs() {
    const STREAM: &str = r#","stream":true"#;
    let gate = Arc::new(Semaphore::new(0));
    let open = Arc::clone(&gate);
    let a = Provider::script([Answer::ok().behind(&open), Answer::rate_limited(Some("42"))]).await;
    let b = Provider::script([
        Answer::ok(),
        Answer::sse(&[&delta("Hi"), STOP, USAGE, DONE]).behind(&open),
        Answer::stream().part(&delta("Hi")).close(),
        Answer::stream().part(&delta("Hi")).hang(),
    ])
    .await;
    let c = Provider::script([Answer::error(400, &[], "messages must not be empty", "invalid_request_error")]).await;
    let yaml = config_of("  queueMode: false\n  unknownModel: reject\n", &[("a", &a), ("b", &b), ("c", &c)], "");
    let app = App::start(&yaml).await;

    // Served, in a second and a half.
    let later = async {
        a.called(1).await;
        app.clock.advance(Duration::from_millis(1_500));
        gate.add_permits(1);
    };
    let (reply, ()) = tokio::join!(app.chat(ask("")), later);
    assert_eq!(reply.status, 200);
    // Passed over.
    assert_eq!(app.served_by().await, "b/m");
    // Streamed, with the first content after 700 ms.
    let later = async {
        b.called(2).await;
        app.clock.advance(Duration::from_millis(700));
        gate.add_permits(1);
    };
    let (reply, ()) = tokio::join!(app.chat(ask(STREAM)), later);
    assert!(reply.text().ends_with(DONE), "{}", reply.text());
    // Broken in the middle.
    assert!(app.chat(ask_of("b/m", STREAM)).await.text().contains("stream_interrupted"));
    // Left by the client.
    let mut left = app.open(ask_of("b/m", STREAM)).await;
    piece(&mut left).await.unwrap();
    drop(left);
    b.aborted(1).await;
    // Refused by a provider, exhausted, for nobody, unreadable.
    assert_eq!(app.chat(ask_of("c/m", "")).await.status, 400);
    assert_eq!(app.chat(ask_of("a/m", "")).await.code(), "all_providers_exhausted");
    assert_eq!(app.chat(ask_of("no-such-model", "")).await.code(), "model_not_found");
    assert_eq!(app.chat("{").await.code(), "invalid_request");
    // Without a key nothing is a request.
    assert_eq!(whole(app.post(ask(""), "nope").await).await.status, 401);

    let scrape = Scrape::after(&app, 9).await;
    assert_eq!(scrape.sum("chain429_requests_total", &[]), 9.0, "{}", scrape.text);
    for (chain, served_by, outcome, count) in [
        ("default", "a", "served", 1.0),
        ("default", "b", "served", 2.0),
        ("b/m", "b", "stream_interrupted", 1.0),
        ("b/m", "b", "client_closed", 1.0),
        ("c/m", "", "refused", 1.0),
        ("a/m", "", "exhausted", 1.0),
        ("", "", "model_not_found", 1.0),
        ("", "", "invalid_request", 1.0),
    ] {
        assert_eq!(requests(&scrape, chain, served_by, outcome), count, "{chain} {served_by} {outcome}");
    }
    assert_eq!(scrape.sum("chain429_attempts_total", &[]), 7.0, "{}", scrape.text);
    for (provider, reason, count) in
        [("a", "ok", 1.0), ("a", "rate_limit", 1.0), ("b", "ok", 4.0), ("c", "bad_request", 1.0)]
    {
        assert_eq!(attempts(&scrape, provider, reason), count, "{provider} {reason}");
    }
    assert_eq!((tokens(&scrape, "a", "prompt"), tokens(&scrape, "a", "completion")), (12.0, 3.0));
    // Of two answers the provider has counted the tokens, of two that broke off they are estimated.
    assert!(tokens(&scrape, "b", "prompt") > 24.0 && tokens(&scrape, "b", "completion") > 6.0, "{}", scrape.text);

    let served = [("chain", "default"), ("outcome", "served")];
    assert_eq!(scrape.value("chain429_request_duration_seconds_count", &served), 3.0);
    assert_eq!(scrape.value("chain429_request_duration_seconds_sum", &served), 2.2);
    let below = |le| [served[0], served[1], ("le", le)];
    for (le, count) in [("0.5", 1.0), ("1", 2.0), ("2.5", 3.0), ("+Inf", 3.0)] {
        assert_eq!(scrape.value("chain429_request_duration_seconds_bucket", &below(le)), count, "{le}");
    }
    let first = |of: &str, chain| scrape.value(&format!("chain429_first_token_seconds_{of}"), &[("chain", chain)]);
    assert_eq!((first("count", "default"), first("sum", "default"), first("count", "b/m")), (1.0, 0.7, 2.0));
    let attempt = |provider| [("provider", provider), ("model", "m")];
    assert_eq!(scrape.value("chain429_attempt_duration_seconds_sum", &attempt("a")), 1.5);
    assert_eq!(scrape.value("chain429_attempt_duration_seconds_count", &attempt("a")), 2.0);
    assert!(!scrape.text.contains("no-such-model"), "what a client asks for is no label");
    app.stop().await;
}

#[actix_rt::test]
async fn several_workers_count_together() {
    let a = healthy().await;
    let app = App::start(&config_of("  workers: 3\n", &[("a", &a)], "")).await;
    for _ in 0..10 {
        let together: Vec<_> = (0..6).map(|_| actix_rt::spawn(app.send(ask("")))).collect();
        for reply in together {
            assert_eq!(reply.await.unwrap().status, 200);
        }
    }
    let scrape = Scrape::after(&app, 60).await;
    assert_eq!(requests(&scrape, "default", "a", "served"), 60.0);
    assert_eq!(tokens(&scrape, "a", "prompt"), 720.0);
    app.stop().await;
}

#[actix_rt::test]
async fn quota_cooldowns_and_status_are_as_they_are_now() {
    let a = healthy().await;
    let b = Provider::script([Answer::rate_limited(Some("42"))]).await;
    let c = Provider::script([Answer::error(410, &[], "the model is gone", "gone")]).await;
    let yaml = config_of("  queueMode: false\n", &[("a", &a), ("b", &b), ("c", &c)], "")
        .replace("apiKey: key-of-a\n", "apiKeys: [gsk_abcdefgh1234, gsk_abcdefgh5678]\n");
    let limits = "    rateLimits: { scope: provider, requestsPerMinute: 10, tokensPerDay: 5000 }\n";
    let yaml = with_a(&yaml, limits)
        .replace("{ provider: a, model: m }", "{ provider: a, model: m }\n      - { provider: a, model: n }");
    let app = App::start(&yaml).await;
    for entry in ["a/m", "b/m", "c/m"] {
        app.chat(ask_of(entry, r#","max_tokens":10"#)).await;
    }
    app.clock.advance(Duration::from_secs(2));
    let scrape = Scrape::after(&app, 3).await;
    let quota = |name: &str, key, counts, window| {
        // Two models share it: it is there once, under neither name.
        let labels =
            [("provider", "a"), ("model", ""), ("key", key), ("scope", "key"), ("counts", counts), ("window", window)];
        scrape.value(name, &labels)
    };
    let keys = |name, counts, window| {
        let mut both = [quota(name, "1", counts, window), quota(name, "2", counts, window)];
        both.sort_by(f64::total_cmp);
        both
    };
    assert_eq!(keys("chain429_quota_remaining", "requests", "minute"), [9.0, 10.0]);
    assert_eq!(keys("chain429_quota_limit", "requests", "minute"), [10.0, 10.0]);
    assert_eq!(keys("chain429_quota_remaining", "tokens", "day"), [4_985.0, 5_000.0]);
    let cold = |provider, key| {
        scrape.value("chain429_cooldown_seconds", &[("provider", provider), ("model", "m"), ("key", key)])
    };
    assert_eq!((cold("a", "1"), cold("a", "2"), cold("b", "1")), (0.0, 0.0, 40.0));
    assert_eq!(cold("c", "1"), f64::INFINITY, "{}", scrape.text);
    for (provider, status) in [("a", "ready"), ("b", "cooling"), ("c", "cooling")] {
        let of = |status| [("provider", provider), ("model", "m"), ("status", status)];
        assert_eq!(scrape.value("chain429_entry_status", &of(status)), 1.0, "{provider}");
        assert_eq!(scrape.sum("chain429_entry_status", &of(status)[..2]), 1.0, "{provider}");
    }
    for secret in ["gsk_", "abcdefgh", "1234", CLIENT] {
        assert!(!scrape.text.contains(secret), "{secret} is in {}", scrape.text);
    }
    app.stop().await;
}

#[actix_rt::test]
async fn who_waits_and_what_is_under_way_is_told() {
    let gate = Arc::new(Semaphore::new(0));
    let open = Arc::clone(&gate);
    let a = Provider::with(move |_, _| Answer::ok().behind(&open)).await;
    let app = App::start(&with_a(&chain_of(&[("a", &a)]), "    rateLimits: { concurrentRequests: 1 }\n")).await;
    let chain = [("chain", "default")];
    let idle = Scrape::of(&app).await;
    assert_eq!(idle.value("chain429_waiting_requests", &chain), 0.0);
    let during = async {
        a.called(1).await;
        let mut scrape = Scrape::of(&app).await;
        while scrape.value("chain429_waiting_requests", &chain) < 2.0 {
            tokio::task::yield_now().await;
            scrape = Scrape::of(&app).await;
        }
        app.clock.advance(Duration::from_secs(3));
        let scrape = Scrape::of(&app).await;
        assert_eq!(scrape.value("chain429_waiting_oldest_seconds", &chain), 3.0);
        assert_eq!(scrape.value("chain429_in_flight_requests", &[]), 3.0);
        assert_eq!(scrape.value("chain429_entry_in_flight_calls", &[("provider", "a"), ("model", "m")]), 1.0);
        gate.add_permits(3);
    };
    tokio::join!(app.chat(ask("")), app.chat(ask("")), app.chat(ask("")), during);
    let scrape = Scrape::after(&app, 3).await;
    assert_eq!(scrape.value("chain429_waiting_requests", &chain), 0.0);
    assert_eq!(scrape.value("chain429_wait_duration_seconds_count", &chain), 2.0);
    assert_eq!(scrape.value("chain429_wait_duration_seconds_sum", &chain), 6.0);
    app.stop().await;
}

#[actix_rt::test]
async fn the_recorder_and_the_process_are_told_of() {
    let a = healthy().await;
    let app = App::start(&chain_of(&[("a", &a)])).await;
    for _ in 0..3 {
        app.chat(ask("")).await;
    }
    let written = async {
        loop {
            let scrape = Scrape::after(&app, 3).await;
            let (waiting, written) = (
                scrape.value("chain429_recorder_backlog_rows", &[]),
                scrape.value("chain429_recorder_written_rows_total", &[]),
            );
            assert_eq!(waiting + written, 3.0);
            if waiting == 0.0 {
                return scrape;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let scrape = tokio::time::timeout(Duration::from_secs(10), written).await.unwrap();
    assert_eq!(scrape.value("chain429_recorder_dropped_rows_total", &[]), 0.0);
    assert_eq!(scrape.value("chain429_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), 1.0);
    assert_eq!(scrape.value("process_start_time_seconds", &[]), 1_795_521_600.0);
    #[cfg(target_os = "linux")]
    {
        let (resident, virtual_) =
            (scrape.value("process_resident_memory_bytes", &[]), scrape.value("process_virtual_memory_bytes", &[]));
        assert!((1e6..1e10).contains(&resident) && resident < virtual_, "{resident} of {virtual_}");
        assert!(scrape.value("process_cpu_seconds_total", &[]) > 0.0);
        let (open, most) = (scrape.value("process_open_fds", &[]), scrape.value("process_max_fds", &[]));
        assert!((5.0..most).contains(&open), "{open} of {most}");
    }
    app.stop().await;
}
