//! Several keys of one provider: each is an account of its own, and together they are one entry.

use std::time::Duration;

use crate::support::app::{App, ask, chain_of, config_of, healthy};
use crate::support::provider::{Answer, DONE, Provider, STOP, delta};

const FIRST: &str = "first-key-0001";
const SECOND: &str = "second-key-0002";

/// A chain of `a`, which has two keys and these further lines, and `b`.
fn two_keys(a: &Provider, b: &Provider, more: &str) -> String {
    let keys = format!("apiKeys: [{FIRST}, {SECOND}]\n{more}");
    chain_of(&[("a", a), ("b", b)]).replace("apiKey: key-of-a\n", &keys)
}

/// The keys that have called, in order.
fn callers(provider: &Provider) -> Vec<String> {
    let requests = provider.requests();
    let keys = requests.iter().map(|request| request.header("authorization").unwrap());
    keys.map(|key| key.strip_prefix("Bearer ").unwrap().to_owned()).collect()
}

/// Answers by the key of the call.
async fn by_key(first: Answer, second: Answer) -> Provider {
    Provider::with(move |request, _| {
        let is_first = request.header("authorization").unwrap().ends_with(FIRST);
        if is_first { first.clone() } else { second.clone() }
    })
    .await
}

async fn serves(app: &App) -> (String, String) {
    let reply = app.chat(ask("")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    (reply.header("x-429chain-provider").to_owned(), reply.header("x-429chain-attempts").to_owned())
}

fn by(entry: &str, attempts: &str) -> (String, String) {
    (entry.to_owned(), attempts.to_owned())
}

#[actix_rt::test]
async fn a_configured_limit_holds_for_each_key() {
    let (a, b) = (healthy().await, healthy().await);
    let app = App::start(&two_keys(&a, &b, "    rateLimits: { requestsPerMinute: 3 }\n")).await;
    for _ in 0..6 {
        assert_eq!(serves(&app).await, by("a/m", "1"));
    }
    assert_eq!(serves(&app).await, by("b/m", "1"));
    // The one with most left goes first, so they take turns.
    assert_eq!(callers(&a), [FIRST, SECOND, FIRST, SECOND, FIRST, SECOND]);
    app.stop().await;
}

#[actix_rt::test]
async fn o12_a_limit_of_the_account_is_counted_once_for_each_key_over_all_models() {
    let (a, b) = (healthy().await, healthy().await);
    let limits = "    rateLimits: { scope: provider, requestsPerMinute: 2 }\n";
    let yaml = two_keys(&a, &b, limits)
        .replace("{ provider: a, model: m }", "{ provider: a, model: m }\n      - { provider: a, model: n }");
    let app = App::start(&yaml).await;
    for model in ["a/m", "a/n", "a/n", "a/m"] {
        let reply = app.chat(ask("").replace("default", model)).await;
        assert_eq!(reply.header("x-429chain-provider"), model);
    }
    assert_eq!(serves(&app).await, by("b/m", "1"));
    for key in [FIRST, SECOND] {
        assert_eq!(callers(&a).iter().filter(|caller| *caller == key).count(), 2);
    }
    app.stop().await;
}

#[actix_rt::test]
async fn the_key_with_most_headroom_serves() {
    let announces = |left| {
        let headers = [("x-ratelimit-limit-requests", "100"), ("x-ratelimit-remaining-requests", left)];
        Answer::json(200, &headers, crate::support::provider::COMPLETION)
    };
    let (a, b) = (by_key(announces("10"), announces("80")).await, healthy().await);
    let app = App::start(&two_keys(&a, &b, "")).await;
    assert_eq!(serves(&app).await, by("a/m", "1"));
    let entry = app.entry("a").await;
    assert_eq!((&entry["keys"][0]["status"], &entry["keys"][1]["status"]), (&"low".into(), &"untried".into()));
    assert_eq!(entry["status"], "ready", "it was tried, and much is left");
    for _ in 0..3 {
        assert_eq!(serves(&app).await, by("a/m", "1"));
    }
    assert_eq!(callers(&a), [FIRST, SECOND, SECOND, SECOND]);
    app.stop().await;
}

/// LESSONS F6: three failures on any key benched the model on every key.
#[actix_rt::test]
async fn f6_a_dead_key_rests_alone() {
    let (a, b) = (by_key(Answer::error(401, &[], "bad key", "auth"), Answer::ok()).await, healthy().await);
    let app = App::start(&two_keys(&a, &b, "")).await;
    assert_eq!(serves(&app).await, by("a/m", "2"), "the same request goes on with the other key");
    for _ in 0..3 {
        assert_eq!(serves(&app).await, by("a/m", "1"));
    }
    assert_eq!(callers(&a), [FIRST, SECOND, SECOND, SECOND, SECOND]);
    assert_eq!(b.calls(), 0);
    let entry = app.entry("a").await;
    assert_eq!(entry["status"], "ready", "the entry is as well as the best of its keys");
    assert_eq!((&entry["keys"][0]["status"], &entry["keys"][1]["status"]), (&"auth_error".into(), &"ready".into()));
    app.stop().await;
}

/// LESSONS 3.3: one key's 429 demoted the model for all keys.
#[actix_rt::test]
async fn a_429_of_one_key_sends_the_same_request_on_with_the_other() {
    let (a, b) = (by_key(Answer::rate_limited(Some("30")), Answer::ok()).await, healthy().await);
    let app = App::start(&two_keys(&a, &b, "")).await;
    assert_eq!(serves(&app).await, by("a/m", "2"));
    assert_eq!(serves(&app).await, by("a/m", "1"));
    app.clock.advance(Duration::from_secs(30));
    assert_eq!(serves(&app).await, by("a/m", "2"), "the first is back, and is refused again");
    assert_eq!(callers(&a), [FIRST, SECOND, SECOND, FIRST, SECOND]);
    assert_eq!(b.calls(), 0);
    app.stop().await;
}

/// LESSONS F10: a limit learnt with a small key capped all keys.
#[actix_rt::test]
async fn f10_a_limit_learnt_with_one_key_is_not_that_of_the_other() {
    let text = "Rate limit reached for model `m` on tokens per minute (TPM): Limit 400, Used 0, Requested 900. Please \
                try again in 1s.";
    let (a, b) = (by_key(Answer::error(429, &[], text, "tokens"), Answer::ok()).await, healthy().await);
    let app = App::start(&two_keys(&a, &b, "").replacen("generic-openai", "groq", 1)).await;
    let large = ask(&format!(r#","max_tokens":800,"x":"{}""#, "y ".repeat(400)));
    for _ in 0..4 {
        let reply = app.chat(large.clone()).await;
        assert_eq!((reply.status, reply.header("x-429chain-provider")), (200, "a/m"));
        app.clock.advance(Duration::from_secs(2));
    }
    assert_eq!(callers(&a), [FIRST, SECOND, SECOND, SECOND, SECOND], "too large for the first, not for the second");
    let keys = app.entry("a").await["keys"].clone();
    assert_eq!(keys[0]["buckets"][0]["limit"], 400);
    assert_eq!(keys[1]["buckets"], serde_json::json!([]));
    app.stop().await;
}

#[actix_rt::test]
async fn each_key_is_asked_once_before_the_next_entry() {
    let (a, b) = (by_key(Answer::rate_limited(Some("200")), Answer::rate_limited(Some("100"))).await, healthy().await);
    let app = App::start(&two_keys(&a, &b, "")).await;
    assert_eq!(serves(&app).await, by("b/m", "3"));
    assert_eq!(callers(&a), [FIRST, SECOND]);
    assert_eq!(serves(&app).await, by("b/m", "1"));

    // Each has a deadline of its own, and the first to end is that of the entry.
    let reply = app.chat(ask("").replace("default", "a/m")).await;
    let entry = app.entry("a").await;
    assert_eq!((entry["cooldownMs"].as_u64(), entry["keys"][0]["cooldownMs"].as_u64()), (Some(100_000), Some(200_000)));
    assert_eq!((reply.status, a.calls()), (503, 2));
    app.stop().await;
}

#[actix_rt::test]
async fn a_refusal_of_all_keys_names_each() {
    let a = by_key(Answer::rate_limited(Some("90")), Answer::error(401, &[], "bad key", "auth")).await;
    let yaml = config_of("  queueMode: false\n", &[("a", &a)], "")
        .replace("apiKey: key-of-a", &format!("apiKeys: [{FIRST}, {SECOND}]"));
    let app = App::start(&yaml).await;
    let reply = app.chat(ask("")).await;
    let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
    let tried = "Tried 1 provider: a/m (key 1: 429, back in 90 s), a/m (key 2: key rejected, 401, back in 60 min)";
    assert_eq!((reply.status, reply.header("retry-after")), (503, "90"));
    assert!(message.starts_with(tried), "{message}");
    assert!(![FIRST, SECOND].iter().any(|key| reply.text().contains(key)), "{}", reply.text());
    let trail = &reply.json()["error"]["trail"];
    assert_eq!((&trail[0]["key"], &trail[1]["key"]), (&1.into(), &2.into()));
    app.stop().await;
}

/// What says nothing about the account is no reason to ask the same server again.
#[actix_rt::test]
async fn a_failure_of_the_model_goes_straight_to_the_next_entry() {
    let sick = Provider::script([Answer::json(500, &[], "{}")]).await;
    let b = healthy().await;
    let app = App::start(&two_keys(&sick, &b, "")).await;
    assert_eq!(serves(&app).await, by("b/m", "2"));
    assert_eq!(serves(&app).await, by("b/m", "1"), "it rests on both keys");
    assert_eq!(sick.calls(), 1);
    app.stop().await;
}

/// A stream that is refused before its first content goes on in the same way: by its status, or inside a 200.
#[actix_rt::test]
async fn a_stream_goes_on_with_the_other_key() {
    let in_band =
        "data: {\"error\":{\"message\":\"Rate limit reached\",\"code\":429,\"type\":\"rate_limit_exceeded\"}}\n\n";
    for refusal in [Answer::rate_limited(Some("60")), Answer::sse(&[in_band])] {
        let (a, b) = (by_key(refusal, Answer::sse(&[&*delta("Hi"), STOP, DONE])).await, healthy().await);
        let app = App::start(&two_keys(&a, &b, "")).await;
        let reply = app.chat(ask(r#","stream":true"#)).await;
        assert_eq!((reply.status, reply.header("x-429chain-provider")), (200, "a/m"));
        assert_eq!(reply.header("x-429chain-attempts"), "2");
        assert!(reply.text().contains("Hi") && !reply.text().contains("Rate limit"), "{}", reply.text());
        assert_eq!(callers(&a), [FIRST, SECOND]);
        app.stop().await;
    }
}

/// Whoever waits tries each key as it is back.
#[actix_rt::test]
async fn a_request_waits_for_one_key_after_the_other() {
    let a =
        Provider::with(|request, before| match (request.header("authorization").unwrap().ends_with(FIRST), before) {
            (true, _) => Answer::rate_limited(Some("10")),
            (false, 0..2) => Answer::rate_limited(Some("12")),
            (false, _) => Answer::ok(),
        })
        .await;
    let yaml = config_of("", &[("a", &a)], "").replace("apiKey: key-of-a", &format!("apiKeys: [{FIRST}, {SECOND}]"));
    let app = App::start(&yaml).await;
    let (reply, ()) = tokio::join!(app.chat(ask("")), async {
        for (calls, wait) in [(2, 10), (3, 2)] {
            a.called(calls).await;
            while app.get("/v1/ratelimits").await.json()["chains"][0]["waiting"]["depth"] != 1 {
                tokio::task::yield_now().await;
            }
            app.clock.advance(Duration::from_secs(wait));
        }
    });
    assert_eq!((reply.status, reply.header("x-429chain-attempts")), (200, "4"));
    assert_eq!(callers(&a), [FIRST, SECOND, FIRST, SECOND]);
    app.stop().await;
}
