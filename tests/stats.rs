//! `/v1/stats`: what requests add up to, and the log of them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::app::{ADMIN, App, CLIENT, Reply, ask, chain_of, config_of, whole};
use crate::support::clock::TestClock;
use crate::support::provider::{Answer, DONE, Provider, STOP, USAGE, delta};

/// A proxy that has served three requests from the second entry, one of them as a stream, refused one, and met a
/// malformed one; all of it recorded.
async fn busy() -> (App, Vec<String>, tempfile::TempDir) {
    let limited = Provider::script([Answer::rate_limited(Some("600"))]).await;
    let stream = Answer::sse(&[&delta("Hi"), STOP, USAGE, DONE]);
    let good = Provider::script([Answer::ok(), stream, Answer::ok(), Answer::rate_limited(Some("900"))]).await;
    let dir = tempfile::tempdir().unwrap();
    let yaml = chain_of(&[("a", &limited), ("b", &good)]);
    let app = App::start_on(&yaml, TestClock::default(), &dir.path().join("usage.redb"));
    let mut ids = Vec::new();
    for body in [ask(""), ask(r#","stream":true"#), ask("").replace("default", "b/m"), ask(""), "{".to_owned()] {
        ids.push(app.chat(body).await.header("x-request-id").to_owned());
        app.clock.advance(Duration::from_secs(60));
    }
    recorded(&app, ids.len()).await;
    (app, ids, dir)
}

/// Waits until so many requests are in the database.
async fn recorded(app: &App, count: usize) {
    let all = async { while app.get("/v1/stats/summary?range=30d").await.json()["totalRequests"] != count {} };
    tokio::time::timeout(Duration::from_secs(10), all).await.expect("they are written within moments");
}

fn ids(reply: &Reply) -> Vec<String> {
    let rows = reply.json()["requests"].as_array().unwrap().clone();
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

fn error(reply: &Reply) -> (u16, String, Value) {
    (reply.status, reply.code(), reply.json()["error"]["param"].clone())
}

#[actix_rt::test]
async fn sums_are_told_under_the_names_of_earlier_versions_and_more() {
    let (app, _, _dir) = busy().await;
    let summary = app.get("/v1/stats/summary").await.json();
    for (name, value) in [
        ("totalRequests", json!(5)),
        ("totalTokens", json!(45)),
        ("totalPromptTokens", json!(36)),
        ("totalCompletionTokens", json!(9)),
        ("attempts", json!(5)),
        ("failedRequests", json!(2)),
        ("failures", json!({ "all_providers_exhausted": 1, "invalid_request": 1 })),
        ("waterfalledRequests", json!(2)),
        ("estimatedRequests", json!(0)),
        ("range", json!("24h")),
        ("lastRequestTimestamp", json!("2026-11-24T12:04:00.000Z")),
    ] {
        assert_eq!(summary[name], value, "{name} in {summary}");
    }
    assert!(summary["latencyMs"]["p50"].is_u64() && summary["firstTokenMs"]["p95"].is_u64(), "{summary}");

    let providers = app.get("/v1/stats/providers").await.json();
    let of = |list: &Value, name: &str, value: &str| {
        list.as_array().unwrap().iter().find(|one| one[name] == value).unwrap().clone()
    };
    let (a, b) = (of(&providers["providers"], "providerId", "a"), of(&providers["providers"], "providerId", "b"));
    assert_eq!(
        (&a["totalRequests"], &a["attempts"], &a["failures"]),
        (&json!(0), &json!(1), &json!({ "rate_limit": 1 }))
    );
    assert_eq!((&b["totalRequests"], &b["attempts"], &b["totalTokens"]), (&json!(3), &json!(4), &json!(45)));
    let chains = app.get("/v1/stats/chains").await.json()["chains"].clone();
    assert_eq!(of(&chains, "chainName", "default")["totalRequests"], 3);
    assert_eq!(of(&chains, "chainName", "b/m")["totalRequests"], 1);
    let entry = app.get("/v1/stats/entries/b/m").await.json();
    assert_eq!((&entry["providerId"], &entry["model"], &entry["totalRequests"]), (&json!("b"), &json!("m"), &json!(3)));
    assert_eq!(app.get("/v1/stats/entries/b%2Fm").await.json()["totalRequests"], 3, "as generated clients ask");
    assert_eq!(app.get("/v1/stats/clients/key-1").await.json()["totalRequests"], 5);
    app.stop().await;
}

#[actix_rt::test]
async fn a_range_counts_what_arrived_in_it() {
    let (app, _, _dir) = busy().await;
    for (query, requests) in [
        ("from=2026-11-24T12:00:00Z&to=2026-11-24T12:02:00Z", 2),
        ("from=2026-11-24T12:00:00.001Z&to=2026-11-24T12:02:00.001Z", 2),
        ("from=2026-11-24T12:03:00Z", 2),
        ("to=2026-11-24T12:00:00Z", 0),
        ("range=1h", 5),
    ] {
        assert_eq!(app.get(&format!("/v1/stats/summary?{query}")).await.json()["totalRequests"], requests, "{query}");
    }
    app.stop().await;
}

#[actix_rt::test]
async fn the_log_is_read_in_pages_that_newcomers_do_not_shift() {
    let (app, mut all, _dir) = busy().await;
    all.reverse();
    let first = app.get("/v1/stats/requests?limit=2").await;
    assert_eq!(ids(&first), all[..2]);
    app.chat(ask("")).await;
    app.clock.advance(Duration::from_secs(1));
    recorded(&app, 6).await;
    let mut seen = ids(&first);
    let mut next = first.json()["nextBefore"].clone();
    while let Some(before) = next.as_str() {
        let page = app.get(&format!("/v1/stats/requests?limit=2&before={before}")).await;
        seen.extend(ids(&page));
        next = page.json()["nextBefore"].clone();
    }
    assert_eq!(seen, all);

    let row = app.get(&format!("/v1/stats/requests/{}", all[3])).await.json();
    for (name, value) in [
        ("timestamp", json!("2026-11-24T12:01:00.000Z")),
        ("chainName", json!("default")),
        ("client", json!("key-1")),
        ("providerId", json!("b")),
        ("model", json!("m")),
        ("stream", json!(true)),
        ("promptTokens", json!(12)),
        ("completionTokens", json!(3)),
        ("totalTokens", json!(15)),
        ("estimated", json!(false)),
        ("httpStatus", json!(200)),
        ("attempts", json!(1)),
        ("errorMessage", Value::Null),
    ] {
        assert_eq!(row[name], value, "{name} in {row}");
    }
    assert!(row["bytesIn"].as_u64().unwrap() > 50 && row["bytesOut"].as_u64().unwrap() > 50 && row["trail"].is_array());
    let failed = app.get("/v1/stats/requests?code=all_providers_exhausted&limit=1").await.json()["requests"][0].clone();
    assert!(failed["errorMessage"].as_str().unwrap().starts_with("all_providers_exhausted: a/m (429"), "{failed}");
    app.stop().await;
}

#[actix_rt::test]
async fn filters_keep_what_they_name() {
    let (app, all, _dir) = busy().await;
    let of = |places: &[usize]| places.iter().rev().map(|at| all[*at].clone()).collect::<Vec<_>>();
    for (query, places) in [
        ("chain=default", &[0, 1, 3][..]),
        ("provider=b", &[0, 1, 2]),
        ("entry=b/m", &[0, 1, 2]),
        ("provider=a", &[]),
        ("client=key-1", &[0, 1, 2, 3, 4]),
        ("status=400", &[4]),
        ("code=all_providers_exhausted", &[3]),
        ("from=2026-11-24T12:01:00Z&to=2026-11-24T12:03:00Z", &[1, 2]),
    ] {
        let reply = app.get(&format!("/v1/stats/requests?{query}")).await;
        assert_eq!(ids(&reply), of(places), "{query}");
        assert_eq!(reply.json()["nextBefore"], Value::Null);
    }
    app.stop().await;
}

#[actix_rt::test]
async fn the_log_goes_out_as_a_file() {
    let (app, all, _dir) = busy().await;
    let csv = app.get("/v1/stats/requests?format=csv").await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    let text = csv.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 6);
    assert!(lines[0].starts_with("id,timestamp,chainName,") && lines[5].starts_with(&all[0]), "{text}");
    let cells = |line: &str| line.split(',').count();
    assert_eq!(cells(lines[0]), cells(lines[5]));
    let jsonl = app.get("/v1/stats/requests?format=jsonl&provider=b").await;
    let rows: Vec<Value> = jsonl.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.iter().map(|row| row["id"].as_str().unwrap()).collect::<Vec<_>>(), [&all[2], &all[1], &all[0]]);
    app.stop().await;
}

