//! Traces: a span for each request, one for each call, the trace of the client in and out. Off unless asked for.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::HeaderMap;
use chain429::store::place::Place;
use chain429::upstream::tls;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::support::app::{App, CLIENT, Reply, ask, chain_of, config_of, healthy, piece, whole};
use crate::support::binary::{Running, command};
use crate::support::clock::{NOON, TestClock};
use crate::support::collector::{Collector, Seen, read};
use crate::support::provider::{Answer, DONE, Provider, STOP, USAGE, delta};

const STREAM: &str = r#","stream":true"#;
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

const SERVER: i32 = 2;
const CALL: i32 = 3;

/// A proxy with these variables beside the address of the collector.
fn traced(collector: &Collector, yaml: &str, clock: &TestClock, more: &[(&str, &str)]) -> App {
    let endpoint = collector.endpoint();
    let always = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "60000")];
    start(yaml, clock, &[&always, more].concat())
}

fn start(yaml: &str, clock: &TestClock, variables: &[(&str, &str)]) -> App {
    let variables: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    App::start_in(&variables, yaml, clock.clone(), tls::client_config(None).unwrap(), Place::Memory)
}

/// Asks with these headers as well.
async fn chat_with(app: &App, headers: &[(&str, &str)], more: &str) -> Reply {
    let mut request = app.client.post(format!("{}/v1/chat/completions", app.url)).bearer_auth(CLIENT);
    for header in headers {
        request = request.append_header(*header);
    }
    whole(request.send_body(ask(more)).await.unwrap()).await
}

/// Gives this answer after so much time.
fn after(clock: &TestClock, ms: u64, answer: Answer) -> impl Fn() -> Answer + Send + Sync + 'static {
    let clock = clock.clone();
    move || {
        clock.advance(Duration::from_millis(ms));
        answer.clone()
    }
}

async fn slow(clock: &TestClock, ms: u64, answer: Answer) -> Provider {
    let answer = after(clock, ms, answer);
    Provider::with(move |_, _| answer()).await
}

/// What must be told of a call of `provider`, and no more.
fn call(provider: &Provider, id: &str, number: u64, more: Value) -> BTreeMap<String, Value> {
    let port: u16 = provider.base_url().rsplit(':').next().unwrap().trim_end_matches("/v1").parse().unwrap();
    map(
        json!({
            "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.provider.name": id,
            "server.address": "127.0.0.1", "server.port": port, "http.request.method": "POST",
            "chain429.provider": id, "chain429.attempt": number,
        }),
        more,
    )
}

/// What must be told of a request to the chain, and no more.
fn request(reply: &HeaderMap, attempts: u64, more: Value) -> BTreeMap<String, Value> {
    map(
        json!({
            "gen_ai.operation.name": "chat", "gen_ai.request.model": "default", "http.request.method": "POST",
            "chain429.request.id": reply.get("x-request-id").unwrap().to_str().unwrap(), "chain429.chain": "default",
            "chain429.attempts": attempts, "chain429.skipped": 0, "chain429.waited_ms": 0,
        }),
        more,
    )
}

fn map(base: Value, more: Value) -> BTreeMap<String, Value> {
    [base, more].into_iter().flat_map(|object| object.as_object().unwrap().clone()).collect()
}

/// Who served, and at what cost.
fn served(by: &str) -> Value {
    json!({
        "gen_ai.provider.name": by, "gen_ai.response.model": "m", "chain429.provider": by,
        "gen_ai.usage.input_tokens": 12, "gen_ai.usage.output_tokens": 3, "chain429.usage.estimated": false,
        "http.response.status_code": 200,
    })
}

fn with(mut base: Value, more: Value) -> Value {
    base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    base
}

