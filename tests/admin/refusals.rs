//! Changes that are not made: why, and that nothing has changed.

use std::fs;

use actix_web::http::Method;
use serde_json::json;

use super::{call, changed, done, refused, revision};
use crate::concurrency::join_all;
use crate::support::app::{ADMIN, App, CLIENT, chain_of, config_of, healthy};
use crate::support::living::Living;

#[actix_rt::test]
async fn a_stale_change_is_refused_with_what_is_there_now() {
    let living = Living::start(&chain_of(&[("a", &healthy().await)]));
    let app = &living.app;
    let old = revision(app).await;
    changed(app, Method::PATCH, "/v1/admin/settings", json!({ "retentionDays": 7 })).await;
    let body = json!({ "retentionDays": 9, "revision": old }).to_string();
    let reply = call(app, Method::PATCH, "/v1/admin/settings", &body).await;
    let error = &reply.json()["error"];
    assert_eq!((reply.status, &error["code"]), (409, &json!("config_changed")), "{error}");
    assert_eq!(error["revision"], revision(app).await);
    assert_eq!(error["config"]["settings"]["retentionDays"], 7);
    assert!(!reply.text().contains("key-of-a"));
    for body in [json!({}), json!({ "revision": "" }), json!({ "revision": "x" }), json!({ "revision": [1] })] {
        let reply = call(app, Method::PATCH, "/v1/admin/settings", &body.to_string()).await;
        assert_eq!((reply.status, reply.json()["error"]["param"].as_str()), (400, Some("revision")), "{body}");
    }
    living.app.stop().await;
}

/// Of changes that are made from the same file at the same moment one is made.
#[actix_rt::test]
async fn of_changes_at_the_same_time_one_is_made() {
    let living = Living::start(&chain_of(&[("a", &healthy().await)]));
    let app = &living.app;
    let old = revision(app).await;
    let bodies: Vec<String> =
        (1..=8).map(|days| json!({ "retentionDays": days, "revision": old }).to_string()).collect();
    let replies = join_all(bodies.iter().map(|body| call(app, Method::PATCH, "/v1/admin/settings", body))).await;
    let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
    let made = replies.iter().find(|reply| reply.status == 200).unwrap();
    assert_eq!(made.json()["revision"], living.standing().await["revision"]);
    living.app.stop().await;
}

#[actix_rt::test]
async fn what_could_not_be_used_is_not_written() {
    let yaml = chain_of(&[("a", &healthy().await)]);
    let living = Living::start(&yaml);
    let app = &living.app;
    let wrong = json!({ "type": "gorq", "apiKey": "key-of-b" });
    let (status, error) = refused(app, Method::PUT, "/v1/admin/providers/b", wrong).await;
    assert_eq!((status, &error["code"]), (422, &json!("invalid_config")), "{error}");
    let problem = &error["problems"][0];
    assert_eq!(problem["path"], "providers[1].type", "{error}");
    assert!(problem["line"].is_u64() && problem["column"].is_u64() && problem["help"].is_string(), "{error}");
    assert!(!error.to_string().contains("key-of-b"), "{error}");
    let masked = json!({ "type": "generic-openai", "baseUrl": "http://127.0.0.1:1", "apiKey": "***" });
    let (status, error) = refused(app, Method::PUT, "/v1/admin/providers/b", masked).await;
    assert_eq!(
        (status, &error["problems"][0]["path"]),
        (422, &json!("providers[1].apiKey")),
        "a mask is no key: {error}"
    );
    let (status, error) = refused(app, Method::PATCH, "/v1/admin/settings", json!({ "retentionDays": 0 })).await;
    assert_eq!((status, &error["problems"][0]["path"]), (422, &json!("settings.retentionDays")), "{error}");
    let (status, _) = refused(app, Method::PUT, "/v1/admin/chains/x", json!({ "entries": [] })).await;
    assert_eq!(status, 422);
    for body in ["[]", "7", "{", r#"{"a":1,"a":2}"#] {
        assert_eq!(call(app, Method::PUT, "/v1/admin/providers/b", body).await.status, 400, "{body}");
    }
    assert_eq!(fs::read_to_string(&living.file).unwrap(), yaml);
    assert_eq!(done(app, Method::GET, "/v1/admin/versions", "").await["versions"], json!([]));
    living.app.stop().await;
}

