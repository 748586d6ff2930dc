//! Which addresses providers may have.

use actix_web::http::Method;
use serde_json::json;

use super::{changed, refused};
use crate::support::app::{chain_of, healthy};
use crate::support::living::Living;

/// LESSONS O23, F19: no provider can be pointed at what gives credentials away.
#[actix_rt::test]
async fn o23_f19_an_address_of_metadata_is_refused_whatever_is_allowed() {
    let living = Living::start(&chain_of(&[("a", &healthy().await)]));
    for url in [
        "http://169.254.169.254/v1",
        "http://[fe80::1]/v1",
        "https://metadata.google.internal/v1",
        "http://0251.0376.0251.0376/v1",
        "http://2852039166/v1",
        "http://[fd00:ec2::23]/v1",
    ] {
        let provider = json!({ "type": "generic-openai", "baseUrl": url, "apiKey": "key" });
        let (status, error) = refused(&living.app, Method::PUT, "/v1/admin/providers/b", provider).await;
        assert_eq!((status, &error["problems"][0]["path"]), (422, &json!("providers[1].baseUrl")), "{error}");
        assert!(error["message"].as_str().unwrap().contains("never called"), "{error}");
    }
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
    // However it is written.
    let port = a.base_url().split(':').nth(2).unwrap().to_owned();
    let in_octal = json!({ "type": "generic-openai", "baseUrl": format!("http://0177.0.0.1:{port}") });
    changed(&living.app, Method::PUT, "/v1/admin/providers/a", in_octal).await;
    assert_eq!(living.app.served_by().await, "a/m");
    let (status, error) =
        refused(&living.app, Method::PATCH, "/v1/admin/settings", json!({ "allowPrivateUrls": false })).await;
    assert_eq!((status, &error["problems"][0]["path"]), (422, &json!("providers[0].baseUrl")), "{error}");
    living.app.stop().await;
}
