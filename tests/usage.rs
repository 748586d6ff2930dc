//! What a request has cost: shown to clients that ask, recorded of every request.

use std::path::Path;

use chain429::store::place::Place;
use chain429::store::requests::Request;

use crate::support::app::{App, Reply, ask, chain_of};
use crate::support::clock::TestClock;
use crate::support::provider::{Answer, COMPLETION, DONE, Provider, STOP, USAGE, delta};

const STREAM: &str = r#","stream":true"#;
const ASKING: &str = r#","stream":true,"stream_options":{"include_usage":true}"#;

/// What the chunks of a stream say of usage: whether each is estimated.
fn usage_chunks(reply: &Reply) -> Vec<bool> {
    let text = reply.text();
    let chunks =
        text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line.strip_prefix("data: ")?).ok());
    chunks.filter(|chunk| !chunk["usage"].is_null()).map(|chunk| chunk["usage_estimated"] == true).collect()
}

fn rows(database: &Path) -> Vec<Request> {
    let mut rows = Place::File(database.to_owned()).open().unwrap().newest_requests(100).unwrap();
    rows.reverse();
    rows
}

/// Whatever a provider sends of it.
#[actix_rt::test]
async fn who_asks_sees_one_usage_chunk_and_nobody_else_sees_any() {
    let beside = STOP.replace("}]}", "}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3}}");
    for (name, events, estimated) in [
        ("one", vec![STOP, USAGE, DONE], false),
        ("none", vec![STOP, DONE], true),
        ("several", vec![USAGE, STOP, USAGE, DONE], false),
        ("one, and no end", vec![STOP, USAGE], false),
        ("none, and no end", vec![STOP], true),
        ("beside the last choice", vec![&*beside, DONE], false),
    ] {
        let text = delta("Hi");
        let events = [vec![&*text], events].concat();
        let provider = Provider::script([Answer::sse(&events)]).await;
        let app = App::start(&chain_of(&[("a", &provider)])).await;
        let asked = app.chat(ask(ASKING)).await;
        assert_eq!(usage_chunks(&asked), [estimated], "{name}: {}", asked.text());
        assert!(asked.text().ends_with(DONE), "{name}: {}", asked.text());
        let plain = app.chat(ask(STREAM)).await;
        let shown = usize::from(name == "beside the last choice");
        assert_eq!(usage_chunks(&plain).len(), shown, "{name}: {}", plain.text());
        app.stop().await;
    }
}

/// Refuses `stream_options` as Mistral has.
async fn strict() -> Provider {
    Provider::with(|request, _| match request.text().contains("stream_options") {
        true => Answer::json(
            422,
            &[],
            r#"{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}"#,
        ),
        false => Answer::sse(&[&delta("Hi"), STOP, DONE]),
    })
    .await
}

#[actix_rt::test]
async fn a_provider_that_refuses_stream_options_is_remembered() {
    let provider = strict().await;
    let dir = tempfile::tempdir().unwrap();
    let database = dir.path().join("usage.redb");
    // Of this type the proxy asks for usage by itself.
    let yaml = chain_of(&[("a", &provider)]).replace("generic-openai", "together");
    let app = App::start_on(&yaml, TestClock::default(), &database);
    let first = app.chat(ask(STREAM)).await;
    assert_eq!((first.status, first.header("x-429chain-attempts")), (200, "2"), "{}", first.text());
    assert_eq!(usage_chunks(&first), [false; 0]);
    for (more, chunks) in [(STREAM, vec![]), (ASKING, vec![true])] {
        let reply = app.chat(ask(more)).await;
        assert_eq!((reply.status, reply.header("x-429chain-attempts")), (200, "1"), "{}", reply.text());
        assert_eq!(usage_chunks(&reply), chunks);
    }
    assert_eq!(provider.calls(), 4);
    assert!(!provider.requests()[3].text().contains("stream_options"));
    assert_eq!(app.entry("a").await["status"], "ready", "nobody was at fault");
    app.stop().await;
    for row in rows(&database) {
        assert!(row.usage.is_some_and(|usage| usage.estimated && usage.prompt_tokens > 0), "{row:?}");
    }
}

/// The same where the client asks, and the proxy would not have.
#[actix_rt::test]
async fn a_client_that_asks_gets_its_usage_from_a_provider_that_refuses_the_question() {
    let provider = strict().await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    for attempts in ["2", "1"] {
        let reply = app.chat(ask(ASKING)).await;
        assert_eq!((reply.status, reply.header("x-429chain-attempts")), (200, attempts), "{}", reply.text());
        assert_eq!(usage_chunks(&reply), [true]);
    }
    app.stop().await;
}

