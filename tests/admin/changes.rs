//! Changes that are made: in the file, with everything around them left as it is, and in use for the next request.

use std::fs;

use actix_web::http::Method;
use serde_json::json;

use super::{call, changed, done, revision};
use crate::support::app::{ADMIN, chain_of, healthy, whole};
use crate::support::living::Living;

#[actix_rt::test]
async fn the_file_is_shown_with_its_secrets_masked() {
    let a = healthy().await;
    let living = Living::start(&chain_of(&[("a", &a)]));
    let reply = call(&living.app, Method::GET, "/v1/admin/config", "").await;
    let shown = reply.json();
    assert_eq!(shown["path"], living.file.display().to_string());
    assert_eq!(reply.header("etag"), format!("\"{}\"", shown["revision"].as_str().unwrap()));
    assert_eq!((&shown["writable"], &shown["way"], &shown["reason"]), (&json!(true), &json!("rename"), &json!(null)));
    assert_eq!(shown["inUse"]["revision"], shown["revision"]);
    let provider = &shown["document"]["providers"][0];
    assert_eq!((&provider["id"], &provider["baseUrl"]), (&json!("a"), &json!(a.base_url())));
    assert!(!reply.text().contains("key-of-a") && !reply.text().contains(ADMIN), "{}", reply.text());
    fs::write(&living.file, "version: 1\nproviders: [\n").unwrap();
    let broken = done(&living.app, Method::GET, "/v1/admin/config", "").await;
    assert_eq!(broken["document"], json!(null));
    assert!(broken["problems"][0]["line"].is_u64(), "{broken}");
    living.app.stop().await;
}

/// LESSONS O24: what is changed is in the file and in use, comments stay, and a mask that comes back is no key.
#[actix_rt::test]
async fn o24_a_provider_is_changed_and_everything_else_stays() {
    let (a, b) = (healthy().await, healthy().await);
    let yaml = chain_of(&[("a", &a)]).replace("chains:", "# Mine!\nchains:");
    let living = Living::start(&yaml);
    let shown = done(&living.app, Method::GET, "/v1/admin/config", "").await;
    let mut provider = shown["document"]["providers"][0].clone();
    assert_ne!(provider["apiKey"], "key-of-a");
    provider["baseUrl"] = b.base_url().into();
    let said = changed(&living.app, Method::PUT, "/v1/admin/providers/a", provider).await;
    assert_eq!(said["changed"]["providers"]["changed"], json!(["a"]), "{said}");
    assert_eq!((&said["unchanged"], &said["needsRestart"]), (&json!(false), &json!([])));
    assert_eq!(fs::read_to_string(&living.file).unwrap(), yaml.replace(&a.base_url(), &b.base_url()));
    assert_eq!(said["revision"], revision(&living.app).await);
    assert_eq!(said["revision"], living.standing().await["revision"]);
    assert_eq!(living.app.served_by().await, "a/m");
    assert_eq!((a.calls(), b.calls()), (0, 1));
    assert_eq!(b.requests()[0].header("authorization"), Some("Bearer key-of-a"));
    living.app.stop().await;
}

/// LESSONS O24: a name that is as long as a key stays what it is.
#[actix_rt::test]
async fn o24_what_was_shown_is_put_back_whatever_models_are_called() {
    let long = "meta/abcdef0123456789abcdef0123456789";
    let models =
        format!("    models: {{ {long}: {{ contextWindow: 1000 }}, x{long}: {{ contextWindow: 9 }} }}\nchains:");
    let yaml = chain_of(&[("a", &healthy().await)]).replace("chains:", &models);
    let yaml = yaml.replace("model: m }", &format!("model: {long} }}"));
    assert_eq!(yaml.matches(long).count(), 3);
    let living = Living::start(&yaml);
    let shown = done(&living.app, Method::GET, "/v1/admin/config", "").await;
    for (path, put) in
        [("providers/a", &shown["document"]["providers"][0]), ("chains/default", &shown["document"]["chains"][0])]
    {
        let said = changed(&living.app, Method::PUT, &format!("/v1/admin/{path}"), put.clone()).await;
        assert_eq!(said["unchanged"], true, "{path}: {said}");
    }
    assert_eq!(fs::read_to_string(&living.file).unwrap(), yaml);
    living.app.stop().await;
}

