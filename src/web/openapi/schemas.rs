//! The schemas that a document names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Ref, RefOr};

/// Schemas by name, collected from wherever they are mentioned.
#[derive(Default)]
pub(super) struct Schemas {
    by_name: BTreeMap<String, RefOr<Schema>>,
    /// Of what clients send: what may be null may be absent as well.
    sent: BTreeSet<String>,
    /// Two types of one name.
    clashes: Vec<String>,
}

impl Schemas {
    /// Something that the proxy answers.
    pub(super) fn given<T: ToSchema>(&mut self) -> Ref {
        self.given_as::<T>(&T::name())
    }

    /// The same under another name: all types that are made of one generic type have that one's.
    pub(super) fn given_as<T: ToSchema>(&mut self, name: &str) -> Ref {
        let mut found = vec![(name.to_owned(), T::schema())];
        T::schemas(&mut found);
        for (name, schema) in found {
            self.put(name, schema);
        }
        Ref::from_schema_name(name)
    }

    /// Something that clients send.
    pub(super) fn sent<T: ToSchema>(&mut self) -> Ref {
        self.sent.insert(T::name().into_owned());
        self.given::<T>()
    }

    /// A schema that no type has.
    pub(super) fn named(&mut self, name: &str, schema: impl Into<Schema>) -> Ref {
        self.sent.insert(name.to_owned());
        self.put(name.to_owned(), RefOr::T(schema.into()));
        Ref::from_schema_name(name)
    }

    fn put(&mut self, name: String, schema: RefOr<Schema>) {
        if self.by_name.get(&name).is_some_and(|known| *known != schema) {
            self.clashes.push(name.clone());
        }
        self.by_name.insert(name, schema);
    }

    /// All of them. In answers, whatever may be null is always there.
    pub(super) fn into_value(self) -> Value {
        let mut all = serde_json::to_value(&self.by_name).unwrap_or_default();
        for (name, schema) in all.as_object_mut().into_iter().flatten() {
            if !self.sent.contains(name) {
                require_nullable(schema);
            }
        }
        all
    }
}

fn require_nullable(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(require_nullable),
        Value::Object(members) => {
            members.values_mut().for_each(require_nullable);
            let Some(properties) = members.get("properties").and_then(Value::as_object) else { return };
            let nullable = properties.iter().filter(|(_, schema)| is_nullable(schema)).map(|(name, _)| name.clone());
            let required = members.get("required").and_then(Value::as_array).into_iter().flatten();
            let required = required.filter_map(Value::as_str).map(str::to_owned);
            let required: BTreeSet<String> = required.chain(nullable).collect();
            if !required.is_empty() {
                members.insert("required".to_owned(), required.into_iter().collect());
            }
        }
        _ => {}
    }
}

fn is_nullable(schema: &Value) -> bool {
    let is_null = |kind: &Value| kind == "null";
    let choices = schema.get("oneOf").and_then(Value::as_array);
    schema.get("type").and_then(Value::as_array).is_some_and(|kinds| kinds.iter().any(is_null))
        || choices.is_some_and(|choices| choices.iter().any(|choice| choice.get("type").is_some_and(is_null)))
}

#[cfg(test)]
mod tests {
    use super::super::paths;
    use super::*;

    #[test]
    fn no_two_types_have_one_name() {
        let mut schemas = Schemas::default();
        paths::all(&mut schemas);
        assert_eq!(schemas.clashes, [""; 0]);
    }

    #[test]
    fn what_may_be_null_in_an_answer_is_always_there() {
        let mut schema = serde_json::json!({ "properties": {
            "a": { "type": ["string", "null"] }, "b": { "type": "string" }, "c": { "oneOf": [{ "type": "null" }] },
        }, "required": ["d"] });
        require_nullable(&mut schema);
        assert_eq!(schema["required"], serde_json::json!(["a", "c", "d"]));
    }
}
