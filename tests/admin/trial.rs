//! Trying providers and chains out.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::{Value, json};

use super::{call, done};
use crate::support::app::{App, ask, chain_of, config_of, healthy, with_a};
use crate::support::provider::{Answer, Provider, Request};

const LIST: &str = r#"{"object":"list","data":[{"id":"m"},{"id":"n"}]}"#;

fn asks_for_list(request: &Request) -> bool {
    request.head.starts_with("GET /v1/models ")
}

/// A provider with a list, and this answer to all else.
async fn listing(answer: Answer) -> Provider {
    Provider::with(move |request, _| if asks_for_list(request) { Answer::json(200, &[], LIST) } else { answer.clone() })
        .await
}

/// Completions that a provider was asked for.
fn completions(provider: &Provider) -> usize {
    provider.requests().iter().filter(|request| !asks_for_list(request)).count()
}

/// Rows of the log, once there are so many.
async fn rows(app: &App, count: usize) -> Vec<Value> {
    let there = async {
        loop {
            let page = app.get("/v1/stats/requests").await.json();
            let rows = page["requests"].as_array().unwrap().clone();
            if rows.len() >= count {
                return rows;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), there).await.expect("so many rows")
}

#[actix_rt::test]
async fn a_provider_that_works_is_called_once_and_charged() {
    let a = listing(Answer::ok()).await;
    let app = App::start(&with_a(&chain_of(&[("a", &a)]), "    rateLimits: { requestsPerMinute: 5 }\n")).await;
    let said = done(&app, Method::POST, "/v1/admin/providers/a/test", "").await;
    assert_eq!((&said["models"]["ok"], &said["models"]["count"]), (&json!(true), &json!(2)), "{said}");
    let completion = &said["completion"];
    assert_eq!(
        (&completion["ok"], &completion["status"], &completion["model"]),
        (&json!(true), &json!(200), &json!("m"))
    );
    let requests = a.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| request.header("authorization") == Some("Bearer key-of-a")));
    let body: Value = serde_json::from_slice(&requests[1].body).unwrap();
    assert_eq!((&body["model"], &body["max_tokens"]), (&json!("m"), &json!(1)), "{body}");
    assert_eq!(app.entry("a").await["quota"]["requests"]["used"], 1);
    let row = &rows(&app, 1).await[0];
    assert_eq!((&row["client"], &row["id"], &row["httpStatus"]), (&json!("ui"), &completion["request"], &json!(200)));
    app.stop().await;
}

#[actix_rt::test]
async fn a_list_says_nothing_about_the_key() {
    let a = listing(Answer::error(401, &[], "Invalid API key", "invalid_request_error")).await;
    let app = App::start(&chain_of(&[("a", &a)])).await;
    let said = done(&app, Method::POST, "/v1/admin/providers/a/test", "{}").await;
    assert_eq!(said["models"]["ok"], true, "{said}");
    let completion = &said["completion"];
    assert_eq!(
        (&completion["ok"], &completion["status"], &completion["reason"]),
        (&json!(false), &json!(401), &json!("auth"))
    );
    assert_eq!(completion["outcome"], "failed");
    assert_eq!(app.entry("a").await["status"], "auth_error", "it counts as any other call");
    let again = done(&app, Method::POST, "/v1/admin/providers/a/test", "{}").await;
    assert_eq!((&again["completion"]["outcome"], completions(&a)), (&json!("skipped"), 1), "{again}");
    app.stop().await;
}

