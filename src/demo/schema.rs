//! Makes a document that satisfies a JSON schema: what a model does when it calls a tool or answers in a format.
//!
//! The schema comes from a client, so the work is bounded: a recursive schema ends at [`DEPTH`], and one that multiplies
//! ends at [`VALUES`]. A document that hits a bound may break its schema; it never becomes huge.

use serde_json::{Map, Value, json};

/// Deepest nesting that is filled.
const DEPTH: usize = 24;
/// Below this nesting optional things are left out, which is what ends a recursive schema.
const SHALLOW: usize = 6;
/// Most values in one document.
const VALUES: usize = 2_000;

/// A document of `schema`: required properties only, the first choice wherever there is one.
pub(crate) fn fill(schema: &Value) -> Value {
    Filler { root: schema, left: VALUES }.value(schema, "value", 0)
}

struct Filler<'a> {
    root: &'a Value,
    left: usize,
}

impl<'a> Filler<'a> {
    /// A value for `schema`, which stands under the property `name`.
    fn value(&mut self, schema: &'a Value, name: &str, depth: usize) -> Value {
        if depth > DEPTH || self.left == 0 {
            return Value::Null;
        }
        self.left -= 1;
        if let Some(given) = stated(schema) {
            return given;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            return self.resolve(target).map_or(Value::Null, |target| self.value(target, name, depth + 1));
        }
        if let Some(choice) = ["anyOf", "oneOf"].iter().find_map(|key| self.choice(schema.get(key)?, depth)) {
            return self.value(choice, name, depth + 1);
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            return self.all_of(parts, schema, name, depth);
        }
        match kind(schema) {
            "object" => Value::Object(self.object(schema, depth)),
            "array" => Value::Array(self.array(schema, name, depth)),
            "integer" => integer(schema),
            "number" => number(schema),
            "boolean" => Value::Bool(true),
            "null" => Value::Null,
            _ => Value::String(string(schema, name)),
        }
    }

    fn object(&mut self, schema: &'a Value, depth: usize) -> Map<String, Value> {
        let properties = schema.get("properties");
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        let mut object = Map::new();
        for name in required.filter_map(Value::as_str) {
            let property = properties.and_then(|properties| properties.get(name)).unwrap_or(&Value::Null);
            object.insert(name.to_owned(), self.value(property, name, depth + 1));
        }
        object
    }

    fn array(&mut self, schema: &'a Value, name: &str, depth: usize) -> Vec<Value> {
        let first = schema.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let most = bound(schema, "maxItems").unwrap_or(usize::MAX);
        let count = bound(schema, "minItems").unwrap_or(usize::from(depth <= SHALLOW)).max(first.len()).min(most);
        let rest = schema.get("items").unwrap_or(&Value::Null);
        let items = first.iter().chain(std::iter::repeat(rest)).take(count);
        let mut array = Vec::new();
        for item in items {
            if self.left == 0 || depth == DEPTH {
                break;
            }
            array.push(self.value(item, name, depth + 1));
        }
        array
    }

    /// The parts laid over one another; objects are merged, of anything else the last one wins.
    fn all_of(&mut self, parts: &'a [Value], schema: &'a Value, name: &str, depth: usize) -> Value {
        let mut merged = self.object(schema, depth);
        for part in parts {
            match self.value(part, name, depth + 1) {
                Value::Object(more) => merged.extend(more),
                other => return other,
            }
        }
        Value::Object(merged)
    }

    /// The first alternative; deep down, `null` where it is allowed.
    fn choice(&self, alternatives: &'a Value, depth: usize) -> Option<&'a Value> {
        let alternatives = alternatives.as_array()?;
        let null = alternatives.iter().find(|one| kind(one) == "null").filter(|_| depth > SHALLOW);
        null.or_else(|| alternatives.first())
    }

    /// The target of a reference inside this document.
    fn resolve(&self, target: &str) -> Option<&'a Value> {
        self.root.pointer(target.strip_prefix('#')?)
    }
}

/// A value that the schema itself names.
fn stated(schema: &Value) -> Option<Value> {
    let first_of = |key| schema.get(key).and_then(Value::as_array).and_then(|values| values.first());
    schema.get("const").or_else(|| first_of("enum")).or_else(|| schema.get("default")).cloned()
}

/// The type, or what the other keywords imply.
fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("null")
        }
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "string",
    }
}

fn bound(schema: &Value, key: &str) -> Option<usize> {
    schema.get(key)?.as_u64().and_then(|count| usize::try_from(count).ok())
}

fn integer(schema: &Value) -> Value {
    let whole = |key| schema.get(key).and_then(Value::as_i64);
    let least = whole("minimum").or_else(|| whole("exclusiveMinimum").map(|above| above.saturating_add(1)));
    let most = whole("maximum").or_else(|| whole("exclusiveMaximum").map(|below| below.saturating_sub(1)));
    let step = whole("multipleOf").filter(|step| *step > 0).unwrap_or(1);
    let wanted = 7.max(least.unwrap_or(i64::MIN)).min(most.unwrap_or(i64::MAX));
    let down = wanted.saturating_sub(wanted.rem_euclid(step));
    json!(if least.is_some_and(|least| down < least) { down.saturating_add(step) } else { down })
}

fn number(schema: &Value) -> Value {
    let real = |key| schema.get(key).and_then(Value::as_f64);
    let least = real("minimum").or_else(|| real("exclusiveMinimum").map(|above| above + 0.5));
    let most = real("maximum").or_else(|| real("exclusiveMaximum").map(|below| below - 0.5));
    json!(7.5_f64.max(least.unwrap_or(f64::MIN)).min(most.unwrap_or(f64::MAX)))
}

fn string(schema: &Value, name: &str) -> String {
    let text = match schema.get("format").and_then(Value::as_str) {
        Some("date-time") => "2026-11-24T12:00:00Z".to_owned(),
        Some("date") => "2026-11-24".to_owned(),
        Some("time") => "12:00:00Z".to_owned(),
        Some("email") => "demo@example.org".to_owned(),
        Some("uri") => "https://example.org/".to_owned(),
        Some("uuid") => "00000000-0000-4000-8000-000000000429".to_owned(),
        _ => format!("{name} – Beispiel"),
    };
    let least = bound(schema, "minLength").unwrap_or(0).min(VALUES);
    let most = bound(schema, "maxLength").unwrap_or(usize::MAX);
    text.chars().chain(std::iter::repeat('.')).take(text.chars().count().max(least).min(most)).collect()
}

#[cfg(test)]
mod tests;
