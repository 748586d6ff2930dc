//! Bodies that are passed on byte for byte: what is looked at of them, and whatever else there may be.

use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};

use super::schemas::Schemas;
use crate::domain::request::MAX_MODEL;

/// What `POST /v1/chat/completions` takes.
pub(super) fn chat_request(schemas: &mut Schemas) -> Ref {
    let message = open("A message; at least its role should be there.");
    let request = open("As the OpenAI API has it; whatever else is in it goes to the provider as it is.")
        .property("model", model())
        .required("model")
        .property("messages", ArrayBuilder::new().items(message).min_items(Some(1)))
        .required("messages")
        .property("stream", or_null(Type::Boolean).description(Some("Answer with server-sent events.")))
        .property("stream_options", or_null(Type::Object).additional_properties(anything()))
        .property("stop", stop())
        .property("tools", or_null(Type::Array))
        .property("response_format", or_null(Type::Object).additional_properties(anything()));
    let numbers =
        ["max_tokens", "max_completion_tokens", "n", "temperature", "top_p", "frequency_penalty", "presence_penalty"];
    let request = numbers.into_iter().fold(request, |request, name| request.property(name, or_null(Type::Number)));
    schemas.named("ChatRequest", request)
}

/// What `POST /v1/embeddings` takes.
pub(super) fn embeddings_request(schemas: &mut Schemas) -> Ref {
    let input = OneOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(Type::String))
        .item(ArrayBuilder::new().items(RefOr::T(whatever("A text, or tokens."))).min_items(Some(1)));
    let request = open("As the OpenAI API has it; whatever else is in it goes to the provider as it is.")
        .property("model", model())
        .required("model")
        .property("input", input.description(Some("A text, or an array of texts or of tokens.")))
        .required("input");
    schemas.named("EmbeddingsRequest", request)
}

/// A change of the configuration: the members that a path takes, and the revision that it is made from.
pub(super) fn change(schemas: &mut Schemas, name: &str, about: &str, members: ObjectBuilder) -> Ref {
    let revision = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^[0-9a-f]{16}$"))
        .description(Some("Of the file that the change is made from; or as `If-Match`."));
    let change = members.schema_type(Type::Object).description(Some(about)).property("revision", revision);
    schemas.named(name, change.additional_properties(anything()))
}

/// What comes of them: the provider's own answer.
pub(super) fn answer(schemas: &mut Schemas, name: &str) -> Ref {
    schemas.named(name, open("The provider's answer, byte for byte: as the OpenAI API has it."))
}

/// One event of a stream. Media types have no other place to say it in OpenAPI 3.1: the schema is that of each event.
pub(super) fn event(about: &str, name: Option<&str>, data: ObjectBuilder) -> RefOr<Schema> {
    let kind = ObjectBuilder::new().schema_type(Type::String);
    let kind = kind.enum_values(name.map(|name| [name]));
    let event = ObjectBuilder::new().schema_type(Type::Object).description(Some(about)).property("event", kind);
    RefOr::T(event.property("data", data.schema_type(Type::String)).required("data").into())
}

/// Anything at all.
pub(super) fn whatever(about: &str) -> Schema {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue).description(Some(about)).into()
}

fn open(about: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Object).description(Some(about)).additional_properties(anything())
}

fn anything() -> Option<AdditionalProperties<Schema>> {
    Some(AdditionalProperties::FreeForm(true))
}

fn model() -> ObjectBuilder {
    let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(MAX_MODEL));
    text.pattern(Some(r"^[^\u0000-\u001f\u007f-\u009f]+$"))
        .examples(["default"])
        .description(Some("A chain, or `provider/model`; anything else as `settings.unknownModel` has it. One line."))
}

fn or_null(kind: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::from_iter([kind, Type::Null]))
}

fn stop() -> RefOr<Schema> {
    let kinds = [Type::String, Type::Array, Type::Null];
    let choices = kinds.map(|kind| ObjectBuilder::new().schema_type(kind));
    let choices = choices.into_iter().fold(OneOfBuilder::new(), |choices, choice| choices.item(choice));
    RefOr::T(choices.into())
}
