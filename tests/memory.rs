//! What is on disk, and what happens when the disk does not do its part.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use chain429::actors::recorder::REOPEN_EVERY;
use chain429::domain::time::Wall;
use chain429::store::database::Database;
use chain429::store::place::Place;
use chain429::store::requests::{Request, first_id_at};
use chain429::web::state::RequestIds;
use serde_json::json;
use tempfile::TempDir;

use crate::support::app::{App, CLIENT, Reply, ask, chain_of, config_of, whole, with_a};
use crate::support::binary::{Running, command};
use crate::support::clock::{NOON, TestClock};
use crate::support::provider::{Answer, DONE, Provider, STOP, USAGE, delta};

fn open(path: &Path) -> Database {
    Place::File(path.to_owned()).open().unwrap()
}

fn row(database: &Database, reply: &Reply) -> Request {
    let id = reply.header("x-request-id");
    database.request(id).unwrap().unwrap_or_else(|| panic!("no row of {id}"))
}

#[actix_rt::test]
async fn every_request_leaves_a_row_with_its_whole_trail() {
    let limited = Provider::script([Answer::rate_limited(Some("60"))]).await;
    let events = [&*delta("one"), STOP, USAGE, DONE];
    let good = Provider::script([Answer::ok(), Answer::sse(&events), Answer::rate_limited(Some("90"))]).await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new/usage.redb");
    let clock = TestClock::default();
    let app = App::start_on(&chain_of(&[("a", &limited), ("b", &good)]), clock.clone(), &path);
    let served = app.chat(ask("")).await;
    clock.advance(Duration::from_secs(1));
    let streamed = app.chat(ask(r#","stream":true"#)).await;
    let failed = app.chat(ask("")).await;
    let malformed = app.chat("{").await;
    app.stop().await;

    let database = open(&path);
    assert_eq!(database.newest_requests(10).unwrap().len(), 4);
    let served = row(&database, &served);
    assert_eq!(served.arrived, Wall(NOON));
    assert_eq!((served.chain.as_str(), served.model.as_str(), served.stream), ("default", "default", false));
    assert_eq!((served.served_by.as_deref(), served.status, served.code.as_deref()), (Some("b/m"), 200, None));
    assert_eq!(served.usage.unwrap().total_tokens, 15);
    assert_eq!(served.first_token_ms, None);
    let trail = serde_json::to_value(&served.trail).unwrap();
    assert_eq!(
        trail,
        json!([
            { "provider": "a", "model": "m", "outcome": "failed", "reason": "rate_limit", "status": 429,
              "message": "429, back in 60 s", "retryAt": Wall(NOON + 60_000).to_string(), "ms": 0 },
            { "provider": "b", "model": "m", "outcome": "served", "ms": 0 },
        ])
    );

    let streamed = row(&database, &streamed);
    assert_eq!((streamed.arrived, streamed.stream), (Wall(NOON + clock.passed()), true));
    assert_eq!(streamed.first_token_ms, Some(0));
    assert_eq!(streamed.usage.map(|usage| usage.completion_tokens), Some(3));

    let failed = row(&database, &failed);
    assert_eq!((failed.status, failed.code.as_deref()), (503, Some("all_providers_exhausted")));
    assert_eq!(failed.served_by, None);
    assert_eq!(row(&database, &malformed).code.as_deref(), Some("invalid_request"));
}

/// LESSONS O27: nothing was ever removed.
#[actix_rt::test]
async fn o27_rows_older_than_retention_days_are_removed() {
    let provider = Provider::with(|_, _| Answer::ok()).await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("usage.redb");
    let yaml = config_of("  retentionDays: 2\n", &[("a", &provider)], "");
    let clock = TestClock::default();
    let app = App::start_on(&yaml, clock.clone(), &path);
    app.chat(ask("")).await;
    clock.advance(Duration::from_secs(24 * 3_600));
    let kept = app.chat(ask("")).await;
    app.stop().await;
    clock.advance(Duration::from_secs(24 * 3_600 + 1));
    App::start_on(&yaml, clock, &path).stop().await;
    let rows = open(&path).newest_requests(10).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].id, kept.header("x-request-id"));
}

