use serde_json::{Value, json};

use super::fill;

#[test]
fn required_properties_of_every_type_are_filled() {
    let schema = json!({
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            "days": {"type": "integer", "minimum": 10, "maximum": 14},
            "ratio": {"type": "number", "maximum": 1},
            "exact": {"type": "boolean"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "place": {"type": "object", "properties": {"zip": {"type": "string", "maxLength": 3}}, "required": ["zip"]},
            "version": {"const": 2},
            "note": {"type": "string"}
        },
        "required": ["city", "unit", "days", "ratio", "exact", "tags", "place", "version"]
    });
    assert_eq!(
        fill(&schema),
        json!({"city": "city – Beispiel", "unit": "celsius", "days": 10, "ratio": 1.0, "exact": true,
               "tags": ["tags – Beispiel"], "place": {"zip": "zip"}, "version": 2})
    );
}

#[test]
fn references_and_alternatives_are_followed() {
    let schema = json!({
        "$defs": {"Step": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}},
        "type": "object",
        "properties": {
            "first": {"$ref": "#/$defs/Step"},
            "steps": {"type": "array", "items": {"$ref": "#/$defs/Step"}, "minItems": 2},
            "maybe": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "both": {"allOf": [{"$ref": "#/$defs/Step"}, {"properties": {"n": {"type": "integer"}}, "required": ["n"]}]},
            "nullable": {"type": ["null", "string"]}
        },
        "required": ["first", "steps", "maybe", "both", "nullable"]
    });
    let step = json!({"text": "text – Beispiel"});
    assert_eq!(
        fill(&schema),
        json!({"first": step, "steps": [step, step], "maybe": 7, "both": {"text": "text – Beispiel", "n": 7},
               "nullable": "nullable – Beispiel"})
    );
}

#[test]
fn numbers_keep_to_their_bounds_and_steps() {
    for (schema, value) in [
        (json!({"type": "integer"}), json!(7)),
        (json!({"type": "integer", "exclusiveMinimum": 7}), json!(8)),
        (json!({"type": "integer", "exclusiveMaximum": 0}), json!(-1)),
        (json!({"type": "integer", "multipleOf": 5}), json!(5)),
        (json!({"type": "integer", "minimum": 6, "multipleOf": 5}), json!(10)),
        (json!({"type": "integer", "minimum": i64::MAX}), json!(i64::MAX)),
        (json!({"type": "number", "minimum": 9}), json!(9.0)),
        (json!({"type": "number", "exclusiveMaximum": 1}), json!(0.5)),
    ] {
        assert_eq!(fill(&schema), value, "{schema}");
    }
}

#[test]
fn strings_keep_to_their_lengths_and_formats() {
    assert_eq!(fill(&json!({"type": "string", "minLength": 20})), json!("value – Beispiel...."));
    assert_eq!(fill(&json!({"type": "string", "format": "date"})), json!("2026-11-24"));
    assert_eq!(fill(&json!({"type": "string", "format": "date", "maxLength": 4})), json!("2026"));
}

#[test]
fn a_recursive_schema_ends_where_it_may() {
    let node = json!({"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}},
                      "required": ["next"]});
    assert_eq!(fill(&node), json!({"next": {"next": {"next": null}}}));
    let tree = json!({"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#"}}},
                      "required": ["children"]});
    assert_eq!(fill(&tree), json!({"children": [{"children": [{"children": []}]}]}));
}

#[test]
fn a_schema_that_multiplies_stays_small() {
    let pair =
        json!({"type": "object", "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}, "required": ["a", "b"]});
    assert!(fill(&pair).to_string().len() < 100_000);
    let long = json!({"type": "array", "minItems": 4_000_000_000_u64, "items": {"type": "boolean"}});
    assert!(fill(&long).as_array().unwrap().len() < 2_001);
    let endless = json!({"$ref": "#"});
    assert_eq!(fill(&endless), Value::Null);
}

#[test]
fn nonsense_still_gives_a_value() {
    for schema in [json!(null), json!(true), json!([]), json!({"type": 5}), json!({"enum": []}), json!({"$ref": "x"})] {
        fill(&schema);
    }
    assert_eq!(fill(&json!({"type": "object"})), json!({}));
}
