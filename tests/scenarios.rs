//! Sixteen ways in which a provider lets a request down, judged from outside: the binary in a process of its own, one client,
//! a deadline, and what came of it. Settings are the defaults.

use std::time::Duration;

use awc::Client;
use serde_json::Value;
use tokio::time::{Instant, timeout};

use crate::support::app::{App, CLIENT, Reply, ask, chain_of, whole};
use crate::support::binary::{Running, command};
use crate::support::provider::{Answer, COMPLETION, DONE, Provider, STOP, delta};

const STREAM: &str = r#","stream":true"#;

/// The binary in front of scripted providers.
struct Outside {
    running: Running,
    client: Client,
    _dir: tempfile::TempDir,
}

impl Outside {
    fn before(providers: &[(&str, &Provider)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("c.yaml"), chain_of(providers)).unwrap();
        let running = Running::start(command(dir.path(), &["-c", "c.yaml"]));
        let client = Client::builder().disable_timeout().disable_redirects().finish();
        Self { running, client, _dir: dir }
    }

    /// One request under a deadline; and how long it took.
    async fn ask(&self, body: String, seconds: u64) -> (Reply, Duration) {
        let request = self.client.post(format!("{}/v1/chat/completions", self.running.url)).bearer_auth(CLIENT);
        let began = Instant::now();
        let answer = async { whole(request.send_body(body).await.unwrap()).await };
        let reply = timeout(Duration::from_secs(seconds), answer).await.expect("before the deadline");
        (reply, began.elapsed())
    }

    fn end(self) {
        let (code, log) = self.running.end("-TERM");
        assert_eq!(code, Some(0));
        assert!(!log.contains(" ERROR ") && !log.contains("panicked"), "{log}");
    }
}

async fn always(answer: Answer) -> Provider {
    Provider::script([answer]).await
}

async fn healthy() -> Provider {
    Provider::with(|request, _| match request.text().contains(r#""stream":true"#) {
        true => Answer::sse(&[&delta("fine"), STOP, DONE]),
        false => Answer::json(200, &[], &COMPLETION.replace("\"m\"", "\"model-of-b\"").replace("15", "77")),
    })
    .await
}

/// Asks a chain of `first` and a healthy second once.
async fn in_front(first: &Provider, more: &str, seconds: u64) -> Reply {
    let second = healthy().await;
    let outside = Outside::before(&[("a", first), ("b", &second)]);
    let (reply, _) = outside.ask(ask(more), seconds).await;
    outside.end();
    reply
}

fn assert_served_by(reply: &Reply, entry: &str) {
    assert_eq!((reply.status, reply.header("x-429chain-provider")), (200, entry), "{}", reply.text());
}

