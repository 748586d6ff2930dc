//! Clients that are slow, stop reading, or leave; and connections that providers close in between or too early.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use chain429::store::place::Place;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::support::app::{App, CLIENT, ask, chain_of, config_of, healthy, piece};
use crate::support::clock::TestClock;
use crate::support::provider::{Answer, COMPLETION, Provider, delta};

const STREAM: &str = r#","stream":true"#;

async fn until_idle(app: &App) {
    let idle = async { while app.entry("a").await["inFlight"] != 0 {} };
    tokio::time::timeout(Duration::from_secs(10), idle).await.expect("the lease comes back");
}

/// A client that reads nothing more would hold the entry for ever. When it wakes up, it finds out why its stream has ended.
#[actix_rt::test]
async fn a_client_that_stops_reading_loses_the_rest_of_its_stream() {
    let provider = Provider::script([Answer::stream().repeat(chunk(&delta(&"x".repeat(60_000))))]).await;
    let dir = tempfile::tempdir().unwrap();
    let database = dir.path().join("usage.redb");
    let settings = "  clientStallTimeoutMs: 400\n";
    let app = App::start_on(&config_of(settings, &[("a", &provider)], ""), TestClock::default(), &database);
    let mut response = app.open(ask(STREAM)).await;
    piece(&mut response).await;
    assert_eq!(app.entry("a").await["inFlight"], 1);
    provider.aborted(1).await;
    // What the buffers of sockets hold, and the proxy nothing of it.
    assert!(provider.repeated() < 24 << 20, "{} bytes were taken for nobody", provider.repeated());
    until_idle(&app).await;
    assert_eq!(app.entry("a").await["status"], "ready", "the provider did nothing wrong");
    let mut last = String::new();
    while let Some(more) = piece(&mut response).await {
        last = more;
    }
    assert!(last.contains("client_stalled") && !last.contains("[DONE]"), "{}", &last[last.len().saturating_sub(400)..]);
    drop(response);
    app.stop().await;
    let row = Place::File(database).open().unwrap().newest_requests(1).unwrap().remove(0);
    assert_eq!((row.status, row.code.as_deref()), (200, Some("client_stalled")));
    assert!(row.usage.is_some_and(|usage| usage.estimated && usage.completion_tokens > 10_000), "{row:?}");
}

/// While the provider is silent the client has nothing to read.
#[actix_rt::test]
async fn a_client_that_waits_for_the_provider_has_not_stalled() {
    let gate = Arc::new(Semaphore::new(0));
    let provider =
        Provider::script([Answer::stream().part(&delta("one")).gate(&gate).part("data: [DONE]\n\n").end()]).await;
    let settings = "  clientStallTimeoutMs: 100\n";
    let app = App::start(&config_of(settings, &[("a", &provider)], "")).await;
    let mut response = app.open(ask(STREAM)).await;
    assert_eq!(piece(&mut response).await, Some(delta("one")));
    // Several times what a client may take.
    tokio::time::sleep(Duration::from_millis(500)).await;
    gate.add_permits(1);
    assert_eq!(piece(&mut response).await.as_deref(), Some("data: [DONE]\n\n"));
    app.stop().await;
}

/// What was streamed until a client left has been paid for.
#[actix_rt::test]
async fn what_a_client_has_seen_before_it_left_is_recorded() {
    let answer = (0..40).fold(Answer::stream(), |answer, _| answer.part(&delta("word ")));
    let provider = Provider::script([answer.hang()]).await;
    let dir = tempfile::tempdir().unwrap();
    let database = dir.path().join("usage.redb");
    let app = App::start_on(&chain_of(&[("a", &provider)]), TestClock::default(), &database);
    let client = awc::Client::builder().disable_timeout().finish();
    let request = client.post(format!("{}/v1/chat/completions", app.url)).bearer_auth(CLIENT);
    let mut response = request.send_body(ask(STREAM)).await.unwrap();
    let mut seen = String::new();
    while seen.matches("word").count() < 40 {
        seen += &piece(&mut response).await.unwrap();
    }
    drop(response);
    provider.aborted(1).await;
    until_idle(&app).await;
    app.stop().await;
    let row = Place::File(database).open().unwrap().newest_requests(1).unwrap().remove(0);
    assert_eq!((row.status, row.code.as_deref(), row.served_by.as_deref()), (200, Some("client_closed"), Some("a/m")));
    // 200 letters.
    assert!(row.usage.is_some_and(|usage| usage.estimated && usage.completion_tokens == 50), "{row:?}");
}

