//! The pure core, piece by piece: what one request, one chunk of a stream and one refusal cost.
//!
//! Next to each stands the least that the same bytes could cost (copying them, searching them), measured in the same
//! run: the distance between the two holds on any machine, the nanoseconds do not.

#![allow(missing_docs, reason = "criterion_group! makes a function that cannot be documented")]

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use chain429::domain::bucket::refill::Refill;
use chain429::domain::bucket::{Bucket, Source};
use chain429::domain::cooldown::{Cooldown, Deadline};
use chain429::domain::demand::Need;
use chain429::domain::endpoint::Endpoint;
use chain429::domain::evidence::{DAY, Dimension, MINUTE};
use chain429::domain::ids::{EntryId, ModelId, ProviderId};
use chain429::domain::ledger::{Ledger, Used};
use chain429::domain::outcome::{Basis, CooldownClass, Reason, Target, Verdict};
use chain429::domain::refusal::Refusal;
use chain429::domain::request::{AskUsage, Document};
use chain429::domain::sse::Scanner;
use chain429::domain::stream::{View, Watch};
use chain429::domain::time::{Mono, Now, Wall};
use chain429::domain::trail::{Failure, Seen, Step, Trail};
use chain429::domain::usage;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

/// The name of the model that replaces the client's, as JSON.
const MODEL: &str = r#""llama-3.3-70b-versatile""#;