/// The span of the only request, and those of its calls; ids are as they have to be.
fn one_request(collector: &Collector) -> (Seen, Vec<Seen>) {
    let mut spans = collector.spans();
    let request = spans.remove(0);
    assert_eq!((request.kind, request.name.as_str()), (SERVER, "chat default"));
    let mut ids = vec![&request.id];
    for call in &spans {
        assert_eq!((call.kind, call.name.as_str()), (CALL, "chat m"));
        assert_eq!((&call.trace, &call.parent), (&request.trace, &request.id));
        ids.push(&call.id);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), spans.len() + 1, "every span has an id of its own");
    (request, spans)
}

fn times(span: &Seen) -> (u64, u64) {
    (span.began - NOON, span.ended - NOON)
}

#[actix_rt::test]
async fn a_request_that_is_served_at_once_is_two_spans() {
    let (clock, collector) = (TestClock::default(), Collector::start().await);
    let a = slow(&clock, 250, Answer::ok()).await;
    let app = traced(&collector, &chain_of(&[("a", &a)]), &clock, &[("OTEL_SERVICE_NAME", "mine")]);
    let reply = app.chat(ask("")).await;
    app.stop().await;

    let (span, calls) = one_request(&collector);
    assert_eq!(span.attributes, request(&reply.headers, 1, served("a")));
    assert_eq!((span.parent.as_str(), span.flags, span.error.as_ref(), times(&span)), ("", 0x303, None, (0, 250)));
    let [first] = calls.as_slice() else { panic!("{calls:?}") };
    assert_eq!(first.attributes, call(&a, "a", 1, json!({ "http.response.status_code": 200 })));
    assert_eq!((first.flags, first.error.as_ref(), times(first)), (0x103, None, (0, 250)));
    let sent = a.requests();
    assert_eq!(sent[0].header("traceparent").unwrap(), format!("00-{}-{}-03", span.trace, first.id));
    assert_eq!(sent[0].header("tracestate"), None);

    let export = &collector.0.requests()[0];
    assert!(export.head.starts_with("POST /v1/traces HTTP/1.1"), "{}", export.head);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(read(export).0, map(json!({ "service.name": "mine", "service.version": version }), json!({})));
}

#[actix_rt::test]
async fn an_entry_that_is_passed_over_is_a_span_with_its_reason() {
    let (clock, collector) = (TestClock::default(), Collector::start().await);
    let a = slow(&clock, 20, Answer::rate_limited(Some("60"))).await;
    let b = slow(&clock, 300, Answer::ok()).await;
    let app = traced(&collector, &chain_of(&[("a", &a), ("b", &b)]), &clock, &[]);
    let reply = app.chat(ask("")).await;
    assert_eq!(reply.header("x-429chain-provider"), "b/m");
    app.stop().await;

    let (span, calls) = one_request(&collector);
    assert_eq!(span.attributes, request(&reply.headers, 2, served("b")));
    assert_eq!((span.error.as_ref(), times(&span)), (None, (0, 320)));
    let [first, second] = calls.as_slice() else { panic!("{calls:?}") };
    let refused = json!({ "http.response.status_code": 429, "error.type": "rate_limit" });
    assert_eq!(first.attributes, call(&a, "a", 1, refused));
    assert_eq!((first.error.as_deref(), times(first)), (Some("rate limited"), (0, 20)));
    assert_eq!(second.attributes, call(&b, "b", 2, json!({ "http.response.status_code": 200 })));
    assert_eq!((second.error.as_ref(), times(second)), (None, (20, 320)));
    for (provider, call) in [(&a, first), (&b, second)] {
        let sent = provider.requests();
        assert_eq!(sent[0].header("traceparent").unwrap(), format!("00-{}-{}-03", span.trace, call.id));
    }
}

