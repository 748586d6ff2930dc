//! What happens when an entry does not serve: the next one is asked, and the first is left alone for as long as it
//! takes.

use std::time::Duration;

use crate::support::app::{App, ask, chain_of, config_of, healthy};
use crate::support::provider::{Answer, Provider};

#[actix_rt::test]
async fn a_rate_limited_entry_is_passed_over_until_exactly_its_own_deadline() {
    let first = Provider::script([Answer::rate_limited(Some("42")), Answer::ok()]).await;
    let second = healthy().await;
    let app = App::start(&chain_of(&[("a", &first), ("b", &second)])).await;

    let reply = app.chat(ask("")).await;
    assert_eq!((reply.status, reply.header("x-429chain-provider")), (200, "b/m"));
    assert_eq!(reply.header("x-429chain-attempts"), "2");

    app.clock.advance(Duration::from_millis(41_999));
    let reply = app.chat(ask("")).await;
    assert_eq!((reply.header("x-429chain-provider"), reply.header("x-429chain-attempts")), ("b/m", "1"));
    assert_eq!(first.calls(), 1, "no call to a cooling entry");
    assert_eq!(app.entry("a").await["status"], "cooling");
    assert_eq!(app.entry("a").await["cooldownMs"], 1);

    app.clock.advance(Duration::from_millis(1));
    let reply = app.chat(ask("")).await;
    assert_eq!((reply.header("x-429chain-provider"), reply.header("x-429chain-attempts")), ("a/m", "1"));
    assert_eq!(app.entry("a").await["status"], "ready");
    app.stop().await;
}

/// LESSONS O21, and PRXY-06: 503 for stream and non-stream alike, with `Retry-After` and every reason.
#[actix_rt::test]
async fn o21_exhaustion_says_who_why_and_when() {
    let limited = Provider::script([Answer::rate_limited(Some("42"))]).await;
    let broken = Provider::script([Answer::json(500, &[], "{}")]).await;
    let dead = Provider::script([Answer::error(401, &[], "bad key", "auth")]).await;
    let providers = [("groq", &limited), ("openrouter", &broken), ("cerebras", &dead)];
    let app = App::start(&config_of("  queueMode: false\n", &providers, "")).await;
    for (more, seconds) in [("", "15"), (r#","stream":true"#, "5")] {
        let reply = app.chat(ask(more)).await;
        assert_eq!((reply.status, reply.code().as_str()), (503, "all_providers_exhausted"));
        assert_eq!(reply.header("retry-after"), seconds);
        assert_eq!(reply.header("x-429chain-chain"), "default");
        let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with("Tried 3 providers: groq/m (429, back in "), "{message}");
        assert!(message.contains("openrouter/m (server error, 500, back in "), "{message}");
        assert!(message.contains("cerebras/m (key rejected, 401, back in 60 min)"), "{message}");
        let trail = reply.json()["error"]["trail"].clone();
        assert_eq!(trail.as_array().unwrap().len(), 3);
        assert_eq!(trail[0]["reason"], "rate_limit");
        assert_eq!(trail[0]["retryAt"], "2026-11-24T12:00:42.000Z");
        app.clock.advance(Duration::from_secs(10));
    }
    app.stop().await;
}

/// LESSONS O13: a dead key cost a call with every request, and one bad request walked the whole chain.
#[actix_rt::test]
async fn o13_a_dead_key_is_asked_once() {
    let dead = Provider::script([Answer::error(401, &[], "bad key", "auth")]).await;
    let good = healthy().await;
    let yaml = chain_of(&[("a", &dead), ("b", &good)]).replace(
        "      - { provider: a, model: m }\n",
        "      - { provider: a, model: m }\n      - { provider: a, model: n }\n",
    );
    let app = App::start(&yaml).await;
    for _ in 0..10 {
        assert_eq!(app.chat(ask("")).await.status, 200);
    }
    assert_eq!(dead.calls(), 1, "neither this model nor another one of the same key");
    assert_eq!(app.entry("a").await["status"], "auth_error");
    app.stop().await;
}

