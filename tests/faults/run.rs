//! Meets one fault in all four ways at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chain429::store::place::Place as Store;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::fault::{Expect, Fault, Place};
use super::table::{Row, Sight};
use crate::support::app::{App, Reply, ask, config_of};
use crate::support::clock::TestClock;
use crate::support::provider::{Answer, DONE, Provider, STOP, delta};

/// However bad it is, a client is not kept waiting for longer.
const BOUND: Duration = Duration::from_secs(30);

/// A faulty provider: the address of its entry, and what counts its calls.
struct Faulty {
    url: String,
    provider: Provider,
    early: Arc<AtomicUsize>,
}

impl Faulty {
    async fn play(place: &Place) -> Self {
        let scripted = match place {
            Place::Scripted(answer) => answer.clone(),
            _ => Answer::ok(),
        };
        let (provider, early) = (Provider::script([scripted]).await, Arc::default());
        let url = match place {
            Place::Scripted(_) => provider.base_url(),
            Place::At(url) => (*url).to_owned(),
            Place::Secure(answer) => answer_early(answer, &early).await.replace("http://", "https://"),
            Place::Early(answer) => answer_early(answer, &early).await,
        };
        Self { url, provider, early }
    }

    fn calls(&self) -> usize {
        self.provider.calls() + self.early.load(Ordering::SeqCst)
    }
}

/// A listener that answers as soon as the first bytes have come, and closes.
async fn answer_early(answer: &'static str, calls: &Arc<AtomicUsize>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let calls = Arc::clone(calls);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            calls.fetch_add(1, Ordering::SeqCst);
            let mut start = [0; 512];
            let _ = stream.read(&mut start).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    format!("http://{address}/v1")
}