/// So many pieces of the answer came, then one error event, and no `[DONE]`.
fn assert_broke_off(reply: &Reply, pieces: usize) {
    let text = reply.text();
    assert_eq!(text.matches("\"content\":\"t\"").count(), pieces, "{text}");
    let last = text.trim_end().rsplit("\n\n").next().unwrap();
    let error: Value = serde_json::from_str(last.strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(error["error"]["code"], "stream_interrupted");
    assert!(!text.contains("[DONE]"));
}

fn tokens(count: usize) -> Answer {
    (0..count).fold(Answer::stream(), |answer, _| answer.part(&delta("t")))
}

#[actix_rt::test]
async fn s01_a_429_with_retry_after_2_once() {
    let only = Provider::script([Answer::rate_limited(Some("2")), Answer::ok()]).await;
    let outside = Outside::before(&[("a", &only)]);
    let (reply, took) = outside.ask(ask(""), 10).await;
    assert_served_by(&reply, "a/m");
    assert!(took >= Duration::from_secs(2), "it was told to wait: {took:?}");
    assert_eq!(only.calls(), 2);
    outside.end();
}

#[actix_rt::test]
async fn s02_a_429_without_a_time_for_good() {
    let (first, second) = (always(Answer::rate_limited(None)).await, healthy().await);
    let outside = Outside::before(&[("a", &first), ("b", &second)]);
    for _ in 0..5 {
        assert_served_by(&outside.ask(ask(""), 10).await.0, "b/m");
    }
    assert_eq!(first.calls(), 1);
    let (alone, _) = outside.ask(ask("").replace("default", "a/m"), 10).await;
    assert_eq!((alone.status, alone.code().as_str()), (503, "all_providers_exhausted"));
    let wait: u64 = alone.header("retry-after").parse().unwrap();
    assert!((50..=60).contains(&wait), "{wait}");
    outside.end();
}

#[actix_rt::test]
async fn s03_a_500_once() {
    let first = Provider::script([Answer::json(500, &[], "{}"), Answer::ok()]).await;
    assert_served_by(&in_front(&first, "", 10).await, "b/m");
    assert_eq!(first.calls(), 1);
}

#[actix_rt::test]
async fn s04_a_503_for_good() {
    let (first, second) = (always(Answer::error(503, &[], "busy", "overloaded")).await, healthy().await);
    let outside = Outside::before(&[("a", &first), ("b", &second)]);
    for more in ["", STREAM, ""] {
        assert_served_by(&outside.ask(ask(more), 10).await.0, "b/m");
    }
    assert_eq!(first.calls(), 1);
    outside.end();
}

#[actix_rt::test]
async fn s05_a_reset_once() {
    let first = Provider::script([Answer::raw("").reset(), Answer::ok()]).await;
    assert_served_by(&in_front(&first, "", 10).await, "b/m");
    assert_eq!(first.calls(), 1, "a new connection that breaks is no kept one that had been closed");
}

/// With the default limits of 30 s: no answer, a first token after 20 s, and a stream that stalls.
#[actix_rt::test]
async fn s06_s07_s09_slow_providers() {
    let (silent, second) = (always(Answer::silence()).await, healthy().await);
    let late = Answer::stream().pause(Duration::from_secs(20)).part(&delta("t")).part(STOP).part(DONE).end();
    let (late, stalls) = (always(late).await, always(tokens(3).hang()).await);
    let providers = [("silent", &silent), ("b", &second), ("late", &late), ("stalls", &stalls)];
    let outside = Outside::before(&providers);
    let of = |entry: &str| ask(STREAM).replace("default", entry);
    let no_answer = outside.ask(ask(""), 45);
    let first_token = outside.ask(of("late/m"), 45);
    let stalled = outside.ask(of("stalls/m"), 45);
    let ((no_answer, _), (first_token, took), (stalled, stalled_for)) = tokio::join!(no_answer, first_token, stalled);
    assert_served_by(&no_answer, "b/m");
    assert_served_by(&first_token, "late/m");
    assert!(first_token.text().ends_with(DONE) && took >= Duration::from_secs(20));
    assert_broke_off(&stalled, 3);
    assert!(stalled_for >= Duration::from_secs(30), "{stalled_for:?}");
    // The next request does not pay again.
    let (next, took) = outside.ask(ask(""), 10).await;
    assert_served_by(&next, "b/m");
    assert!(took < Duration::from_secs(5) && silent.calls() == 1);
    outside.end();
}

#[actix_rt::test]
async fn s08_a_stream_cut_after_40_of_60_tokens() {
    let (first, second) = (always(tokens(40).close()).await, healthy().await);
    let outside = Outside::before(&[("a", &first), ("b", &second)]);
    let (reply, _) = outside.ask(ask(STREAM), 10).await;
    assert_broke_off(&reply, 40);
    assert_eq!(second.calls(), 0, "what a client has seen cannot be taken back");
    outside.end();
}

#[actix_rt::test]
async fn s10_a_malformed_chunk_in_the_middle() {
    let malformed = tokens(3).part("data: {\"choices\":[{\"delta\":{\"content\":\"t\n\n").part(STOP).part(DONE).end();
    assert_broke_off(&in_front(&always(malformed).await, STREAM, 10).await, 3);
}

#[actix_rt::test]
async fn s11_no_done() {
    let reply = in_front(&always(tokens(3).part(STOP).end()).await, STREAM, 10).await;
    assert_served_by(&reply, "a/m");
    assert_eq!(reply.text(), delta("t").repeat(3) + STOP + DONE);
}

#[actix_rt::test]
async fn s12_a_context_that_is_too_long_for_the_first() {
    let refusal = r#"{"error":{"message":"This model's maximum context length is 8 tokens","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#;
    let first = always(Answer::json(400, &[], refusal)).await;
    assert_served_by(&in_front(&first, "", 10).await, "b/m");
}

#[actix_rt::test]
async fn s13_a_content_filter_comes_back_after_one_call() {
    let refusal =
        r#"{"error":{"message":"filtered","type":"invalid_request_error","param":"prompt","code":"content_filter"}}"#;
    let (first, second) = (always(Answer::json(400, &[], refusal)).await, healthy().await);
    let outside = Outside::before(&[("a", &first), ("b", &second)]);
    let (reply, _) = outside.ask(ask(""), 10).await;
    assert_eq!((reply.status, reply.text().as_str()), (400, refusal));
    assert_eq!((first.calls(), second.calls()), (1, 0));
    outside.end();
}

/// A proxy that lets the next model go on where the first broke off meets models that refuse such a request.
#[actix_rt::test]
async fn s14_a_cut_stream_before_a_fallback_that_rejects_prefill() {
    let first = always(tokens(5).close()).await;
    let second = Provider::with(|request, _| match request.text().contains(r#""role":"assistant""#) {
        true => Answer::error(400, &[], "Assistant messages cannot come last", "invalid_request_error"),
        false => Answer::sse(&[&delta("fine"), STOP, DONE]),
    })
    .await;
    let outside = Outside::before(&[("a", &first), ("b", &second)]);
    let (reply, _) = outside.ask(ask(STREAM), 10).await;
    assert_broke_off(&reply, 5);
    assert_eq!(second.calls(), 0);
    outside.end();
}

/// Twenty requests, one every six seconds; the first entry is down for the first minute. In virtual time.
#[actix_rt::test]
async fn s15_the_first_entry_is_down_for_a_minute() {
    let (second, clock) = (healthy().await, crate::support::clock::TestClock::default());
    let time = clock.clone();
    let first = Provider::with(move |_, _| match time.passed() < 60_000 {
        true => Answer::error(502, &[], "down", "server_error"),
        false => Answer::ok(),
    })
    .await;
    let app = App::start_at(&chain_of(&[("a", &first), ("b", &second)]), clock).await;
    let mut served = Vec::new();
    for _ in 0..20 {
        served.push(app.served_by().await);
        app.clock.advance(Duration::from_secs(6));
    }
    let back = served.iter().position(|entry| entry == "a/m").expect("a probe finds it back");
    assert!(served[..back].iter().all(|entry| entry == "b/m") && served[back..].iter().all(|entry| entry == "a/m"));
    // It was tried after 15 s, 30 s more, and 60 s more.
    assert_eq!((back, first.calls() - (20 - back)), (18, 3));
    app.stop().await;
}

#[actix_rt::test]
async fn s16_usage_and_model_are_those_of_who_answered() {
    let first = always(Answer::error(503, &[], "busy", "overloaded")).await;
    let reply = in_front(&first, "", 10).await;
    assert_served_by(&reply, "b/m");
    let body = reply.json();
    assert_eq!((body["model"].as_str(), body["usage"]["total_tokens"].as_u64()), (Some("model-of-b"), Some(77)));
}