#[actix_rt::test]
async fn o13_a_bad_request_costs_at_most_two_calls_and_comes_back_as_it_was() {
    let body = r#"{"error":{"message":"'temperature' must be <= 2","type":"invalid_request_error","param":"temperature","code":null}}"#;
    let mut providers = Vec::new();
    for _ in 0..4 {
        providers.push(Provider::script([Answer::json(400, &[], body)]).await);
    }
    let named: Vec<(&str, &Provider)> = ["a", "b", "c", "d"].into_iter().zip(&providers).collect();
    let app = App::start(&chain_of(&named)).await;

    let reply = app.chat(ask(r#","temperature":3"#)).await;

    assert_eq!((reply.status, reply.text().as_str()), (400, body));
    assert_eq!(reply.header("x-429chain-provider"), "a/m");
    assert_eq!(reply.header("x-429chain-attempts"), "2");
    assert_eq!(providers.iter().map(Provider::calls).collect::<Vec<_>>(), [1, 1, 0, 0]);
    for id in ["a", "b"] {
        assert_ne!(app.entry(id).await["status"], "cooling", "the client's fault cools nobody");
    }
    app.stop().await;
}

#[actix_rt::test]
async fn the_second_opinion_comes_from_another_provider_and_may_be_an_answer() {
    let picky = Provider::script([Answer::error(400, &[], "bad field", "invalid_request_error")]).await;
    let good = healthy().await;
    let yaml = chain_of(&[("a", &picky), ("b", &good)]).replace(
        "      - { provider: a, model: m }\n",
        "      - { provider: a, model: m }\n      - { provider: a, model: n }\n",
    );
    let app = App::start(&yaml).await;
    let reply = app.chat(ask("")).await;
    assert_eq!((reply.status, reply.header("x-429chain-provider")), (200, "b/m"));
    assert_eq!(picky.calls(), 1);
    app.stop().await;
}

#[actix_rt::test]
async fn a_refusal_that_nobody_can_confirm_comes_back() {
    let picky = Provider::script([Answer::error(422, &[], "bad field", "invalid_request_error")]).await;
    let limited = Provider::script([Answer::rate_limited(Some("60"))]).await;
    let app = App::start(&chain_of(&[("a", &picky), ("b", &limited)])).await;
    for calls in [1, 1] {
        let reply = app.chat(ask("")).await;
        assert_eq!((reply.status, reply.header("x-429chain-provider")), (422, "a/m"));
        assert_eq!(limited.calls(), calls);
    }
    app.stop().await;
}

/// LESSONS O5 and O6 on real sockets: a slow success that began before the 429, and a shorter 429 after a longer one,
/// leave the cooldown as it is.
#[actix_rt::test]
async fn o5_o6_late_evidence_neither_erases_nor_shortens_a_cooldown() {
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let first = Provider::script([
        Answer::ok().behind(&gate),
        Answer::rate_limited(Some("60")).behind(&gate),
        Answer::rate_limited(Some("3600")),
    ])
    .await;
    let second = healthy().await;
    let app = App::start(&chain_of(&[("a", &first), ("b", &second)])).await;

    let slow = app.chat(ask(""));
    let then = async {
        first.called(1).await;
        let shorter = app.chat(ask(""));
        let longest = async {
            first.called(2).await;
            assert_eq!(app.chat(ask("")).await.header("x-429chain-provider"), "b/m");
            gate.add_permits(2);
        };
        let (shorter, ()) = tokio::join!(shorter, longest);
        assert_eq!(shorter.header("x-429chain-provider"), "b/m");
    };
    let (slow, ()) = tokio::join!(slow, then);

    assert_eq!(slow.header("x-429chain-provider"), "a/m");
    assert_eq!(app.entry("a").await["cooldownMs"], 3_600_000);
    app.stop().await;
}

/// LESSONS O9: an HTTP date was ignored.
#[actix_rt::test]
async fn o9_retry_after_as_a_date_is_understood() {
    let first = Provider::script([Answer::rate_limited(Some("Tue, 24 Nov 2026 12:02:00 GMT"))]).await;
    let second = healthy().await;
    let app = App::start(&chain_of(&[("a", &first), ("b", &second)])).await;
    app.chat(ask("")).await;
    assert_eq!(app.entry("a").await["cooldownMs"], 120_000);
    app.stop().await;
}

#[actix_rt::test]
async fn a_429_that_says_nothing_cools_for_the_configured_default_and_repeats_double_it() {
    let first = Provider::script([Answer::rate_limited(None)]).await;
    let second = healthy().await;
    let app = App::start(&config_of("  cooldownDefaultMs: 5000\n", &[("a", &first), ("b", &second)], "")).await;
    for expected in [5_000, 10_000, 20_000] {
        app.chat(ask("")).await;
        assert_eq!(app.entry("a").await["cooldownMs"], expected);
        app.clock.advance(Duration::from_millis(expected));
    }
    app.stop().await;
}

/// LESSONS O14: a hanging head entry cost its whole timeout with every request.
#[actix_rt::test]
async fn o14_a_hanging_entry_costs_its_timeout_once() {
    let hanging = Provider::script([Answer::silence()]).await;
    let good = healthy().await;
    let app = App::start(&config_of("  requestTimeoutMs: 400\n", &[("a", &hanging), ("b", &good)], "")).await;
    for attempts in ["2", "1", "1"] {
        let reply = app.chat(ask("")).await;
        assert_eq!((reply.status, reply.header("x-429chain-attempts")), (200, attempts));
    }
    assert_eq!(hanging.calls(), 1);
    hanging.aborted(1).await;
    app.stop().await;
}

#[actix_rt::test]
async fn the_timeout_of_the_entry_wins_over_that_of_the_provider_and_the_setting() {
    let hanging = Provider::script([Answer::silence()]).await;
    let settings = "  requestTimeoutMs: 60000\n";
    let yaml = config_of(settings, &[("a", &hanging)], "    timeout: 50000\n")
        .replace("{ provider: a, model: m }", "{ provider: a, model: m, timeout: 40 }");
    let app = App::start(&yaml).await;
    let reply = app.chat(ask("")).await;
    assert_eq!(reply.status, 503);
    assert!(reply.text().contains("a/m (timeout after 0 ms: no answer)"), "{}", reply.text());
    app.stop().await;
}

#[actix_rt::test]
async fn a_provider_that_is_not_there_is_passed_over() {
    let nobody = Provider::script([Answer::ok()]).await;
    let second = healthy().await;
    let yaml = chain_of(&[("a", &nobody), ("b", &second)]).replace(&nobody.base_url(), "http://127.0.0.1:1/v1");
    let app = App::start(&yaml).await;
    assert_eq!(app.chat(ask("")).await.header("x-429chain-provider"), "b/m");
    let alone = app.chat(ask("").replace("default", "a/m")).await;
    assert!(alone.text().contains("a/m (connection failed, back in "), "{}", alone.text());
    app.stop().await;
}

/// LESSONS F6: one server error ruled out all models of the provider.
#[actix_rt::test]
async fn f6_a_server_error_says_nothing_about_other_models_of_the_provider() {
    let provider = Provider::with(|request, _| match request.text().contains(r#""model":"m""#) {
        true => Answer::json(500, &[], "{}"),
        false => Answer::ok(),
    })
    .await;
    let yaml = chain_of(&[("a", &provider)])
        .replace("{ provider: a, model: m }", "{ provider: a, model: m }\n      - { provider: a, model: n }");
    let app = App::start(&yaml).await;
    assert_eq!(app.chat(ask("")).await.header("x-429chain-provider"), "a/n");
    app.stop().await;
}

/// LESSONS F15: the walk ended after 20 attempts although a later entry had quota.
#[actix_rt::test]
async fn f15_the_walk_goes_on_to_the_last_entry() {
    let provider = Provider::with(|request, _| match request.text().contains(r#""model":"last""#) {
        true => Answer::ok(),
        false => Answer::rate_limited(Some("60")),
    })
    .await;
    let places: String = (0..40).map(|n| format!("      - {{ provider: a, model: m{n} }}\n")).collect();
    let yaml = chain_of(&[("a", &provider)])
        .replace("      - { provider: a, model: m }\n", &(places + "      - { provider: a, model: last }\n"));
    let app = App::start(&yaml).await;
    for attempts in ["41", "1"] {
        let reply = app.chat(ask("")).await;
        assert_eq!((reply.status, reply.header("x-429chain-attempts")), (200, attempts));
    }
    app.stop().await;
}

/// A prompt too long for one model is no reason to rest it, and the next one may have room.
#[actix_rt::test]
async fn a_context_overflow_moves_on_and_comes_back_if_nobody_has_room() {
    let overflow = r#"{"error":{"message":"This model's maximum context length is 8 tokens","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#;
    let (a, b) = (Provider::script([Answer::json(400, &[], overflow)]).await, healthy().await);
    let app = App::start(&chain_of(&[("a", &a), ("b", &b)])).await;
    assert_eq!(app.chat(ask("")).await.header("x-429chain-provider"), "b/m");
    assert_eq!(app.entry("a").await["status"], "ready");
    // What the refusal has told is known from now on, and the refusal is worded as tools expect it.
    let alone = app.chat(ask("").replace("default", "a/m")).await;
    assert_eq!((alone.status, alone.code().as_str(), a.calls()), (400, "context_length_exceeded", 1));
    assert!(alone.text().contains("a/m (request of about "), "{}", alone.text());
    app.stop().await;
    let (a, off) = (Provider::script([Answer::json(400, &[], overflow)]).await, healthy().await);
    let yaml = chain_of(&[("a", &a), ("b", &off)]).replace("  - id: b\n", "  - id: b\n    enabled: false\n");
    let app = App::start(&yaml).await;
    let first = app.chat(ask("")).await;
    assert_eq!((first.status, first.text().as_str()), (400, overflow), "the provider's own words");
    app.stop().await;
}

/// Moderation speaks of the prompt, and every provider gets the same prompt: the answer comes back at once.
#[actix_rt::test]
async fn a_content_policy_refusal_comes_back_after_one_call() {
    let refusal = r#"{"error":{"message":"flagged","type":"invalid_request_error","code":"content_policy_violation"}}"#;
    let (a, b) = (Provider::script([Answer::json(400, &[], refusal)]).await, healthy().await);
    let app = App::start(&chain_of(&[("a", &a), ("b", &b)])).await;
    let reply = app.chat(ask("")).await;
    assert_eq!((reply.status, reply.text().as_str(), b.calls()), (400, refusal, 0));
    app.stop().await;
}

/// The targets of cooldowns: a wrong base URL rests the provider, a missing model only the entry.
#[actix_rt::test]
async fn a_wrong_base_url_rests_the_provider_and_a_missing_model_the_entry() {
    let gone = r#"{"error":{"message":"no such model","type":"invalid_request_error","code":"model_not_found"}}"#;
    let page = "HTTP/1.1 404 Not Found\r\ncontent-type: text/html\r\ncontent-length: 9\r\n\r\n<html>404";
    for (answer, calls) in [(Answer::json(404, &[], gone), 2), (Answer::raw(page), 1)] {
        let (a, b) = (Provider::script([answer]).await, healthy().await);
        let yaml = chain_of(&[("a", &a), ("b", &b)]).replace(
            "      - { provider: a, model: m }\n",
            "      - { provider: a, model: m }\n      - { provider: a, model: n }\n",
        );
        let app = App::start(&yaml).await;
        for _ in 0..3 {
            assert_eq!(app.chat(ask("")).await.header("x-429chain-provider"), "b/m");
        }
        assert_eq!(a.calls(), calls);
        app.stop().await;
    }
}

/// One free model of OpenRouter has spent the account's day: all free models rest, the others go on.
#[actix_rt::test]
async fn a_shared_pool_rests_as_one() {
    let spent = r#"{"error":{"message":"Rate limit exceeded: free-models-per-day","code":429}}"#;
    let a = Provider::with(move |request, _| match request.text().contains(":free") {
        true => Answer::json(429, &[], spent),
        false => Answer::ok(),
    })
    .await;
    let yaml = chain_of(&[("a", &a)]).replace("generic-openai", "openrouter").replace(
        "      - { provider: a, model: m }\n",
        "      - { provider: a, model: x:free }\n      - { provider: a, model: y:free }\n      - { provider: a, model: z }\n",
    );
    let app = App::start(&yaml).await;
    let reply = app.chat(ask("")).await;
    assert_eq!((reply.header("x-429chain-provider"), reply.header("x-429chain-attempts")), ("a/z", "2"));
    app.stop().await;
}

/// What a client takes for an answer must be one: an error in a 200 goes back with a status that says so.
#[actix_rt::test]
async fn a_bad_request_inside_a_200_comes_back_as_a_400() {
    let refusal = r#"{"error":{"message":"bad field","type":"invalid_request_error","code":400}}"#;
    let (a, b) = (
        Provider::script([Answer::json(200, &[], refusal)]).await,
        Provider::script([Answer::json(200, &[], refusal)]).await,
    );
    let app = App::start(&chain_of(&[("a", &a), ("b", &b)])).await;
    let reply = app.chat(ask("")).await;
    assert_eq!((reply.status, reply.text().as_str()), (400, refusal));
    app.stop().await;
}

/// The head of a refusal says enough: its body may break off, be too long, or never come.
#[actix_rt::test]
async fn a_refusal_without_its_body_is_still_a_refusal() {
    let head = "HTTP/1.1 429 X\r\nretry-after: 42\r\ncontent-type: application/json\r\n";
    for (name, answer) in [
        ("cut", Answer::raw(format!("{head}content-length: 100\r\n\r\n{{\"err")).close()),
        ("late", Answer::raw(format!("{head}content-length: 100\r\n\r\n{{\"err")).hang()),
        ("long", Answer::json(429, &[("retry-after", "42")], &"x".repeat(3 << 20))),
    ] {
        let (first, second) = (Provider::script([answer]).await, healthy().await);
        let app = App::start(&config_of("  requestTimeoutMs: 200\n", &[("a", &first), ("b", &second)], "")).await;
        assert_eq!(app.chat(ask("")).await.header("x-429chain-provider"), "b/m", "{name}");
        let state = app.entry("a").await;
        assert_eq!(
            (state["cooldownMs"].as_u64(), state["cause"]["status"].as_u64()),
            (Some(42_000), Some(429)),
            "{name}"
        );
        app.stop().await;
    }
}

/// FastAPI repeats the request in its 422. That may be long, and is nobody's fault but the client's.
#[actix_rt::test]
async fn a_refusal_that_repeats_a_long_request_rests_nobody() {
    let long =
        format!(r#"{{"detail":[{{"type":"missing","loc":["body"],"msg":"x","input":"{}"}}]}}"#, "x".repeat(2 << 20));
    let provider = Provider::script([Answer::json(422, &[], &long)]).await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let reply = app.chat(ask("")).await;
    assert_eq!((reply.status, reply.body.len()), (422, long.len()));
    assert_ne!(app.entry("a").await["status"], "cooling");
    app.stop().await;
}