/// The store finds old rows by their ids alone.
#[test]
fn ids_tell_the_time() {
    let clock = TestClock::default();
    let now = clock.clock().now();
    let id = RequestIds::new(u32::MAX).next(now);
    assert!(first_id_at(now.wall) <= id && id < first_id_at(Wall(now.wall.0 + 1)), "{id}");
}

#[actix_rt::test]
async fn two_proxies_on_one_database_both_serve_and_the_second_records_when_the_first_is_gone() {
    let provider = Provider::with(|_, _| Answer::ok()).await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("usage.redb");
    let yaml = chain_of(&[("a", &provider)]);
    let first = App::start_on(&yaml, TestClock::default(), &path);
    let second = App::start_on(&yaml, TestClock::default(), &path);
    let by_first = first.chat(ask("")).await;
    let by_second = second.chat(ask("")).await;
    assert_eq!((by_first.status, by_second.status), (200, 200));
    first.stop().await;
    second.stop().await;
    let database = open(&path);
    row(&database, &by_first);
    row(&database, &by_second);
}

/// What was known at the last stop counts also where it can be read only later: another process had the database, or its
/// disk came late.
#[actix_rt::test]
async fn o12_quota_that_was_used_is_remembered_when_the_database_opens_late() {
    let provider = Provider::with(|_, _| Answer::ok()).await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("usage.redb");
    let limits = "    rateLimits: { requestsPerDay: 10 }\n";
    let yaml = with_a(&chain_of(&[("a", &provider)]), limits);
    let first = App::start_on(&yaml, TestClock::default(), &path);
    for _ in 0..5 {
        first.chat(ask("")).await;
    }
    let second = App::start_on(&yaml, TestClock::default(), &path);
    second.chat(ask("")).await;
    let left = async |app: &App| app.get("/v1/ratelimits").await.json()["chains"][0]["requestsLeft"].clone();
    assert_eq!((left(&first).await, left(&second).await), (5.into(), 9.into()), "the first has the database");
    first.stop().await;
    second.clock.advance(REOPEN_EVERY);
    let taken_up = async { while left(&second).await != 4 {} };
    tokio::time::timeout(Duration::from_secs(10), taken_up).await.expect("it is taken up with the database");
    second.stop().await;
    let third = App::start_on(&yaml, TestClock::default(), &path);
    assert_eq!(left(&third).await, 4, "and written down again");
    third.stop().await;
}

/// The real binary in a folder of its own, and what it answered.
struct Binary {
    dir: TempDir,
    running: Running,
    client: awc::Client,
}

impl Binary {
    /// Starts it in a folder that `prepare` has had its way with.
    fn start(provider: &Provider, prepare: impl FnOnce(&Path)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("c.yaml"), chain_of(&[("a", provider)])).unwrap();
        fs::create_dir(dir.path().join("data")).unwrap();
        prepare(&dir.path().join("data/usage.redb"));
        Self::start_in(dir)
    }

    fn start_in(dir: TempDir) -> Self {
        let running = Running::start(command(dir.path(), &["-c", "c.yaml"]));
        Self { dir, running, client: awc::Client::default() }
    }

    async fn chat(&self) -> Reply {
        let request = self.client.post(format!("{}/v1/chat/completions", self.running.url)).bearer_auth(CLIENT);
        whole(request.send_body(ask("")).await.unwrap()).await
    }
}

