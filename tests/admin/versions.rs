//! Earlier versions of the file, and the way back.

use std::fs;

use actix_web::http::Method;
use chain429::config::Overrides;
use chain429::config::model::KeyDigest;
use serde_json::json;

use super::{call, changed, done, refused};
use crate::support::app::{ADMIN, chain_of, config_of, healthy};
use crate::support::living::Living;

#[actix_rt::test]
async fn an_earlier_version_is_shown_masked_and_restored() {
    let (a, b) = (healthy().await, healthy().await);
    let yaml = chain_of(&[("a", &a), ("b", &b)]);
    let living = Living::start(&yaml);
    let app = &living.app;
    changed(app, Method::PUT, "/v1/admin/chains/default/order", json!({ "order": [1, 0] })).await;
    assert_eq!(app.served_by().await, "b/m");
    let list = done(app, Method::GET, "/v1/admin/versions", "").await;
    let versions = list["versions"].as_array().unwrap();
    let sources: Vec<_> = versions.iter().map(|version| version["source"].as_str().unwrap()).collect();
    assert_eq!(sources, ["api", "found on disk"], "{list}");
    let id = versions[1]["id"].as_str().unwrap();
    let shown = call(app, Method::GET, &format!("/v1/admin/versions/{id}"), "").await;
    let text = shown.json()["text"].as_str().unwrap().to_owned();
    assert!(text.contains("provider: a, model: m") && !text.contains("key-of-a"), "{text}");
    assert_eq!(shown.json()["revision"], versions[1]["revision"]);
    let said = changed(app, Method::POST, "/v1/admin/restore", json!({ "id": id })).await;
    assert_eq!(said["revision"], versions[1]["revision"]);
    assert_eq!(fs::read_to_string(&living.file).unwrap(), yaml);
    assert_eq!(app.served_by().await, "a/m");
    let list = done(app, Method::GET, "/v1/admin/versions", "").await;
    assert_eq!(list["versions"][0]["source"], "restored");
    living.app.stop().await;
}

#[actix_rt::test]
async fn a_file_that_was_broken_by_hand_is_mended_by_going_back() {
    let yaml = chain_of(&[("a", &healthy().await)]);
    let living = Living::start(&yaml);
    let app = &living.app;
    changed(app, Method::PATCH, "/v1/admin/settings", json!({ "retentionDays": 7 })).await;
    assert_eq!(living.try_change("version: 1\nproviders: []\n").await.status, 422);
    assert!(living.standing().await["error"].is_object());
    let (status, _) = refused(app, Method::PATCH, "/v1/admin/settings", json!({ "retentionDays": 9 })).await;
    assert_eq!(status, 422);
    let list = done(app, Method::GET, "/v1/admin/versions", "").await;
    let id = list["versions"][0]["id"].clone();
    changed(app, Method::POST, "/v1/admin/restore", json!({ "id": id })).await;
    assert_eq!(living.standing().await["error"], json!(null));
    assert_eq!(app.served_by().await, "a/m");
    living.app.stop().await;
}

#[actix_rt::test]
async fn a_version_that_is_not_there_changes_nothing() {
    let yaml = chain_of(&[("a", &healthy().await)]);
    let living = Living::start(&yaml);
    let app = &living.app;
    for id in ["x", "..%2F..%2Fc.yaml", "00000000000000-0000000000000000-api"] {
        let reply = call(app, Method::GET, &format!("/v1/admin/versions/{id}"), "").await;
        assert_eq!((reply.status, reply.code().as_str()), (404, "not_found"), "{id}");
        let (status, error) = refused(app, Method::POST, "/v1/admin/restore", json!({ "id": id })).await;
        assert_eq!((status, &error["code"]), (404, &json!("not_found")), "{error}");
    }
    let (status, error) = refused(app, Method::POST, "/v1/admin/restore", json!({})).await;
    assert_eq!((status, &error["param"]), (400, &json!("id")));
    assert_eq!(fs::read_to_string(&living.file).unwrap(), yaml);
    living.app.stop().await;
}

/// A new place for data is taken at the next start: until then versions are kept, found and restored where they were.
#[actix_rt::test]
async fn versions_stay_where_they_are_until_the_next_start() {
    let a = healthy().await;
    let dir = tempfile::tempdir().unwrap();
    let old = dir.path().join("old/usage.redb");
    let yaml = config_of(&format!("  dbPath: {}\n", old.display()), &[("a", &a)], "");
    let living = Living::start_in(dir, &yaml, Overrides::default(), Box::new(|_| Ok(KeyDigest::of(ADMIN))));
    let new = living.file.with_file_name("new");
    let wish = json!({ "dbPath": new.join("usage.redb") });
    let said = changed(&living.app, Method::PATCH, "/v1/admin/settings", wish).await;
    assert_eq!(said["needsRestart"], json!(["settings.dbPath"]));
    changed(&living.app, Method::PATCH, "/v1/admin/settings", json!({ "retentionDays": 7 })).await;
    let list = done(&living.app, Method::GET, "/v1/admin/versions", "").await;
    let versions = list["versions"].as_array().unwrap();
    assert_eq!((versions.len(), new.exists()), (3, false), "{list}");
    let first = versions.last().unwrap()["id"].clone();
    changed(&living.app, Method::POST, "/v1/admin/restore", json!({ "id": first })).await;
    assert_eq!(fs::read_to_string(&living.file).unwrap(), yaml);
    living.app.stop().await;
}