/// The conventions have names of their own for some; and which key was refused is told by its number.
#[actix_rt::test]
async fn providers_and_keys_are_told_apart() {
    let (clock, collector) = (TestClock::default(), Collector::start().await);
    let a = Provider::script([Answer::rate_limited(Some("60")), Answer::ok()]).await;
    let yaml = chain_of(&[("a", &a)]).replace("generic-openai", "google-ai");
    let yaml = yaml.replace("apiKey: key-of-a", "apiKeys: [secret-1, secret-2]");
    let app = traced(&collector, &yaml, &clock, &[]);
    assert_eq!(app.chat(ask("")).await.status, 200);
    app.stop().await;
    let (span, calls) = one_request(&collector);
    for span in [&span, &calls[0], &calls[1]] {
        assert_eq!(
            (&span.attributes["gen_ai.provider.name"], &span.attributes["chain429.provider"]),
            (&json!("gcp.gemini"), &json!("a"))
        );
    }
    let first = if a.requests()[0].header("authorization") == Some("Bearer secret-1") { 1 } else { 2 };
    assert_eq!(calls[0].attributes["chain429.key"], first);
    assert!(!format!("{span:?}{calls:?}").contains("secret"));
    for sent in collector.0.requests() {
        for secret in ["secret-", CLIENT, "Hello", "\"Hi\""] {
            assert!(!String::from_utf8_lossy(&sent.body).contains(secret), "{secret}");
        }
    }
}

/// An entry that rests is not called: it is counted, and is no span.
#[actix_rt::test]
async fn an_entry_that_rests_is_no_span() {
    let (clock, collector) = (TestClock::default(), Collector::start().await);
    let (a, b) = (slow(&clock, 0, Answer::rate_limited(Some("60"))).await, healthy().await);
    let app = traced(&collector, &chain_of(&[("a", &a), ("b", &b)]), &clock, &[]);
    app.chat(ask("")).await;
    let reply = app.chat(ask("")).await;
    app.stop().await;
    let spans = collector.spans();
    let [.., span, last] = spans.as_slice() else { panic!("{spans:?}") };
    assert_eq!(span.attributes, request(&reply.headers, 1, with(served("b"), json!({ "chain429.skipped": 1 }))));
    assert_eq!((spans.len(), &last.attributes["chain429.provider"]), (5, &json!("b")));
}

#[actix_rt::test]
async fn a_stream_lasts_until_its_end() {
    let (clock, collector, gate) = (TestClock::default(), Collector::start().await, Arc::new(Semaphore::new(0)));
    let answer = Answer::stream().part(&delta("Hi")).gate(&gate).part(&[STOP, USAGE, DONE].concat()).end();
    let a = slow(&clock, 100, answer).await;
    let app = traced(&collector, &chain_of(&[("a", &a)]), &clock, &[]);
    let mut response = app.open(ask(STREAM)).await;
    piece(&mut response).await.unwrap();
    clock.advance(Duration::from_millis(900));
    gate.add_permits(1);
    while piece(&mut response).await.is_some() {}
    let headers = response.headers().clone();
    app.stop().await;

    let (span, calls) = one_request(&collector);
    let streamed = json!({ "gen_ai.request.stream": true, "gen_ai.response.time_to_first_chunk": 0.1 });
    assert_eq!(span.attributes, request(&headers, 1, with(served("a"), streamed)));
    assert_eq!((span.error.as_ref(), times(&span)), (None, (0, 1_000)));
    let told = json!({ "gen_ai.request.stream": true, "http.response.status_code": 200 });
    assert_eq!(calls[0].attributes, call(&a, "a", 1, told));
    assert_eq!((calls.len(), calls[0].error.as_ref(), times(&calls[0])), (1, None, (0, 1_000)));
}

#[actix_rt::test]
async fn a_stream_that_breaks_is_an_error_of_both() {
    let (clock, collector) = (TestClock::default(), Collector::start().await);
    let a = slow(&clock, 100, Answer::stream().part(&delta("Hi")).close()).await;
    let app = traced(&collector, &chain_of(&[("a", &a)]), &clock, &[]);
    let reply = app.chat(ask(STREAM)).await;
    assert!(reply.text().contains("stream_interrupted"), "{}", reply.text());
    app.stop().await;

    let (span, calls) = one_request(&collector);
    assert_eq!(span.attributes["error.type"], "stream_interrupted");
    assert_eq!(span.attributes["http.response.status_code"], 200);
    assert_eq!(span.attributes["chain429.usage.estimated"], true);
    assert_eq!(span.error.as_deref(), Some("stream_interrupted"));
    let told = json!({ "gen_ai.request.stream": true, "http.response.status_code": 200, "error.type": "truncated" });
    assert_eq!(calls[0].attributes, call(&a, "a", 1, told));
    assert_eq!((calls.len(), calls[0].error.as_deref()), (1, Some("answer cut off")));
}

