//! What is known about quota survives the process: cooldowns, counters, and what entries have learnt.
//!
//! LESSONS O11 and F21: all of it lived in memory, and the day began when the process did.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chain429::domain::time::Wall;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::app::{App, CLIENT, Reply, ask, chain_of, config_of, healthy, whole, with_a};
use crate::support::binary::{Running, command};
use crate::support::clock::{NOON, TestClock};
use crate::support::provider::{Answer, COMPLETION, Provider};

const HOUR: u64 = 3_600_000;

/// A folder for a database, and a configuration.
struct Site {
    _dir: TempDir,
    database: PathBuf,
    yaml: String,
}

impl Site {
    fn new(yaml: String) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("usage.redb");
        Self { _dir: dir, database, yaml }
    }

    /// A process that starts when the wall clock shows `wall`.
    fn run(&self, wall: u64) -> App {
        App::start_on(&self.yaml, TestClock::showing(wall), &self.database)
    }
}

fn limited_a(yaml: &str) -> String {
    with_a(yaml, "    rateLimits: { requestsPerMinute: 3, requestsPerHour: 5, requestsPerDay: 6 }\n")
}

/// How much of each window of requests is used, shortest first.
fn used(entry: &Value) -> Vec<u64> {
    let mut buckets = entry["keys"][0]["buckets"].as_array().unwrap().clone();
    buckets.retain(|bucket| bucket["counts"] == "requests");
    buckets.sort_by_key(|bucket| bucket["limit"].as_u64());
    buckets.iter().map(|bucket| bucket["used"].as_u64().unwrap()).collect()
}

#[actix_rt::test]
async fn o11_minutes_hours_and_days_go_on_over_a_restart() {
    let (a, b) = (healthy().await, healthy().await);
    let site = Site::new(limited_a(&chain_of(&[("a", &a), ("b", &b)])));
    let app = site.run(NOON);
    for _ in 0..3 {
        assert_eq!(app.served_by().await, "a/m");
    }
    app.stop().await;

    let app = site.run(NOON + 10_000);
    assert_eq!(used(&app.entry("a").await), [3, 3, 3]);
    assert_eq!(app.served_by().await, "b/m", "a spent entry is passed over without a call");
    assert_eq!(a.calls(), 3);
    app.stop().await;

    // The minute is over, the hour and the day are not.
    let app = site.run(NOON + 61_000);
    assert_eq!(used(&app.entry("a").await), [0, 3, 3]);
    for entry in ["a/m", "a/m", "b/m"] {
        assert_eq!(app.served_by().await, entry);
    }
    app.stop().await;

    let app = site.run(NOON + 2 * HOUR);
    assert_eq!(used(&app.entry("a").await), [0, 0, 5]);
    for entry in ["a/m", "b/m"] {
        assert_eq!(app.served_by().await, entry);
    }
    app.stop().await;

    let app = site.run(NOON + 27 * HOUR);
    assert_eq!(used(&app.entry("a").await), [0, 0, 0]);
    app.stop().await;
}

#[actix_rt::test]
async fn o11_a_cooldown_goes_on_with_its_cause_until_its_time_has_passed() {
    let (a, b) = (Provider::script([Answer::rate_limited(Some("3600")), Answer::ok()]).await, healthy().await);
    let site = Site::new(chain_of(&[("a", &a), ("b", &b)]));
    let app = site.run(NOON);
    assert_eq!(app.served_by().await, "b/m");
    let before = app.entry("a").await;
    app.stop().await;

    let app = site.run(NOON + HOUR - 1);
    let after = app.entry("a").await;
    for member in ["status", "cooldownUntil", "reason", "cause"] {
        assert_eq!(before[member], after[member], "{member}");
    }
    assert_eq!(
        (after["cooldownUntil"].clone(), after["cooldownMs"].clone()),
        (Wall(NOON + HOUR).to_string().into(), 1.into())
    );
    assert_eq!(app.served_by().await, "b/m");
    assert_eq!(a.calls(), 1);
    app.stop().await;

    let app = site.run(NOON + HOUR);
    assert_eq!(app.entry("a").await["cause"], Value::Null);
    assert_eq!(app.served_by().await, "a/m");
    app.stop().await;
}

