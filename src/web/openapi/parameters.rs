//! Parameters of queries and paths. Their names and limits are those that questions are held against.

use serde_json::Value;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::{KnownFormat, Required, SchemaFormat};

use crate::web::query::{MOST, RANGES};
use crate::web::stats::log::{FORMATS, LIMIT, Outcome, STATUS, USUAL_LIMIT};
use crate::web::stats::series::STEPS;

/// The parameter of a query that has this name.
pub(super) fn query(name: &str) -> Parameter {
    let (schema, about) = match name {
        "range" => (
            words(RANGES.map(|(name, _)| name), None),
            "The time until now, the last 24 hours if no time is given. Not together with `from` or `to`.".to_owned(),
        ),
        "from" => (time(), "Begin of the time: RFC 3339, or milliseconds since 1970. Not behind `to`.".to_owned()),
        "to" => (time(), "End of the time, now if absent: RFC 3339, or milliseconds since 1970.".to_owned()),
        "limit" => (
            number(*LIMIT.start(), *LIMIT.end()).default(Some(USUAL_LIMIT.into())).into(),
            "How many rows a page may have.".to_owned(),
        ),
        "step" => (
            words(STEPS, None),
            "How long each step is; what suits the time if absent. Minutes are kept for two days, hours for a hundred."
                .to_owned(),
        ),
        "before" => (
            text().pattern(Some("^req_")).into(),
            "`nextBefore` of the page in front; not for `jsonl` and `csv`.".to_owned(),
        ),
        "format" => (
            words(FORMATS, FORMATS.first().copied()),
            "A page as JSON, or all rows of the time as a file: JSON lines or CSV.".to_owned(),
        ),
        "status" => (number(*STATUS.start(), *STATUS.end()).into(), "Only requests with this HTTP status.".to_owned()),
        "outcome" => (
            words(Outcome::ALL.map(|(name, _)| name), None),
            "Only requests that ended so; waterfalled: served by another entry than the first.".to_owned(),
        ),
        "q" => (text().into(), "Only requests with this text in a name, a code or a message of the trail.".to_owned()),
        "watch" => (
            number(0, 1).default(Some(0.into())).into(),
            "1 for server-sent events: the state at once, and again whenever it has changed, at most twice a second."
                .to_owned(),
        ),
        "removeEntries" => (
            ObjectBuilder::new().schema_type(Type::Boolean).default(Some(false.into())).into(),
            "Delete the entries of chains that use it as well.".to_owned(),
        ),
        "refresh" => (
            number(0, 1).default(Some(0.into())).into(),
            "1 asks the provider again, whatever is remembered.".to_owned(),
        ),
        "code" => (text().into(), "Only requests that ended with this error code.".to_owned()),
        "provider" | "entry" => (text().into(), format!("Only requests that this {name} has served.")),
        _ => (text().into(), format!("Only requests of this {name}.")),
    };
    parameter(name, ParameterIn::Query, Required::False, schema, about)
}

/// A part of a path. Slashes in it may be escaped, and need not be.
pub(super) fn path(name: &str, about: &str) -> Parameter {
    let schema = text().min_length(Some(1)).into();
    parameter(name, ParameterIn::Path, Required::True, schema, about.to_owned())
}

/// With or without its quotes.
const REVISION: &str = r#"^"?[0-9a-f]{16}"?$"#;

/// The revision that a change is made from, in place of the member of the body.
pub(super) fn if_match() -> Parameter {
    let about = "Revision of the file that the change is made from; or as `revision` in the body.".to_owned();
    parameter("If-Match", ParameterIn::Header, Required::False, text().pattern(Some(REVISION)).into(), about)
}

fn parameter(name: &str, place: ParameterIn, required: Required, schema: Schema, about: String) -> Parameter {
    let parameter = ParameterBuilder::new().name(name).parameter_in(place).required(required);
    parameter.description(Some(about)).schema(Some(schema)).build()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn words<const N: usize>(words: [&str; N], usual: Option<&str>) -> Schema {
    text().enum_values(Some(words)).default(usual.map(Value::from)).into()
}

fn number(least: u64, most: u64) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(least as f64)).maximum(Some(most as f64))
}

fn time() -> Schema {
    let stamp = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    OneOfBuilder::new().item(stamp).item(number(0, MOST - 1)).into()
}