/// A question for usage in a request that wants no stream is the client's own mistake.
#[actix_rt::test]
async fn stream_options_without_a_stream_are_the_clients_fault() {
    let refusal = r#"{"error":{"message":"The 'stream_options' parameter is only allowed when 'stream' is enabled.","type":"invalid_request_error"}}"#;
    let (a, b) = (
        Provider::script([Answer::json(400, &[], refusal)]).await,
        Provider::script([Answer::json(400, &[], refusal)]).await,
    );
    let app = App::start(&chain_of(&[("a", &a), ("b", &b)])).await;
    let reply = app.chat(ask(r#","stream_options":{"include_usage":true}"#)).await;
    assert_eq!((reply.status, reply.text().as_str()), (400, refusal));
    assert_eq!((a.calls(), b.calls()), (1, 1));
    app.stop().await;
}

/// One client's mistake inside `stream_options` takes nothing from the others, and ends after one more try.
#[actix_rt::test]
async fn what_a_client_puts_into_stream_options_is_not_held_against_them() {
    let provider = Provider::with(|request, _| match request.text().contains("\"foo\"") {
        true => Answer::error(400, &[], "Unknown parameter: 'stream_options.foo'", "invalid_request_error"),
        false => Answer::sse(&[&delta("Hi"), STOP, USAGE, DONE]),
    })
    .await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let odd = app.chat(ask(r#","stream":true,"stream_options":{"include_usage":true,"foo":1}"#)).await;
    assert_eq!((odd.status, odd.header("x-429chain-attempts")), (200, "2"), "{}", odd.text());
    assert_eq!(usage_chunks(&app.chat(ask(ASKING)).await), [false]);
    assert!(provider.requests()[2].text().contains("stream_options"));
    app.stop().await;
}

/// Two providers that refuse the question, and a request that is malformed besides.
#[actix_rt::test]
async fn a_malformed_request_that_asks_for_usage_costs_little_more() {
    let strict = || {
        Provider::with(|request, _| {
            let what = if request.text().contains("stream_options") { "stream_options" } else { "temperature" };
            Answer::error(422, &[], &format!("bad `{what}`"), "invalid_request_error")
        })
    };
    let (a, b, c) = (strict().await, strict().await, strict().await);
    let app = App::start(&chain_of(&[("a", &a), ("b", &b), ("c", &c)])).await;
    let reply = app.chat(ask(ASKING)).await;
    assert_eq!(reply.status, 422);
    assert!(reply.text().contains("temperature"), "{}", reply.text());
    assert_eq!((a.calls(), b.calls(), c.calls()), (2, 1, 0));
    app.stop().await;
}

/// A refusal for another reason is a refusal, and costs two calls at most.
#[actix_rt::test]
async fn another_refusal_is_not_blamed_on_the_question_for_usage() {
    let refusal = r#"{"error":{"message":"bad `temperature`","type":"invalid_request_error"}}"#;
    let (a, b) = (
        Provider::script([Answer::json(422, &[], refusal)]).await,
        Provider::script([Answer::json(422, &[], refusal)]).await,
    );
    let app = App::start(&chain_of(&[("a", &a), ("b", &b)])).await;
    let reply = app.chat(ask(ASKING)).await;
    assert_eq!((reply.status, reply.text().as_str()), (422, refusal));
    assert_eq!((a.calls(), b.calls()), (1, 1));
    app.stop().await;
}

/// LESSONS O20: without usage the row was lost; failures were logged with no time and on the wrong entry, and what had
/// waited was logged twice.
#[actix_rt::test]
async fn o20_every_request_has_one_row_with_what_it_cost() {
    let bare = COMPLETION.replace(r#","usage":{"prompt_tokens":12,"completion_tokens":3,"total_tokens":15}"#, "");
    assert!(!bare.contains("usage"));
    let script = [
        Answer::json(200, &[], &bare),
        Answer::ok(),
        Answer::sse(&[&delta("Hi"), STOP, DONE]),
        Answer::stream().part(&delta("Once")).close(),
        Answer::rate_limited(Some("5")),
        Answer::ok(),
        Answer::error(401, &[], "bad key", "auth"),
    ];
    let provider = Provider::script(script).await;
    let dir = tempfile::tempdir().unwrap();
    let database = dir.path().join("usage.redb");
    let app = App::start_on(&chain_of(&[("a", &provider)]), TestClock::default(), &database);
    for more in ["", "", STREAM, STREAM] {
        assert_eq!(app.chat(ask(more)).await.status, 200);
    }
    let waiting = actix_rt::spawn(app.send(ask("")));
    app.line_has(1).await;
    app.clock.advance(std::time::Duration::from_secs(5));
    assert_eq!(waiting.await.unwrap().status, 200);
    assert_eq!(app.chat(ask("")).await.status, 503);
    app.stop().await;

    let seen: Vec<_> = rows(&database)
        .into_iter()
        .map(|row| {
            let usage = row.usage.map(|usage| (usage.estimated, usage.completion_tokens));
            (row.status, row.code.unwrap_or_default().into_owned(), row.served_by.is_some(), usage, row.waited_ms)
        })
        .collect();
    let row = |status: u16, code: &str, served: bool, usage, waited| (status, code.to_owned(), served, usage, waited);
    let expected = [
        row(200, "", true, Some((true, 1)), 0),
        row(200, "", true, Some((false, 3)), 0),
        row(200, "", true, Some((true, 1)), 0),
        row(200, "stream_interrupted", true, Some((true, 1)), 0),
        row(200, "", true, Some((false, 3)), 5_000),
        row(503, "all_providers_exhausted", false, None, 0),
    ];
    assert_eq!(seen, expected);
}