/// A provider that closes its connections when it likes is nobody's fault: one retry on a new connection, and no client
/// sees anything of it.
#[actix_rt::test]
async fn ten_thousand_requests_over_connections_that_close_in_between() {
    const CLIENTS: usize = 16;
    const EACH: usize = 625;
    let provider = Provider::with(|_, call| if call % 3 == 0 { Answer::ok().close() } else { Answer::ok() }).await;
    let app = Rc::new(App::start(&chain_of(&[("a", &provider)])).await);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let app = Rc::clone(&app);
            actix_rt::spawn(async move {
                for _ in 0..EACH {
                    let reply = app.send(ask("")).await;
                    assert_eq!((reply.status, reply.header("x-429chain-attempts")), (200, "1"), "{}", reply.text());
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    assert_eq!(provider.calls(), CLIENTS * EACH, "none was sent twice");
    assert!(provider.connections() > EACH, "they did close");
    Rc::into_inner(app).unwrap().stop().await;
}

/// An edge server that answers 413 to a long body without reading it resets the connection, and the answer is lost. One
/// long request must not keep the short ones of everybody else from the entry.
#[actix_rt::test]
async fn a_body_that_is_not_read_rests_nobody() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    actix_rt::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut start = [0; 512];
            let _ = stream.read(&mut start).await;
            let _ = stream.write_all(b"HTTP/1.1 413 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
        }
    });
    let (placeholder, second) = (healthy().await, healthy().await);
    let yaml = chain_of(&[("a", &placeholder), ("b", &second)])
        .replace(&placeholder.base_url(), &format!("http://{address}/v1"));
    let app = App::start(&yaml).await;
    let reply = app.chat(ask(&format!(r#","x":"{}""#, "x".repeat(8 << 20)))).await;
    assert_eq!((reply.status, reply.header("x-429chain-provider")), (200, "b/m"));
    assert_ne!(app.entry("a").await["status"], "cooling");
    app.stop().await;
}

/// A provider that has begun to answer has worked on the request: it is not sent again.
#[actix_rt::test]
async fn a_kept_connection_that_breaks_inside_the_head_is_not_tried_again() {
    let provider = Provider::script([Answer::ok(), Answer::raw("HTTP/1.1 200 OK\r\ncontent-ty").close()]).await;
    let second = healthy().await;
    let app = App::start(&chain_of(&[("a", &provider), ("b", &second)])).await;
    for served_by in ["a/m", "b/m"] {
        assert_eq!(app.served_by().await, served_by);
    }
    assert_eq!((provider.calls(), provider.connections()), (2, 1));
    app.stop().await;
}

/// A second answer to one request is none to the next one, whoever sends that.
#[actix_rt::test]
async fn an_answer_that_nobody_asked_for_is_not_given_to_the_next_request() {
    let wrong = COMPLETION.replace("Hi", "WRONG");
    let extra =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{wrong}", wrong.len());
    // Both at once: what comes after the next request was sent, nobody can tell from its answer.
    let right =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", COMPLETION.len());
    let both = right + COMPLETION + &extra;
    let provider = Provider::with(move |_, _| Answer::raw(both.clone())).await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    for calls in 1..=50 {
        let reply = app.chat(ask("")).await;
        assert_eq!((reply.status, reply.text().as_str()), (200, COMPLETION));
        assert_eq!(provider.calls(), calls);
    }
    app.stop().await;
}

/// An upstream that speaks before it is asked: its answer is nobody's, or at worst that of the first request.
#[actix_rt::test]
async fn an_answer_before_the_request_disturbs_nobody() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    actix_rt::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{COMPLETION}", COMPLETION.len());
            let _ = stream.write_all(answer.as_bytes()).await;
            let mut request = [0; 1024];
            while stream.read(&mut request).await.is_ok_and(|read| read > 0) {}
        }
    });
    let (placeholder, second) = (healthy().await, healthy().await);
    let yaml = chain_of(&[("a", &placeholder), ("b", &second)])
        .replace(&placeholder.base_url(), &format!("http://{address}/v1"));
    let app =
        App::start(&yaml.replace("version: 1\nsettings:\n", "version: 1\nsettings:\n  requestTimeoutMs: 400\n")).await;
    for _ in 0..10 {
        let reply = app.chat(ask("")).await;
        assert_eq!((reply.status, reply.text().as_str()), (200, COMPLETION));
        app.clock.advance(Duration::from_secs(600));
    }
    app.stop().await;
}

fn chunk(event: &str) -> Vec<u8> {
    format!("{:x}\r\n{event}\r\n", event.len()).into_bytes()
}
