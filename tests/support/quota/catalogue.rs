//! The scenarios.
//!
//! Limits are larger than the number of clients wherever nothing is known before the first answer: a proxy that has been
//! told nothing cannot be blamed for sending 64 requests to a limit of 30.

use std::time::Duration;

use super::announce::Style;
use super::host::Spec;
use super::scenario::{Demand, Scenario, Targets};
use super::truth::Kind::{Fixed, Refilling, Rolling};
use super::truth::Unit::{Requests, Tokens};
use super::truth::{Kind, Rule, Unit, Which};

const MINUTE: u64 = 60;
const DAY: u64 = 86_400;

/// Virtual seconds in a real one where limits are per minute.
const FAST: u32 = 20;

/// Clients wait in line, longer than any window.
const PATIENT: &str = "  queueMode: true\n  queueMaxWaitMs: 600000\n  queueMaxSize: 1000\n";

/// Allowed where the limits are configured or announced.
const KNOWN: f64 = 0.01;
/// Allowed where nothing is announced before a refusal.
const UNKNOWN: f64 = 0.1;

/// All of them.
#[must_use]
pub fn all() -> Vec<Scenario> {
    vec![
        announced_window(),
        announced_no_wait(),
        announced_full(),
        groq_tokens(),
        groq_stated(),
        mistral_remaining(),
        cerebras_rungs(),
        google_details(),
        openrouter_pool(),
        retry_after(),
        silent(),
        configured_requests(),
        configured_refilling(),
        configured_tokens(),
        configured_concurrency(),
        mixed_sizes(),
        long_streams(),
        two_keys(),
        account_pool(),
        day_boundary(),
    ]
}

/// One of them.
#[must_use]
pub fn named(name: &str) -> Scenario {
    all().into_iter().find(|scenario| scenario.name == name).unwrap_or_else(|| panic!("no scenario is called {name}"))
}

fn announced_window() -> Scenario {
    let host = |id, limit| host(id, "generic-openai", Style::Window, rule(Requests, limit, 3, Fixed), 20);
    let hosts = vec![host("a", 100), host("b", 150), host("c", 200)];
    Scenario { pace: 1, start: millis(1_100), window: secs(3), ..base("announced-window", hosts) }
}

/// The line is closed: clients get errors and come back when they are told to, up to a second too late each time.
fn announced_no_wait() -> Scenario {
    let host = |id, limit| host(id, "generic-openai", Style::Window, rule(Requests, limit, MINUTE, Fixed), 200);
    Scenario {
        settings: "  queueMode: false\n".to_owned(),
        targets: Targets { waste: KNOWN, utilisation: Some(0.95) },
        ..base("announced-no-wait", vec![host("a", 200), host("b", 300)])
    }
}

fn announced_full() -> Scenario {
    let host = |id, limit| host(id, "openai", Style::Full, rule(Requests, limit, 3, Refilling), 20);
    Scenario {
        pace: 1,
        start: millis(1_100),
        window: secs(3),
        ..base("announced-full", vec![host("a", 120), host("b", 180)])
    }
}

fn groq_tokens() -> Scenario {
    let host = |id, limit| host(id, "groq", Style::Full, rule(Tokens, limit, MINUTE, Refilling), 200);
    base("groq-tokens", vec![host("a", 60_000), host("b", 90_000)])
}

fn groq_stated() -> Scenario {
    let host = |id, limit| host(id, "groq", Style::Stated, rule(Requests, limit, MINUTE, Refilling), 200);
    Scenario { targets: untold(Some(0.95)), ..base("groq-stated", vec![host("a", 200), host("b", 300)]) }
}

fn mistral_remaining() -> Scenario {
    let host = |id, limit| host(id, "mistral", Style::Remaining, rule(Requests, limit, MINUTE, Fixed), 200);
    base("mistral-remaining", vec![host("a", 200), host("b", 300)])
}

fn cerebras_rungs() -> Scenario {
    let host = |id, limit| {
        let mut host = host(id, "cerebras", Style::Rungs, rule(Requests, limit, MINUTE, Rolling), 200);
        host.rules.extend([rule(Requests, 20_000, 3_600, Rolling), rule(Tokens, 100_000_000, DAY, Rolling)]);
        host
    };
    base("cerebras-rungs", vec![host("a", 200), host("b", 300)])
}

fn google_details() -> Scenario {
    let host = |id, limit| host(id, "google-ai", Style::Details, rule(Requests, limit, MINUTE, Fixed), 200);
    Scenario { targets: untold(Some(0.95)), ..base("google-details", vec![host("a", 200), host("b", 300)]) }
}

fn openrouter_pool() -> Scenario {
    let mut host = host("a", "openrouter", Style::Epoch, rule(Requests, 400, MINUTE, Fixed), 200);
    (host.models, host.pool) = (&["m:free", "n:free"], true);
    Scenario { targets: untold(Some(0.95)), ..base("openrouter-pool", vec![host]) }
}

fn retry_after() -> Scenario {
    let host = |id, limit| host(id, "generic-openai", Style::RetryAfter, rule(Requests, limit, MINUTE, Fixed), 200);
    Scenario { targets: untold(Some(0.95)), ..base("retry-after", vec![host("a", 200), host("b", 300)]) }
}

/// How well this can be used depends on what the user has guessed for `cooldownDefaultMs`.
fn silent() -> Scenario {
    let host = |id, limit| host(id, "nvidia", Style::Silent, rule(Requests, limit, MINUTE, Fixed), 200);
    Scenario {
        settings: format!("{PATIENT}  cooldownDefaultMs: 50000\n"),
        targets: untold(None),
        windows: 8,
        ..base("silent", vec![host("a", 300), host("b", 400)])
    }
}

