//! The order of fallbacks.

use super::*;

const MODELS: &str = "
model_list:
  - { model_name: a, litellm_params: { model: groq/ma, api_key: k } }
  - { model_name: b, litellm_params: { model: groq/mb, api_key: k } }
  - { model_name: c, litellm_params: { model: groq/mc, api_key: k } }
  - { model_name: d, litellm_params: { model: groq/md, api_key: k } }
";

fn with(settings: &str) -> Imported {
    from(&format!("{MODELS}{settings}"))
}

#[test]
fn own_fallbacks_come_before_those_of_the_context_window_and_shut_out_the_default_ones() {
    let imported = with(
        "
litellm_settings: { default_fallbacks: [c] }
router_settings:
  fallbacks: [{ a: [b] }, { d: [] }]
  context_window_fallbacks: [{ a: [d] }, { b: [a] }]
",
    );
    assert_eq!(chains(&imported), ["a: ma mb md", "b: mb mc ma", "c: mc", "d: md"]);
    assert!(imported.notes.is_empty(), "{:?}", imported.notes);
}

#[test]
fn a_rule_for_all_is_for_those_without_one() {
    let rules =
        "router_settings:\n  fallbacks: [{ '*': [d] }, { b: [c] }]\n  context_window_fallbacks: [{ '*': [a] }]\n";
    assert_eq!(chains(&with(rules)), ["a: ma md", "b: mb mc ma", "c: mc md ma", "d: md ma"]);
    let both = "litellm_settings: { fallbacks: [{ '*': [d] }], default_fallbacks: [b] }\n";
    assert_eq!(chains(&with(both)), ["a: ma mb", "b: mb", "c: mc mb", "d: md mb"]);
}

#[test]
fn what_stands_at_the_router_counts_first() {
    let both = "litellm_settings: { fallbacks: [{ a: [c] }] }\nrouter_settings: { fallbacks: [{ a: [b] }] }\n";
    assert_eq!(chains(&with(both)).first().unwrap(), "a: ma mb");
}

#[test]
fn fallbacks_that_lead_nowhere_are_said_once() {
    let imported = with(
        "
litellm_settings: { default_fallbacks: [gone] }
router_settings: { fallbacks: [{ a: [b, lost] }, text, { b: [{ model: c }] }] }
",
    );
    let notes = imported.notes.join("\n");
    assert_eq!(notes.matches("`default_fallbacks` to gone").count(), 1, "{notes}");
    assert!(notes.contains("the fallback from a to lost"), "{notes}");
    assert!(notes.contains("router_settings.fallbacks: what is not written like `{ group: [other] }`"), "{notes}");
}

/// Which one LiteLLM takes: the first that is for the group, the last that is for all.
#[test]
fn of_several_rules_one_counts_and_that_is_said() {
    let rules = "router_settings:\n  fallbacks: [{ '*': [c] }, { a: [b] }, { '*': [d] }, { a: [d] }]\n";
    let imported = with(rules);
    assert_eq!(chains(&imported), ["a: ma mb", "b: mb md", "c: mc md", "d: md"]);
    let said = imported.notes.join("\n");
    assert!(said.contains("fallbacks from *: there are several, of which the last counts"), "{said}");
    assert!(said.contains("fallbacks from a: there are several, of which the first counts"), "{said}");
}
