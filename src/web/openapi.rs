//! `GET /v1/openapi.json`: what the API takes and gives, as an OpenAPI 3.1 document.
//!
//! Schemas come from the types that are serialised, names and limits of parameters from the constants that questions are
//! held against, and errors from their codes: what is written here by hand is which of them belong to a path.

mod admin;
mod bodies;
mod call;
mod parameters;
mod paths;
mod schemas;
mod security;

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use actix_web::web::Bytes;
use serde_json::Value;
use utoipa::openapi::path::PathsBuilder;
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, Info, License, OpenApiBuilder, PathItem};

use self::schemas::Schemas;

const ABOUT: &str = "A self-hosted, OpenAI-compatible proxy that walks a chain of free LLM tiers, so that rate limits \
never reach the client. Every answer carries `X-Request-Id`, which is the id in the log. Errors have one shape; paths \
that do not exist answer 404 `unknown_path`, methods that a path does not take 405 `method_not_allowed`. An empty query \
parameter counts as absent; unknown ones are refused.";

const TAGS: [(&str, &str); 5] = [
    ("models", "What OpenAI clients use."),
    ("stats", "What requests add up to, and the log of them."),
    ("state", "How things stand now."),
    ("admin", "For who runs the proxy."),
    ("meta", "About the API itself."),
];

/// The document, for everybody: it is the same for all of one version.
pub async fn openapi() -> HttpResponse {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(document().to_string()));
    HttpResponse::Ok().content_type(ContentType::json()).body(TEXT.clone())
}

/// The document.
#[must_use]
pub fn document() -> Value {
    let mut schemas = Schemas::default();
    let calls = paths::all(&mut schemas);
    let paths = calls.into_iter().fold(PathsBuilder::new(), |paths, call| {
        let (path, method, operation) = call.done(&mut schemas);
        paths.path(path, PathItem::new(method, operation))
    });
    let tags = TAGS.map(|(name, about)| TagBuilder::new().name(name).description(Some(about)).build());
    let mut info = Info::new("429chain", env!("CARGO_PKG_VERSION"));
    info.description = Some(ABOUT.to_owned());
    let mut license = License::new("MIT");
    license.identifier = Some("MIT".to_owned());
    info.license = Some(license);
    let mut components = Components::new();
    for (name, scheme) in security::schemes() {
        components.add_security_scheme(name, scheme);
    }
    let document = OpenApiBuilder::new().info(info).paths(paths).tags(Some(tags)).components(Some(components)).build();
    let mut document = serde_json::to_value(document).unwrap_or_default();
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        components.insert("schemas".to_owned(), schemas.into_value());
    }
    allow_empty(&mut document);
    document
}

/// An empty parameter of a query is none, wherever it is.
fn allow_empty(document: &mut Value) {
    let paths =
        document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flat_map(|paths| paths.values_mut());
    let calls = paths.filter_map(Value::as_object_mut).flat_map(|calls| calls.values_mut());
    let lists = calls.filter_map(|call| call.get_mut("parameters")?.as_array_mut());
    for parameter in lists.flatten().filter_map(Value::as_object_mut) {
        if parameter.get("in").is_some_and(|place| place == "query") {
            parameter.insert("allowEmptyValue".to_owned(), true.into());
        }
    }
}
