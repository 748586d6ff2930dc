//! `/v1/ratelimits`: what people and programs see of every entry, key, bucket and chain.

use std::sync::Arc;
use std::time::Duration;

use chain429::domain::time::Wall;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::support::app::{ADMIN, App, CLIENT, ask, chain_of, config_of, healthy, with_a};
use crate::support::clock::NOON;
use crate::support::provider::{Answer, COMPLETION, Provider};

fn at(ms: u64) -> Value {
    Wall(NOON + ms).to_string().into()
}

/// At this time or up to a second later.
fn is_about(time: &Value, ms: u64) -> bool {
    let (first, last) = (at(ms), at(ms + 1_000));
    (first.as_str()..=last.as_str()).contains(&time.as_str())
}

fn announcing(headers: &[(&str, &str)]) -> Answer {
    Answer::json(200, headers, COMPLETION)
}

/// A request to one entry.
fn ask_of(entry: &str) -> String {
    ask("").replace("default", entry)
}

/// The only key's bucket of this kind and window.
fn bucket(entry: &Value, counts: &str, window: &str) -> Value {
    let buckets = entry["keys"][0]["buckets"].as_array().unwrap();
    let mut found = buckets.iter().filter(|bucket| bucket["counts"] == counts && bucket["window"] == window);
    let bucket = found.next().unwrap_or_else(|| panic!("no {counts} per {window} in {entry}")).clone();
    assert!(found.next().is_none(), "{counts} per {window} twice in {entry}");
    bucket
}

#[actix_rt::test]
async fn every_state_is_told_and_the_old_fields_are_there() {
    let ready = healthy().await;
    let low = Provider::script([announcing(&[
        ("x-ratelimit-limit-requests", "100"),
        ("x-ratelimit-remaining-requests", "20"),
    ])])
    .await;
    let cooling = Provider::script([Answer::rate_limited(Some("42"))]).await;
    let dead = Provider::script([Answer::error(401, &[], "bad key", "auth")]).await;
    let (off, untried) = (healthy().await, healthy().await);
    let yaml = chain_of(&[
        ("ready", &ready),
        ("low", &low),
        ("cooling", &cooling),
        ("dead", &dead),
        ("off", &off),
        ("untried", &untried),
    ]);
    let app = App::start(&yaml.replace("  - id: off\n", "  - id: off\n    enabled: false\n")).await;
    for entry in ["ready/m", "low/m", "cooling/m", "dead/m", "off/m"] {
        app.chat(ask_of(entry)).await;
    }
    let all = app.get_as("/v1/ratelimits", ADMIN).await.json();
    let entries = all["ratelimits"].as_array().unwrap();
    assert_eq!(all["now"], at(0));
    assert_eq!(entries.len(), 6);
    for (provider, status) in [
        ("ready", "ready"),
        ("low", "low"),
        ("cooling", "cooling"),
        ("dead", "auth_error"),
        ("off", "off"),
        ("untried", "untried"),
    ] {
        let entry = entries.iter().find(|entry| entry["provider"] == provider).unwrap();
        assert_eq!((&entry["status"], &entry["model"]), (&status.into(), &"m".into()), "{entry}");
        assert_eq!(entry["keys"][0]["status"], status, "{entry}");
        for member in ["cooldownUntil", "reason", "quota", "inFlight", "tokensPerByte", "cause"] {
            assert!(entry.get(member).is_some(), "{member} is not in {entry}");
        }
        let rests = ["cooling", "auth_error"].contains(&status);
        assert_eq!(entry["cooldownUntil"].is_string() && entry["reason"].is_string(), rests, "{entry}");
    }
    app.stop().await;
}

