//! Streams: invisible fail-over before the first content, the provider's own bytes after it, an honest end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::support::app::{App, Reply, ask, chain_of, config_of, piece, whole};
use crate::support::provider::{Answer, DONE, Provider, STOP, USAGE, delta};

const STREAM: &str = r#","stream":true"#;

async fn healthy() -> Provider {
    Provider::with(|_, _| Answer::sse(&[&delta("fine"), STOP, DONE])).await
}

/// A chain of `first` and a healthy second entry; what the client sees.
async fn with_healthy_second(first: Answer, settings: &str) -> (Reply, serde_json::Value) {
    let first = Provider::script([first]).await;
    let second = healthy().await;
    let app = App::start(&config_of(settings, &[("a", &first), ("b", &second)], "")).await;
    let reply = app.chat(ask(STREAM)).await;
    let state = app.entry("a").await;
    app.stop().await;
    (reply, state)
}

/// What a client of one provider sees.
async fn alone(answer: Answer, settings: &str, more: &str) -> Reply {
    let provider = Provider::script([answer]).await;
    let app = App::start(&config_of(settings, &[("a", &provider)], "")).await;
    let reply = app.chat(ask(more)).await;
    app.stop().await;
    reply
}

fn assert_broke_off(reply: &Reply, before: &str) {
    let text = reply.text();
    let rest = text.strip_prefix(before).unwrap_or_else(|| panic!("{text:?} does not start with {before:?}"));
    let error =
        rest.strip_prefix("data: ").and_then(|rest| rest.strip_suffix("\n\n")).unwrap_or_else(|| panic!("{rest:?}"));
    let error: serde_json::Value = serde_json::from_str(error).unwrap();
    assert_eq!(error["error"]["code"], "stream_interrupted");
    assert!(error["error"]["message"].as_str().unwrap().starts_with("a/m broke off"));
    assert!(!text.contains("[DONE]"), "a part of an answer must not look complete: {text:?}");
}

#[actix_rt::test]
async fn the_providers_own_bytes_are_forwarded_with_stream_headers() {
    let events = [
        ": hello\n\n",
        "event: message\nid: 1\ndata:{\"choices\":[{\"delta\":{\"content\":\"é\"}}]}\r\n\r\n",
        STOP,
        DONE,
    ];
    let provider = Provider::script([Answer::sse(&events)]).await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let reply = app.chat(ask(STREAM)).await;
    assert_eq!(reply.text(), events.concat());
    assert_eq!(reply.header("content-type"), "text/event-stream");
    assert_eq!(reply.header("cache-control"), "no-cache");
    assert_eq!(reply.header("x-accel-buffering"), "no");
    assert_eq!(reply.header("x-429chain-provider"), "a/m");
    app.stop().await;
}

#[actix_rt::test]
async fn chunks_are_forwarded_as_they_come() {
    let gate = Arc::new(Semaphore::new(0));
    let answer =
        Answer::stream().part(&delta("one")).gate(&gate).part(&delta("two")).gate(&gate).part(STOP).part(DONE).end();
    let provider = Provider::script([answer]).await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let mut response = app.open(ask(STREAM)).await;
    assert_eq!(piece(&mut response).await, Some(delta("one")));
    gate.add_permits(1);
    assert_eq!(piece(&mut response).await, Some(delta("two")));
    gate.add_permits(1);
    let mut rest = String::new();
    while let Some(more) = piece(&mut response).await {
        rest += &more;
    }
    assert_eq!(rest, format!("{STOP}{DONE}"));
    app.stop().await;
}