#[actix_rt::test]
async fn a_provider_and_a_chain_come_and_go() {
    let (a, b) = (healthy().await, healthy().await);
    let yaml = chain_of(&[("a", &a)]);
    let living = Living::start(&yaml);
    let app = &living.app;
    let provider = json!({ "type": "generic-openai", "apiKey": "key-of-b", "baseUrl": b.base_url() });
    let said = changed(app, Method::PUT, "/v1/admin/providers/b", provider).await;
    assert_eq!(said["changed"]["providers"]["added"], json!(["b"]));
    assert!(!said.to_string().contains("key-of-b"));
    let entries = json!({ "entries": [{ "provider": "b", "model": "m" }, { "provider": "a", "model": "m" }] });
    let said = changed(app, Method::PUT, "/v1/admin/chains/fast", entries).await;
    assert_eq!(said["changed"]["chains"]["added"], json!(["fast"]));
    changed(app, Method::PUT, "/v1/admin/default-chain", json!({ "name": "fast" })).await;
    changed(app, Method::PATCH, "/v1/admin/settings", json!({ "unknownModel": "defaultChain" })).await;
    let reply = app.chat(crate::support::app::ask("").replace("\"default\"", "\"gpt\"")).await;
    assert_eq!(reply.header("x-429chain-provider"), "b/m");
    let said = changed(app, Method::PUT, "/v1/admin/chains/fast/order", json!({ "order": [1, 0] })).await;
    assert_eq!(said["changed"]["chains"]["changed"], json!(["fast"]));
    let reply = app.chat(crate::support::app::ask("").replace("\"default\"", "\"fast\"")).await;
    assert_eq!(reply.header("x-429chain-provider"), "a/m");
    changed(app, Method::PUT, "/v1/admin/default-chain", json!({ "name": "default" })).await;
    changed(app, Method::DELETE, "/v1/admin/providers/b?removeEntries=true", json!({})).await;
    changed(app, Method::DELETE, "/v1/admin/chains/fast", json!({})).await;
    let shown = done(app, Method::GET, "/v1/admin/config", "").await;
    assert_eq!(shown["document"]["chains"].as_array().unwrap().len(), 1);
    assert_eq!(shown["document"]["providers"].as_array().unwrap().len(), 1);
    assert_eq!(living.app.served_by().await, "a/m");
    living.app.stop().await;
}

#[actix_rt::test]
async fn settings_are_set_taken_back_and_say_when_they_need_a_restart() {
    let living = Living::start(&chain_of(&[("a", &healthy().await)]));
    let app = &living.app;
    let before = fs::read_to_string(&living.file).unwrap();
    let said = changed(app, Method::PATCH, "/v1/admin/settings", json!({ "retentionDays": 7, "workers": 2 })).await;
    assert_eq!(said["changed"]["settings"], json!(["settings.workers", "settings.retentionDays"]));
    assert_eq!(said["needsRestart"], json!(["settings.workers"]));
    changed(app, Method::PATCH, "/v1/admin/settings", json!({ "retentionDays": null, "workers": null })).await;
    assert_eq!(fs::read_to_string(&living.file).unwrap(), before);
    let said = changed(app, Method::PATCH, "/v1/admin/settings", json!({})).await;
    assert_eq!(said["unchanged"], true);
    living.app.stop().await;
}

/// LESSONS F19: a key of before is in a comment, and one is repeated by an alias.
#[actix_rt::test]
async fn f19_neither_the_values_nor_an_earlier_version_show_a_key() {
    let key = "apiKey: &key a-SECRET-in-use # before: 'a-SECRET'\n    # apiKey: a-SECRET-old-key\n    name: *key\n";
    let yaml = chain_of(&[("a", &healthy().await)]).replace("apiKey: key-of-a\n", key);
    let living = Living::start(&yaml);
    let shown = call(&living.app, Method::GET, "/v1/admin/config", "").await;
    assert!(shown.status == 200 && !shown.text().contains("SECRET"), "{}", shown.text());
    changed(&living.app, Method::PATCH, "/v1/admin/settings", json!({ "retentionDays": 7 })).await;
    let list = done(&living.app, Method::GET, "/v1/admin/versions", "").await;
    for version in list["versions"].as_array().unwrap() {
        let path = format!("/v1/admin/versions/{}", version["id"].as_str().unwrap());
        let text = done(&living.app, Method::GET, &path, "").await["text"].as_str().unwrap().to_owned();
        assert!(text.contains("# apiKey: ***\n") && !text.contains("SECRET"), "{text}");
    }
    living.app.stop().await;
}

#[actix_rt::test]
async fn the_revision_may_stand_in_the_head() {
    let living = Living::start(&chain_of(&[("a", &healthy().await)]));
    let app = &living.app;
    for quoted in [true, false] {
        let now = revision(app).await;
        let tag = if quoted { format!("\"{now}\"") } else { now };
        let request = app.client.patch(format!("{}/v1/admin/settings", app.url)).bearer_auth(ADMIN);
        let request = request.insert_header(("if-match", tag));
        let reply = whole(request.send_body(format!(r#"{{"queueMode":{quoted}}}"#)).await.unwrap()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    living.app.stop().await;
}
