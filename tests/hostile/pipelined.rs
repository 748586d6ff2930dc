//! Several requests at once on one connection. No client does so, and it is allowed.

use std::sync::Arc;

use chain429::store::place::Place;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::support::app::{App, ask, chain_of, config_of, healthy};
use crate::support::clock::TestClock;
use crate::support::provider::{Answer, COMPLETION, DONE, Provider, STOP, delta};
use crate::support::wire::{Wire, get, post};

/// Answers with the text of the question.
async fn echo() -> Provider {
    Provider::with(|request, _| {
        let asked: Value = serde_json::from_slice(&request.body).unwrap();
        Answer::json(200, &[], &COMPLETION.replace("Hi", asked["messages"][0]["content"].as_str().unwrap()))
    })
    .await
}

fn question(number: usize) -> Vec<u8> {
    post("", ask("").replace("Hello", &format!("question {number}")))
}

#[actix_rt::test]
async fn requests_in_one_packet_are_answered_in_order_and_once() {
    let provider = echo().await;
    let dir = tempfile::tempdir().unwrap();
    let database = dir.path().join("usage.redb");
    let app = App::start_on(&chain_of(&[("a", &provider)]), TestClock::default(), &database);
    let mut wire = Wire::to(&app).await;
    // More than actix looks at in one go.
    assert!(wire.send((0..40).flat_map(question).collect::<Vec<u8>>()).await);
    let mut ids = Vec::new();
    for number in 0..40 {
        let answer = wire.answer().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.text().contains(&format!("\"question {number}\"")), "{number}: {}", answer.text());
        ids.push(answer.header("x-request-id").unwrap().to_owned());
    }
    assert!(wire.send(get("/v1/models")).await);
    assert_eq!(wire.answer().await.unwrap().status(), 200, "the connection is as good as new");
    assert_eq!(provider.calls(), 40);
    app.stop().await;
    let rows = Place::File(database).open().unwrap().newest_requests(100).unwrap();
    let mut rows: Vec<String> = rows.into_iter().map(|row| row.id).collect();
    rows.sort();
    ids.sort();
    assert_eq!(rows, ids);
}

#[actix_rt::test]
async fn a_request_behind_a_stream_waits_for_its_end() {
    let gate = Arc::new(Semaphore::new(0));
    let stream = Answer::stream().part(&delta("one")).gate(&gate).part(STOP).part(DONE).end();
    let provider = Provider::script([stream, Answer::ok()]).await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let mut wire = Wire::to(&app).await;
    let mut both = post("", ask(r#","stream":true"#));
    both.extend(question(1));
    assert!(wire.send(both).await);
    provider.called(1).await;
    assert_eq!(app.get("/v1/models").await.status, 200);
    assert_eq!(provider.calls(), 1, "the second has not begun");
    gate.add_permits(1);
    let first = wire.answer().await.unwrap();
    assert_eq!(
        (first.header("content-type"), first.text()),
        (Some("text/event-stream"), format!("{}{STOP}{DONE}", delta("one")))
    );
    assert_eq!(wire.answer().await.unwrap().text(), COMPLETION);
    assert_eq!(provider.calls(), 2);
    app.stop().await;
}

#[actix_rt::test]
async fn garbage_behind_a_request_harms_nobody() {
    let provider = healthy().await;
    let app = App::start(&config_of(
        "  queueMode: false\n",
        &[("a", &provider)],
        "    rateLimits: { concurrentRequests: 1 }\n",
    ))
    .await;
    for garbage in ["\0\x01garbage\r\n\r\n", "}\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\u{fffd}\r\n"] {
        // After the answer: refused.
        let mut wire = Wire::to(&app).await;
        assert!(wire.send(question(1)).await);
        assert_eq!(wire.answer().await.unwrap().status(), 200);
        wire.send(garbage).await;
        assert!(wire.rest().await.starts_with("HTTP/1.1 400"), "{garbage:?}");
        // Together with the request: whoever sends that is not worth an answer.
        let mut wire = Wire::to(&app).await;
        wire.send([&question(1)[..], garbage.as_bytes()].concat()).await;
        assert!(wire.rest().await.matches("HTTP/1.1").count() <= 2, "{garbage:?}");
        assert_eq!(app.chat(ask("")).await.status, 200, "its place is free again");
    }
    app.stop().await;
}

/// What was not begun never is; the only place of the provider is free again.
#[actix_rt::test]
async fn a_client_that_pipelines_and_leaves_gives_everything_back() {
    let provider = Provider::script([Answer::silence(), Answer::ok()]).await;
    let each = "    rateLimits: { concurrentRequests: 1 }\n";
    let app = App::start(&config_of("  queueMode: false\n", &[("a", &provider)], each)).await;
    let mut wire = Wire::to(&app).await;
    assert!(wire.send((0..10).flat_map(question).collect::<Vec<u8>>()).await);
    provider.called(1).await;
    assert_eq!(app.chat(ask("")).await.status, 503, "the only place is taken");
    drop(wire);
    provider.aborted(1).await;
    while app.entry("a").await["keys"][0]["inFlight"] != 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(app.chat(ask("")).await.status, 200);
    assert_eq!(provider.calls(), 2);
    app.stop().await;
}