/// Whoever opens a pipe waits for somebody who writes to it, and every later change would wait as well.
#[cfg(target_os = "linux")]
#[actix_rt::test]
async fn a_pipe_in_the_place_of_a_file_is_not_waited_for() {
    let yaml = chain_of(&[("a", &healthy().await)]);
    let living = Living::start(&yaml);
    let app = &living.app;
    let pipe = living.file.with_file_name("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
    let provider = json!({ "type": "groq", "apiKeyFile": "pipe" });
    let (status, error) = refused(app, Method::PUT, "/v1/admin/providers/b", provider).await;
    assert_eq!((status, &error["problems"][0]["path"]), (422, &json!("providers[1].apiKeyFile")), "{error}");
    assert!(error["message"].as_str().unwrap().contains("this is a pipe or a device, not a file"), "{error}");
    fs::rename(&pipe, &living.file).unwrap();
    let reply = living.reload_as(ADMIN).await;
    assert_eq!(reply.status, 422, "{}", reply.text());
    assert_eq!(call(app, Method::GET, "/v1/admin/config", "").await.status, 422);
    fs::remove_file(&living.file).unwrap();
    assert_eq!(living.change(&yaml).await["unchanged"], true);
    living.app.stop().await;
}

/// Of two keys that look the same when masked, the one that is to go cannot be known.
#[actix_rt::test]
async fn o24_a_mask_that_stands_for_several_keys_is_refused_when_one_is_to_go() {
    let yaml = config_of("", &[("a", &healthy().await)], "").replace("apiKeys: [", "apiKeys: [short-a, short-b, ");
    let living = Living::start(&yaml);
    let keys = json!({ "apiKeys": ["***", CLIENT] });
    let (status, error) = refused(&living.app, Method::PATCH, "/v1/admin/settings", keys).await;
    assert_eq!((status, &error["problems"][0]["path"]), (422, &json!("settings.apiKeys[0]")), "{error}");
    assert_eq!(fs::read_to_string(&living.file).unwrap(), yaml);
    living.app.stop().await;
}

#[actix_rt::test]
async fn what_chains_need_is_not_deleted_unasked() {
    let (a, b) = (healthy().await, healthy().await);
    let yaml = chain_of(&[("a", &a), ("b", &b)]) + "  - name: other\n    entries: [{ provider: b, model: n }]\n";
    let living = Living::start(&yaml);
    let app = &living.app;
    let (status, error) = refused(app, Method::DELETE, "/v1/admin/providers/b", json!({})).await;
    assert_eq!((status, &error["code"]), (409, &json!("in_use")), "{error}");
    let uses = json!([
        { "chain": "default", "entries": [1], "all": false },
        { "chain": "other", "entries": [0], "all": true },
    ]);
    assert_eq!(error["uses"], uses);
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("`default` (#2)") && message.contains("`other` (#1)"), "{message}");
    let (status, error) = refused(app, Method::DELETE, "/v1/admin/providers/b?removeEntries=true", json!({})).await;
    assert_eq!((status, &error["code"]), (409, &json!("in_use")), "a chain would be empty: {error}");
    assert!(error["message"].as_str().unwrap().contains("`other`"), "{error}");
    let (status, error) = refused(app, Method::DELETE, "/v1/admin/chains/default", json!({})).await;
    assert_eq!((status, &error["code"]), (409, &json!("in_use")), "{error}");
    for (path, method) in [
        ("/v1/admin/providers/x", Method::DELETE),
        ("/v1/admin/chains/x", Method::DELETE),
        ("/v1/admin/chains/x/order", Method::PUT),
        ("/v1/admin/default-chain", Method::PUT),
    ] {
        let (status, error) = refused(app, method, path, json!({ "order": [0], "name": "x" })).await;
        assert_eq!((status, &error["code"]), (404, &json!("not_found")), "{path}: {error}");
    }
    let (status, _) = refused(app, Method::DELETE, "/v1/admin/providers/b?removeEntries=yes", json!({})).await;
    assert_eq!(status, 400);
    let (status, _) = refused(app, Method::PUT, "/v1/admin/chains/default/order", json!({ "order": ["x"] })).await;
    assert_eq!(status, 400);
    assert_eq!(fs::read_to_string(&living.file).unwrap(), yaml);
    living.app.stop().await;
}

#[actix_rt::test]
async fn a_file_that_is_read_only_says_so() {
    let yaml = chain_of(&[("a", &healthy().await)]);
    let living = Living::start(&yaml);
    let app = &living.app;
    let mut permissions = fs::metadata(&living.file).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&living.file, permissions).unwrap();
    let shown = done(app, Method::GET, "/v1/admin/config", "").await;
    assert_eq!((&shown["writable"], &shown["way"]), (&json!(false), &json!(null)));
    assert!(shown["reason"].as_str().unwrap().contains("read-only"), "{shown}");
    let (status, error) = refused(app, Method::PATCH, "/v1/admin/settings", json!({ "retentionDays": 7 })).await;
    assert_eq!((status, &error["code"]), (409, &json!("config_read_only")), "{error}");
    assert!(error["message"].as_str().unwrap().contains("read-only"), "{error}");
    assert_eq!(fs::read_to_string(&living.file).unwrap(), yaml);
    living.app.stop().await;
}

#[actix_rt::test]
async fn without_a_file_there_is_nothing_to_change() {
    let app = App::start(&chain_of(&[("a", &healthy().await)])).await;
    for (method, path) in [
        (Method::GET, "/v1/admin/config"),
        (Method::PUT, "/v1/admin/providers/a"),
        (Method::DELETE, "/v1/admin/chains/default"),
        (Method::PATCH, "/v1/admin/settings"),
        (Method::GET, "/v1/admin/versions"),
        (Method::GET, "/v1/admin/versions/x"),
        (Method::POST, "/v1/admin/restore"),
    ] {
        let reply = call(&app, method, path, "{}").await;
        assert_eq!((reply.status, reply.code().as_str()), (409, "no_config_file"), "{path}");
    }
    app.stop().await;
}
