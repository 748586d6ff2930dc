//! Ending without losing anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::support::app::{App, CLIENT, ask, chain_of, piece, whole};
use crate::support::binary::{Running, command};
use crate::support::provider::{Answer, DONE, Provider, STOP, delta};

/// Whoever cannot wait for them is told what it has cost.
#[actix_rt::test]
async fn a_second_signal_ends_at_once_and_says_what_was_cut() {
    let gate = Arc::new(Semaphore::new(0));
    let provider = Provider::script([Answer::stream().part(&delta("one")).gate(&gate).end()]).await;
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("c.yaml"), chain_of(&[("a", &provider)])).unwrap();
    let running = Running::start(command(dir.path(), &["-c", "c.yaml"]));
    let client = awc::Client::default();
    let request = client.post(format!("{}/v1/chat/completions", running.url)).bearer_auth(CLIENT);
    let mut stream = request.send_body(ask(r#","stream":true"#)).await.unwrap();
    assert_eq!(piece(&mut stream).await, Some(delta("one")));

    running.signal("-TERM");
    let begins = async { while client.get(format!("{}/health", running.url)).send().await.unwrap().status() == 200 {} };
    timeout(Duration::from_secs(10), begins).await.expect("the first signal is heard");
    let (code, log) = running.end("-TERM");
    assert!(code == Some(1) && log.contains("what was in progress was cut, 1 request\n"), "{code:?} {log}");
}

/// LESSONS O26 and F20: streams in progress go on to their end, `/health` says what is going on, newcomers are refused.
#[actix_rt::test]
async fn o26_f20_a_stop_lets_streams_end_and_refuses_newcomers() {
    let gate = Arc::new(Semaphore::new(0));
    let provider = Provider::script([Answer::stream()
        .part(&delta("one"))
        .gate(&gate)
        .part(&delta("two"))
        .part(STOP)
        .part(DONE)
        .end()])
    .await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let mut stream = app.open(ask(r#","stream":true"#)).await;
    assert_eq!(piece(&mut stream).await, Some(delta("one")));

    let App { proxy, url, client, .. } = app;
    let stopping = actix_rt::spawn(proxy.stop(Duration::from_secs(20)));
    let health = || async { whole(client.get(format!("{url}/health")).send().await.unwrap()).await };
    while health().await.status == 200 {}
    assert_eq!(health().await.json()["status"], "draining");
    let request = client.post(format!("{url}/v1/chat/completions")).bearer_auth(CLIENT);
    let refused = whole(request.send_body(ask("")).await.unwrap()).await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "shutting_down"));
    assert_eq!(refused.header("connection"), "close", "a kept connection would bring the next request here as well");
    // The last figures are wanted, too.
    for header in [("accept", "*/*"), ("via", "1.1 proxy")] {
        let metrics = client.get(format!("{url}/metrics")).bearer_auth(CLIENT).insert_header(header);
        let metrics = whole(metrics.send().await.unwrap()).await;
        assert_eq!(metrics.status, 200);
        assert!(metrics.text().contains("\nchain429_in_flight_requests 1\n"), "{}", metrics.text());
    }
    assert!(!stopping.is_finished());

    gate.add_permits(1);
    let mut rest = String::new();
    while let Some(more) = piece(&mut stream).await {
        rest += &more;
    }
    assert_eq!(rest, format!("{}{STOP}{DONE}", delta("two")));
    assert_eq!(stopping.await.unwrap(), 0);
    assert_eq!(provider.calls(), 1);
}

#[actix_rt::test]
async fn a_stream_that_does_not_end_is_cut_when_the_grace_is_over() {
    let provider = Provider::script([Answer::stream().part(&delta("one")).hang()]).await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let mut stream = app.open(ask(r#","stream":true"#)).await;
    piece(&mut stream).await;
    assert_eq!(app.proxy.stop(Duration::from_millis(50)).await, 1);
    provider.aborted(1).await;
}

#[actix_rt::test]
async fn health_tells_version_uptime_and_counts() {
    let provider = Provider::script([Answer::ok()]).await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    app.clock.advance(Duration::from_secs(90));
    let health = app.get("/health").await.json();
    assert_eq!(health["status"], "ok");
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (health["uptime"].as_u64(), health["providers"].as_u64(), health["chains"].as_u64()),
        (Some(90), Some(1), Some(1))
    );
    app.stop().await;
}

/// Counts the rows of requests to a chain of this name: other tests may log at the same time.
struct RowsOf(&'static str, Arc<AtomicUsize>);

impl<S: tracing::Subscriber> Layer<S> for RowsOf {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        event.record(&mut Named(self));
    }
}

struct Named<'a>(&'a RowsOf);

impl Visit for Named<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "chain" && format!("{value:?}") == self.0.0 {
            self.0.1.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// A row is written for every request, those included that the end of the process cuts.
#[actix_rt::test]
async fn requests_that_are_cut_have_their_rows() {
    let rows = Arc::new(AtomicUsize::new(0));
    let counting = tracing_subscriber::registry().with(RowsOf("cut-at-the-end", Arc::clone(&rows)));
    tracing::subscriber::set_global_default(counting).unwrap();
    for round in 1..=10 {
        let provider = Provider::script([Answer::stream().part(&delta("one")).hang()]).await;
        let app = App::start(&chain_of(&[("a", &provider)]).replace("default", "cut-at-the-end")).await;
        let mut streams = Vec::new();
        for _ in 0..40 {
            let mut stream = app.open(ask(r#","stream":true"#).replace("default", "cut-at-the-end")).await;
            piece(&mut stream).await;
            streams.push(stream);
        }
        assert_eq!(app.proxy.stop(Duration::from_millis(1)).await, 40);
        assert_eq!(rows.load(Ordering::SeqCst), 40 * round);
    }
}

/// The last bytes of an answer may take a while to a slow client, as long as any request in progress.
#[actix_rt::test]
async fn a_slow_client_gets_the_rest_of_its_answer() {
    let body = format!(r#"{{"choices":[{{"message":{{"content":"{}"}}}}]}}"#, "x".repeat(24 << 20));
    let provider = Provider::script([Answer::json(200, &[], &body)]).await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let mut stream = TcpStream::connect(app.proxy.addresses()[0]).await.unwrap();
    let request = ask("");
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {CLIENT}\r\ncontent-length: {}\r\n\r\n",
        request.len()
    );
    stream.write_all((head + &request).as_bytes()).await.unwrap();
    stream.read_u8().await.unwrap();
    let stopping = actix_rt::spawn(app.proxy.stop(Duration::from_secs(20)));
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.ends_with(&body.as_bytes()[1_000..]), "{} bytes of {}", answer.len(), body.len());
    assert_eq!(stopping.await.unwrap(), 0);
}
