//! What Prometheus says of the figures, and whether the dashboard shows any that do not exist.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::Scrape;
use crate::support::app::{App, ask, config_of};
use crate::support::provider::{Answer, DONE, Provider, STOP, USAGE, delta};

const DASHBOARD: &str = include_str!("../../docs/grafana-dashboard.json");

/// Everything that there can be, at least once.
async fn all_of_it() -> Scrape {
    let limited = Provider::script([Answer::rate_limited(Some("1")), Answer::ok()]).await;
    let streams = Provider::with(|_, _| Answer::sse(&[&delta("Hi"), STOP, USAGE, DONE])).await;
    let each = "    rateLimits: { requestsPerMinute: 10, tokensPerDay: 5000 }\n";
    let app = App::start(&config_of("", &[("a", &limited), ("b", &streams)], each)).await;
    app.chat(ask(r#","stream":true"#)).await;
    // The first entry is back in a second, and this one waits for it.
    let back = async {
        while Scrape::of(&app).await.sum("chain429_waiting_requests", &[]) == 0.0 {
            tokio::task::yield_now().await;
        }
        app.clock.advance(Duration::from_secs(1));
    };
    let (reply, ()) = tokio::join!(app.chat(ask("").replace("default", "a/m")), back);
    assert_eq!(reply.status, 200);
    let scrape = Scrape::after(&app, 2).await;
    app.stop().await;
    scrape
}

#[actix_rt::test]
async fn promtool_has_nothing_to_say() {
    let scrape = all_of_it().await;
    let (good, said) = promtool(&["check", "metrics"], &scrape.text);
    assert!(good && said.is_empty(), "{said}\n{}", scrape.text);
}

/// Whether `promtool` is content, and what it says of this input.
fn promtool(command: &[&str], input: &str) -> (bool, String) {
    let mut promtool = Command::new("promtool");
    let checking = promtool.args(command).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut checking = checking.unwrap_or_else(|fault| {
        panic!("promtool cannot be run ({fault}): install it (Debian: apt-get install prometheus), as tests/run does")
    });
    checking.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let checked = checking.wait_with_output().unwrap();
    (checked.status.success(), String::from_utf8_lossy(&checked.stderr).into_owned())
}

#[test]
fn prometheus_understands_the_queries_of_the_dashboard() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let queries = expressions(&dashboard).into_iter().filter(|query| !query.starts_with("label_values("));
    let rules: Vec<Value> = queries
        .enumerate()
        .map(|(at, query)| json!({ "record": format!("query_{at}"), "expr": query.replace("$__rate_interval", "1m") }))
        .collect();
    assert!(rules.len() >= 30, "{}", rules.len());
    let group = json!({ "groups": [{ "name": "dashboard", "rules": rules }] }).to_string();
    let (good, said) = promtool(&["check", "rules", "/dev/stdin"], &group);
    assert!(good && said.is_empty(), "{said}");
}

#[actix_rt::test]
async fn the_dashboard_shows_what_there_is_by_labels_that_there_are() {
    let scrape = all_of_it().await;
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let mut used = BTreeSet::new();
    for expression in expressions(&dashboard) {
        for (name, labels) in series(&expression) {
            assert!(scrape.names().contains(name.as_str()), "{name} does not exist: {expression}");
            let known = scrape.labels(&name);
            for label in labels {
                assert!(known.contains(label.as_str()), "{name} has no label {label}: {expression}");
            }
            used.insert(name);
        }
    }
    // A histogram is shown by its buckets; all else as it is. How many pages of the UI are open matters to nobody there.
    let parts = |name: &&str| !name.ends_with("_sum") && !name.ends_with("_count");
    let shown: BTreeSet<&str> = used.iter().map(String::as_str).collect();
    let missing: Vec<&str> = scrape.names().into_iter().filter(parts).filter(|name| !shown.contains(name)).collect();
    assert_eq!(missing, ["chain429_ui_streams", "process_virtual_memory_bytes"]);
}

/// All queries, of panels and of variables.
fn expressions(json: &Value) -> Vec<String> {
    match json {
        Value::Array(items) => items.iter().flat_map(expressions).collect(),
        Value::Object(members) => {
            let is_query = |key: &str| ["expr", "query", "definition"].contains(&key);
            let inside = |(key, value): (&String, &Value)| match value {
                Value::String(text) if is_query(key) && text != "prometheus" => vec![text.clone()],
                _ => expressions(value),
            };
            members.iter().flat_map(inside).collect()
        }
        _ => Vec::new(),
    }
}

/// `rate(name{a="b"}[1m])`: names of series, with the labels that are chosen by.
fn series(expression: &str) -> Vec<(String, Vec<String>)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(start) = ["chain429_", "process_"].iter().filter_map(|prefix| rest.find(prefix)).min() {
        let from = &rest[start..];
        let end = from.find(|c| !is_name(c)).unwrap_or(from.len());
        let (name, behind) = from.split_at(end);
        let chosen =
            behind.strip_prefix('{').and_then(|inside| inside.split_once('}')).map_or("", |(inside, _)| inside);
        let labels =
            chosen.split(',').filter_map(|one| one.split_once(['=', '!'])).map(|(key, _)| key.trim().to_owned());
        found.push((name.to_owned(), labels.collect()));
        rest = behind;
    }
    found
}
