//! Which addresses providers may have.

use actix_web::http::Method;
use serde_json::json;

use super::{changed, done, refused};
use crate::support::app::{chain_of, healthy};
use crate::support::living::Living;

/// LESSONS O23, F19: no provider can be pointed at what gives credentials away.
#[actix_rt::test]
async fn o23_f19_an_address_of_metadata_is_refused_whatever_is_allowed() {
    let living = Living::start(&chain_of(&[("a", &healthy().await)]));
    for url in ["http://169.254.169.254/v1", "http://[fe80::1]/v1", "https://metadata.google.internal/v1"] {
        let provider = json!({ "type": "generic-openai", "baseUrl": url, "apiKey": "key" });
        let (status, error) = refused(&living.app, Method::PUT, "/v1/admin/providers/b", provider).await;
        assert_eq!((status, &error["problems"][0]["path"]), (422, &json!("providers[1].baseUrl")), "{error}");
        assert!(error["message"].as_str().unwrap().contains("never called"), "{error}");
    }
    living.app.stop().await;
}

/// The same by a name: `0251.0376.0251.0376` is one to the configuration, and that very address to the system.
#[actix_rt::test]
async fn o23_f19_a_name_is_looked_at_after_it_was_resolved() {
    let (a, b) = (healthy().await, healthy().await);
    let yaml = chain_of(&[("a", &a), ("b", &b)]).replace(&a.base_url(), "http://0251.0376.0251.0376/v1");
    let living = Living::start(&yaml);
    assert_eq!(living.app.served_by().await, "b/m");
    let entry = living.app.entry("a").await;
    assert_eq!(entry["status"], "cooling", "{entry}");
    let said = done(&living.app, Method::POST, "/v1/admin/providers/a/test", "").await;
    assert!(said["models"]["error"].as_str().unwrap().contains("never called"), "{said}");
    living.app.stop().await;
}

#[actix_rt::test]
async fn private_addresses_are_called_unless_that_is_switched_off() {
    let a = healthy().await;
    let living = Living::start(&chain_of(&[("a", &a)]));
    assert_eq!(living.app.served_by().await, "a/m");
    let wish = json!({ "allowPrivateUrls": false });
    let (status, error) = refused(&living.app, Method::PATCH, "/v1/admin/settings", wish).await;
    assert_eq!((status, &error["problems"][0]["path"]), (422, &json!("providers[0].baseUrl")), "{error}");
    assert!(error["problems"][0]["help"].as_str().unwrap().contains("allowPrivateUrls: true"), "{error}");
    // A name that leads here is found out when it is called, and a connection that is open already is not used.
    let port = a.base_url().split(':').nth(2).unwrap().to_owned();
    let by_name = json!({ "type": "generic-openai", "baseUrl": format!("http://0177.0.0.1:{port}") });
    changed(&living.app, Method::PUT, "/v1/admin/providers/a", by_name).await;
    assert_eq!(living.app.served_by().await, "a/m");
    changed(&living.app, Method::PATCH, "/v1/admin/settings", json!({ "allowPrivateUrls": false })).await;
    let said = done(&living.app, Method::POST, "/v1/admin/providers/a/test", "").await;
    assert!(said["models"]["error"].as_str().unwrap().contains("allowPrivateUrls"), "{said}");
    assert_eq!((&said["completion"]["ok"], a.calls()), (&json!(false), 2), "{said}");
    living.app.stop().await;
}
