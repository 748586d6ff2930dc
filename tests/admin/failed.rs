//! Changes that were begun and could not be finished: the file is as it was, byte for byte.

use std::fs::{self, File};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::http::Method;
use chain429::config::model::KeyDigest;
use serde_json::json;

use super::{call, changed, done, refused};
use crate::support::app::{ADMIN, chain_of, healthy};
use crate::support::living::Living;

/// A change that was written and cannot be adopted is taken back.
#[actix_rt::test]
async fn o24_what_cannot_be_adopted_is_taken_back() {
    let a = healthy().await;
    // A file with odd ends and spaces, so that it shows if it is written in another way.
    let yaml =
        chain_of(&[("a", &a)]).replace(&format!("  adminKeys: [\"{ADMIN}\"]\n"), "") + "\n\n# the end, without a break";
    let broken = Arc::new(AtomicBool::new(false));
    let is_broken = Arc::clone(&broken);
    let living = Living::start_with_key(
        &yaml,
        Box::new(move |_| match is_broken.load(Ordering::Relaxed) {
            true => Err("admin-key.sha256 cannot be read".to_owned()),
            false => Ok(KeyDigest::of(ADMIN)),
        }),
    );
    let app = &living.app;
    broken.store(true, Ordering::Relaxed);
    let (status, error) = refused(app, Method::PATCH, "/v1/admin/settings", json!({ "retentionDays": 7 })).await;
    assert_eq!((status, &error["code"]), (422, &json!("invalid_config")), "{error}");
    assert!(error["message"].as_str().unwrap().contains("admin-key.sha256 cannot be read"), "{error}");
    assert_eq!(fs::read(&living.file).unwrap(), yaml.as_bytes());
    let shown = done(app, Method::GET, "/v1/admin/config", "").await;
    assert_eq!(shown["revision"], shown["inUse"]["revision"], "what is in use is what is in the file");
    assert_eq!(app.served_by().await, "a/m");

    broken.store(false, Ordering::Relaxed);
    changed(app, Method::PATCH, "/v1/admin/settings", json!({ "retentionDays": 7 })).await;
    assert!(fs::read_to_string(&living.file).unwrap().contains("retentionDays: 7"));
    living.app.stop().await;
}

#[actix_rt::test]
async fn a_file_that_cannot_be_written_now_says_so() {
    let yaml = chain_of(&[("a", &healthy().await)]);
    let living = Living::start(&yaml);
    let app = &living.app;
    let patch = || refused(app, Method::PATCH, "/v1/admin/settings", json!({ "retentionDays": 7 }));
    // Another process writes it.
    let held = File::open(&living.file).unwrap();
    held.lock().unwrap();
    let (status, error) = patch().await;
    assert_eq!((status, &error["code"], &error["type"]), (503, &json!("config_not_written"), &json!("server_error")));
    assert!(error["message"].as_str().unwrap().contains("by somebody else: try again"), "{error}");
    drop(held);

    // There is no room for what is there now, so it is not replaced.
    let data = living.file.with_file_name("data");
    fs::write(&data, "no folder").unwrap();
    let (status, error) = patch().await;
    assert_eq!((status, &error["code"]), (503, &json!("config_not_written")), "{error}");
    assert!(error["message"].as_str().unwrap().contains("could not be kept in the data directory"), "{error}");
    assert_eq!(fs::read_to_string(&living.file).unwrap(), yaml);
    fs::remove_file(&data).unwrap();
    changed(app, Method::PATCH, "/v1/admin/settings", json!({ "retentionDays": 7 })).await;
    assert_eq!(call(app, Method::GET, "/v1/admin/versions", "").await.status, 200);
    living.app.stop().await;
}