/// Everything that fails before the first content is invisible: the second entry answers.
#[actix_rt::test]
async fn failures_before_the_first_content_are_invisible() {
    let role_only = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
    let error = "data: {\"error\":{\"message\":\"busy\",\"code\":503}}\n\n";
    for (name, first) in [
        ("429", Answer::rate_limited(Some("9"))),
        ("500", Answer::json(500, &[], "{}")),
        ("error event", Answer::sse(&[": PROCESSING\n\n", role_only, error, DONE])),
        ("named error event", Answer::sse(&["event: error\ndata: overloaded\n\n"])),
        ("content and then an error in the same packet", Answer::sse(&[&(delta("par") + error)])),
        ("only DONE", Answer::sse(&[DONE])),
        ("nothing", Answer::sse(&[])),
        ("stop without content", Answer::sse(&[role_only, STOP, DONE])),
        ("cut before content", Answer::stream().part(role_only).close()),
        ("cut inside an event", Answer::stream().part("data: {\"choices\":[{\"delta\":{\"con").close()),
        ("no stream at all", Answer::ok()),
        ("html", Answer::json(200, &[], "<html></html>")),
        ("error as JSON with 200", Answer::json(200, &[], r#"{"error":{"message":"busy","code":503}}"#)),
    ] {
        let (reply, state) = with_healthy_second(first, "").await;
        assert_eq!(reply.text(), format!("{}{STOP}{DONE}", delta("fine")), "{name}");
        assert_eq!(reply.header("x-429chain-provider"), "b/m", "{name}");
        assert_eq!(state["status"], "cooling", "{name}");
    }
}

/// Nothing but small events without content, and no end: what is held of them has a bound, and then somebody else is
/// asked. No time passes here that a timeout could measure.
#[actix_rt::test]
async fn events_without_content_are_not_held_for_ever() {
    for event in ["data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}\n\n", ": still here\n\n"] {
        let endless = || Answer::stream().repeat(format!("{:x}\r\n{event}\r\n", event.len()));
        let (reply, state) = with_healthy_second(endless(), "").await;
        assert_eq!(reply.status, 200, "{event}: {}", reply.text());
        assert_eq!(reply.text(), format!("{}{STOP}{DONE}", delta("fine")), "{event}");
        assert_eq!(state["inFlight"], 0, "{event}: {state}");
        let reply = alone(endless(), "  queueMode: false\n", STREAM).await;
        assert_eq!((reply.status, reply.code().as_str()), (503, "all_providers_exhausted"), "{event}");
        assert_eq!(reply.json()["error"]["trail"][0]["reason"], "empty", "{}", reply.text());
    }
}

#[actix_rt::test]
async fn a_slow_first_token_is_passed_over_although_the_head_came_at_once() {
    let first = Answer::stream().part(": PROCESSING\n\n").hang();
    let (reply, state) = with_healthy_second(first, "  firstTokenTimeoutMs: 400\n").await;
    assert_eq!(reply.header("x-429chain-provider"), "b/m");
    assert_eq!(state["cause"]["reason"], "timeout");
}

#[actix_rt::test]
async fn a_head_that_does_not_come_counts_against_the_first_token_too() {
    let settings = "  firstTokenTimeoutMs: 200\n  requestTimeoutMs: 60000\n";
    let answer = with_healthy_second(Answer::silence(), settings);
    let (reply, state) = tokio::time::timeout(Duration::from_secs(20), answer).await.expect("it waits for 60 s");
    assert_eq!(reply.header("x-429chain-provider"), "b/m");
    assert_eq!(state["cause"]["reason"], "timeout");
}

/// LESSONS O19 and F13: a stream that breaks off ends with an error event and without `[DONE]`.
#[actix_rt::test]
async fn o19_f13_a_stream_that_breaks_off_ends_with_an_error_event() {
    let error = "data: {\"error\":{\"message\":\"lost\",\"code\":\"server_error\"},\"choices\":[{\"delta\":{},\"finish_reason\":\"error\"}]}\n\n";
    let begun = || Answer::stream().part(&delta("Once"));
    let gate = || Arc::new(Semaphore::new(1));
    for (name, answer) in [
        ("connection lost", begun().close()),
        ("chunked body ended without finish_reason", begun().end()),
        ("cut inside an event", begun().part("data: {\"choices\":[{\"del").close()),
        ("error event", begun().gate(&gate()).pause(Duration::from_millis(5)).part(error).part(DONE).end()),
        ("silence", begun().hang()),
    ] {
        let reply = alone(answer, "  streamIdleTimeoutMs: 400\n", STREAM).await;
        assert_eq!(reply.status, 200);
        assert_broke_off(&reply, &delta("Once"));
        assert!(!name.is_empty());
    }
}

/// `midStreamFailureThreshold` and its kin: one stream may break for any reason, several in a row cool the entry, each
/// time for longer.
#[actix_rt::test]
async fn several_broken_streams_in_a_row_cool_the_entry() {
    let provider = Provider::script([Answer::stream().part(&delta("Once")).close()]).await;
    let settings = "  midStreamFailureThreshold: 2\n  midStreamCooldownMs: 60000\n  midStreamCooldownMaxMs: 90000\n";
    let app = App::start(&config_of(settings, &[("a", &provider)], "")).await;
    for cooldown in [60_000, 90_000] {
        app.chat(ask(STREAM)).await;
        assert_eq!(app.entry("a").await["status"], "ready");
        app.chat(ask(STREAM)).await;
        let entry = app.entry("a").await;
        assert_eq!((entry["status"].as_str(), entry["inFlight"].as_u64()), (Some("cooling"), Some(0)));
        assert_eq!(entry["cooldownMs"], cooldown);
        app.clock.advance(Duration::from_millis(cooldown));
    }
    app.stop().await;
}

#[actix_rt::test]
async fn a_missing_done_is_supplied_after_a_finish_reason() {
    let text = format!("{}{STOP}", delta("Hi"));
    assert_eq!(alone(Answer::sse(&[&text]), "", STREAM).await.text(), format!("{text}{DONE}"));
    // The last event may lack its blank line, too.
    let open = text.trim_end();
    assert_eq!(alone(Answer::sse(&[open]), "", STREAM).await.text(), format!("{open}\n\n{DONE}"));
    let done = format!("{text}data: [DONE]");
    assert_eq!(alone(Answer::sse(&[&done]), "", STREAM).await.text(), format!("{done}\n\n"));
}

#[actix_rt::test]
async fn nothing_follows_done() {
    let text = format!("{}{STOP}{DONE}", delta("Hi"));
    assert_eq!(alone(Answer::sse(&[&text, DONE, &delta("more")]), "", STREAM).await.text(), text);
}

/// LESSONS O18 on a real socket: every line end, cut at many places.
#[actix_rt::test]
async fn o18_every_line_end_and_every_cut_arrives_whole() {
    let text = format!("{}{STOP}{DONE}", delta("h\u{e9}\u{1f600}"));
    for wire in [text.clone(), text.replace('\n', "\r\n"), text.replace('\n', "\r")] {
        let cuts: Vec<usize> = (1..wire.len()).filter(|cut| wire.is_char_boundary(*cut)).step_by(7).collect();
        let (script, places) = (wire.clone(), cuts.clone());
        let provider = Provider::with(move |_, call| {
            let (left, right) = script.split_at(places[call]);
            Answer::stream().part(left).pause(Duration::from_millis(1)).part(right).end()
        })
        .await;
        let app = App::start(&chain_of(&[("a", &provider)])).await;
        for cut in cuts {
            assert_eq!(app.chat(ask(STREAM)).await.text(), wire, "cut at {cut}");
        }
        app.stop().await;
    }
}

#[actix_rt::test]
async fn reasoning_tool_calls_and_filtered_answers_count_as_content() {
    for event in [
        "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"x\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n",
    ] {
        let text = format!("{event}{STOP}{DONE}");
        assert_eq!(alone(Answer::sse(&[&text]), "", STREAM).await.text(), text);
    }
}

/// One usage chunk for a client that asked, none for one that did not.
#[actix_rt::test]
async fn usage_is_asked_for_and_taken_out_again() {
    let provider = Provider::with(|request, _| {
        let usage = if request.text().contains("include_usage\":true") { USAGE } else { "" };
        Answer::stream()
            .part(&delta("Hi"))
            .part(STOP)
            .part(usage.get(..40).unwrap_or("data: [DO"))
            .part(usage.get(40..).unwrap_or("NE]\n\n"))
            .part(if usage.is_empty() { "\n" } else { DONE })
            .end()
    })
    .await;
    let yaml = chain_of(&[("a", &provider)]).replace("generic-openai", "groq");
    let app = App::start(&yaml).await;
    let plain = format!("{}{STOP}{DONE}", delta("Hi"));
    assert_eq!(app.chat(ask(STREAM)).await.text(), plain, "asked for by the proxy alone");
    assert!(provider.requests()[0].text().contains(r#""stream_options":{"include_usage":true}"#));
    let asked = app.chat(ask(r#","stream":true,"stream_options":{"include_usage":true}"#)).await;
    assert_eq!(asked.text(), format!("{}{STOP}{USAGE}{DONE}", delta("Hi")));
    app.stop().await;

    let app = App::start(&chain_of(&[("a", &provider)])).await;
    app.chat(ask(STREAM)).await;
    assert!(!provider.requests()[2].text().contains("stream_options"), "not asked where it may be refused");
    app.stop().await;
}

/// LESSONS O17: a client that leaves ends the upstream call and gives its lease back, at any moment.
#[actix_rt::test]
async fn o17_a_client_that_leaves_ends_the_upstream_call() {
    let provider =
        Provider::script([Answer::silence(), Answer::stream().hang(), Answer::stream().part(&delta("Once")).hang()])
            .await;
    let yaml = config_of("", &[("a", &provider)], "    rateLimits: { concurrentRequests: 1 }\n");
    let app = App::start(&yaml).await;
    for calls in 1..=3 {
        // A client of its own, so that dropping it closes the connection.
        let client = awc::Client::builder().disable_timeout().finish();
        let request = client.post(format!("{}/v1/chat/completions", app.url));
        let body = if calls == 1 { ask("") } else { ask(STREAM) };
        let mut sending = Box::pin(request.bearer_auth(crate::support::app::CLIENT).send_body(body));
        if calls == 3 {
            let mut response = sending.await.unwrap();
            assert_eq!(piece(&mut response).await, Some(delta("Once")));
            assert_eq!(app.entry("a").await["inFlight"], 1);
            drop(response);
        } else {
            tokio::select! {
                _ = &mut sending => panic!("there is no answer yet"),
                () = provider.called(calls) => {}
            }
            assert_eq!(app.entry("a").await["inFlight"], 1);
            drop(sending);
        }
        provider.aborted(calls).await;
        // The lease comes back with the same event that closes the call; a few polls later at most.
        for _ in 0..1_000 {
            if app.entry("a").await["inFlight"] == 0 {
                break;
            }
        }
        assert_eq!(app.entry("a").await["inFlight"], 0);
        assert_ne!(app.entry("a").await["status"], "cooling", "the provider did nothing wrong");
    }
    app.stop().await;
}

/// LESSONS O19: a slow client tripped the upstream idle timer.
#[actix_rt::test]
async fn o19_a_slow_client_does_not_make_the_provider_look_idle() {
    let big = delta(&"x".repeat(60_000));
    let mut answer = Answer::stream();
    for _ in 0..200 {
        answer = answer.part(&big);
    }
    let provider = Provider::script([answer.part(STOP).part(DONE).end()]).await;
    let app = App::start(&config_of("  streamIdleTimeoutMs: 800\n", &[("a", &provider)], "")).await;
    let mut response = app.open(ask(STREAM)).await;
    piece(&mut response).await;
    // Longer than the idle limit; the buffers in between hold far less than the 12 MB of the answer.
    tokio::time::sleep(Duration::from_millis(1_600)).await;
    let mut length = 0;
    let mut last = String::new();
    while let Some(more) = piece(&mut response).await {
        length += more.len();
        last = more;
    }
    assert!(last.ends_with(DONE), "{last}");
    assert!(length > 150 * big.len());
    app.stop().await;
}

/// A connection whose stream ended well is used again.
#[actix_rt::test]
async fn the_connection_survives_a_stream() {
    let provider = healthy().await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    for _ in 0..20 {
        assert_eq!(whole(app.open(ask(STREAM)).await).await.status, 200);
        // The last bytes of the body may still be on their way to the pool; whether they are there in time is chance.
        tokio::task::yield_now().await;
    }
    assert_eq!(provider.calls(), 20);
    assert!(provider.connections() < 20, "{} connections", provider.connections());
    app.stop().await;
}

/// A stream that is complete but for a piece of its usage chunk: that piece is no event, and an SDK would choke on it.
#[actix_rt::test]
async fn half_an_event_at_the_end_is_left_out() {
    let answer = Answer::sse(&[&delta("Hi"), STOP, USAGE.get(..40).unwrap()]);
    assert_eq!(alone(answer, "", STREAM).await.text(), format!("{}{STOP}{DONE}", delta("Hi")));
}

/// With `n: 2` the end of one choice is not the end of the answer.
#[actix_rt::test]
async fn a_choice_that_goes_on_after_another_has_ended_is_not_complete() {
    let other = delta("more").replace("\"index\":0", "\"index\":1");
    let reply = alone(Answer::sse(&[&delta("Hi"), STOP, &other]), "", STREAM).await;
    assert_broke_off(&reply, &format!("{}{STOP}{other}", delta("Hi")));
}

/// A short stream comes in one packet; its connection is used again all the same.
#[actix_rt::test]
async fn the_connection_survives_a_stream_that_comes_in_one_piece() {
    let provider = Provider::with(|_, _| Answer::sse(&[&(delta("fine") + STOP + DONE)])).await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    for calls in 1..=5 {
        assert_eq!(whole(app.open(ask(STREAM)).await).await.status, 200);
        provider.called(calls).await;
        // The last bytes of the body may still be on their way to the pool.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(provider.connections() < 5, "{} connections for 5 calls", provider.connections());
    app.stop().await;
}

/// A refusal of the request itself comes back as a 4xx, also when the provider dressed it as a stream.
#[actix_rt::test]
async fn a_bad_request_inside_a_stream_comes_back_as_a_400() {
    let refusal = r#"{"error":{"message":"bad field","type":"invalid_request_error","code":400}}"#;
    let event = format!("data: {refusal}\n\n");
    let (a, b, c) = (
        Provider::script([Answer::sse(&[&event])]).await,
        Provider::script([Answer::sse(&[&event])]).await,
        healthy().await,
    );
    let app = App::start(&chain_of(&[("a", &a), ("b", &b), ("c", &c)])).await;
    let reply = app.chat(ask(STREAM)).await;
    assert_eq!((reply.status, reply.text().as_str()), (400, refusal));
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(c.calls(), 0);
    app.stop().await;
}