#[actix_rt::test]
async fn a_cooldown_has_a_cause_a_text_and_a_deadline() {
    let limited = Provider::script([Answer::rate_limited(Some("42"))]).await;
    let silent = Provider::script([Answer::json(503, &[], "{}")]).await;
    let app = App::start(&config_of("  queueMode: false\n", &[("a", &limited), ("b", &silent)], "")).await;
    app.chat(ask_of("a/m")).await;
    app.chat(ask_of("b/m")).await;
    app.clock.advance(Duration::from_secs(2));
    let entry = app.entry("a").await;
    let cause = json!({ "reason": "rate_limit", "status": 429, "basis": "retry_after_header", "target": "entry" });
    assert_eq!((&entry["cause"], &entry["reason"]), (&cause, &"rate limited".into()));
    assert_eq!((&entry["cooldownUntil"], &entry["cooldownMs"]), (&at(42_000), &40_000.into()));
    let guessed = app.entry("b").await;
    assert_eq!((&guessed["cause"]["basis"], &guessed["cause"]["status"]), (&"guess".into(), &503.into()));
    app.clock.advance(Duration::from_secs(40));
    let entry = app.entry("a").await;
    assert_eq!(
        (&entry["cooldownUntil"], &entry["cooldownMs"], &entry["cause"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    app.stop().await;
}

#[actix_rt::test]
async fn a_bucket_tells_what_is_used_held_and_left_and_when_it_is_back() {
    let gate = Arc::new(Semaphore::new(0));
    let open = Arc::clone(&gate);
    let provider = Provider::with(move |_, _| Answer::ok().behind(&open)).await;
    let limits = "    rateLimits: { requestsPerMinute: 10, tokensPerDay: 5000, concurrentRequests: 2 }\n";
    let app = App::start(&with_a(&chain_of(&[("a", &provider)]), limits)).await;
    let during = async {
        provider.called(1).await;
        let entry = app.entry("a").await;
        assert_eq!((&entry["inFlight"], &entry["keys"][0]["inFlight"]), (&1.into(), &1.into()));
        assert_eq!(entry["quota"]["concurrentRequests"], json!({ "limit": 2, "remaining": 1 }));
        let tokens = bucket(&entry, "tokens", "day");
        let held = tokens["reserved"].as_u64().unwrap();
        assert!(held >= 100, "the answer may have a hundred: {tokens}");
        assert_eq!((&tokens["used"], &tokens["remaining"]), (&0.into(), &(5_000 - held).into()));
        app.clock.advance(Duration::from_secs(1));
        gate.add_permits(1);
    };
    let (reply, ()) = tokio::join!(app.chat(ask(r#","max_tokens":100"#)), during);
    assert_eq!(reply.status, 200);
    let entry = app.entry("a").await;
    assert_eq!(entry["inFlight"], 0);
    let mut requests = bucket(&entry, "requests", "minute");
    assert_eq!(entry["quota"]["requests"], requests);
    // A window is taken to be a little longer than it is called: see the bucket.
    assert!(is_about(&requests["resetsAt"].take(), 60_000), "{entry}");
    assert_eq!(
        requests,
        json!({ "counts": "requests", "window": "minute", "limit": 10, "used": 1, "reserved": 0, "remaining": 9,
                "resetsAt": null, "source": "configured", "ageMs": null, "of": "entry" })
    );
    let tokens = bucket(&entry, "tokens", "day");
    assert_eq!((&tokens["used"], &tokens["reserved"], &tokens["remaining"]), (&15.into(), &0.into(), &4_985.into()));
    assert_eq!(entry["quota"]["tokens"], tokens);
    app.stop().await;
}

#[actix_rt::test]
async fn announced_numbers_are_those_of_the_last_headers() {
    let headers = |left: &str, reset: &str| {
        announcing(&[
            ("x-ratelimit-limit-requests-minute", "30"),
            ("x-ratelimit-remaining-requests-minute", left),
            ("x-ratelimit-reset-requests-minute", reset),
            ("x-ratelimit-limit-tokens-day", "9000"),
            ("x-ratelimit-remaining-tokens-day", "8000"),
        ])
    };
    let provider = Provider::script([headers("21", "40s"), headers("17", "30s"), headers("12", "20s")]).await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    for (left, ends) in [(21, 40_000), (17, 40_000), (12, 40_000)] {
        assert_eq!(app.chat(ask("")).await.status, 200);
        let requests = bucket(&app.entry("a").await, "requests", "minute");
        assert_eq!(
            requests,
            json!({ "counts": "requests", "window": "minute", "limit": 30, "used": 30 - left, "reserved": 0,
                    "remaining": left, "resetsAt": at(ends), "source": "header", "ageMs": 0, "of": "entry" })
        );
        app.clock.advance(Duration::from_secs(10));
    }
    let tokens = bucket(&app.entry("a").await, "tokens", "day");
    // The head may have been written before the three tokens of its answer were counted.
    assert_eq!((&tokens["remaining"], &tokens["ageMs"]), (&7_997.into(), &10_000.into()));
    app.stop().await;
}

/// LESSONS O4: configured limits were dropped as soon as a header came.
#[actix_rt::test]
async fn o4_configured_limits_stay_in_force_beside_announced_ones() {
    let provider = Provider::with(|_, _| {
        announcing(&[("x-ratelimit-limit-requests", "1000"), ("x-ratelimit-remaining-requests", "999")])
    })
    .await;
    let fallback = healthy().await;
    let yaml = with_a(&chain_of(&[("a", &provider), ("b", &fallback)]), "    rateLimits: { requestsPerMinute: 3 }\n");
    let app = App::start(&yaml).await;
    for entry in ["a/m", "a/m", "a/m", "b/m", "b/m"] {
        assert_eq!(app.chat(ask("")).await.header("x-429chain-provider"), entry);
    }
    let entry = app.entry("a").await;
    let buckets = entry["keys"][0]["buckets"].as_array().unwrap();
    let mut known: Vec<_> =
        buckets.iter().map(|bucket| (bucket["source"].as_str(), bucket["limit"].as_u64())).collect();
    known.sort_unstable();
    assert_eq!(known, [(Some("configured"), Some(3)), (Some("header"), Some(1_000))]);
    assert_eq!((&entry["status"], &entry["reason"]), (&"cooling".into(), &"requests per minute used up".into()));
    app.stop().await;
}

#[actix_rt::test]
async fn a_limit_that_a_429_states_is_known_as_learnt() {
    let text = "Rate limit reached for model `m` in organization `org_1` on tokens per minute (TPM): Limit 6000, Used \
                5500, Requested 1200. Please try again in 7s.";
    let provider = Provider::script([Answer::error(429, &[], text, "tokens")]).await;
    let yaml = config_of("  queueMode: false\n", &[("a", &provider)], "").replace("generic-openai", "groq");
    let app = App::start(&yaml).await;
    app.chat(ask("")).await;
    let tokens = bucket(&app.entry("a").await, "tokens", "minute");
    assert_eq!((&tokens["limit"], &tokens["source"], &tokens["ageMs"]), (&6_000.into(), &"learnt".into(), &0.into()));
    app.stop().await;
}

/// A header may tell what is left of a limit that it does not tell.
#[actix_rt::test]
async fn what_nobody_knows_is_null_and_not_zero() {
    let provider = Provider::script([announcing(&[("x-ratelimit-remaining-requests", "0")])]).await;
    let plain = healthy().await;
    let app = App::start(&chain_of(&[("a", &provider), ("b", &plain)])).await;
    app.chat(ask_of("a/m")).await;
    let entry = app.entry("a").await;
    let only = &entry["keys"][0]["buckets"][0];
    assert_eq!((&only["limit"], &only["used"], &only["window"]), (&Value::Null, &Value::Null, &Value::Null));
    assert_eq!((&only["remaining"], &entry["status"]), (&0.into(), &"cooling".into()));
    let nothing = app.entry("b").await;
    assert_eq!(nothing["quota"], json!({ "concurrentRequests": null, "requests": null, "tokens": null }));
    assert_eq!((&nothing["tokensPerByte"], &nothing["keys"][0]["buckets"]), (&Value::Null, &json!([])));
    app.stop().await;
}

#[actix_rt::test]
async fn a_chain_tells_who_is_next_and_what_is_left() {
    let (a, b) = (healthy().await, healthy().await);
    let each = "    rateLimits: { requestsPerMinute: 2, tokensPerDay: 1000 }\n";
    let app = App::start(&config_of("", &[("a", &a), ("b", &b)], each)).await;
    let chain = async || app.get("/v1/ratelimits").await.json()["chains"][0].clone();
    let fresh = chain().await;
    assert_eq!(
        fresh,
        json!({ "chain": "default", "next": "a/m", "ready": 2, "entries": 2, "requestsLeft": 4, "tokensLeft": 2_000,
                "nextReset": null, "firstRecovery": null, "requestsPerMinute": 0.0, "tokensPerMinute": 0.0,
                "forecast": [
                    { "window": "minute", "until": "2026-11-24T12:01:00.000Z", "requestsLeft": 4, "tokensLeft": 2_000 },
                    { "window": "day", "until": "2026-11-25T12:00:00.000Z", "requestsLeft": 5_740, "tokensLeft": 2_000 },
                ],
                "exhaustedAt": null, "waiting": { "depth": 0, "oldestMs": 0 } })
    );
    for _ in 0..2 {
        app.chat(ask(r#","max_tokens":10"#)).await;
    }
    let half = chain().await;
    assert_eq!((&half["next"], &half["ready"], &half["requestsLeft"]), (&"b/m".into(), &1.into(), &2.into()));
    assert_eq!(half["tokensLeft"], 1_970);
    assert!(is_about(&half["nextReset"], 60_000), "{half}");
    assert_eq!(half["firstRecovery"], Value::Null, "somebody is there");
    app.clock.advance(Duration::from_secs(40));
    for _ in 0..2 {
        app.chat(ask(r#","max_tokens":10"#)).await;
    }
    // Two more wait for the first window to end, in 20 s.
    let waiting = async {
        while chain().await["waiting"]["depth"] != 2 {
            tokio::task::yield_now().await;
        }
        app.clock.advance(Duration::from_secs(5));
        let spent = chain().await;
        assert_eq!((&spent["next"], &spent["ready"], &spent["requestsLeft"]), (&Value::Null, &0.into(), &0.into()));
        assert!(is_about(&spent["firstRecovery"], 60_000), "{spent}");
        assert_eq!(spent["firstRecovery"], spent["nextReset"]);
        assert_eq!(spent["waiting"], json!({ "depth": 2, "oldestMs": 5_000 }));
        app.clock.advance(Duration::from_secs(16));
    };
    let body = ask(r#","max_tokens":10"#);
    let (first, second, ()) = tokio::join!(app.chat(body.clone()), app.chat(body.clone()), waiting);
    assert_eq!((first.status, second.status), (200, 200));
    assert_eq!(chain().await["waiting"]["depth"], 0);
    app.stop().await;
}

#[actix_rt::test]
async fn a_chain_with_an_entry_without_limits_has_no_number() {
    let (a, b) = (healthy().await, healthy().await);
    let app = App::start(&with_a(&chain_of(&[("a", &a), ("b", &b)]), "    rateLimits: { requestsPerDay: 2 }\n")).await;
    let chain = app.get("/v1/ratelimits").await.json()["chains"][0].clone();
    assert_eq!((&chain["requestsLeft"], &chain["tokensLeft"]), (&Value::Null, &Value::Null));
    app.stop().await;
}

/// How much there is until each limit of the chain resets, counted from all of them, and what nobody knows is marked.
#[actix_rt::test]
async fn a_chain_tells_what_is_left_until_each_reset() {
    let (a, b) = (healthy().await, healthy().await);
    let of_a = "    rateLimits: { requestsPerMinute: 10, requestsPerDay: 100, dayResetsAt: \"00:00 UTC\" }\n";
    let of_b = "    rateLimits: { requestsPerDay: 40, tokensPerMinute: 500, dayResetsAt: \"18:00 UTC\" }\n";
    let yaml = with_a(&chain_of(&[("a", &a), ("b", &b)]), of_a);
    let yaml = yaml.replace("  - id: b\n", &format!("  - id: b\n{of_b}"));
    let app = App::start(&yaml).await;
    for _ in 0..3 {
        app.chat(ask("")).await;
    }
    let chain = app.get("/v1/ratelimits").await.json()["chains"][0].clone();
    // Until one o'clock a has seven and then ten every minute, but never more than 97 until midnight.
    let forecast = chain["forecast"].as_array().unwrap();
    let seen: Vec<(&str, &Value, &Value)> = forecast
        .iter()
        .map(|one| (one["window"].as_str().unwrap(), &one["requestsLeft"], &one["tokensLeft"]))
        .collect();
    assert_eq!(seen, [("minute", &47.into(), &Value::Null), ("day", &137.into(), &Value::Null)], "{chain}");
    assert!(forecast[1]["until"].as_str().unwrap().starts_with("2026-11-24T18:00"), "{chain}");
    assert_eq!((&chain["requestsLeft"], &chain["tokensLeft"]), (&47.into(), &Value::Null));
    app.stop().await;
}

/// A limit without a window says how much is left, and nothing of later.
#[actix_rt::test]
async fn a_limit_of_an_unknown_window_gives_no_forecast() {
    let headers = [("x-ratelimit-limit-requests", "100"), ("x-ratelimit-remaining-requests", "20")];
    let provider = Provider::with(move |_, _| Answer::json(200, &headers, COMPLETION)).await;
    let app = App::start(&with_a(&chain_of(&[("a", &provider)]), "    rateLimits: { tokensPerDay: 1000 }\n")).await;
    app.chat(ask("")).await;
    let chain = app.get("/v1/ratelimits").await.json()["chains"][0].clone();
    assert_eq!(chain["requestsLeft"], 20, "{chain}");
    let forecast = chain["forecast"].as_array().unwrap();
    assert_eq!(forecast.len(), 1, "{chain}");
    assert_eq!((&forecast[0]["window"], &forecast[0]["requestsLeft"]), (&"day".into(), &Value::Null), "{chain}");
    assert!(forecast[0]["tokensLeft"].is_u64(), "{chain}");
    app.stop().await;
}

/// What cools down takes nothing from the others, whatever they share with it.
#[actix_rt::test]
async fn a_model_that_rests_does_not_bind_the_keys_together() {
    let provider = Provider::with(|request, _| match request.text().contains("\"gone\"") {
        true => Answer::json(404, &[], r#"{"error":{"message":"The model does not exist","code":"model_not_found"}}"#),
        false => Answer::ok(),
    })
    .await;
    let limits = "    rateLimits: { scope: provider, requestsPerDay: 100 }\n";
    let yaml = with_a(&chain_of(&[("a", &provider)]), limits)
        .replace("apiKey: key-of-a", "apiKeys: [key-1, key-2]")
        .replace("{ provider: a, model: m }", "{ provider: a, model: gone }\n      - { provider: a, model: m }");
    let app = App::start(&yaml).await;
    let left = async || app.get("/v1/ratelimits").await.json()["chains"][0]["requestsLeft"].clone();
    assert_eq!(left().await, 200);
    assert_eq!(app.chat(ask("")).await.status, 200);
    let now = left().await.as_u64().unwrap();
    assert!((198..200).contains(&now), "two calls at most were counted: {now}");
    app.stop().await;
}

/// A pool that two models share is counted once.
#[actix_rt::test]
async fn o12_what_models_share_is_left_once() {
    let provider = healthy().await;
    let yaml = with_a(&chain_of(&[("a", &provider)]), "    rateLimits: { scope: provider, requestsPerDay: 50 }\n")
        .replace("{ provider: a, model: m }", "{ provider: a, model: m }\n      - { provider: a, model: n }");
    let app = App::start(&yaml).await;
    app.chat(ask("")).await;
    let all = app.get("/v1/ratelimits").await.json();
    assert_eq!(all["chains"][0]["requestsLeft"], 49);
    for entry in all["ratelimits"].as_array().unwrap() {
        let shared = bucket(entry, "requests", "day");
        assert_eq!((&shared["of"], &shared["remaining"]), (&"key".into(), &49.into()));
    }
    app.stop().await;
}

#[actix_rt::test]
async fn a_call_that_goes_first_and_a_full_entry_are_not_called_ready() {
    let gate = Arc::new(Semaphore::new(0));
    let open = Arc::clone(&gate);
    let provider = Provider::with(move |_, _| Answer::ok().behind(&open)).await;
    let app = App::start(&with_a(&chain_of(&[("a", &provider)]), "    rateLimits: { concurrentRequests: 1 }\n")).await;
    let during = async {
        provider.called(1).await;
        let entry = app.entry("a").await;
        assert_eq!((&entry["status"], &entry["reason"]), (&"low".into(), &"1 of 1 requests in flight".into()));
        gate.add_permits(1);
    };
    tokio::join!(app.chat(ask("")), during);
    assert_eq!(app.entry("a").await["status"], "ready");
    app.stop().await;
}

#[actix_rt::test]
async fn keys_are_masked_and_no_prompt_is_shown() {
    let provider = healthy().await;
    let keys = "apiKeys: [gsk_abcdefgh1234, gsk_abcdefgh5678, short]\n";
    let yaml = chain_of(&[("a", &provider)]).replace("apiKey: key-of-a\n", keys);
    let app = App::start(&yaml).await;
    for _ in 0..3 {
        app.chat(ask("").replace("Hello", "SECRET-PROMPT")).await;
    }
    let entry = app.entry("a").await;
    let shown: Vec<_> = entry["keys"].as_array().unwrap().iter().map(|key| key["key"].as_str().unwrap()).collect();
    assert_eq!(shown, ["gsk_...1234", "gsk_...5678", "..."]);
    let text = app.get("/v1/ratelimits").await.text();
    for secret in ["abcdefgh", "short", "SECRET-PROMPT", CLIENT, ADMIN] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    app.stop().await;
}