/// A chat completion request of about `size` bytes, in messages of about 500 bytes with an escape here and there.
fn request_of(size: usize) -> Bytes {
    let text = "She said \\\"no\\\" and left.\\nNobody knew why, and nobody asked her. ".repeat(7);
    let message = format!(r#"{{"role":"user","content":"{text}"}}"#);
    let messages = vec![message; size / 500].join(",");
    Bytes::from(format!(r#"{{"model":"default","messages":[{messages}],"temperature":0.7,"stream":true}}"#))
}

fn request(criterion: &mut Criterion) {
    for (name, size) in [("request, 1 KB", 1 << 10), ("request, 1 MB", 1 << 20)] {
        let body = request_of(size);
        let Ok(document) = Document::parse(Endpoint::Chat, &body) else { return };
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function("baseline: check UTF-8", |bench| bench.iter(|| std::str::from_utf8(black_box(&body))));
        group.bench_function("parse", |bench| bench.iter(|| Document::parse(Endpoint::Chat, black_box(&body))));
        group.bench_function("baseline: copy", |bench| bench.iter(|| black_box(&body).to_vec()));
        group.bench_function("splice the model", |bench| {
            bench.iter(|| document.rewrite(black_box(&body), MODEL, AskUsage::AsIs));
        });
        group.bench_function("splice the model and ask for usage", |bench| {
            bench.iter(|| document.rewrite(black_box(&body), MODEL, AskUsage::Add));
        });
        group.finish();
    }
}

/// One event, as most providers send one per token.
const TOKEN: &str = concat!(
    r#"data: {"id":"chatcmpl-3f9d1c2b","object":"chat.completion.chunk","created":1795521600,"model":"m","#,
    r#""system_fingerprint":"fp_6ea9c3e1","choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"#,
    r#""finish_reason":null}]}"#,
    "\n\n"
);

/// What is made to be measured slowly: eight times as much of it has to cost about eight times as much.
fn crafted(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("crafted requests");
    group.sample_size(20);
    for part in [";base64,", "data:;base64,QUJD", r#"\"data\":\""#, r"\u0041", r"\\"] {
        for count in [8_000, 64_000] {
            let text = part.repeat(count);
            let body = format!(r#"{{"model":"m","data":"{text}","messages":[{{"role":"user","content":"{text}"}}]}}"#);
            group.bench_function(format!("{count} times {part}"), |bench| {
                bench.iter(|| Document::parse(Endpoint::Chat, black_box(body.as_bytes())));
            });
        }
    }
}

fn stream(criterion: &mut Criterion) {
    let one = Bytes::from_static(TOKEN.as_bytes());
    let many = Bytes::from(TOKEN.repeat(64));
    for (name, chunk) in [("stream, a chunk with 1 event", one), ("stream, a chunk with 64 events", many)] {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(chunk.len() as u64));
        group.bench_function("baseline: find the line ends", |bench| {
            bench.iter(|| memchr::memchr2_iter(b'\n', b'\r', black_box(&chunk)).count());
        });
        group.bench_function("scan", |bench| {
            let mut scanner = Scanner::default();
            bench.iter(|| scanner.feed(black_box(&chunk), |event| assert!(!event.data.is_empty())));
        });
        group.bench_function("watch", |bench| {
            let mut watch = Watch::new(View::PLAIN);
            bench.iter(|| watch.feed(black_box(&chunk).clone()));
        });
        group.finish();
    }
}

fn usage_of_an_answer(criterion: &mut Criterion) {
    const TAIL: &str = r#""}}],"usage":{"prompt_tokens":231,"completion_tokens":56,"total_tokens":287,
        "prompt_tokens_details":{"cached_tokens":0}},"system_fingerprint":"fp_6ea9c3e1"}"#;
    let mut group = criterion.benchmark_group("usage of an answer");
    for (name, size) in [("600 B", 400), ("100 KB", 100_000)] {
        let body = r#"{"choices":[{"message":{"content":""#.to_owned() + &"word ".repeat(size / 5) + TAIL;
        group.bench_function(name, |bench| bench.iter(|| usage::read(black_box(body.as_bytes()))));
    }
    group.finish();
}

fn ledger(criterion: &mut Criterion) {
    let now = Now { mono: Mono(10_000_000_000), wall: Wall(1_795_521_600_000) };
    let refused = Verdict::cool(Reason::RateLimit, Target::Entry, CooldownClass::Unknown429);
    let first = Duration::from_secs(60);
    let need = Need { tokens: 500, least: 100, ..Need::default() };
    let limited = || {
        let bucket = |dimension, window, limit| {
            Bucket::new(dimension, Some(window), limit, Refill::Rolling, Source::Configured, now.mono)
        };
        let buckets = vec![
            bucket(Dimension::Requests, MINUTE, 1 << 40),
            bucket(Dimension::Requests, DAY, 1 << 40),
            bucket(Dimension::Tokens, MINUTE, 1 << 40),
        ];
        Ledger::new(Some(64), buckets).called(None)
    };
    let mut group = criterion.benchmark_group("ledger");
    for (name, mut ledger) in [("no limits", Ledger::new(Some(64), Vec::new())), ("three buckets", limited())] {
        group.bench_function(format!("check, charge, settle: {name}"), |bench| {
            bench.iter(|| {
                let granted = ledger.check(black_box(need), black_box(now));
                ledger.charge(need, now.mono);
                ledger.heard(true, true, now.mono, now.mono);
                ledger.settle(need, Used::Tokens { prompt: 100, answer: 50 }, now.mono, now.mono);
                ledger.warm(now.mono);
                granted
            });
        });
    }
    let mut cold = limited();
    cold.chill(&refused, 429, now.mono, now.mono, first);
    group.bench_function("check, cold", |bench| bench.iter(|| cold.check(black_box(need), black_box(now))));
    group.bench_function("a refusal begins a cooldown", |bench| {
        let fresh = limited();
        bench.iter_batched_ref(
            || fresh.clone(),
            |ledger| ledger.chill(black_box(&refused), 429, now.mono, now.mono, first),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn trail(criterion: &mut Criterion) {
    let now = Mono(1_000_000);
    let step = |at: usize| {
        let entry = EntryId { provider: ProviderId::new(format!("provider{at}")), model: ModelId::new("some/model") };
        let until = Deadline::At(Mono(1_042_000));
        let cooldown = Cooldown { until, reason: Reason::RateLimit, status: 429, basis: Basis::RetryAfterHeader };
        let failure = Failure { key: None, reason: Reason::Timeout, status: 0, detail: None, cooldown: Some(cooldown) };
        let seen = if at.is_multiple_of(2) { Seen::Skipped(Refusal::Cooling(cooldown)) } else { Seen::Failed(failure) };
        Step { entry, seen, took: Duration::from_secs(10) }
    };
    let trail = Trail((0..10).map(step).collect());
    let message = trail.message(now);
    let mut group = criterion.benchmark_group("trail of 10 entries");
    group.bench_function("baseline: copy the message", |bench| bench.iter(|| black_box(&message).clone()));
    group.bench_function("message", |bench| bench.iter(|| black_box(&trail).message(black_box(now))));
    group.bench_function("soonest", |bench| bench.iter(|| black_box(&trail).soonest(black_box(now))));
    group.finish();
}

criterion_group!(core, request, crafted, stream, usage_of_an_answer, ledger, trail);
criterion_main!(core);
