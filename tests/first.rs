//! A proxy that has nobody to ask yet: it runs, says what to do, and is set up without a restart.

use std::fs;

use actix_web::http::Method;
use serde_json::json;

use crate::admin::{changed, done, refused};
use crate::support::app::{ADMIN, App, CLIENT, Reply, ask, config_of, healthy};
use crate::support::binary::{Running, command};
use crate::support::living::Living;

/// A file with nothing but its settings.
fn nothing(settings: &str) -> String {
    format!("version: 1\nsettings:\n  apiKeys: [\"{CLIENT}\"]\n  adminKeys: [\"{ADMIN}\"]\n  port: 0\n{settings}")
}

/// What a client of such a proxy is told.
fn assert_no_chain(reply: &Reply) {
    assert_eq!((reply.status, reply.code().as_str()), (503, "no_chain"), "{}", reply.text());
    let error = &reply.json()["error"];
    assert_eq!((&error["type"], &error["param"]), (&json!("server_error"), &json!(null)));
    assert!(error["message"].as_str().unwrap().contains("/ui"), "{error}");
    assert_eq!((reply.header("retry-after"), reply.header("x-should-retry")), ("", "false"), "waiting does not help");
}

#[actix_rt::test]
async fn without_a_chain_everything_answers_and_says_so() {
    let app = App::start(&nothing("")).await;
    for body in [ask(""), ask(r#","stream":true"#), ask("").replace("default", "a/m")] {
        assert_no_chain(&app.chat(body).await);
    }
    assert_no_chain(&app.post_to("/v1/embeddings", r#"{"model":"default","input":"x"}"#).await);
    assert_no_chain(&explained(&app, "{}").await);
    assert_eq!(app.get("/v1/models").await.json()["data"], json!([]));
    assert_eq!(app.get("/v1/models/default").await.code(), "model_not_found");
    let state = app.get("/v1/ratelimits").await.json();
    assert_eq!((&state["ratelimits"], &state["chains"]), (&json!([]), &json!([])));
    let health = app.get("/health").await;
    assert_eq!((health.status, &health.json()["providers"], &health.json()["chains"]), (200, &json!(0), &json!(0)));
    let figures = app.get("/metrics").await.text();
    let counted = r#"chain429_requests_total{chain="",provider="",model="",outcome="no_chain"} 4"#;
    assert!(figures.lines().any(|line| line == counted), "{figures}");
    app.stop().await;
}

async fn explained(app: &App, question: &str) -> Reply {
    let request = app.client.post(format!("{}/v1/admin/explain", app.url)).bearer_auth(ADMIN);
    crate::support::app::whole(request.send_body(question.to_owned()).await.unwrap()).await
}

/// The row of a request that met no chain is one of those that have failed.
#[actix_rt::test]
async fn a_request_without_a_chain_is_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let clock = crate::support::clock::TestClock::default();
    let app = App::start_on(&nothing(""), clock, &dir.path().join("usage.redb"));
    app.chat(ask("")).await;
    let row = async {
        loop {
            let page = app.get("/v1/stats/requests?outcome=failed").await.json();
            if let Some(row) = page["requests"].get(0) {
                return row.clone();
            }
        }
    };
    let row = tokio::time::timeout(std::time::Duration::from_secs(10), row).await.expect("it is written");
    assert_eq!(
        (&row["httpStatus"], &row["errorCode"], &row["requestedModel"]),
        (&json!(503), &json!("no_chain"), &json!("default"))
    );
    app.stop().await;
}

/// A model that names nothing is refused as such where that was asked for.
#[actix_rt::test]
async fn without_a_chain_unknown_models_may_be_refused() {
    let app = App::start(&nothing("  unknownModel: reject\n")).await;
    let reply = app.chat(ask("")).await;
    assert_eq!((reply.status, reply.code().as_str()), (404, "model_not_found"));
    assert_eq!(explained(&app, "{}").await.code(), "model_not_found");
    app.stop().await;
}

/// From nothing to a proxy that serves, by the admin API, and back.
#[actix_rt::test]
async fn a_proxy_is_set_up_and_emptied_while_it_runs() {
    let a = healthy().await;
    let living = Living::start(&nothing("  # mine\n"));
    let app = &living.app;
    assert_no_chain(&app.chat(ask("")).await);
    let provider = json!({ "type": "generic-openai", "apiKey": "key-of-a", "baseUrl": a.base_url() });
    let said = changed(app, Method::PUT, "/v1/admin/providers/a", provider).await;
    let notices = said["notices"].as_array().unwrap();
    assert!(notices.len() == 1 && notices[0].as_str().unwrap().contains("no chain is configured yet"), "{said}");
    assert_no_chain(&app.chat(ask("")).await);
    let chain = json!({ "entries": [{ "provider": "a", "model": "m" }] });
    let said = changed(app, Method::PUT, "/v1/admin/chains/fast", chain).await;
    assert_eq!((&said["notices"], &said["changed"]["entries"]["added"]), (&json!([]), &json!(["a/m"])), "{said}");
    assert_eq!(app.served_by().await, "a/m", "the only chain is the default, whatever its name");

    let (status, error) = refused(app, Method::DELETE, "/v1/admin/providers/a?removeEntries=true", json!({})).await;
    assert_eq!((status, &error["code"]), (409, &json!("in_use")), "the chain goes first: {error}");
    let said = changed(app, Method::DELETE, "/v1/admin/chains/fast", json!({})).await;
    assert_eq!(said["changed"]["chains"]["removed"], json!(["fast"]));
    assert_no_chain(&app.chat(ask("")).await);
    changed(app, Method::DELETE, "/v1/admin/providers/a", json!({})).await;
    let shown = done(app, Method::GET, "/v1/admin/config", "").await;
    assert_eq!((&shown["document"]["providers"], &shown["document"]["chains"]), (&json!([]), &json!([])));
    let text = fs::read_to_string(&living.file).unwrap();
    assert_eq!(text, format!("{}providers: []\nchains: []\n", nothing("  # mine\n")));
    assert_eq!(a.calls(), 1);
    living.app.stop().await;
}

#[actix_rt::test]
async fn a_file_may_be_emptied_and_filled_by_hand() {
    let a = healthy().await;
    let full = config_of("", &[("a", &a)], "");
    let living = Living::start(&full);
    assert_eq!(living.app.served_by().await, "a/m");
    let said = living.change(&nothing("")).await;
    assert_eq!(said["changed"]["entries"]["removed"], json!(["a/m"]), "{said}");
    assert_no_chain(&living.app.chat(ask("")).await);
    living.change(&full).await;
    assert_eq!(living.app.served_by().await, "a/m");
    let off = full.replace("    type:", "    enabled: false\n    type:");
    let said = living.change(&off).await;
    assert!(said["notices"][0].as_str().unwrap().contains("all providers are disabled"), "{said}");
    let reply = living.app.chat(ask("")).await;
    assert_eq!(
        (reply.status, reply.code().as_str(), reply.header("retry-after")),
        (503, "all_providers_exhausted", "")
    );
    assert!(reply.text().contains("a/m (switched off)"), "{}", reply.text());
    let reply = living.try_change("# nothing\n").await;
    assert_eq!(reply.status, 422, "a file that was emptied by mistake is one: {}", reply.text());
    living.app.stop().await;
}

#[test]
fn check_and_start_say_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("c.yaml"), nothing("")).unwrap();
    let output = command(dir.path(), &["check", "-c", "c.yaml"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    for line in ["note: no provider is configured yet", "note: no chain is configured yet", "c.yaml is fine: 0 of 0"] {
        assert!(said.contains(line), "{said}");
    }
    let running = Running::start(command(dir.path(), &["-c", "c.yaml"]));
    for line in ["no provider is configured yet: add one in the UI at /ui", "no chain is configured yet"] {
        assert_eq!(running.before.matches(line).count(), 1, "{}", running.before);
    }
    assert_eq!(running.end("-TERM").0, Some(0));

    let output = command(dir.path(), &["init", "-c", "new.yaml"]).output().unwrap();
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("run 429chain --config new.yaml and give one of them its key")
    );
    let output = command(dir.path(), &["init", "--providers", "cloudflare", "-c", "my new.yaml"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    for words in ["cloudflare is switched off: put the id of your account into its baseUrl", "--config 'my new.yaml'"] {
        assert!(said.contains(words), "{said}");
    }
    let running = Running::start(command(dir.path(), &["-c", "new.yaml", "--port", "0"]));
    assert!(running.before.contains("all providers are disabled"), "{}", running.before);
    assert_eq!(running.end("-TERM").0, Some(0));

    fs::write(dir.path().join("c.yaml"), "# empty\n").unwrap();
    let output = command(dir.path(), &["check", "-c", "c.yaml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("429chain init"), "{output:?}");
}
