//! One operation: a path and a method, who may use it, what it takes, and every answer there is.

use std::collections::BTreeMap;

use utoipa::ToSchema;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{AllOfBuilder, AnyOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Content, Header, RefOr, Required, ResponseBuilder};

use super::bodies::whatever;
use super::parameters;
use super::schemas::Schemas;
use super::security::Who;
use crate::web::error::{Body as ErrorBody, Code};

/// A description of an operation, under way.
pub(super) struct Call {
    path: &'static str,
    method: HttpMethod,
    operation: OperationBuilder,
    codes: Vec<Code>,
    passes_on: bool,
}

/// What an answer is of: a media type, and what it looks like.
pub(super) type Form = (&'static str, RefOr<Schema>);

impl Call {
    /// `GET`. `id` is the name of the operation.
    pub(super) fn get(path: &'static str, id: &str, tag: &str, summary: &str) -> Self {
        Self::new(HttpMethod::Get, path, id, tag, summary)
    }

    /// `POST`
    pub(super) fn post(path: &'static str, id: &str, tag: &str, summary: &str) -> Self {
        Self::new(HttpMethod::Post, path, id, tag, summary)
    }

    /// `HEAD`
    pub(super) fn head(path: &'static str, id: &str, tag: &str, summary: &str) -> Self {
        Self::new(HttpMethod::Head, path, id, tag, summary)
    }

    /// `PUT`
    pub(super) fn put(path: &'static str, id: &str, tag: &str, summary: &str) -> Self {
        Self::new(HttpMethod::Put, path, id, tag, summary)
    }

    /// `PATCH`
    pub(super) fn patch(path: &'static str, id: &str, tag: &str, summary: &str) -> Self {
        Self::new(HttpMethod::Patch, path, id, tag, summary)
    }

    /// `DELETE`
    pub(super) fn delete(path: &'static str, id: &str, tag: &str, summary: &str) -> Self {
        Self::new(HttpMethod::Delete, path, id, tag, summary)
    }

    fn new(method: HttpMethod, path: &'static str, id: &str, tag: &str, summary: &str) -> Self {
        let operation = OperationBuilder::new().operation_id(Some(id)).tag(tag).summary(Some(summary));
        Self { path, method, operation, codes: Vec::new(), passes_on: false }
    }

    fn with(self, change: impl FnOnce(OperationBuilder) -> OperationBuilder) -> Self {
        Self { operation: change(self.operation), ..self }
    }

    /// What else there is to say.
    pub(super) fn about(self, text: &str) -> Self {
        self.with(|operation| operation.description(Some(text)))
    }

    /// Who may use it.
    pub(super) fn of(self, who: Who) -> Self {
        self.with(|operation| operation.securities(Some(who.requirements()))).fails(who.refusals())
    }

    /// Parameters of the query.
    pub(super) fn asks(self, names: &[&str]) -> Self {
        let call = if names.is_empty() { self } else { self.fails(&[Code::InvalidRequest]) };
        names.iter().fold(call, |call, name| call.with(|operation| operation.parameter(parameters::query(name))))
    }

    /// A part of the path.
    pub(super) fn names(self, name: &str, about: &str) -> Self {
        self.with(|operation| operation.parameter(parameters::path(name, about)))
    }

    /// The revision of the file that a change is made from, in the head.
    pub(super) fn matches(self) -> Self {
        self.with(|operation| operation.parameter(parameters::if_match()))
    }

    /// The body that it takes.
    pub(super) fn takes(self, schema: impl Into<RefOr<Schema>>, required: Required) -> Self {
        let body = RequestBodyBuilder::new().content("application/json", Content::new(Some(schema)));
        let call = self.with(|operation| operation.request_body(Some(body.required(Some(required)).build())));
        call.fails(&[Code::InvalidRequest, Code::RequestTooLarge])
    }

    /// A JSON answer.
    pub(super) fn gives<T: ToSchema>(self, schemas: &mut Schemas, status: &str, about: &str) -> Self {
        let schema = schemas.given::<T>();
        self.answers(status, about, vec![("application/json", schema.into())], &[])
    }

    /// An answer in one of several forms, with these headers. Without any it has no body.
    pub(super) fn answers(self, status: &str, about: &str, forms: Vec<Form>, headers: &[(&str, Header)]) -> Self {
        let response = response(about, forms);
        let response = headers.iter().fold(response, |response, (name, header)| response.header(*name, header.clone()));
        self.with(|operation| operation.response(status, response.build()))
    }

    /// Errors there may be.
    pub(super) fn fails(mut self, codes: &[Code]) -> Self {
        self.codes.extend(codes);
        self
    }

    /// What a provider refuses may go back as it came.
    pub(super) fn passes_refusals_on(self) -> Self {
        let any = whatever("The provider's own answer.");
        let call = self.answers(
            "4XX",
            "Every entry has refused the request: what the provider answered, as it came.",
            vec![("*/*", any.into())],
            &[],
        );
        Self { passes_on: true, ..call }
    }

    /// All of it.
    pub(super) fn done(mut self, schemas: &mut Schemas) -> (&'static str, HttpMethod, Operation) {
        let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
        for code in std::mem::take(&mut self.codes) {
            let codes = by_status.entry(code.status().as_u16()).or_default();
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        let passes_on = self.passes_on;
        let operation = by_status.into_iter().fold(self.operation, |operation, (status, codes)| {
            let failure = failure(schemas, &codes, passes_on && matches!(status, 400 | 404 | 413));
            let failure = if status == 503 { failure.header("Retry-After", seconds()) } else { failure };
            let failure = match codes.contains(&Code::NoChain) {
                true => failure.header("X-Should-Retry", text("`false` with `no_chain`: SDKs are not to try again.")),
                false => failure,
            };
            operation.response(status.to_string(), failure.build())
        });
        (self.path, self.method, operation.build())
    }
}

fn response(about: &str, forms: Vec<Form>) -> ResponseBuilder {
    let id = text("The id of the request in the log.");
    let response = ResponseBuilder::new().description(about).header("X-Request-Id", id);
    forms.into_iter().fold(response, |response, (kind, schema)| response.content(kind, Content::new(Some(schema))))
}

fn failure(schemas: &mut Schemas, codes: &[Code], or_other: bool) -> ResponseBuilder {
    let names: Vec<&str> = codes.iter().map(|code| code.name()).collect();
    let code = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names.clone()));
    let narrow = ObjectBuilder::new().property("error", ObjectBuilder::new().property("code", code));
    let ours = AllOfBuilder::new().item(schemas.given::<ErrorBody<'_>>()).item(narrow);
    let (schema, more): (Schema, _) = match or_other {
        true => (
            AnyOfBuilder::new().item(ours).item(whatever("The provider's own answer.")).into(),
            " Or the provider's own.",
        ),
        false => (ours.into(), ""),
    };
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let forms: Vec<Form> = vec![("application/json", schema.into())];
    response(&format!("{}.{more}", names.join(", ")), forms)
}

/// A header.
pub(super) fn text(about: &str) -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::String);
    HeaderBuilder::new().schema(Some(schema)).description(Some(about)).build()
}

fn seconds() -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some("Seconds until it is worth trying again; absent when waiting does not help."))
        .build()
}

/// A header with a whole number.
pub(super) fn count(about: &str) -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
    HeaderBuilder::new().schema(Some(schema)).description(Some(about)).build()
}