/// Before the answer nothing was sent, so there is no status; during a stream it was 200. Nobody has failed.
#[actix_rt::test]
async fn a_client_that_leaves_is_told_as_that() {
    let (clock, collector) = (TestClock::default(), Collector::start().await);
    let a = Provider::script([Answer::silence(), Answer::stream().part(&delta("Hi")).hang()]).await;
    let app = traced(&collector, &chain_of(&[("a", &a)]), &clock, &[]);
    // Before the answer.
    let leaving = actix_rt::spawn(app.send(ask("")));
    a.called(1).await;
    clock.advance(Duration::from_millis(70));
    leaving.abort();
    a.aborted(1).await;
    // In the middle of it.
    let mut response = app.open(ask(STREAM)).await;
    piece(&mut response).await.unwrap();
    drop(response);
    a.aborted(2).await;
    app.stop().await;

    let spans = collector.spans();
    let [early, early_call, late, late_call] = spans.as_slice() else { panic!("{spans:?}") };
    assert_eq!((early.kind, late.kind), (SERVER, SERVER));
    for span in &spans {
        assert_eq!((&span.attributes["error.type"], span.error.as_ref()), (&json!("client_closed"), None));
    }
    assert_eq!(early.attributes.get("http.response.status_code"), None);
    assert_eq!(early.attributes["chain429.attempts"], 1);
    assert_eq!((times(early), times(early_call)), ((0, 70), (0, 70)));
    assert_eq!(early_call.attributes, call(&a, "a", 1, json!({ "error.type": "client_closed" })));
    assert_eq!(late.attributes["http.response.status_code"], 200);
    let told =
        json!({ "gen_ai.request.stream": true, "http.response.status_code": 200, "error.type": "client_closed" });
    assert_eq!(late_call.attributes, call(&a, "a", 1, told));
}

#[actix_rt::test]
async fn a_request_that_is_at_fault_is_no_error_of_the_server() {
    let (clock, collector) = (TestClock::default(), Collector::start().await);
    let refusal = Answer::error(400, &[], "messages: too short", "invalid_request_error");
    let (a, b) = (slow(&clock, 5, refusal.clone()).await, slow(&clock, 5, refusal).await);
    let app = traced(&collector, &chain_of(&[("a", &a), ("b", &b)]), &clock, &[]);
    let reply = app.chat(ask("")).await;
    app.stop().await;

    let (span, calls) = one_request(&collector);
    let told = json!({ "http.response.status_code": 400, "error.type": "refused_upstream" });
    assert_eq!(span.attributes, request(&reply.headers, 2, told));
    assert_eq!(span.error, None);
    let told = json!({ "http.response.status_code": 400, "error.type": "bad_request" });
    assert_eq!(calls[0].attributes, call(&a, "a", 1, told.clone()));
    assert_eq!(calls[1].attributes, call(&b, "b", 2, told));
    assert!(calls.iter().all(|call| call.error.as_deref() == Some("bad request")), "{calls:?}");
}

#[actix_rt::test]
async fn what_nobody_serves_is_an_error() {
    let (clock, collector) = (TestClock::default(), Collector::start().await);
    let (a, b) =
        (slow(&clock, 5, Answer::rate_limited(Some("600"))).await, Provider::script([Answer::hang_up()]).await);
    let app = traced(&collector, &config_of("  queueMode: false\n", &[("a", &a), ("b", &b)], ""), &clock, &[]);
    let reply = app.chat(ask("")).await;
    assert_eq!(reply.code(), "all_providers_exhausted");
    app.stop().await;

    let (span, calls) = one_request(&collector);
    let told = json!({ "http.response.status_code": 503, "error.type": "all_providers_exhausted" });
    assert_eq!(span.attributes, request(&reply.headers, 2, told));
    assert_eq!(span.error.as_deref(), Some("all_providers_exhausted"));
    assert_eq!(calls[1].attributes, call(&b, "b", 2, json!({ "error.type": "lost" })));
    assert!(calls[1].error.as_deref().unwrap().starts_with("connection lost"), "{:?}", calls[1].error);
}