/// LESSONS O27: `limit=-1` dumped the table.
#[actix_rt::test]
async fn o27_a_page_has_a_bound_whatever_is_asked_for() {
    let provider = Provider::with(|_, _| Answer::ok()).await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    for _ in 0..60 {
        app.chat(ask("")).await;
    }
    recorded(&app, 60).await;
    assert_eq!(ids(&app.get("/v1/stats/requests").await).len(), 50);
    assert_eq!(ids(&app.get("/v1/stats/requests?limit=500").await).len(), 60);
    for limit in ["-1", "0", "501", "18446744073709551615", "18446744073709551616", "1e3", "all"] {
        let reply = app.get(&format!("/v1/stats/requests?limit={limit}")).await;
        assert_eq!(error(&reply), (400, "invalid_request".into(), json!("limit")), "{limit}");
    }
    app.stop().await;
}

#[actix_rt::test]
async fn wrong_questions_are_told_what_is_right() {
    let (app, _, _dir) = busy().await;
    for (path, param) in [
        ("summary?range=2h", "range"),
        ("summary?from=yesterday", "from"),
        ("summary?limit=5", "query"),
        ("requests?limit=0", "limit"),
        ("requests?limit=501", "limit"),
        ("requests?limit=-1", "limit"),
        ("requests?status=abc", "status"),
        ("requests?format=xml", "format"),
        ("requests?provder=a", "query"),
    ] {
        let reply = app.get(&format!("/v1/stats/{path}")).await;
        assert_eq!(error(&reply), (400, "invalid_request".into(), json!(param)), "{path}: {}", reply.text());
    }
    for path in ["providers/nobody", "requests/req_0", "chains/x"] {
        let reply = app.get(&format!("/v1/stats/{path}")).await;
        assert_eq!((reply.status, reply.code().as_str()), (404, "not_found"), "{path}");
    }
    assert_eq!(app.get("/v1/stats/nothing").await.code(), "unknown_path");
    app.stop().await;
}

