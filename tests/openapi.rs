//! `GET /v1/openapi.json`: the document and the proxy are the same in every path, method and error code. Whether answers
//! keep to it is asked by `tests/openapi/run`.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::Method;
use chain429::web::error::Code;
use serde_json::Value;

use crate::support::app::{ADMIN, App, CLIENT, Reply, chain_of, healthy, whole};

const METHODS: [Method; 8] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::TRACE,
];

async fn started() -> (App, Value) {
    let app = App::start(&chain_of(&[("a", &healthy().await)])).await;
    let reply = app.get_as("/v1/openapi.json", "").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/json"), "it is open");
    (app, reply.json())
}

/// Every path, with its methods in capitals.
fn operations(document: &Value) -> BTreeMap<&str, BTreeMap<String, &Value>> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .map(|(path, item)| {
            let calls = item.as_object().unwrap().iter().map(|(method, call)| (method.to_uppercase(), call));
            (path.as_str(), calls.collect())
        })
        .collect()
}

/// All values in a document that stand under this name.
fn all<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get(name));
            members.values().for_each(|member| all(member, name, found));
        }
        Value::Array(items) => items.iter().for_each(|item| all(item, name, found)),
        _ => {}
    }
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().map(|text| text.as_str().unwrap()).collect()
}

#[actix_rt::test]
async fn the_document_is_sound() {
    let (app, document) = started().await;
    assert_eq!(
        (&document["openapi"], &document["info"]["version"]),
        (&"3.1.0".into(), &env!("CARGO_PKG_VERSION").into())
    );
    let mut references = Vec::new();
    all(&document, "$ref", &mut references);
    let named: BTreeSet<&str> = references.into_iter().map(|name| name.as_str().unwrap()).collect();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let defined: BTreeSet<String> = schemas.keys().map(|name| format!("#/components/schemas/{name}")).collect();
    let used = |name: &String| named.contains(name.as_str()) || name.ends_with("/ErrorCode");
    assert!(named.iter().all(|name| defined.contains(*name)), "every reference leads somewhere: {named:?}");
    assert!(defined.iter().all(used), "every schema is used: {defined:?} {named:?}");

    let schemes = document["components"]["securitySchemes"].as_object().unwrap();
    let tags: Vec<&Value> = document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    let mut ids = BTreeSet::new();
    for (path, calls) in operations(&document) {
        for (method, call) in calls {
            let place = format!("{method} {path}");
            assert!(ids.insert(call["operationId"].as_str().unwrap()), "{place}: its id is there twice");
            assert!(call["summary"].is_string() && tags.contains(&&call["tags"][0]), "{place}");
            for key in call["security"].as_array().unwrap().iter().flat_map(|needs| needs.as_object().unwrap().keys()) {
                assert!(schemes.contains_key(key), "{place}: {key}");
            }
            let parameters = call["parameters"].as_array().into_iter().flatten();
            let of_path = parameters.filter(|parameter| parameter["in"] == "path");
            let of_path: Vec<String> =
                of_path.map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap())).collect();
            let of_path: Vec<&str> = of_path.iter().map(String::as_str).collect();
            let in_path: Vec<&str> = path.split('/').filter(|part| part.starts_with('{')).collect();
            assert_eq!(of_path, in_path, "{place}");
            let responses = call["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with('2')), "{place}");
            for (status, response) in responses {
                assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{place} {status}");
            }
        }
    }
    app.stop().await;
}