#[actix_rt::test]
async fn a_provider_without_a_list_may_work() {
    for (list, said) in [
        (Answer::json(404, &[], "{}"), "no list of models (404)"),
        (Answer::json(200, &[], "<html>"), "no list of models"),
        (Answer::json(401, &[], r#"{"error":"key-of-a is wrong"}"#), "key was rejected (401)"),
        (Answer::raw(format!("HTTP/1.1 200 X\r\ncontent-length: {}\r\n\r\n", 5 << 20)), "larger than"),
        (Answer::hang_up(), ""),
    ] {
        let a =
            Provider::with(move |request, _| if asks_for_list(request) { list.clone() } else { Answer::ok() }).await;
        let app = App::start(&chain_of(&[("a", &a)])).await;
        let reply = done(&app, Method::POST, "/v1/admin/providers/a/test", "").await;
        let models = &reply["models"];
        assert_eq!((&models["ok"], &models["count"]), (&json!(false), &json!(null)), "{reply}");
        let error = models["error"].as_str().unwrap();
        assert!(error.contains(said) && !error.is_empty() && !reply.to_string().contains("key-of-a"), "{reply}");
        assert_eq!(reply["completion"]["ok"], true, "{reply}");
        app.stop().await;
    }
}

#[actix_rt::test]
async fn which_model_is_tested_can_be_said() {
    let a = listing(Answer::ok()).await;
    let yaml = chain_of(&[("a", &a)]) + "  - name: other\n    entries: [{ provider: a, model: n }]\n";
    let app = App::start(&yaml).await;
    let said = done(&app, Method::POST, "/v1/admin/providers/a/test", r#"{"model":"n"}"#).await;
    assert_eq!((&said["completion"]["model"], &said["completion"]["ok"]), (&json!("n"), &json!(true)));
    for (path, body, status, code) in [
        ("a", r#"{"model":"x"}"#, 404, "model_not_found"),
        ("a", r#"{"modle":"m"}"#, 400, "invalid_request"),
        ("x", "{}", 404, "not_found"),
    ] {
        let reply = call(&app, Method::POST, &format!("/v1/admin/providers/{path}/test"), body).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{}", reply.text());
    }
    app.stop().await;
}

#[actix_rt::test]
async fn a_provider_that_is_switched_off_lists_and_is_not_called() {
    let (a, b) = (listing(Answer::ok()).await, healthy().await);
    let app = App::start(&with_a(&chain_of(&[("a", &a), ("b", &b)]), "    enabled: false\n")).await;
    let said = done(&app, Method::POST, "/v1/admin/providers/a/test", "").await;
    assert_eq!((&said["models"]["ok"], &said["completion"]["outcome"]), (&json!(true), &json!("skipped")), "{said}");
    assert_eq!((&said["completion"]["message"], completions(&a)), (&json!("switched off"), 0));
    app.stop().await;
}

#[actix_rt::test]
async fn a_list_is_remembered_with_its_age_until_somebody_asks_again() {
    let a = listing(Answer::ok()).await;
    let app = App::start(&chain_of(&[("a", &a)])).await;
    let path = "/v1/admin/providers/a/models";
    let first = done(&app, Method::GET, path, "").await;
    assert_eq!((&first["models"], &first["ageMs"], &first["fresh"]), (&json!(["m", "n"]), &json!(0), &json!(true)));
    app.clock.advance(Duration::from_secs(90));
    let second = done(&app, Method::GET, path, "").await;
    assert_eq!(
        (&second["models"], &second["ageMs"], &second["fresh"]),
        (&json!(["m", "n"]), &json!(90_000), &json!(false))
    );
    assert_eq!((a.calls(), &second["askedAt"]), (1, &first["askedAt"]));
    let third = done(&app, Method::GET, &format!("{path}?refresh=1"), "").await;
    assert_eq!((&third["ageMs"], a.calls()), (&json!(0), 2));
    for path in [format!("{path}?refresh=2"), format!("{path}?again=1")] {
        assert_eq!(call(&app, Method::GET, &path, "").await.status, 400, "{path}");
    }
    assert_eq!(call(&app, Method::GET, "/v1/admin/providers/x/models", "").await.status, 404);
    app.stop().await;
}

#[actix_rt::test]
async fn a_list_that_fails_is_asked_for_again() {
    let a = Provider::script([Answer::json(500, &[], "{}"), Answer::json(200, &[], LIST)]).await;
    let app = App::start(&chain_of(&[("a", &a)])).await;
    let first = done(&app, Method::GET, "/v1/admin/providers/a/models", "").await;
    assert_eq!((&first["models"], &first["error"]), (&json!(null), &json!("it answered 500")));
    let second = done(&app, Method::GET, "/v1/admin/providers/a/models", "").await;
    assert_eq!((&second["models"], &second["error"]), (&json!(["m", "n"]), &json!(null)));
    app.stop().await;
}

/// LESSONS O28: a test of a chain goes through the ledgers. What cools down or is used up is not called, what is called is
/// charged and logged, and a limit that it meets holds for everybody.
#[actix_rt::test]
async fn o28_a_test_of_a_chain_calls_nobody_who_rests_and_charges_the_others() {
    let cold = Provider::script([Answer::rate_limited(Some("3600"))]).await;
    let (spent, well) = (healthy().await, healthy().await);
    let limited = Provider::script([Answer::rate_limited(Some("60"))]).await;
    let providers = [("a", &cold), ("b", &spent), ("c", &well), ("d", &limited)];
    let app = App::start(&config_of("", &providers, "    rateLimits: { requestsPerMinute: 1 }\n")).await;
    assert_eq!(app.served_by().await, "b/m", "a is cold now, and b spent");
    let said = done(&app, Method::POST, "/v1/test/chain/default", "").await;
    let entries = said["entries"].as_array().unwrap();
    let seen = |at: usize| {
        let entry: &Value = &entries[at];
        ["provider", "outcome", "reason", "status", "ok"].map(|name| entry[name].clone())
    };
    assert_eq!(seen(0), [json!("a"), json!("skipped"), json!("rate_limit"), json!(429), json!(false)]);
    assert_eq!(seen(1), [json!("b"), json!("skipped"), json!("rate_limit"), json!(0), json!(false)]);
    assert_eq!(seen(2), [json!("c"), json!("served"), json!(null), json!(200), json!(true)]);
    assert_eq!(seen(3), [json!("d"), json!("failed"), json!("rate_limit"), json!(429), json!(false)]);
    assert!(entries[1]["message"].as_str().unwrap().contains("requests per minute used up"), "{said}");
    assert!(entries[0]["retryAt"].is_string() && entries[0]["ms"].is_null() && entries[2]["ms"].is_u64(), "{said}");
    assert_eq!([&cold, &spent, &well, &limited].map(Provider::calls), [1, 1, 1, 1]);

    let again = done(&app, Method::POST, "/v1/test/chain/default", "").await;
    let outcomes: Vec<&Value> = again["entries"].as_array().unwrap().iter().map(|entry| &entry["outcome"]).collect();
    assert_eq!(outcomes, ["skipped"; 4], "the test has charged c, and d has told its limit");
    assert_eq!([&cold, &spent, &well, &limited].map(Provider::calls), [1, 1, 1, 1]);
    let rows = rows(&app, 3).await;
    let of_ui: Vec<&Value> = rows.iter().filter(|row| row["client"] == "ui").map(|row| &row["id"]).collect();
    assert_eq!(rows.len(), 3, "nobody who was not called has a row: {rows:?}");
    assert_eq!(of_ui, [&entries[3]["request"], &entries[2]["request"]]);
    app.stop().await;
}

#[actix_rt::test]
async fn a_test_of_a_chain_knows_its_chains() {
    let a = healthy().await;
    let app = App::start(&chain_of(&[("a", &a)])).await;
    for name in ["x", "a", "a%2Fm"] {
        let reply = call(&app, Method::POST, &format!("/v1/test/chain/{name}"), "").await;
        assert_eq!((reply.status, reply.code().as_str(), a.calls()), (404, "not_found", 0), "{name}");
    }
    app.stop().await;
}

/// Others wait for the same chain: a test does not stand in their way, and does not wait behind them.
#[actix_rt::test]
async fn a_test_of_a_chain_never_waits() {
    let a = Provider::script([Answer::rate_limited(Some("20")), Answer::ok()]).await;
    let app = App::start(&chain_of(&[("a", &a)])).await;
    let waiting = actix_rt::spawn(app.send(ask("")));
    let in_line = async { while app.get("/v1/ratelimits").await.json()["chains"][0]["waiting"]["depth"] != 1 {} };
    tokio::time::timeout(Duration::from_secs(10), in_line).await.expect("it waits");
    let said = done(&app, Method::POST, "/v1/test/chain/default", "").await;
    assert_eq!((&said["entries"][0]["outcome"], a.calls()), (&json!("skipped"), 1), "{said}");
    app.clock.advance(Duration::from_secs(20));
    assert_eq!((waiting.await.unwrap().status, a.calls()), (200, 2));
    app.stop().await;
}