/// Meets a fault: in front of a healthy entry and alone, as a whole answer and as a stream.
pub async fn meet(fault: &Fault) -> [Row; 2] {
    let faulty = [
        Faulty::play(&fault.whole).await,
        Faulty::play(&fault.whole).await,
        Faulty::play(&fault.stream).await,
        Faulty::play(&fault.stream).await,
    ];
    let second = healthy_in_both_ways().await;
    let dir = tempfile::tempdir().unwrap();
    let database = dir.path().join("usage.redb");
    let app = App::start_on(&configuration(fault, &faulty, &second), TestClock::default(), &database);
    let (whole, stream) = ("", r#","stream":true"#);
    let padding = if fault.padding > 0 { format!(r#","x":"{}""#, "x".repeat(fault.padding)) } else { String::new() };
    let send = |model: &'static str, more: &'static str| {
        let request = app.send(ask(&format!("{more}{padding}")).replace("default", model));
        async move {
            let began = Instant::now();
            let reply = tokio::time::timeout(BOUND, request).await;
            let reply = reply.unwrap_or_else(|_| panic!("{model}: no end of {}", fault.name));
            (reply, began.elapsed())
        }
    };
    let replies =
        tokio::join!(send("chain-0", whole), send("p1/m", whole), send("chain-2", stream), send("p3/m", stream),);
    let name = &fault.name;
    let replies = [replies.0, replies.1, replies.2, replies.3];
    let expectations = [fault.expect_whole, fault.expect_whole, fault.expect_stream, fault.expect_stream];
    for (at, ((reply, _), expect)) in replies.iter().zip(expectations).enumerate() {
        check(name, at, reply, expect);
    }
    nothing_in_flight(&app, name).await;
    app.stop().await;
    let rows = Store::File(database).open().unwrap().newest_requests(100).unwrap();
    let mut recorded: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let mut answered: Vec<&str> = replies.iter().map(|(reply, _)| reply.header("x-request-id")).collect();
    recorded.sort_unstable();
    answered.sort_unstable();
    assert_eq!(recorded, answered, "{name}: one row for each request");
    for row in &rows {
        let good = row.status == 200 && row.code.is_none();
        assert_eq!(row.served_by.is_some(), good || row.status == 200, "{name}: {row:?}");
        assert_eq!(row.usage.is_some(), row.status == 200, "{name}: what was said has been paid for: {row:?}");
    }
    let sights: Vec<Sight> =
        replies.iter().zip(&faulty).map(|((reply, took), faulty)| Sight::new(reply, faulty.calls(), *took)).collect();
    let [chain, alone, chain_stream, alone_stream] = sights.try_into().unwrap_or_else(|_| panic!("four"));
    for sight in [&chain, &alone, &chain_stream, &alone_stream] {
        assert_eq!(sight.calls, fault.calls, "{name}");
    }
    [
        Row { fault: name.clone(), stream: false, chain, alone },
        Row { fault: name.clone(), stream: true, chain: chain_stream, alone: alone_stream },
    ]
}

async fn healthy_in_both_ways() -> Provider {
    Provider::with(|request, _| match request.text().contains(r#""stream":true"#) {
        true => Answer::sse(&[&delta("fine"), STOP, DONE]),
        false => Answer::ok(),
    })
    .await
}

/// Four faulty providers, of which two stand in a chain before the healthy one.
fn configuration(fault: &Fault, faulty: &[Faulty; 4], second: &Provider) -> String {
    let yaml = config_of(&format!("  queueMode: false\n{}", fault.settings), &[("fine", second)], "");
    let providers: String = faulty
        .iter()
        .enumerate()
        .map(|(at, faulty)| {
            format!("  - {{ id: p{at}, type: {}, apiKey: key-{at}, baseUrl: \"{}\" }}\n", fault.dialect, faulty.url)
        })
        .collect();
    let chains: String = (0..4)
        .map(|at| {
            format!("  - {{ name: chain-{at}, entries: [{{ provider: p{at}, model: m }}, {{ provider: fine, model: m }}] }}\n")
        })
        .collect();
    yaml.replace("chains:\n", &format!("{providers}chains:\n{chains}"))
}

fn check(name: &str, at: usize, reply: &Reply, expect: Expect) {
    let (in_chain, streamed) = (at.is_multiple_of(2), at >= 2);
    let first = format!("p{at}/m");
    let what = format!(
        "{name}, {} {}",
        if streamed { "stream" } else { "whole" },
        if in_chain { "in a chain" } else { "alone" }
    );
    let text = reply.text();
    let shown = text.get(..400).unwrap_or(&text);
    let served_by = |entry: &str| {
        assert_eq!((reply.status, reply.header("x-429chain-provider")), (200, entry), "{what}: {shown}");
        if streamed {
            assert!(
                text.trim_end().ends_with("data: [DONE]") || text.trim_end().ends_with("data:[DONE]"),
                "{what}: {shown}"
            );
            assert_eq!(text.matches("[DONE]").count(), 1, "{what}: {shown}");
        }
    };
    match expect {
        Expect::Answered => served_by(&first),
        Expect::Passed | Expect::Doubted(_) if in_chain => served_by("fine/m"),
        Expect::Passed => {
            assert_eq!((reply.status, reply.code().as_str()), (503, "all_providers_exhausted"), "{what}: {shown}");
            assert!(text.contains(&first), "{what}: {shown}");
        }
        Expect::Returned(status) | Expect::Doubted(status) => {
            assert_eq!(
                (reply.status, reply.header("x-429chain-provider")),
                (status, first.as_str()),
                "{what}: {shown}"
            );
        }
        Expect::Broken => {
            assert_eq!((reply.status, reply.header("x-429chain-provider")), (200, first.as_str()), "{what}: {shown}");
            let last = text.trim_end().rsplit("\n\n").next().unwrap_or_default();
            let error = last
                .trim_start()
                .strip_prefix("data: ")
                .and_then(|data| serde_json::from_str::<serde_json::Value>(data).ok());
            let error = error.unwrap_or_else(|| panic!("{what}: {last}"));
            assert_eq!(error["error"]["code"], "stream_interrupted", "{what}: {shown}");
            assert_eq!(text.matches("\"error\"").count(), 1, "{what}: {shown}");
            assert!(!text.contains("[DONE]"), "{what}: {shown}");
        }
    }
}

async fn nothing_in_flight(app: &App, name: &str) {
    let idle = async {
        loop {
            let state = app.get("/v1/ratelimits").await.json();
            let entries = state["ratelimits"].as_array().unwrap();
            if entries.iter().all(|entry| entry["inFlight"] == 0) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), idle).await.unwrap_or_else(|_| panic!("{name}: a lease is stuck"));
}