/// Nothing that was acknowledged a second ago is lost, whatever happens to the process.
#[cfg(unix)]
#[actix_rt::test]
async fn kill_9_loses_nothing_that_is_a_second_old() {
    let provider = Provider::with(|_, _| Answer::ok()).await;
    let mut binary = Binary::start(&provider, |_| {});
    let mut acknowledged = Vec::new();
    for _ in 0..2 {
        for _ in 0..20 {
            acknowledged.push(binary.chat().await);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        // Those of the last second may be lost, and must not spoil the rest.
        binary.chat().await;
        let Binary { dir, running, .. } = binary;
        assert_eq!(running.end("-KILL").0, None);
        let database = open(&dir.path().join("data/usage.redb"));
        for reply in &acknowledged {
            assert_eq!(row(&database, reply).status, 200);
        }
        database.close().unwrap();
        binary = Binary::start_in(dir);
    }
    assert_eq!(binary.running.end("-TERM").0, Some(0));
}

#[cfg(unix)]
#[actix_rt::test]
async fn the_database_of_an_earlier_version_is_left_alone() {
    const SQLITE: &[u8] = b"SQLite format 3\0 and its pages";
    let provider = Provider::with(|_, _| Answer::ok()).await;
    let binary = Binary::start(&provider, |path| fs::write(path, SQLITE).unwrap());
    let before = &binary.running.before;
    assert!(before.contains("left alone") && before.contains("usage.redb.redb"), "{before}");
    let reply = binary.chat().await;
    let Binary { dir, running, .. } = binary;
    assert_eq!(running.end("-TERM").0, Some(0));
    assert_eq!(fs::read(dir.path().join("data/usage.redb")).unwrap(), SQLITE);
    row(&open(&dir.path().join("data/usage.redb.redb")), &reply);
}

#[cfg(unix)]
#[actix_rt::test]
async fn a_database_that_cannot_be_used_is_told_and_requests_are_served() {
    serves_without("Move the file away", |path| {
        fs::write(path, b"redb\x1a\n\xa9\r\n and then nothing of sense").unwrap();
    })
    .await;
    serves_without("See that there is room", |path| fs::create_dir(path).unwrap()).await;
    let mut owner = None;
    serves_without("another process has this database open", |path| owner = Some(open(path))).await;
}

async fn serves_without(advice: &str, spoil: impl FnOnce(&Path)) {
    let provider = Provider::with(|_, _| Answer::ok()).await;
    let binary = Binary::start(&provider, spoil);
    let before = &binary.running.before;
    assert!(before.contains(advice) && before.contains("usage.redb"), "{before}");
    assert_eq!(binary.chat().await.status, 200);
    let client = awc::Client::default();
    let health = client.get(format!("{}/health", binary.running.url));
    let open = whole(health.send().await.unwrap()).await.json();
    assert_eq!((&open["status"], &open["recorder"]), (&"ok".into(), &json!(null)));
    let health = client.get(format!("{}/health", binary.running.url)).bearer_auth(CLIENT);
    let known = whole(health.send().await.unwrap()).await.json();
    let recorder = &known["recorder"];
    assert_eq!(
        (&known["status"], &recorder["status"], &recorder["written"]),
        (&"ok".into(), &"failing".into(), &0.into())
    );
    assert!(recorder["error"].as_str().unwrap().contains(advice), "{recorder}");
    let (code, rest) = binary.running.end("-TERM");
    assert_eq!(code, Some(0));
    assert!(rest.contains("before the end") && rest.contains("missing=1"), "{rest}");
}

/// A start that fails for another reason leaves the database in good order.
#[test]
fn a_start_that_cannot_listen_leaves_the_database_closed() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    fs::write(
        dir.path().join("c.yaml"),
        format!("version: 1\nsettings: {{ apiKeys: [{CLIENT}], adminKeys: [an-admin-key-1] }}\nproviders: [{{ id: x, type: local, baseUrl: 'http://127.0.0.1:1/v1' }}]\nchains: [{{ name: c, entries: [{{ provider: x, model: m }}] }}]\n"),
    )
    .unwrap();
    let mut serve: Command = command(dir.path(), &["-c", "c.yaml", "--port", &port]);
    let output = serve.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(open(&dir.path().join("data/usage.redb")).newest_requests(1).unwrap().is_empty());
}
