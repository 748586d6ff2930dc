//! Waiting for quota instead of failing: in the order of arrival, no longer than is worth it, and never twice.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::concurrency::join_all;
use crate::support::app::{App, ask, chain_of, config_of, piece, whole};
use crate::support::clock::TestClock;
use crate::support::provider::{Answer, DONE, Provider, STOP, delta};

/// An entry that refuses everything in the first seconds, and says for how long.
async fn spent_for(seconds: u64, clock: &TestClock) -> Provider {
    let clock = clock.clone();
    Provider::with(move |_, _| match (seconds * 1_000).checked_sub(clock.passed()).filter(|left| *left > 0) {
        Some(left) => Answer::rate_limited(Some(&left.div_ceil(1_000).to_string())),
        None => Answer::ok(),
    })
    .await
}

impl App {
    pub async fn line(&self) -> (u64, u64) {
        let view = self.get("/v1/ratelimits").await.json();
        let waiting: Vec<_> = view["chains"].as_array().unwrap().iter().map(|chain| &chain["waiting"]).collect();
        let depth = waiting.iter().map(|line| line["depth"].as_u64().unwrap()).sum();
        (depth, waiting.iter().map(|line| line["oldestMs"].as_u64().unwrap()).max().unwrap())
    }

    /// Waits until as many stand in the line.
    pub async fn line_has(&self, depth: u64) {
        let all_there = async { while self.line().await.0 != depth {} };
        tokio::time::timeout(Duration::from_secs(10), all_there).await.expect("the line never gets there");
    }
}

