//! The admin API: changing the configuration while it is in use, trying providers out, and ending cooldowns by hand.

use actix_web::http::Method;
use serde_json::Value;

use crate::support::app::{ADMIN, App, CLIENT, Reply, whole};

mod addresses;
mod changes;
mod failed;
mod refusals;
mod thaw;
mod trial;
mod versions;

/// A call with this key; an empty body is none.
async fn call_as(app: &App, key: &str, method: Method, path: &str, body: &str) -> Reply {
    let request = app.client.request(method, format!("{}{path}", app.url)).bearer_auth(key);
    whole(request.send_body(body.to_owned()).await.unwrap()).await
}

async fn call(app: &App, method: Method, path: &str, body: &str) -> Reply {
    call_as(app, ADMIN, method, path, body).await
}

/// A call that goes well.
pub async fn done(app: &App, method: Method, path: &str, body: &str) -> Value {
    let reply = call(app, method, path, body).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    reply.json()
}

pub async fn revision(app: &App) -> String {
    done(app, Method::GET, "/v1/admin/config", "").await["revision"].as_str().unwrap().to_owned()
}

/// The body with the present revision in it.
async fn revised(app: &App, mut body: Value) -> String {
    body["revision"] = revision(app).await.into();
    body.to_string()
}

/// A change that goes well, made from the file as it is.
pub async fn changed(app: &App, method: Method, path: &str, body: Value) -> Value {
    let body = revised(app, body).await;
    done(app, method, path, &body).await
}

/// A change that is refused.
pub async fn refused(app: &App, method: Method, path: &str, body: Value) -> (u16, Value) {
    let body = revised(app, body).await;
    let reply = call(app, method, path, &body).await;
    (reply.status, reply.json()["error"].clone())
}

/// LESSONS O23: whoever has a client's key changes nothing and calls nobody outside a chain.
#[actix_rt::test]
async fn o23_none_of_it_is_for_client_keys() {
    let a = crate::support::app::healthy().await;
    let app = App::start(&crate::support::app::chain_of(&[("a", &a)])).await;
    let document = app.get("/v1/openapi.json").await.json();
    let mut asked = 0;
    for (path, calls) in document["paths"].as_object().unwrap() {
        if !(path.starts_with("/v1/admin/") || path.starts_with("/v1/test/")) {
            continue;
        }
        for method in calls.as_object().unwrap().keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let there = path.replace("{id}", "a").replace("{name}", "default");
            for (key, status, code) in [(CLIENT, 403, "admin_required"), ("nobody", 401, "invalid_api_key")] {
                let reply = call_as(&app, key, method.clone(), &there, "{}").await;
                assert_eq!((reply.status, reply.code().as_str()), (status, code), "{method} {path}");
            }
            asked += 1;
        }
    }
    assert!(asked >= 16, "{asked}");
    assert_eq!(a.calls(), 0);
    app.stop().await;
}