/// LESSONS F21: streaks and escalation were memory only.
#[actix_rt::test]
async fn f21_the_next_guess_is_longer_over_a_restart_too() {
    let (a, b) = (Provider::script([Answer::rate_limited(None)]).await, healthy().await);
    let site = Site::new(chain_of(&[("a", &a), ("b", &b)]));
    let mut wall = NOON;
    for guess in [60_000, 120_000, 240_000] {
        let app = site.run(wall);
        assert_eq!(app.served_by().await, "b/m");
        assert_eq!(app.entry("a").await["cooldownMs"], guess);
        wall += guess;
        app.stop().await;
    }
    assert_eq!(a.calls(), 3);
}

#[actix_rt::test]
async fn f21_what_an_entry_has_learnt_is_known_after_a_restart() {
    let spent = "Rate limit reached for model `m` on tokens per day (TPD): Limit 200000, Used 150000, Requested 60000. \
                 Please try again in 30m0s.";
    let announced = [("x-ratelimit-limit-requests-day", "1000"), ("x-ratelimit-remaining-requests-day", "990")];
    let first = Answer::json(200, &announced, COMPLETION);
    let a = Provider::script([first, Answer::error(429, &[], spent, "tokens")]).await;
    let b = healthy().await;
    let yaml = chain_of(&[("a", &a), ("b", &b)]).replacen("generic-openai", "groq", 1);
    let site = Site::new(yaml);
    let app = site.run(NOON);
    // Short prompts say nothing of how many tokens a byte is.
    let long = "Hello ".repeat(50);
    let reply = app.chat(ask("").replace("Hello", &long)).await;
    assert_eq!((reply.status, reply.header("x-429chain-provider")), (200, "a/m"));
    assert_eq!(app.served_by().await, "b/m");
    let before = app.entry("a").await;
    app.stop().await;

    let app = site.run(NOON);
    let after = app.entry("a").await;
    app.stop().await;
    assert!(before["tokensPerByte"].as_f64().unwrap() > 0.0);
    assert_eq!(before["tokensPerByte"], after["tokensPerByte"]);
    let limits = |entry: &Value| {
        let buckets = entry["keys"][0]["buckets"].as_array().unwrap().iter();
        let mut limits: Vec<_> =
            buckets.map(|bucket| (bucket["source"].to_string(), bucket["limit"].as_u64())).collect();
        limits.sort();
        limits
    };
    assert_eq!(limits(&before), limits(&after));
    let sources = [(r#""header""#.to_owned(), Some(1_000)), (r#""learnt""#.to_owned(), Some(200_000))];
    assert_eq!(limits(&after), sources);
}

/// Quota that headers have told to be gone is not tried again.
#[actix_rt::test]
async fn o11_an_announced_end_of_quota_is_known_after_a_restart() {
    let headers = [
        ("x-ratelimit-limit-requests", "50"),
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-reset-requests", "50s"),
    ];
    let (a, b) = (Provider::script([Answer::json(200, &headers, COMPLETION)]).await, healthy().await);
    let site = Site::new(chain_of(&[("a", &a), ("b", &b)]));
    let app = site.run(NOON);
    assert_eq!(app.served_by().await, "a/m");
    app.stop().await;
    let app = site.run(NOON + 49_000);
    assert_eq!(app.served_by().await, "b/m");
    app.stop().await;
    let app = site.run(NOON + 51_000);
    assert_eq!(app.served_by().await, "a/m");
    app.stop().await;
}

#[actix_rt::test]
async fn o11_what_was_counted_under_other_limits_or_with_another_key_is_dropped() {
    let b = healthy().await;
    for (old, new) in [("requestsPerMinute: 3", "requestsPerMinute: 30"), ("key-of-a", "a-new-key-of-a")] {
        let a = Provider::script([Answer::ok(), Answer::rate_limited(Some("3600"))]).await;
        let mut site = Site::new(limited_a(&chain_of(&[("a", &a), ("b", &b)])));
        let app = site.run(NOON);
        for entry in ["a/m", "b/m"] {
            assert_eq!(app.served_by().await, entry);
        }
        app.stop().await;
        site.yaml = site.yaml.replace(old, new);
        let app = site.run(NOON + 1_000);
        let entry = app.entry("a").await;
        assert_eq!((entry["status"].as_str(), used(&entry)), (Some("untried"), vec![0, 0, 0]), "{new}");
        app.stop().await;
    }
}

/// A wall clock that is set right between two runs neither benches an entry for longer than was told, nor brings back
/// what was spent.
#[actix_rt::test]
async fn o11_a_wall_clock_that_jumps_between_two_runs_does_no_harm() {
    let cold = Provider::script([Answer::rate_limited(Some("600")), Answer::ok()]).await;
    let headers = [
        ("x-ratelimit-limit-requests", "50"),
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-reset-requests", "50s"),
    ];
    let told = Provider::script([Answer::json(200, &headers, COMPLETION), Answer::ok()]).await;
    let (counted, last) = (healthy().await, healthy().await);
    let yaml = chain_of(&[("a", &cold), ("told", &told), ("counted", &counted), ("last", &last)]);
    let yaml = yaml.replace("  - id: counted\n", "  - id: counted\n    rateLimits: { requestsPerDay: 1 }\n");
    let site = Site::new(yaml);
    let app = site.run(NOON);
    for entry in ["told/m", "counted/m", "last/m"] {
        assert_eq!(app.served_by().await, entry);
    }
    app.stop().await;

    let app = site.run(NOON - HOUR);
    assert_eq!(app.entry("a").await["cooldownMs"], 600_000);
    assert_eq!(app.served_by().await, "last/m");
    app.clock.advance(Duration::from_secs(51));
    assert_eq!(app.served_by().await, "told/m");
    app.clock.advance(Duration::from_secs(549));
    assert_eq!(app.served_by().await, "a/m");
    assert_eq!(used(&app.entry("counted").await), [1], "the day is not over");
    app.stop().await;

    // An hour ahead costs what was known of shorter times, and not more.
    let app = site.run(NOON + HOUR);
    assert_eq!(app.served_by().await, "a/m");
    assert_eq!(used(&app.entry("counted").await), [1]);
    app.stop().await;
}

/// The real binary: what is older than a second survives every end.
#[cfg(unix)]
#[actix_rt::test]
async fn o11_f21_quota_survives_a_stop_and_a_kill() {
    let (a, b) = (Provider::script([Answer::rate_limited(Some("3600"))]).await, healthy().await);
    let dir = tempfile::tempdir().unwrap();
    let yaml = config_of("", &[("b", &b), ("a", &a)], "    rateLimits: { requestsPerDay: 4 }\n");
    std::fs::write(dir.path().join("c.yaml"), yaml).unwrap();
    let chat = async |running: &Running, model: &str| -> Reply {
        let request = awc::Client::default().post(format!("{}/v1/chat/completions", running.url)).bearer_auth(CLIENT);
        whole(request.send_body(ask("").replace("default", model)).await.unwrap()).await
    };
    let state = async |running: &Running, at: usize| -> Value {
        let request = awc::Client::default().get(format!("{}/v1/ratelimits", running.url)).bearer_auth(CLIENT);
        whole(request.send().await.unwrap()).await.json()["ratelimits"][at].clone()
    };
    let start = |dir: &Path| Running::start(command(dir, &["-c", "c.yaml"]));

    let running = start(dir.path());
    assert_eq!(chat(&running, "a/m").await.status, 503);
    assert_eq!(chat(&running, "b/m").await.status, 200);
    let cooling = state(&running, 0).await;
    // What is promised is about what is a second old.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(running.end("-KILL").0, None);

    let running = start(dir.path());
    let again = state(&running, 0).await;
    assert_eq!((&again["status"], &again["cause"]), (&"cooling".into(), &cooling["cause"]));
    assert_eq!(used(&state(&running, 1).await), [1]);
    for _ in 0..2 {
        assert_eq!(chat(&running, "b/m").await.status, 200);
    }
    assert_eq!(running.end("-TERM").0, Some(0));

    let running = start(dir.path());
    assert_eq!(state(&running, 0).await["status"], "cooling");
    assert_eq!(used(&state(&running, 1).await), [3]);
    assert_eq!(chat(&running, "default").await.header("x-429chain-provider"), "b/m");
    assert_eq!(chat(&running, "default").await.status, 503, "four a day are used up");
    assert_eq!((a.calls(), b.calls()), (1, 4));
    assert_eq!(running.end("-TERM").0, Some(0));
}
