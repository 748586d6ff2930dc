//! An answer that breaks off, at every byte.

use std::sync::Arc;
use std::time::Duration;

use crate::support::app::{App, Reply, ask, chain_of, config_of};
use crate::support::provider::{Answer, COMPLETION, DONE, Provider, STOP, delta};

/// A provider that cuts the nth answer behind its nth byte; and which of them it is told to give.
async fn cutting(answer: Vec<u8>) -> Provider {
    let answer = Arc::new(answer);
    Provider::with(move |_, call| Answer::raw(&answer[..call.min(answer.len())]).close()).await
}

fn chunked(kind: &str, parts: &[&str]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n");
    for part in parts {
        bytes += &format!("{:x}\r\n{part}\r\n", part.len());
    }
    (bytes + "0\r\n\r\n").into_bytes()
}

fn sized(kind: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Neither length nor chunks: the end of the connection is the end of the body, so that nothing but the body itself tells
/// whether it is whole.
fn endless(kind: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n{body}").into_bytes()
}

/// Asks once for each cut of `answer`, and shows each reply to `check` together with the place of the cut.
async fn at_every_byte(answer: Vec<u8>, more: &str, check: impl Fn(&Reply, usize)) {
    let (first, second) = (cutting(answer.clone()).await, healthy_stream_or_whole().await);
    let app = App::start(&chain_of(&[("a", &first), ("b", &second)])).await;
    for cut in 0..=answer.len() {
        check(&app.chat(ask(more)).await, cut);
        // The books are closed behind the last byte.
        while app.entry("a").await["inFlight"] != 0 {}
        // Past every cooldown that may have come of it.
        app.clock.advance(Duration::from_secs(3_600));
    }
    assert_eq!(first.calls(), answer.len() + 1);
    for entry in ["a", "b"] {
        assert_eq!(app.entry(entry).await["inFlight"], 0);
    }
    app.stop().await;
}

async fn healthy_stream_or_whole() -> Provider {
    Provider::with(|request, _| match request.text().contains(r#""stream":true"#) {
        true => Answer::sse(&[&delta("fine"), STOP, DONE]),
        false => Answer::ok(),
    })
    .await
}

/// A whole answer is whole, or somebody else's.
fn whole(reply: &Reply, cut: usize) {
    assert_eq!(reply.status, 200, "cut at {cut}: {}", reply.text());
    assert_eq!(reply.text(), COMPLETION, "cut at {cut}");
}

/// The first entry serves with the last byte, and not before.
async fn whole_at_its_last_byte(answer: Vec<u8>) {
    let length = answer.len();
    at_every_byte(answer, "", |reply, cut| {
        whole(reply, cut);
        let by = if cut == length { "a/m" } else { "b/m" };
        assert_eq!(reply.header("x-429chain-provider"), by, "cut at {cut}");
    })
    .await;
}

#[actix_rt::test]
async fn a_whole_answer_with_a_length_cut_at_every_byte() {
    whole_at_its_last_byte(sized("application/json", COMPLETION)).await;
}

#[actix_rt::test]
async fn a_whole_answer_in_chunks_cut_at_every_byte() {
    let (left, right) = COMPLETION.split_at(150);
    at_every_byte(chunked("application/json", &[left, right]), "", whole).await;
}

#[actix_rt::test]
async fn a_whole_answer_without_a_length_cut_at_every_byte() {
    whole_at_its_last_byte(endless("application/json", COMPLETION)).await;
}

/// What a client sees of a stream that was cut: all of it, somebody else's, or the part that came before with one error.
fn stream(text: &str) -> impl Fn(&Reply, usize) + use<'_> {
    move |reply, cut| {
        assert_eq!(reply.status, 200, "cut at {cut}: {}", reply.text());
        let seen = reply.text();
        if reply.header("x-429chain-provider") == "b/m" {
            assert_eq!(seen, format!("{}{STOP}{DONE}", delta("fine")), "cut at {cut}");
            return;
        }
        if seen.contains("[DONE]") {
            assert_eq!(seen, text, "cut at {cut}");
            return;
        }
        let (before, error) = seen.trim_end().rsplit_once("\n\n").unwrap_or_else(|| panic!("cut at {cut}: {seen}"));
        assert!(text.starts_with(before), "cut at {cut}: {seen}");
        assert!(
            error.starts_with(r#"data: {"error":{"#) && error.contains("stream_interrupted"),
            "cut at {cut}: {seen}"
        );
    }
}

#[actix_rt::test]
async fn a_stream_in_chunks_cut_at_every_byte() {
    let events = [delta("h\u{e9}"), delta("llo"), STOP.to_owned(), DONE.to_owned()];
    let parts: Vec<&str> = events.iter().map(String::as_str).collect();
    at_every_byte(chunked("text/event-stream", &parts), r#","stream":true"#, stream(&events.concat())).await;
}

#[actix_rt::test]
async fn a_stream_with_a_length_cut_at_every_byte() {
    let text = [&delta("h\u{e9}"), &delta("llo"), STOP, DONE].concat();
    at_every_byte(sized("text/event-stream", &text), r#","stream":true"#, stream(&text)).await;
}

#[actix_rt::test]
async fn a_stream_without_a_length_cut_at_every_byte() {
    let text = [&delta("h\u{e9}"), &delta("llo"), STOP, DONE].concat();
    at_every_byte(endless("text/event-stream", &text), r#","stream":true"#, stream(&text)).await;
}

/// The same without a second entry: an honest error, or an honest end.
#[actix_rt::test]
async fn a_cut_answer_alone_is_an_error() {
    let answer = sized("application/json", COMPLETION);
    let provider = cutting(answer.clone()).await;
    let app = App::start(&config_of("  queueMode: false\n", &[("a", &provider)], "")).await;
    for cut in 0..answer.len() {
        let reply = app.chat(ask("")).await;
        assert_eq!((reply.status, reply.code().as_str()), (503, "all_providers_exhausted"), "cut at {cut}");
        assert!(!reply.header("retry-after").is_empty());
        app.clock.advance(Duration::from_secs(3_600));
    }
    app.stop().await;
}
