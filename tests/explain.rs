//! `POST /v1/admin/explain`: says what a request would meet, and calls nobody.

use std::time::Duration;

use chain429::store::place::Place;
use serde_json::{Value, json};

use crate::support::app::{ADMIN, App, CLIENT, Reply, ask, chain_of, config_of, healthy, whole};
use crate::support::clock::TestClock;
use crate::support::provider::{Answer, Provider};

async fn explain_as(app: &App, question: &str, key: &str) -> Reply {
    let request = app.client.post(format!("{}/v1/admin/explain", app.url)).bearer_auth(key);
    whole(request.send_body(question.to_owned()).await.unwrap()).await
}

async fn explain(app: &App, question: Value) -> Value {
    let reply = explain_as(app, &question.to_string(), ADMIN).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

/// Of a trail: who, what came of it, and the words.
fn steps(trail: &Value) -> Vec<(String, String)> {
    let steps = trail.as_array().unwrap().iter();
    let words = |step: &Value, member: &str| step[member].as_str().unwrap_or_default().to_owned();
    steps.map(|step| (words(step, "provider"), words(step, "message"))).collect()
}

#[actix_rt::test]
async fn only_an_admin_key_may_ask() {
    let provider = healthy().await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let refused = explain_as(&app, "{}", CLIENT).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "admin_required"));
    let stranger = explain_as(&app, "{}", "ak-429-wrong").await;
    assert_eq!((stranger.status, stranger.code().as_str()), (401, "invalid_api_key"));
    assert!(stranger.text().contains("settings.adminKeys"), "{}", stranger.text());
    assert_eq!(explain_as(&app, "", ADMIN).await.status, 200, "no question is one about the default chain");
    app.stop().await;
}

/// Every kind of reason, and what the next real request then does.
#[actix_rt::test]
async fn it_says_what_the_next_request_then_does() {
    let cold = Provider::script([Answer::rate_limited(Some("42"))]).await;
    let (spent, small, off, good) = (healthy().await, healthy().await, healthy().await, healthy().await);
    let yaml = chain_of(&[("cold", &cold), ("spent", &spent), ("small", &small), ("off", &off), ("good", &good)])
        .replace("  - id: spent\n", "  - id: spent\n    rateLimits: { requestsPerMinute: 1 }\n")
        .replace("  - id: small\n", "  - id: small\n    rateLimits: { tokensPerMinute: 100 }\n")
        .replace("  - id: off\n", "  - id: off\n    enabled: false\n");
    let dir = tempfile::tempdir().unwrap();
    let database = dir.path().join("usage.redb");
    let app = App::start_on(&yaml, TestClock::default(), &database);
    let filler = format!(r#","x":"{}""#, "y ".repeat(1_500));

    let before = explain(&app, json!({ "chain": "default", "promptBytes": 3_000 })).await;
    assert_eq!((&before["chain"], &before["next"]), (&"default".into(), &"cold/m".into()));
    assert_eq!(before["firstRecovery"], Value::Null);
    let calls = || [&cold, &spent, &small, &off, &good].map(Provider::calls);
    assert_eq!(calls(), [0; 5], "nobody is called");

    assert_eq!(app.chat(ask("")).await.header("x-429chain-provider"), "spent/m");
    app.clock.advance(Duration::from_secs(2));
    let after = explain(&app, json!({ "chain": "default", "promptBytes": 3_100 })).await;
    assert_eq!((&after["next"], calls()), (&"good/m".into(), [1, 1, 0, 0, 0]));
    assert_eq!(
        steps(&after["trail"]),
        [
            ("cold", "429, back in 40 s"),
            ("spent", "requests per minute used up, back in 59 s"),
            ("small", "request of about 465 tokens, limit 100 tokens per minute"),
            ("off", "switched off"),
            ("good", "could take it"),
        ]
        .map(|(provider, message)| (provider.to_owned(), message.to_owned()))
    );
    assert_eq!(after["trail"][0]["retryAt"], "2026-11-24T12:00:42.000Z");
    assert_eq!(after["trail"][4]["reserves"]["requests"], 1);

    // The same trail stands in the row of the request that comes now.
    let reply = app.chat(ask(&filler)).await;
    assert_eq!((reply.status, reply.header("x-429chain-provider")), (200, "good/m"));
    assert_eq!(calls(), [1, 1, 0, 0, 1]);
    app.stop().await;
    let rows = Place::File(database).open().unwrap();
    let row = rows.request(reply.header("x-request-id")).unwrap().unwrap();
    let stored = serde_json::to_value(&row.trail).unwrap();
    let (stored, told) = (steps(&stored), steps(&after["trail"]));
    assert_eq!(stored.len(), 5);
    for at in [0, 1, 3] {
        assert_eq!(stored[at], told[at]);
    }
    assert_eq!((stored[2].0.as_str(), stored[4].0.as_str()), ("small", "good"));
    assert!(stored[2].1.ends_with("limit 100 tokens per minute"), "{stored:?}");
}

#[actix_rt::test]
async fn o21_when_nobody_can_it_says_when_the_first_is_back_as_the_request_does() {
    let first = Provider::script([Answer::rate_limited(Some("90"))]).await;
    let second = Provider::script([Answer::rate_limited(Some("50"))]).await;
    let app = App::start(&config_of("  queueMode: false\n", &[("a", &first), ("b", &second)], "")).await;
    app.chat(ask("")).await;
    let explained = explain(&app, json!({})).await;
    assert_eq!((&explained["next"], &explained["waiting"]), (&Value::Null, &0.into()));
    assert_eq!(explained["firstRecovery"], "2026-11-24T12:00:50.000Z");
    assert_eq!(explained["firstRecoveryMs"], 50_000);
    let refused = app.chat(ask("")).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "50"));
    assert_eq!(steps(&refused.json()["error"]["trail"]), steps(&explained["trail"]));
    assert_eq!((first.calls(), second.calls()), (1, 1));
    app.stop().await;
}