/// Also a request that never came as far as a chain is a span.
#[actix_rt::test]
async fn a_body_that_cannot_be_read_is_a_span_without_a_call() {
    let (clock, collector, a) = (TestClock::default(), Collector::start().await, healthy().await);
    let app = traced(&collector, &chain_of(&[("a", &a)]), &clock, &[]);
    assert_eq!(app.post_to("/v1/embeddings", "{").await.status, 400);
    app.stop().await;
    let spans = collector.spans();
    assert_eq!((spans.len(), spans[0].name.as_str()), (1, "embeddings"));
    assert_eq!(spans[0].attributes["error.type"], "invalid_request");
    assert_eq!(spans[0].attributes["http.response.status_code"], 400);
}

#[actix_rt::test]
async fn the_trace_of_a_client_goes_on() {
    let (clock, collector, a) = (TestClock::default(), Collector::start().await, healthy().await);
    let app = traced(&collector, &chain_of(&[("a", &a)]), &clock, &[]);
    let headers = [("traceparent", PARENT), ("tracestate", "x=1"), ("tracestate", "y@z=2")];
    chat_with(&app, &headers, "").await;
    app.stop().await;

    let (span, calls) = one_request(&collector);
    assert_eq!((span.trace.as_str(), span.parent.as_str()), (TRACE, "00f067aa0ba902b7"));
    assert_eq!((span.flags, calls[0].flags), (0x301, 0x101), "the parent of the first is elsewhere");
    assert_eq!((span.state.as_str(), calls[0].state.as_str()), ("x=1,y@z=2", "x=1,y@z=2"));
    let sent = a.requests();
    assert_eq!(sent[0].header("traceparent").unwrap(), format!("00-{TRACE}-{}-01", calls[0].id));
    assert_eq!(sent[0].header("tracestate"), Some("x=1,y@z=2"));
}

#[actix_rt::test]
async fn a_trace_that_is_not_sampled_goes_on_and_is_not_recorded() {
    let (clock, collector, a) = (TestClock::default(), Collector::start().await, healthy().await);
    let app = traced(&collector, &chain_of(&[("a", &a)]), &clock, &[]);
    chat_with(&app, &[("traceparent", UNSAMPLED)], "").await;
    app.stop().await;
    assert_eq!(collector.0.calls(), 0);
    let sent = a.requests();
    let parent = sent[0].header("traceparent").unwrap();
    assert!(parent.starts_with(&format!("00-{TRACE}-")) && parent.ends_with("-00"), "{parent}");
    assert!(!parent.contains("00f067aa0ba902b7"), "the call is a span of its own: {parent}");
}

#[actix_rt::test]
async fn a_trace_context_that_is_malformed_or_doubled_counts_as_none() {
    let (clock, collector, a) = (TestClock::default(), Collector::start().await, healthy().await);
    let app = traced(&collector, &chain_of(&[("a", &a)]), &clock, &[]);
    let twice = [("traceparent", PARENT), ("traceparent", PARENT)];
    for headers in [&twice[..], &[("traceparent", "00-xyz"), ("tracestate", "x=1")], &[("tracestate", "x=1")]] {
        assert_eq!(chat_with(&app, headers, "").await.status, 200);
    }
    app.stop().await;
    let spans = collector.spans();
    assert_eq!(spans.len(), 6);
    for span in spans.iter().filter(|span| span.kind == SERVER) {
        assert!(span.trace != TRACE && span.parent.is_empty() && span.state.is_empty(), "{span:?}");
    }
}