#[actix_rt::test]
async fn clients_and_admins_may_read_and_nobody_else() {
    let (app, _, _dir) = busy().await;
    for (key, status) in [(ADMIN, 200), ("sk-wrong", 401)] {
        for path in ["/v1/stats/summary", "/v1/stats/requests", "/v1/stats/providers/a"] {
            assert_eq!(app.get_as(path, key).await.status, status, "{path}");
        }
    }
    app.stop().await;
}

#[actix_rt::test]
async fn a_database_that_cannot_be_used_is_said_and_stops_nobody() {
    let provider = Provider::script([Answer::ok()]).await;
    let dir = tempfile::tempdir().unwrap();
    // A folder is no database.
    let app = App::start_on(&chain_of(&[("a", &provider)]), TestClock::default(), dir.path());
    assert_eq!(app.served_by().await, "a/m");
    let reply = app.get("/v1/stats/summary").await;
    assert_eq!((reply.status, reply.code().as_str()), (503, "records_unavailable"), "{}", reply.text());
    app.stop().await;
}

#[actix_rt::test]
async fn charts_get_a_point_for_every_step() {
    let (app, _, _dir) = busy().await;
    let series = app.get("/v1/stats/series?range=1h").await.json();
    assert_eq!((&series["step"], &series["range"]), (&json!("minute"), &json!("1h")));
    let points = series["points"].as_array().unwrap();
    assert_eq!((points.len(), &points[0]["at"]), (60, &json!("2026-11-24T11:05:00.000Z")));
    let requests: u64 = points.iter().map(|point| point["totalRequests"].as_u64().unwrap()).sum();
    assert_eq!(requests, 5);
    let last = &points[59];
    assert_eq!(
        (&last["at"], &last["failures"]),
        (&json!("2026-11-24T12:04:00.000Z"), &json!({ "invalid_request": 1 }))
    );

    let hours = app.get("/v1/stats/series?entry=b/m&range=24h").await.json();
    assert_eq!(hours["step"], "hour");
    let busy = hours["points"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&busy["providerId"], &busy["attempts"], &busy["totalTokens"]), (&json!("b"), &json!(4), &json!(45)));
    let days = app.get("/v1/stats/series?chain=default&range=30d").await.json();
    assert_eq!((&days["step"], days["points"].as_array().unwrap().len()), (&json!("day"), 31));
    assert_eq!(app.get("/v1/stats/series?provider=a&step=day").await.json()["points"][1]["attempts"], 1);
    assert_eq!(app.get("/v1/stats/series?client=key-1&step=hour").await.json()["points"][24]["totalRequests"], 5);
    // What is not kept for so long is told by larger steps, and of too many steps the last ones.
    for (query, step, points) in [
        ("step=minute&range=7d", "hour", 169),
        ("step=minute&range=30d", "hour", 721),
        ("step=hour&from=2026-01-01T00:00:00Z", "day", 328),
        ("step=minute&from=1990-01-01T00:00:00Z", "day", 1_500),
    ] {
        let series = app.get(&format!("/v1/stats/series?{query}")).await.json();
        let points_seen = series["points"].as_array().unwrap();
        assert_eq!((&series["step"], points_seen.len()), (&json!(step), points), "{query}");
        assert_eq!(points_seen.last().unwrap()["totalRequests"], 5, "{query}");
    }
    for (query, param, words) in [
        ("step=week", "step", "minute, hour, day"),
        ("chain=default&entry=b/m", "entry", "give one of"),
        ("name=default", "query", "no parameter `name`"),
    ] {
        let refused = app.get(&format!("/v1/stats/series?{query}")).await;
        assert_eq!(error(&refused), (400, "invalid_request".to_owned(), json!(param)), "{query}: {}", refused.text());
        assert!(refused.text().contains(words), "{query}: {}", refused.text());
    }
    app.stop().await;
}

