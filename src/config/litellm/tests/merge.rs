//! Merge keys, and keys that are written twice.

use super::*;

#[test]
fn merge_keys_bring_address_key_and_limits() {
    let imported = from(
        r#"
x-house: &house { api_base: "https://llm.internal/v1", api_key: house-key, rpm: 30 }
x-slow: &slow { rpm: 5, tpm: 900, timeout: 40 }
x-both: &both { <<: *house, tpm: 100_000 }
model_list:
  - model_name: one
    litellm_params:
      <<: *house
      model: openai/big
  - model_name: two
    litellm_params: { model: openai/small, rpm: 7, <<: [*slow, *house] }
  - &three
    model_name: three
    litellm_params: { <<: *both, model: openai/nested }
  - { <<: *three, model_name: four }
"#,
    );
    let config = read(&imported);
    assert_eq!(chains(&imported), ["one: big", "two: small", "three: nested", "four: nested"]);
    let [provider] = config.providers.as_slice() else { panic!("{}", imported.text) };
    assert_eq!((provider.base_url.as_str(), provider.keys[0].expose()), ("https://llm.internal/v1", "house-key"));
    let limits = |model: &str| {
        let limits = provider.limits_of(&crate::domain::ids::ModelId::new(model));
        let number = |limit: Option<std::num::NonZeroU64>| limit.map_or(0, std::num::NonZeroU64::get);
        (number(limits.requests_per_minute), number(limits.tokens_per_minute))
    };
    // Own keys count first, and then the mappings in their order.
    assert_eq!((limits("big"), limits("small"), limits("nested")), ((30, 0), (7, 900), (30, 100_000)));
    assert_eq!(config.chains[1].entries[0].timeout, Some(std::time::Duration::from_secs(40)));
    assert!(imported.notes.is_empty(), "{:?}", imported.notes);
}

#[test]
fn a_merge_key_of_something_else_is_refused_with_its_place() {
    for value in ["text", "", "[*a, text]", "[[*a]]"] {
        let text = format!("a: &a {{ rpm: 1 }}\nmodel_list:\n  - model_name: x\n    <<: {value}\n");
        let refusal = refusal(&text);
        assert!(refusal.starts_with("l.yaml:4:5: `<<` takes a mapping"), "{value}: {refusal}");
        assert!(refusal.contains("\n    write it like `<<: *defaults`"), "{refusal}");
    }
}

#[test]
fn a_key_that_is_written_twice_is_refused_with_both_places() {
    let twice = refusal(
        "model_list:\n  - model_name: x\n    litellm_params:\n      model: openai/m\n      api_base: https://a.example/v1\n      \
         api_base: https://b.example/v1\n",
    );
    assert!(twice.starts_with("l.yaml:6:7: model_list[0].litellm_params.api_base: "), "{twice}");
    assert!(
        twice.contains("written twice") && twice.contains("first in line 5") && twice.contains("keep one"),
        "{twice}"
    );
    let merges = refusal("a: &a { rpm: 1 }\nb: &b { rpm: 2 }\nmodel_list:\n  - <<: *a\n    <<: *b\n");
    assert!(merges.contains("l.yaml:5:5: ") && merges.contains("write one `<<: [*first, *second]`"), "{merges}");
}
