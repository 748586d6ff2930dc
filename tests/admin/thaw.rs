//! Ending cooldowns by hand.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::json;

use super::{call, done};
use crate::support::app::{App, ask, chain_of, healthy, with_a};
use crate::support::provider::{Answer, Provider};

const THAW: &str = "/v1/admin/entries/thaw";

#[actix_rt::test]
async fn an_entry_is_called_again_at_once() {
    let a = Provider::script([Answer::rate_limited(Some("3600")), Answer::ok()]).await;
    let b = healthy().await;
    let app = App::start(&chain_of(&[("a", &a), ("b", &b)])).await;
    assert_eq!(app.served_by().await, "b/m");
    assert_eq!(app.entry("a").await["status"], "cooling");
    let said = done(&app, Method::POST, THAW, r#"{"entry":"a/m"}"#).await;
    assert_eq!(said["ended"].as_array().unwrap().len(), 1, "{said}");
    let ended = &said["ended"][0];
    assert_eq!((&ended["entry"], &ended["status"], &ended["key"]), (&json!("a/m"), &json!(429), &json!(1)));
    assert!(ended["until"].is_string() && ended["reason"] == "rate_limit", "{ended}");
    assert_eq!((&said["entries"][0]["provider"], &said["entries"][0]["status"]), (&json!("a"), &json!("ready")));
    assert_eq!(app.served_by().await, "a/m");
    let again = done(&app, Method::POST, THAW, r#"{"entry":"a/m"}"#).await;
    assert_eq!(again["ended"], json!([]), "there is nothing left to end");
    app.stop().await;
}

#[actix_rt::test]
async fn a_rejected_key_is_tried_again_for_all_models_of_the_provider() {
    let rejected = Answer::error(401, &[], "Invalid API key", "invalid_request_error");
    let a = Provider::script([rejected, Answer::ok()]).await;
    let more = "  - name: other\n    entries: [{ provider: a, model: n }]\n";
    let app = App::start(&(chain_of(&[("a", &a), ("b", &healthy().await)]) + more)).await;
    assert_eq!(app.served_by().await, "b/m");
    let said = done(&app, Method::POST, THAW, r#"{"provider":"a"}"#).await;
    assert_eq!(said["ended"].as_array().unwrap().len(), 1, "a key is one, however many models there are: {said}");
    assert_eq!(said["ended"][0]["reason"], "auth");
    assert_eq!(said["entries"].as_array().unwrap().len(), 2);
    assert_eq!(app.served_by().await, "a/m");
    app.stop().await;
}

#[actix_rt::test]
async fn a_limit_that_is_used_up_stays_used_up() {
    let (a, b) = (Provider::script([Answer::ok(), Answer::rate_limited(Some("3600"))]).await, healthy().await);
    let yaml = with_a(&chain_of(&[("a", &a), ("b", &b)]), "    rateLimits: { requestsPerMinute: 2 }\n");
    let app = App::start(&yaml).await;
    assert_eq!((app.served_by().await, app.served_by().await), ("a/m".into(), "b/m".into()));
    let said = done(&app, Method::POST, THAW, r#"{"entry":"a/m"}"#).await;
    assert_eq!(said["ended"].as_array().unwrap().len(), 1);
    let entry = &said["entries"][0];
    assert_eq!((&entry["status"], &entry["cause"]), (&json!("cooling"), &json!(null)), "{entry}");
    assert!(entry["reason"].as_str().unwrap().contains("used up"), "{entry}");
    assert_eq!((app.served_by().await.as_str(), a.calls()), ("b/m", 2));
    app.stop().await;
}

#[actix_rt::test]
async fn a_request_that_waits_is_served() {
    let a = Provider::script([Answer::rate_limited(Some("20")), Answer::ok()]).await;
    let app = App::start(&chain_of(&[("a", &a)])).await;
    let waiting = actix_rt::spawn(app.send(ask("")));
    let in_line = async {
        while app.get("/v1/ratelimits").await.json()["chains"][0]["waiting"]["depth"] != 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), in_line).await.expect("it waits");
    done(&app, Method::POST, THAW, r#"{"entry":"a/m"}"#).await;
    let reply = tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("it was told").unwrap();
    assert_eq!((reply.status, a.calls()), (200, 2), "{}", reply.text());
    app.stop().await;
}

#[actix_rt::test]
async fn what_is_not_there_is_told() {
    let app = App::start(&chain_of(&[("a", &healthy().await)])).await;
    for (body, status) in [
        (r#"{"entry":"a/x"}"#, 404),
        (r#"{"provider":"x"}"#, 404),
        ("{}", 400),
        ("", 400),
        (r#"{"entry":"a/m","provider":"a"}"#, 400),
        (r#"{"entry":7}"#, 400),
        ("[]", 400),
    ] {
        let reply = call(&app, Method::POST, THAW, body).await;
        assert_eq!(reply.status, status, "{body}: {}", reply.text());
    }
    app.stop().await;
}