fn numbered(number: usize) -> String {
    ask(&format!(r#","user":"n{number}""#))
}

#[actix_rt::test]
async fn a_request_waits_for_quota_that_comes_back_in_time() {
    for (name, more) in [("whole", ""), ("stream", r#","stream":true"#)] {
        let stream = Answer::sse(&[&delta("Hi"), STOP, DONE]);
        let good = if more.is_empty() { Answer::ok() } else { stream };
        let provider = Provider::script([Answer::rate_limited(Some("20")), good]).await;
        let app = App::start(&chain_of(&[("a", &provider)])).await;
        let waiting = app.chat(ask(more));
        let then = async {
            app.line_has(1).await;
            app.clock.advance(Duration::from_millis(19_999));
            assert_eq!(app.line().await, (1, 19_999), "{name}");
            assert_eq!(provider.calls(), 1);
            app.clock.advance(Duration::from_millis(1));
        };
        let (reply, ()) = tokio::join!(waiting, then);
        assert_eq!((reply.status, reply.header("x-429chain-attempts")), (200, "2"), "{name}");
        assert_eq!(app.line().await, (0, 0), "{name}");
        app.stop().await;
    }
}

/// LESSONS O21 and the ask for an exact `Retry-After`: what does not come back in time is told at once.
#[actix_rt::test]
async fn o21_who_would_wait_too_long_is_told_at_once_and_exactly() {
    let clock = TestClock::default();
    let provider = spent_for(31, &clock).await;
    let app = App::start_at(&chain_of(&[("a", &provider)]), clock).await;
    let reply = app.chat(ask("")).await;
    assert_eq!((reply.status, reply.code().as_str()), (503, "all_providers_exhausted"));
    assert_eq!(reply.header("retry-after"), "31");
    app.clock.advance(Duration::from_millis(500));
    assert_eq!(app.chat(ask("")).await.header("retry-after"), "31", "rounded up");
    app.clock.advance(Duration::from_millis(600));
    let waiting = app.chat(ask(""));
    let then = async {
        app.line_has(1).await;
        app.clock.advance(Duration::from_millis(29_900));
    };
    let (reply, ()) = tokio::join!(waiting, then);
    assert_eq!(reply.status, 200, "29.9 s are not too long");
    app.stop().await;
}

/// LESSONS O22: the first of the line ran twice, others vanished, newcomers overtook. Here a hundred wait; each is
/// served once, in the order in which they came.
#[actix_rt::test]
async fn o22_each_request_runs_once_and_in_the_order_of_arrival() {
    let served = Arc::new(Mutex::new(Vec::new()));
    let order = Arc::clone(&served);
    let provider = Provider::with(move |request, before| {
        if before == 0 {
            return Answer::rate_limited(Some("10"));
        }
        let text = request.text();
        let name = text.split(r#""user":"n"#).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        order.lock().unwrap().push(name.parse::<usize>().unwrap());
        Answer::ok()
    })
    .await;
    let limits = "    rateLimits: { concurrentRequests: 1 }\n";
    let app = App::start(&config_of("  queueMaxWaitMs: 600000\n", &[("a", &provider)], limits)).await;
    let mut waiting = Vec::new();
    for number in 0..60 {
        waiting.push(actix_rt::spawn(App::send(&app, numbered(number))));
        app.line_has(number as u64 + 1).await;
    }
    app.clock.advance(Duration::from_secs(10));
    // Newcomers do not overtake those who wait.
    for number in 60..100 {
        waiting.push(actix_rt::spawn(App::send(&app, numbered(number))));
    }
    for task in waiting {
        assert_eq!(task.await.unwrap().status, 200);
    }
    let served = served.lock().unwrap().clone();
    assert_eq!(served.len(), 100, "each once");
    assert_eq!(served[..60], (0..60).collect::<Vec<_>>(), "in order of arrival");
    app.stop().await;
}

/// LESSONS O22: nothing woke the line when the wait had another reason than a cooldown.
#[actix_rt::test]
async fn o22_a_call_that_ends_wakes_the_line() {
    let gate = Arc::new(Semaphore::new(0));
    let provider = Provider::script([Answer::ok().behind(&gate)]).await;
    let limits = "    rateLimits: { concurrentRequests: 2 }\n";
    let app = App::start(&config_of("", &[("a", &provider)], limits)).await;
    let clients = join_all((0..6).map(|_| app.chat(ask(""))));
    let then = async {
        app.line_has(4).await;
        // The two that were granted are on their way.
        provider.called(2).await;
        assert_eq!(provider.calls(), 2);
        for (called, waiting) in [(3, 3), (4, 2), (5, 1), (6, 0)] {
            gate.add_permits(1);
            provider.called(called).await;
            app.line_has(waiting).await;
        }
        gate.add_permits(2);
    };
    let (replies, ()) = tokio::join!(clients, then);
    assert!(replies.iter().all(|reply| reply.status == 200));
    app.stop().await;
}

#[actix_rt::test]
async fn a_line_takes_no_more_than_it_may() {
    let clock = TestClock::default();
    let provider = spent_for(10, &clock).await;
    let app = App::start_at(&config_of("  queueMaxSize: 2\n", &[("a", &provider)], ""), clock).await;
    let waiting = join_all((0..2).map(|_| app.chat(ask(""))));
    let then = async {
        app.line_has(2).await;
        let reply = app.chat(ask("")).await;
        assert_eq!((reply.status, reply.code().as_str()), (503, "queue_full"));
        assert!(reply.header("retry-after").parse::<u64>().unwrap() >= 10, "{}", reply.header("retry-after"));
        app.clock.advance(Duration::from_secs(10));
    };
    let (replies, ()) = tokio::join!(waiting, then);
    assert!(replies.iter().all(|reply| reply.status == 200));
    app.stop().await;
}

#[actix_rt::test]
async fn who_has_waited_for_as_long_as_may_be_is_told() {
    let gate = Arc::new(Semaphore::new(0));
    let provider = Provider::script([Answer::ok().behind(&gate)]).await;
    let limits = "    rateLimits: { concurrentRequests: 1 }\n";
    let app = App::start(&config_of("  queueMaxWaitMs: 5000\n", &[("a", &provider)], limits)).await;
    let first = app.chat(ask(""));
    let then = async {
        provider.called(1).await;
        let second = app.chat(ask(""));
        let time = async {
            app.line_has(1).await;
            app.clock.advance(Duration::from_secs(5));
        };
        let (second, ()) = tokio::join!(second, time);
        assert_eq!((second.status, second.code().as_str()), (503, "queue_timeout"));
        assert!(second.text().contains("a/m (1 of 1 requests in flight)"), "{}", second.text());
        assert_eq!(app.line().await.0, 0);
        gate.add_permits(1);
    };
    let (first, ()) = tokio::join!(first, then);
    assert_eq!(first.status, 200);
    app.stop().await;
}

/// With a line in front, it is the turn that counts and not the first slot.
#[actix_rt::test]
async fn the_end_of_a_line_knows_how_long_the_line_is() {
    let provider = Provider::with(|_, _| Answer::ok()).await;
    let limits = "    rateLimits: { requestsPerMinute: 2 }\n";
    let app = App::start(&config_of("  queueMaxWaitMs: 80000\n", &[("a", &provider)], limits)).await;
    for _ in 0..2 {
        assert_eq!(app.chat(ask("")).await.status, 200);
    }
    let waiting = join_all((0..2).map(|_| app.chat(ask(""))));
    let then = async {
        app.line_has(2).await;
        // Two a minute: the third in the line has its turn in the minute after the next one.
        let reply = app.chat(ask("")).await;
        assert_eq!((reply.status, reply.code().as_str()), (503, "all_providers_exhausted"));
        let wait: u64 = reply.header("retry-after").parse().unwrap();
        assert!((120..=142).contains(&wait), "{wait}");
        app.clock.advance(Duration::from_millis(60_250));
    };
    let (replies, ()) = tokio::join!(waiting, then);
    assert!(replies.iter().all(|reply| reply.status == 200));
    app.stop().await;
}

/// LESSONS O17: queued requests ran on for nobody. One who leaves is out of the line within 50 ms.
#[actix_rt::test]
async fn o17_who_leaves_is_out_of_the_line_at_once_and_is_never_called_for() {
    let clock = TestClock::default();
    let provider = spent_for(20, &clock).await;
    let app = App::start_at(&chain_of(&[("a", &provider)]), clock).await;
    let leaving: Vec<_> = (0..3).map(|number| actix_rt::spawn(App::send(&app, numbered(number)))).collect();
    app.line_has(3).await;
    let called = provider.calls();
    let left = tokio::time::Instant::now();
    for task in leaving {
        task.abort();
    }
    app.line_has(0).await;
    assert!(left.elapsed() < Duration::from_secs(2), "{:?}", left.elapsed());
    app.clock.advance(Duration::from_secs(20));
    let reply = app.chat(numbered(9)).await;
    assert_eq!((reply.status, provider.calls()), (200, called + 1), "nobody was called for those who left");
    app.stop().await;
}

#[actix_rt::test]
async fn with_queue_mode_off_nobody_waits() {
    let clock = TestClock::default();
    let provider = spent_for(1, &clock).await;
    let app = App::start_at(&config_of("  queueMode: false\n", &[("a", &provider)], ""), clock).await;
    let reply = app.chat(ask("")).await;
    assert_eq!((reply.status, reply.code().as_str()), (503, "all_providers_exhausted"));
    assert_eq!(reply.header("retry-after"), "1");
    app.stop().await;
}

/// A waiting stream has no head yet, so what happens at its turn is as invisible as ever.
#[actix_rt::test]
async fn a_failure_after_the_wait_goes_on_to_the_next_entry() {
    let first = Provider::script([Answer::rate_limited(Some("5")), Answer::json(500, &[], "{}")]).await;
    let second = Provider::script([
        Answer::rate_limited(Some("10")),
        Answer::stream().part(&delta("Hi")).part(STOP).part(DONE).end(),
    ])
    .await;
    let app = App::start(&chain_of(&[("a", &first), ("b", &second)])).await;
    let waiting = async {
        let mut response = app.open(ask(r#","stream":true"#)).await;
        assert_eq!(response.headers().get("x-429chain-provider").unwrap(), "b/m");
        assert_eq!(piece(&mut response).await.unwrap(), delta("Hi"));
        whole(response).await
    };
    let then = async {
        app.line_has(1).await;
        app.clock.advance(Duration::from_secs(5));
        first.called(2).await;
        app.line_has(1).await;
        app.clock.advance(Duration::from_secs(5));
    };
    tokio::join!(waiting, then);
    app.stop().await;
}

/// What fails without resting would be called again and again by one who waits for another entry.
#[actix_rt::test]
async fn who_waits_does_not_try_again_what_has_refused_the_request() {
    let overflow =
        r#"{"error":{"message":"This model's maximum context length is 8 tokens","code":"context_length_exceeded"}}"#;
    let clock = TestClock::default();
    let (first, second) = (Provider::script([Answer::json(400, &[], overflow)]).await, spent_for(20, &clock).await);
    let app = App::start_at(&chain_of(&[("a", &first), ("b", &second)]), clock).await;
    let waiting = app.chat(ask(""));
    let then = async {
        app.line_has(1).await;
        app.clock.advance(Duration::from_secs(20));
    };
    let (reply, ()) = tokio::join!(waiting, then);
    assert_eq!((reply.status, reply.header("x-429chain-provider"), first.calls()), (200, "b/m", 1));
    app.stop().await;
}

/// Who waits for one entry does not keep others from another.
#[actix_rt::test]
async fn quota_that_the_first_cannot_use_serves_those_behind() {
    let a = Provider::with(|request, _| {
        if request.text().contains("LONG") {
            return Answer::error(
                400,
                &[],
                "This model's maximum context length is 8192 tokens, however you requested 20000 tokens",
                "context_length_exceeded",
            );
        }
        Answer::ok()
    })
    .await;
    let b = Provider::script([Answer::rate_limited(Some("25")), Answer::ok()]).await;
    let app = App::start(&chain_of(&[("a", &a), ("b", &b)])).await;
    let long = actix_rt::spawn(App::send(&app, ask(r#","user":"LONG""#)));
    app.line_has(1).await;
    let short = tokio::time::timeout(Duration::from_secs(3), app.chat(ask(""))).await;
    let depth = app.line().await.0;
    app.clock.advance(Duration::from_secs(25));
    let long = long.await.unwrap();
    assert!(short.is_ok(), "a is free, and nobody is sent there (in line: {depth}); the long one: {}", long.status);
    app.stop().await;
}

/// Two chains that share an entry.
#[actix_rt::test]
async fn lines_of_two_chains_take_turns() {
    let gate = Arc::new(Semaphore::new(0));
    let served = Arc::new(Mutex::new(Vec::new()));
    let (order, shut) = (Arc::clone(&served), Arc::clone(&gate));
    let provider = Provider::with(move |request, _| {
        let text = request.text();
        let name = text.split(r#""user":""#).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        order.lock().unwrap().push(name.to_owned());
        Answer::ok().behind(&shut)
    })
    .await;
    let limits = "    rateLimits: { concurrentRequests: 1 }\n";
    let yaml = config_of("  queueMaxWaitMs: 600000\n  defaultChain: default\n", &[("a", &provider)], limits)
        + "  - name: zebra\n    entries:\n      - { provider: a, model: m }\n";
    let app = App::start(&yaml).await;
    let by = |chain: &str, number: usize| {
        ask(&format!(r#","user":"{chain}{number}""#)).replace("\"default\"", &format!("\"{chain}\""))
    };
    let mut tasks = vec![actix_rt::spawn(App::send(&app, by("default", 99)))];
    provider.called(1).await;
    for number in 0..10 {
        tasks.push(actix_rt::spawn(App::send(&app, by("zebra", number))));
        tasks.push(actix_rt::spawn(App::send(&app, by("default", number))));
    }
    app.line_has(20).await;
    gate.add_permits(100);
    for task in tasks {
        task.await.unwrap();
    }
    let served = served.lock().unwrap().clone();
    let half = served.iter().take(11).filter(|name| name.starts_with("zebra")).count();
    assert_eq!(half, 5, "{served:?}");
    app.stop().await;
}

/// Requests that no entry can ever take stand in the line for a moment.
#[actix_rt::test]
async fn who_does_not_fit_keeps_nobody_out() {
    for settings in ["  queueMode: false\n", ""] {
        let provider = Provider::with(|_, _| Answer::ok()).await;
        let app =
            App::start(&config_of(settings, &[("a", &provider)], "    models: { m: { contextWindow: 2000 } }\n")).await;
        let large = "word ".repeat(4_000);
        let clients = join_all((0..400).map(|number| {
            let body = if number % 2 == 0 { ask(&format!(r#","user":"{large}""#)) } else { ask("") };
            app.send(body)
        }))
        .await;
        let small: Vec<_> = clients
            .iter()
            .skip(1)
            .step_by(2)
            .map(|reply| (reply.status, if reply.status == 200 { String::new() } else { reply.code() }))
            .collect();
        assert!(
            small.iter().all(|(status, _)| *status == 200),
            "{settings}: {} of {}: {:?}",
            small.iter().filter(|(status, _)| *status != 200).count(),
            small.len(),
            small.iter().find(|(status, _)| *status != 200)
        );
        app.stop().await;
    }
}