fn configured_requests() -> Scenario {
    let host = |id, limit, kind| configured(id, rule(Requests, limit, MINUTE, kind), "requestsPerMinute");
    base("configured-rpm", vec![host("a", 30, Rolling), host("b", 120, Fixed)])
}

/// A bucket that is full at the start has two limits to give in its first minute, and five in four. Who was told so many
/// a minute takes four.
fn configured_refilling() -> Scenario {
    let host = configured("a", rule(Requests, 200, MINUTE, Refilling), "requestsPerMinute");
    let targets = Targets { waste: KNOWN, utilisation: Some(0.99 * 4.0 / 5.0) };
    Scenario { targets, ..base("configured-refilling", vec![host]) }
}

fn configured_tokens() -> Scenario {
    let host = |id, limit, kind| configured(id, rule(Tokens, limit, MINUTE, kind), "tokensPerMinute");
    base("configured-tpm", vec![host("a", 60_000, Rolling), host("b", 90_000, Fixed)])
}

fn configured_concurrency() -> Scenario {
    let host = |id, slots| Spec {
        rules: Vec::new(),
        slots: Some(slots),
        service: secs(2),
        limits: format!("{{ concurrentRequests: {slots} }}"),
        ..configured(id, rule(Requests, 1, 1, Rolling), "unused")
    };
    Scenario { binding: Which::Slots, ..base("configured-concurrency", vec![host("a", 4), host("b", 16)]) }
}

/// Prompts of very different lengths, answers that are shorter than they might be.
fn mixed_sizes() -> Scenario {
    let host = |id, limit, requests| Spec {
        rules: vec![rule(Tokens, limit, MINUTE, Rolling), rule(Requests, requests, MINUTE, Rolling)],
        limits: format!("{{ tokensPerMinute: {limit}, requestsPerMinute: {requests} }}"),
        ..configured(id, rule(Requests, 1, 1, Rolling), "unused")
    };
    let demand = Demand { prompt: (20, 700), most: (50, 300), full_answers: false, ..Demand::plain(64) };
    Scenario { demand, ..base("mixed-sizes", vec![host("a", 120_000, 600), host("b", 240_000, 1_200)]) }
}

/// A stream holds its slot to its end, half a minute.
fn long_streams() -> Scenario {
    let host = |id, slots: usize| Spec {
        rules: vec![rule(Requests, 200, MINUTE, Rolling)],
        slots: Some(slots),
        service: secs(30),
        limits: format!("{{ concurrentRequests: {slots}, requestsPerMinute: 200 }}"),
        ..configured(id, rule(Requests, 1, 1, Rolling), "unused")
    };
    let demand = Demand { stream: true, ..Demand::plain(64) };
    Scenario { demand, binding: Which::Slots, ..base("long-streams", vec![host("a", 8), host("b", 24)]) }
}

fn two_keys() -> Scenario {
    let host = Spec { keys: 2, ..configured("a", rule(Requests, 150, MINUTE, Rolling), "requestsPerMinute") };
    base("two-keys", vec![host])
}

fn account_pool() -> Scenario {
    let host = Spec {
        models: &["m", "n", "o"],
        pool: true,
        limits: "{ scope: provider, requestsPerMinute: 240 }".to_owned(),
        ..configured("a", rule(Requests, 240, MINUTE, Rolling), "unused")
    };
    Scenario { demand: Demand::plain(128), ..base("account-pool", vec![host]) }
}

/// From a minute and a half before midnight: the day is spent, waiting is too long until shortly before the next one.
fn day_boundary() -> Scenario {
    let host = |id, limit| Spec {
        limits: format!("{{ requestsPerDay: {limit}, dayResetsAt: \"00:00 UTC\" }}"),
        ..configured(id, rule(Requests, limit, DAY, Fixed), "unused")
    };
    Scenario {
        settings: "  queueMode: true\n  queueMaxWaitMs: 30000\n  queueMaxSize: 1000\n".to_owned(),
        start: secs(12 * 3_600 - 90),
        window: secs(MINUTE),
        windows: 2,
        ..base("day-boundary", vec![host("a", 200), host("b", 300)])
    }
}

fn base(name: &'static str, hosts: Vec<Spec>) -> Scenario {
    Scenario {
        name,
        hosts,
        settings: PATIENT.to_owned(),
        demand: Demand::plain(64),
        pace: FAST,
        start: secs(23),
        window: secs(MINUTE),
        windows: 4,
        binding: Which::Rule(0),
        targets: Targets { waste: KNOWN, utilisation: Some(0.99) },
    }
}

fn untold(utilisation: Option<f64>) -> Targets {
    Targets { waste: UNKNOWN, utilisation }
}

fn host(id: &'static str, dialect: &'static str, style: Style, rule: Rule, service_ms: u64) -> Spec {
    let (rules, limits, service) = (vec![rule], String::new(), millis(service_ms));
    Spec { id, dialect, style, keys: 1, models: &["m"], pool: false, rules, slots: None, service, limits }
}

/// A provider that says nothing, with a limit that the user has configured under the name `key`.
fn configured(id: &'static str, rule: Rule, key: &str) -> Spec {
    let limits = format!("{{ {key}: {} }}", rule.limit);
    Spec { limits, ..host(id, "generic-openai", Style::Silent, rule, 200) }
}

fn rule(unit: Unit, limit: u64, window_secs: u64, kind: Kind) -> Rule {
    Rule { unit, limit, window: secs(window_secs), kind }
}

fn secs(number: u64) -> Duration {
    Duration::from_secs(number)
}

fn millis(number: u64) -> Duration {
    Duration::from_millis(number)
}