#[actix_rt::test]
async fn without_propagators_spans_are_made_and_no_headers() {
    let (clock, collector, a) = (TestClock::default(), Collector::start().await, healthy().await);
    let app = traced(&collector, &chain_of(&[("a", &a)]), &clock, &[("OTEL_PROPAGATORS", "none")]);
    chat_with(&app, &[("traceparent", PARENT)], "").await;
    app.stop().await;
    let (span, _) = one_request(&collector);
    assert!(span.trace != TRACE && span.parent.is_empty());
    assert_eq!(a.requests()[0].header("traceparent"), None);
}

#[actix_rt::test]
async fn when_off_nothing_is_added_and_nobody_is_called() {
    let (clock, collector, a) = (TestClock::default(), Collector::start().await, healthy().await);
    let endpoint = collector.endpoint();
    for variables in [
        vec![],
        vec![("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_SDK_DISABLED", "true")],
        vec![("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint.as_str()), ("OTEL_TRACES_EXPORTER", "none")],
    ] {
        let app = start(&chain_of(&[("a", &a)]), &clock, &variables);
        chat_with(&app, &[("traceparent", PARENT), ("tracestate", "x=1")], "").await;
        app.stop().await;
    }
    assert_eq!(collector.0.connections(), 0);
    assert_eq!(a.calls(), 3);
    for sent in a.requests() {
        assert_eq!((sent.header("traceparent"), sent.header("tracestate")), (None, None));
    }
}

/// Streams and kept connections use the same prepared heads: each call carries its own header.
#[actix_rt::test]
async fn every_call_carries_its_own_span() {
    let (clock, collector, a) = (TestClock::default(), Collector::start().await, healthy().await);
    let app = traced(&collector, &chain_of(&[("a", &a)]), &clock, &[("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "3")]);
    for _ in 0..5 {
        app.chat(ask("")).await;
    }
    app.stop().await;
    let calls: Vec<Seen> = collector.spans().into_iter().filter(|span| span.kind == CALL).collect();
    let expected: Vec<String> = calls.iter().map(|call| format!("00-{}-{}-03", call.trace, call.id)).collect();
    let sent = a.requests();
    let sent: Vec<&str> = sent.iter().map(|request| request.header("traceparent").unwrap()).collect();
    assert_eq!(sent, expected);
    assert!(collector.0.calls() >= 4, "10 spans in batches of 3");
}

/// Requests do not wait for it, and all that there is room for arrives when it is back.
#[actix_rt::test]
async fn a_collector_that_hangs_or_refuses_costs_requests_nothing() {
    let (clock, a) = (TestClock::default(), healthy().await);
    let collector = Collector(
        Provider::script([
            Answer::silence(),
            Answer::json(503, &[("retry-after", "0")], ""),
            Answer::json(200, &[], ""),
        ])
        .await,
    );
    let variables =
        [("OTEL_BSP_SCHEDULE_DELAY", "1"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "100"), ("OTEL_BSP_MAX_QUEUE_SIZE", "8")];
    let app = traced(&collector, &chain_of(&[("a", &a)]), &clock, &variables);
    app.chat(ask("")).await;
    collector.0.called(1).await;
    // The exporter is busy: room is for four more requests of two spans.
    for _ in 0..20 {
        assert_eq!(app.chat(ask("")).await.status, 200);
    }
    collector.0.called(3).await;
    app.stop().await;
    let first: Vec<_> = collector.0.requests().iter().take(3).map(|request| request.body.clone()).collect();
    assert!(first[0] == first[1] && first[1] == first[2], "the same batch, until it is taken");
    assert_eq!(a.calls(), 21);
}

#[actix_rt::test]
async fn headers_and_spelling_are_those_that_are_asked_for() {
    let (clock, collector, a) = (TestClock::default(), Collector::start().await, healthy().await);
    let variables = [
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20k,x-team=blue"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
    ];
    let app = traced(&collector, &chain_of(&[("a", &a)]), &clock, &variables);
    app.chat(ask("")).await;
    app.stop().await;
    let sent = &collector.0.requests()[0];
    assert_eq!((sent.header("authorization"), sent.header("x-team")), (Some("Bearer k"), Some("blue")));
    assert_eq!(read(sent).1.len(), 2);
}

/// The binary in a folder with a configuration, and with the address of a collector in its environment.
fn binary(dir: &Path, provider: &Provider, endpoint: &str) -> Command {
    std::fs::write(dir.join("config.yaml"), chain_of(&[("a", provider)])).unwrap();
    let mut command = command(dir, &["serve", "--config", "config.yaml"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).env("OTEL_RESOURCE_ATTRIBUTES", "team=blue");
    command
}

async fn chat(url: &str) -> u16 {
    let request = awc::Client::default().post(format!("{url}/v1/chat/completions")).bearer_auth(CLIENT);
    whole(request.send_body(ask("")).await.unwrap()).await.status
}

async fn end(running: Running) -> (Option<i32>, String) {
    actix_rt::task::spawn_blocking(move || running.end("-TERM")).await.unwrap()
}

#[actix_rt::test]
async fn what_a_slow_collector_has_no_time_for_is_counted_and_said_once() {
    let (dir, gate, a) = (tempfile::tempdir().unwrap(), Arc::new(Semaphore::new(0)), healthy().await);
    let taken = Answer::json(200, &[], "{}");
    let collector = Collector(Provider::script([taken.clone().behind(&gate), taken]).await);
    let mut command = binary(dir.path(), &a, &collector.endpoint());
    let running = Running::start(command.env("OTEL_BSP_SCHEDULE_DELAY", "1").env("OTEL_BSP_MAX_QUEUE_SIZE", "4"));
    assert_eq!(chat(&running.url).await, 200);
    collector.0.called(1).await;
    // There is room for two of them.
    for _ in 0..9 {
        assert_eq!(chat(&running.url).await, 200);
    }
    gate.add_permits(1);
    let (code, log) = end(running).await;
    assert_eq!((code, collector.spans().len()), (Some(0), 6), "{log}");
    assert_eq!(log.matches("they came faster than they could be sent lost=14").count(), 1, "{log}");
    assert_eq!(log.matches("spans were lost lost=14").count(), 1, "{log}");
}

/// The environment of a process of its own, from the first request to the flush at its end.
#[actix_rt::test]
async fn the_binary_is_asked_by_environment_variables() {
    let (collector, a) = (Collector::start().await, healthy().await);
    let dir = tempfile::tempdir().unwrap();
    let start = |endpoint: &str| binary(dir.path(), &a, endpoint);

    let running = Running::start(start(&collector.endpoint()));
    assert_eq!(chat(&running.url).await, 200);
    let (code, log) = end(running).await;
    assert_eq!((code, collector.spans().len()), (Some(0), 2), "{log}");
    assert_eq!(read(&collector.0.requests()[0]).0["team"], "blue");

    // Nobody is there.
    let gone = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    let mut nobody = start("http://collector.invalid:4318");
    nobody.env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("http://{gone}/x?key=secret"));
    nobody.env("OTEL_BSP_SCHEDULE_DELAY", "1").env("OTEL_BSP_EXPORT_TIMEOUT", "1").env("OTEL_BSP_MAX_QUEUE_SIZE", "4");
    let running = Running::start(nobody);
    for _ in 0..10 {
        assert_eq!(chat(&running.url).await, 200);
    }
    let (code, log) = end(running).await;
    assert_eq!(code, Some(0));
    assert_eq!(log.matches("traces cannot be sent").count(), 1, "{log}");
    assert_eq!(log.matches("spans were lost lost=20").count(), 1, "{log}");
    assert!(!log.contains("secret"), "{log}");

    // What cannot be is said before anything starts.
    let mut wrong = start(&collector.endpoint());
    let output = wrong.env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("OTEL_EXPORTER_OTLP_PROTOCOL=grpc is not supported"), "{said}");
    assert!(said.contains("use http/protobuf or http/json"), "{said}");
}