/// What would have been paid elsewhere, with the prices that it is counted by, and the same from wherever one looks.
#[actix_rt::test]
async fn money_saved_is_counted_by_the_reference_prices() {
    let limited = Provider::script([Answer::rate_limited(Some("600"))]).await;
    let (good, more) = (Provider::script([Answer::ok(), Answer::ok()]).await, Provider::script([Answer::ok()]).await);
    let dir = tempfile::tempdir().unwrap();
    let settings = "  referencePrices: { m: { input: 500000, output: 1000000 } }\n";
    let yaml = config_of(settings, &[("a", &limited), ("b", &good), ("c", &more)], "")
        .replace("{ provider: c, model: m }", "{ provider: c, model: gpt-4o }");
    let app = App::start_on(&yaml, TestClock::default(), &dir.path().join("usage.redb"));
    for model in ["default", "b/m", "c/gpt-4o"] {
        assert_eq!(app.chat(ask("").replace("default", model)).await.status, 200, "{model}");
    }
    recorded(&app, 3).await;
    let get = async |path: &str| app.get(path).await.json();
    let summary = get("/v1/stats/summary").await;
    // Each had twelve tokens of prompt and three of answer.
    let (ours, elsewhere) = (12.0 * 0.5 + 3.0, rounded((12.0 * 2.5 + 3.0 * 10.0) / 1e6));
    assert_eq!(summary["savedUsd"], rounded(2.0 * ours + elsewhere));
    let saved = &summary["moneySaved"];
    assert_eq!(saved["usd"], summary["savedUsd"]);
    assert_eq!(
        saved["entries"],
        json!([
            { "entry": "b/m", "promptTokens": 24, "completionTokens": 6, "usd": 2.0 * ours,
              "price": { "models": "m", "input": 500_000.0, "output": 1_000_000.0, "builtIn": false } },
            { "entry": "c/gpt-4o", "promptTokens": 12, "completionTokens": 3, "usd": elsewhere,
              "price": { "models": "gpt-4o", "input": 2.5, "output": 10.0, "builtIn": true } },
        ])
    );
    assert_eq!(get("/v1/stats/providers/b").await["savedUsd"], 2.0 * ours);
    assert_eq!(get("/v1/stats/entries/c/gpt-4o").await["moneySaved"]["usd"], elsewhere);
    let chains = get("/v1/stats/chains").await;
    let of = |name: &str| chains["chains"].as_array().unwrap().iter().find(|chain| chain["chainName"] == name).unwrap();
    assert_eq!((&of("default")["savedUsd"], &of("b/m")["savedUsd"]), (&json!(ours), &json!(ours)));
    assert_eq!(chains["moneySaved"], *saved);
    assert_eq!(get("/v1/stats/chains/default").await["moneySaved"]["entries"][0]["entry"], "b/m");
    assert_eq!(get("/v1/stats/clients").await["moneySaved"], Value::Null);
    let prices = get("/v1/stats/prices").await;
    assert_eq!((&prices["currency"], &prices["perTokens"]), (&json!("USD"), &json!(1_000_000)));
    assert_eq!(prices["prices"][0], saved["entries"][0]["price"]);
    app.stop().await;
}

fn rounded(usd: f64) -> f64 {
    (usd * 1e6).round() / 1e6
}

/// What the log says instead of a key is what the configuration calls it.
#[actix_rt::test]
async fn clients_have_the_labels_of_their_keys() {
    let good = Provider::script([Answer::ok(), Answer::ok()]).await;
    let dir = tempfile::tempdir().unwrap();
    let labelled = format!("{{ key: {CLIENT}, label: the laptop }}, second-key");
    let yaml = chain_of(&[("a", &good)]).replace(&format!("\"{CLIENT}\""), &labelled);
    let app = App::start_on(&yaml, TestClock::default(), &dir.path().join("usage.redb"));
    app.chat(ask("")).await;
    whole(app.post(ask(""), "second-key").await).await;
    recorded(&app, 2).await;
    let clients = app.get("/v1/stats/clients").await.json()["clients"].clone();
    let labels: Vec<&str> = clients.as_array().unwrap().iter().map(|one| one["client"].as_str().unwrap()).collect();
    assert_eq!(labels, ["key-2", "the laptop"]);
    assert_eq!(app.get("/v1/stats/clients/the%20laptop").await.json()["totalRequests"], 1);
    let rows = app.get("/v1/stats/requests?client=the%20laptop").await;
    assert_eq!(ids(&rows).len(), 1);
    app.stop().await;
}
