//! Nothing but `/health` answers without a key. `/metrics` does to whoever asks from this machine: see `metrics.rs`.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::app::{ADMIN, App, CLIENT, ask, chain_of, whole};
use crate::support::provider::{Answer, Provider};
use crate::support::wire::Wire;

const EVERY_PATH: [(&str, &str); 7] = [
    ("POST", "/v1/chat/completions"),
    ("GET", "/v1/chat/completions"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/default"),
    ("GET", "/v1/ratelimits"),
    ("GET", "/v1/admin/config"),
    ("GET", "/nothing/here"),
];

async fn app() -> (App, Provider) {
    let provider = Provider::script([Answer::ok()]).await;
    (App::start(&chain_of(&[("a", &provider)])).await, provider)
}

#[actix_rt::test]
async fn without_a_key_nothing_but_health_answers() {
    let (app, provider) = app().await;
    for key in [None, Some("sk-429-wrong"), Some(""), Some("sk-429-test-clien"), Some("sk-429-test-client2")] {
        for (method, path) in EVERY_PATH {
            let mut request = app.client.request(method.parse().unwrap(), format!("{}{path}", app.url));
            if let Some(key) = key {
                request = request.bearer_auth(key);
            }
            let reply = whole(request.send_body(ask("")).await.unwrap()).await;
            assert_eq!((reply.status, reply.code().as_str()), (401, "invalid_api_key"), "{key:?} {method} {path}");
            assert!(!reply.text().contains("sk-429-wrong"), "a key is never echoed");
        }
        let request = app.client.get(format!("{}/health", app.url));
        assert_eq!(whole(request.send().await.unwrap()).await.status, 200);
    }
    assert_eq!(provider.calls(), 0);
    app.stop().await;
}

/// LESSONS O23: any client key was a full admin. An admin key in turn is no client key.
#[actix_rt::test]
async fn o23_client_and_admin_keys_open_different_doors() {
    let (app, provider) = app().await;
    assert_eq!(app.get_as("/v1/ratelimits", ADMIN).await.status, 200);
    assert_eq!(app.get_as("/v1/ratelimits", CLIENT).await.status, 200);
    let reply = whole(app.post(ask(""), ADMIN).await).await;
    assert_eq!(reply.status, 401);
    assert!(reply.text().contains("This is an admin key"), "{}", reply.text());
    assert_eq!(provider.calls(), 0);
    app.stop().await;
}

#[actix_rt::test]
async fn a_key_may_come_as_x_api_key_and_be_configured_as_a_hash() {
    let provider = Provider::script([Answer::ok()]).await;
    let digest = ring::digest::digest(&ring::digest::SHA256, b"hashed-key");
    let actual: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let yaml = chain_of(&[("a", &provider)]).replace(CLIENT, &format!("sha256:{actual}"));
    let app = App::start(&yaml).await;
    let request =
        app.client.post(format!("{}/v1/chat/completions", app.url)).insert_header(("x-api-key", "hashed-key"));
    assert_eq!(whole(request.send_body(ask("")).await.unwrap()).await.status, 200);
    let request = app.client.post(format!("{}/v1/chat/completions", app.url)).bearer_auth(format!("sha256:{actual}"));
    assert_eq!(whole(request.send_body(ask("")).await.unwrap()).await.status, 401, "the hash is not the key");
    app.stop().await;
}

/// The routes read `%61` as an `a`, and so must whoever guards them.
#[actix_rt::test]
async fn an_escaped_letter_in_the_path_opens_no_other_door() {
    let (app, _provider) = app().await;
    assert_eq!(app.post_to("/v1/admin/explain", "{}").await.code(), "admin_required");
    for path in
        ["/v1/%61dmin/explain", "/v1/admi%6E/explain", "/%76%31/%61%64%6d%69%6e/explain", "/v1/%61dmin/%65xplain"]
    {
        for (key, code) in [(CLIENT, "admin_required"), ("nope", "invalid_api_key")] {
            let mut wire = Wire::to(&app).await;
            let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\r\n");
            assert!(wire.send(head).await);
            assert_eq!(wire.answer().await.unwrap().error()["code"], code, "{path}");
        }
    }
    for path in ["/healt%68", "/v1/%72atelimits"] {
        let mut wire = Wire::to(&app).await;
        assert!(wire.send(format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ADMIN}\r\n\r\n")).await);
        assert_eq!(wire.answer().await.unwrap().status(), 200, "{path}");
    }
    app.stop().await;
}

/// LESSONS F18: 25 MB of JSON were parsed before anybody asked for a key.
#[actix_rt::test]
async fn f18_a_wrong_key_is_answered_before_the_body_has_arrived() {
    let (app, _provider) = app().await;
    let mut stream = TcpStream::connect(app.proxy.addresses()[0]).await.unwrap();
    let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer nope\r\ncontent-length: 25000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 401");
    app.stop().await;
}

/// A client that is still writing its body sees the answer, not a broken connection.
#[actix_rt::test]
async fn a_wrong_key_with_a_large_body_is_told_so() {
    let (app, provider) = app().await;
    let large = ask(&format!(r#","x":"{}""#, "x".repeat(4_000_000)));
    for _ in 0..5 {
        let reply = whole(app.post(large.clone(), "nope").await).await;
        assert_eq!((reply.status, reply.code().as_str()), (401, "invalid_api_key"));
    }
    assert_eq!(provider.calls(), 0);
    app.stop().await;
}