#[actix_rt::test]
async fn sizes_decide_who_can_take_it() {
    let (short, long) = (healthy().await, healthy().await);
    let yaml = chain_of(&[("short", &short), ("long", &long)])
        .replace("  - id: short\n", "  - id: short\n    models: { m: { contextWindow: 8000 } }\n");
    let app = App::start(&yaml).await;
    let small = explain(&app, json!({ "promptTokens": 1_000, "maxTokens": 500 })).await;
    assert_eq!((&small["next"], &small["trail"][0]["outcome"]), (&"short/m".into(), &"able".into()));
    assert_eq!(small["trail"][0]["reserves"], json!({ "requests": 1, "tokens": 1_500 }));
    assert_eq!(app.chat(ask("")).await.status, 200);
    let learnt = explain(&app, json!({ "promptTokens": 1_000, "maxTokens": 500 })).await;
    let reserved = learnt["trail"][0]["reserves"]["tokens"].as_u64().unwrap();
    assert!((1_001..1_050).contains(&reserved), "a prompt of known length, and an answer like the first: {reserved}");
    let bytes = explain(&app, json!({ "promptBytes": 4_500, "maxTokens": 500 })).await;
    assert_eq!(bytes["trail"][0]["reserves"]["tokens"], reserved + 500, "three bytes are a token until more is known");
    let large = explain(&app, json!({ "promptTokens": 100_000 })).await;
    assert_eq!((&large["next"], &large["trail"][0]["reason"]), (&"long/m".into(), &"context".into()));
    let message = large["trail"][0]["message"].as_str().unwrap();
    assert_eq!(message, "request of about 100000 tokens, context 8000");
    assert_eq!(large["trail"][0].get("retryAt"), None, "waiting does not make it smaller");
    let alone = explain(&app, json!({ "model": "short/m", "promptTokens": 100_000 })).await;
    assert_eq!((&alone["chain"], &alone["next"]), (&"short/m".into(), &Value::Null));
    assert_eq!((&alone["firstRecovery"], &alone["firstRecoveryMs"]), (&Value::Null, &Value::Null));
    app.stop().await;
}

#[actix_rt::test]
async fn o15_a_model_that_names_nothing_goes_where_a_request_would() {
    let provider = healthy().await;
    for (setting, status) in [("defaultChain", 200), ("reject", 404)] {
        let yaml = config_of(&format!("  unknownModel: {setting}\n"), &[("a", &provider)], "");
        let app = App::start(&yaml).await;
        let reply = explain_as(&app, r#"{"model":"gpt-4"}"#, ADMIN).await;
        let real = app.chat(ask("").replace("default", "gpt-4")).await;
        assert_eq!((reply.status, real.status), (status, status));
        match status {
            200 => assert_eq!(reply.json()["chain"], "default"),
            _ => assert_eq!((reply.code(), real.code()), ("model_not_found".to_owned(), "model_not_found".to_owned())),
        }
        app.stop().await;
    }
}

#[actix_rt::test]
async fn o16_a_question_that_is_none_is_answered_with_an_example() {
    let provider = healthy().await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    for question in [
        "{",
        "[1]",
        "[null,null]",
        r#"{"promptTokens":1.5}"#,
        r#"{"promptTokens":-1}"#,
        r#"{"promptTokens":"many"}"#,
        r#"{"chian":"default"}"#,
    ] {
        let reply = explain_as(&app, question, ADMIN).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "invalid_request"), "{question}");
        assert!(reply.text().contains("promptTokens"), "{}", reply.text());
    }
    let long = explain_as(&app, &format!(r#"{{"chain":"{}"}}"#, "x".repeat(70_000)), ADMIN).await;
    assert_eq!((long.status, long.code().as_str()), (413, "request_too_large"));
    assert_eq!(explain(&app, json!({ "promptTokens": 81.0 })).await["next"], "a/m", "to JSON it is a whole number");
    let absurd = explain(&app, json!({ "promptTokens": u64::MAX, "maxTokens": u64::MAX })).await;
    assert_eq!(absurd["next"], "a/m", "nothing is known of its limits");
    assert_eq!(provider.calls(), 0);
    app.stop().await;
}

#[actix_rt::test]
async fn one_of_several_keys_is_enough() {
    let provider = Provider::with(|request, _| match request.header("authorization").unwrap().ends_with("one") {
        true => Answer::rate_limited(Some("60")),
        false => Answer::ok(),
    })
    .await;
    let yaml = chain_of(&[("a", &provider)]).replace("apiKey: key-of-a", "apiKeys: [key-number-one, key-number-two]");
    let app = App::start(&yaml).await;
    assert_eq!(app.chat(ask("")).await.status, 200);
    assert_eq!(explain(&app, json!({})).await["next"], "a/m");
    app.stop().await;
}