/// The routes, as they stand in the source: path and method.
fn routes() -> BTreeSet<(String, String)> {
    let source = std::fs::read_to_string("src/web/routes.rs").unwrap();
    let mut found = BTreeSet::new();
    for service in source.split(".service(").skip(1) {
        let service = service.split("\n        .").next().unwrap();
        let pattern = service.split('"').nth(1).expect("the path of a route stands in its line");
        let methods: Vec<String> = service
            .split("web::")
            .skip(1)
            .filter_map(|call| call.split_once("()").map(|(method, _)| method.to_uppercase()))
            .collect();
        assert!(!methods.is_empty(), "{service}");
        // `{kind:a|b}` are two paths, `{id:.+}` is one with a name.
        let mut paths = vec![String::new()];
        for part in pattern.split('/').skip(1) {
            let (name, shape) = part.trim_matches(['{', '}']).split_once(':').unwrap_or((part, ""));
            let choices: Vec<String> = match (part.starts_with('{'), shape.contains('|')) {
                (true, true) => shape.split('|').map(str::to_owned).collect(),
                (true, false) => vec![format!("{{{}}}", name.trim_matches(['{', '}']))],
                (false, _) => vec![part.to_owned()],
            };
            paths =
                paths.iter().flat_map(|path| choices.iter().map(move |choice| format!("{path}/{choice}"))).collect();
        }
        found.extend(paths.iter().flat_map(|path| methods.iter().map(move |method| (path.clone(), method.clone()))));
    }
    found
}

#[actix_rt::test]
async fn every_route_is_in_the_document_and_nothing_else() {
    let (app, document) = started().await;
    let documented: BTreeSet<(String, String)> = operations(&document)
        .into_iter()
        .flat_map(|(path, calls)| calls.into_keys().map(move |method| (path.to_owned(), method)))
        .collect();
    assert_eq!(documented, routes());
    app.stop().await;
}

async fn asked(app: &App, method: &Method, path: &str, key: &str) -> Reply {
    let request = app.client.request(method.clone(), format!("{}{path}", app.url)).bearer_auth(key);
    whole(request.send().await.unwrap()).await
}

#[actix_rt::test]
async fn the_proxy_takes_what_the_document_says_and_refuses_the_rest() {
    let (app, document) = started().await;
    for (path, calls) in operations(&document) {
        let there = path.replace("{id}", "default").replace("{name}", "a");
        let admins = path.starts_with("/v1/admin/") || path.starts_with("/v1/test/");
        let key = if admins { ADMIN } else { CLIENT };
        for method in METHODS {
            let place = format!("{method} {path}");
            let reply = asked(&app, &method, &there, key).await;
            let code = if reply.body.is_empty() { String::new() } else { json_code(&reply) };
            if let Some(call) = calls.get(method.as_str()) {
                assert!(reply.status != 405 && code != "unknown_path", "{place}: {}", reply.text());
                let responses = call["responses"].as_object().unwrap();
                assert!(responses.contains_key(&reply.status.to_string()), "{place}: {}", reply.status);
            } else {
                assert_eq!(reply.status, 405, "{place}: {}", reply.text());
                let allowed: BTreeSet<&str> = reply.header("allow").split(", ").collect();
                assert_eq!(allowed, calls.keys().map(String::as_str).collect(), "{place}");
                assert!(code == "method_not_allowed" || method == Method::HEAD, "{place}: {}", reply.text());
            }
        }
        let beside = asked(&app, &Method::GET, &format!("{there}x/y/z"), key).await;
        assert!(beside.status == 404 || path.ends_with('}'), "{path} is not all that begins with it");
    }
    app.stop().await;
}

/// The error code of an answer that may be none.
fn json_code(reply: &Reply) -> String {
    let json: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    json["error"]["code"].as_str().unwrap_or_default().to_owned()
}

#[actix_rt::test]
async fn every_error_code_is_in_the_document() {
    let (app, document) = started().await;
    let codes: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(
        texts(&document["components"]["schemas"]["ErrorCode"]["enum"]).into_iter().collect::<BTreeSet<_>>(),
        codes
    );
    // And each where it can happen, but for the two that belong to no path.
    let mut told = BTreeSet::from(["unknown_path", "method_not_allowed"]);
    for (path, calls) in operations(&document) {
        for (status, response) in calls.values().flat_map(|call| call["responses"].as_object().unwrap()) {
            let mut narrowed = Vec::new();
            all(&response["content"]["application/json"]["schema"], "enum", &mut narrowed);
            for name in narrowed.into_iter().flat_map(texts) {
                let code = Code::ALL.iter().find(|code| code.name() == name).unwrap();
                assert_eq!(code.status().as_str(), status, "{path} {name}");
                told.insert(name);
            }
        }
    }
    assert_eq!(told, codes);
    app.stop().await;
}
