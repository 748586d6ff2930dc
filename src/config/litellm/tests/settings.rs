//! Times, sizes, and what has no counterpart.

use std::time::Duration;

use super::*;

const FILE: &str = "
model_list:
  - model_name: a
    litellm_params: { model: groq/ma, api_key: k, timeout: 12.5, stream_timeout: 3, temperature: 0.2, weight: 2 }
    model_info: { max_input_tokens: 32_000, mode: chat, id: one }
  - model_name: b
    litellm_params: { model: groq/mb, api_key: k, max_tokens: 100, temperature: 1, weight: 1, rpm: 10 }
litellm_settings: { request_timeout: 600, num_retries: 3, allowed_fails: 2, drop_params: true, cache: false, callbacks: null }
router_settings:
  timeout: 90
  cooldown_time: 30
  num_retries: 1
  allowed_fails: 1
  fallbacks: [{ a: [b] }, { b: [a] }]
";

#[test]
fn times_and_context_windows_are_carried_over() {
    let imported = from(FILE);
    let config = read(&imported);
    let seconds = Duration::from_secs;
    assert_eq!(config.settings.request_timeout, seconds(90), "the router's counts first");
    assert_eq!(config.settings.first_token_timeout, seconds(90));
    assert_eq!(config.settings.cooldown_default, seconds(30));
    let timeouts = |at: usize| config.chains[at].entries.iter().map(|entry| entry.timeout).collect::<Vec<_>>();
    let own = Some(Duration::from_millis(12_500));
    assert_eq!((timeouts(0), timeouts(1)), (vec![own, None], vec![None, own]), "a fallback keeps its own");
    let model = &config.providers[0].models[&crate::domain::ids::ModelId::new("ma")];
    assert_eq!(model.context_window, Some(32_000));
    let streams = from(&FILE.replace("timeout: 90", "stream_timeout: 20"));
    let settings = read(&streams).settings;
    assert_eq!((settings.request_timeout, settings.first_token_timeout), (seconds(600), seconds(20)));
}

#[test]
fn what_has_no_counterpart_is_said_in_one_line() {
    let notes = from(FILE).notes;
    let line = "litellm_params.temperature, litellm_params.weight, model_info.id, litellm_params.max_tokens, \
                litellm_settings.num_retries, litellm_settings.allowed_fails, litellm_settings.drop_params, \
                litellm_settings.cache, router_settings.num_retries, router_settings.allowed_fails: \
                no counterpart here, left out";
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes.contains(&line.to_owned()), "{notes:?}");
    assert!(notes[1].starts_with("litellm_params.stream_timeout: ") && notes[1].contains("firstTokenTimeoutMs"));
}

#[test]
fn numbers_that_are_none_are_said_with_their_model() {
    let text = "
model_list:
  - { model_name: a, litellm_params: { model: groq/ma, api_key: k, rpm: 0, tpm: -5, timeout: soon, order: first } }
  - { model_name: b, litellm_params: { model: groq/mb, api_key: k, rpm: abc, max_parallel_requests: [1], timeout: 0 } }
  - { model_name: c, litellm_params: { model: groq/mc, api_key: k, rpm: 0, timeout: 6000 }, model_info: { max_input_tokens: 1.5 } }
router_settings: { timeout: .inf, cooldown_time: 1e30 }
";
    let imported = from(text);
    let config = read(&imported);
    let notes = imported.notes.join("\n");
    for part in [
        "a (groq/ma), c (groq/mc): `rpm: 0` is not a whole number above 0",
        "a (groq/ma): `tpm: -5` is not",
        "a (groq/ma): `timeout: soon` is not a number of seconds above 0",
        "a (groq/ma): `order` is no whole number",
        "b (groq/mb): `rpm: abc` is not",
        "b (groq/mb): `max_parallel_requests: ...` is not",
        "b (groq/mb): `timeout: 0` is not",
        "c (groq/mc): `timeout` is set to 3600 seconds",
        "c (groq/mc): `max_input_tokens: 1.5` is not",
        "router_settings: `timeout: .inf` is not",
        "router_settings: `cooldown_time` is set to 86400 seconds",
    ] {
        assert!(notes.contains(part), "{part} in\n{notes}");
    }
    let timeouts: Vec<_> = config.chains.iter().map(|chain| chain.entries[0].timeout).collect();
    assert_eq!(timeouts, [None, None, Some(Duration::from_secs(3_600))]);
    assert_eq!(config.settings.cooldown_default, Duration::from_secs(86_400));
}

#[test]
fn the_longest_time_of_one_model_counts() {
    let of = |seconds| {
        format!("  - {{ model_name: a, litellm_params: {{ model: groq/ma, api_key: k, timeout: {seconds} }} }}\n")
    };
    let config = read(&from(&format!("model_list:\n{}{}", of(5), of(500))));
    let timeouts: Vec<_> = config.chains[0].entries.iter().map(|entry| entry.timeout).collect();
    assert_eq!(timeouts, [Some(Duration::from_secs(500))]);
}

/// What is written has to be a configuration.
#[test]
fn a_reference_that_no_variable_can_be_called_is_left_out() {
    let imported = from(
        "
model_list:
  - { model_name: a, litellm_params: { model: groq/ma, api_key: k } }
  - { model_name: a, litellm_params: { model: groq/mb, api_key: os.environ/MY-KEY } }
  - { model_name: a, litellm_params: { model: openai/mc, api_base: os.environ/, api_key: k } }
general_settings: { master_key: os.environ/1KEY }
",
    );
    assert_eq!(chains(&imported), ["a: ma"]);
    read(&imported);
    assert!(imported.client_key.is_some() && imported.missing.is_empty(), "{:?}", imported.missing);
    assert_eq!(imported.notes.len(), 3, "{:?}", imported.notes);
}
