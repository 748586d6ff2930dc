//! The promise in figures (DESIGN 1), in time that only moves when nothing else does: no error while quota is there, no
//! call beyond a known limit, hardly a 429, and nearly all of the quota used while more is asked for than there is.
//!
//! `cargo bench --bench efficiency` runs the same scenarios in real time.

use crate::support::quota::catalogue;
use crate::support::quota::figures::Figures;
use crate::support::stepper;

/// Runs a scenario over its windows and holds it to its targets.
async fn meets_its_targets(name: &str) -> Figures {
    let figures = stepper::run(catalogue::named(name)).await;
    assert!(figures.missed().is_empty(), "{name} misses {:?}: {figures:#?}", figures.missed());
    assert!(figures.served > figures.clients, "{name}: the clients had a reason to wait: {figures:#?}");
    let only_exhaustion = figures.errors.keys().all(|error| error.starts_with("503 "));
    assert!(only_exhaustion, "{name}: {figures:#?}");
    figures
}

#[actix_rt::test]
async fn a_window_that_is_announced_on_every_answer() {
    meets_its_targets("announced-window").await;
}

#[actix_rt::test]
async fn clients_that_may_not_wait_get_no_error_while_there_is_quota() {
    let figures = meets_its_targets("announced-no-wait").await;
    assert!(!figures.errors.is_empty(), "they did ask for more: {figures:#?}");
}

#[actix_rt::test]
async fn a_bucket_whose_refill_is_announced_is_a_rate_and_no_wait() {
    meets_its_targets("announced-full").await;
}

#[actix_rt::test]
async fn tokens_that_refill_are_announced_and_used_to_the_last() {
    meets_its_targets("groq-tokens").await;
}

#[actix_rt::test]
async fn a_limit_that_a_refusal_states_is_kept_from_then_on() {
    meets_its_targets("groq-stated").await;
}

#[actix_rt::test]
async fn what_remains_is_announced_but_not_until_when() {
    meets_its_targets("mistral-remaining").await;
}

#[actix_rt::test]
async fn six_rungs_without_a_reset() {
    meets_its_targets("cerebras-rungs").await;
}

#[actix_rt::test]
async fn details_of_a_refusal_say_when() {
    meets_its_targets("google-details").await;
}

#[actix_rt::test]
async fn a_refusal_of_one_free_model_holds_for_the_pool() {
    meets_its_targets("openrouter-pool").await;
}

#[actix_rt::test]
async fn a_provider_that_tells_a_wait_is_not_called_before() {
    meets_its_targets("retry-after").await;
}

#[actix_rt::test]
async fn a_silent_429_costs_few_calls() {
    meets_its_targets("silent").await;
}

#[actix_rt::test]
async fn o1_configured_requests_per_minute_hold_for_every_kind_of_window() {
    meets_its_targets("configured-rpm").await;
}

#[actix_rt::test]
async fn a_configured_limit_is_never_more_than_it_says() {
    meets_its_targets("configured-refilling").await;
}

#[actix_rt::test]
async fn o3_configured_tokens_per_minute_hold() {
    meets_its_targets("configured-tpm").await;
}

#[actix_rt::test]
async fn o2_configured_concurrency_is_used_and_kept() {
    meets_its_targets("configured-concurrency").await;
}

#[actix_rt::test]
async fn requests_of_all_sizes_share_a_token_budget() {
    meets_its_targets("mixed-sizes").await;
}

#[actix_rt::test]
async fn f8_a_stream_of_half_a_minute_holds_its_slot_to_the_end() {
    meets_its_targets("long-streams").await;
}

#[actix_rt::test]
async fn each_key_of_a_provider_has_its_own_quota() {
    meets_its_targets("two-keys").await;
}

#[actix_rt::test]
async fn o12_models_of_one_account_share_its_limit() {
    meets_its_targets("account-pool").await;
}

#[actix_rt::test]
async fn a_day_that_is_spent_is_over_at_midnight() {
    let figures = meets_its_targets("day-boundary").await;
    assert!(!figures.errors.is_empty(), "the wait until midnight was too long for some: {figures:#?}");
}

/// A scenario without a test would be one that only the bench looks at.
#[test]
fn every_scenario_has_a_test() {
    let tests = include_str!("efficiency.rs");
    for scenario in catalogue::all() {
        assert!(tests.contains(&format!("meets_its_targets(\"{}\")", scenario.name)), "{}", scenario.name);
    }
}
