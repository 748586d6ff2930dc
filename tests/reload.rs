//! A new configuration without a restart: what it changes for requests, what it leaves alone, and what is not adopted.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::Semaphore;

use crate::concurrency::join_all;
use crate::support::app::{ADMIN, App, CLIENT, ask, chain_of, config_of, healthy, piece, whole, with_a};
use crate::support::clock::NOON;
use crate::support::living::Living;
use crate::support::provider::{Answer, DONE, Provider, STOP, delta};

const STREAM: &str = r#","stream":true"#;

/// A stream that begins at once and ends when the test lets it.
fn held_open(gate: &Arc<Semaphore>) -> Answer {
    Answer::stream().part(&delta("Hi")).gate(gate).part(STOP).part(DONE).end()
}

fn ask_of(model: &str, more: &str) -> String {
    ask(more).replace("default", model)
}

/// The file with the limits of provider `a`.
fn limited(providers: &[(&str, &Provider)], limits: &str) -> String {
    with_a(&chain_of(providers), &format!("    rateLimits: {{ {limits} }}\n"))
}

/// 500 streams are open while the configuration changes a hundred times: limits, an entry that comes and goes, and the very
/// entry that serves some of them.
#[actix_rt::test]
async fn five_hundred_streams_survive_a_hundred_reloads() {
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let gate = Arc::new(Semaphore::new(0));
    let (first, second) = (Arc::clone(&gate), Arc::clone(&gate));
    let a = Provider::with(move |_, _| held_open(&first)).await;
    let b = Provider::with(move |_, _| held_open(&second)).await;
    let yaml = |round: usize| {
        let limits = format!("    rateLimits: {{ requestsPerMinute: {} }}\n", 10_000 + round % 7);
        let of_b = "  - name: other\n    entries: [{ provider: b, model: m }]\n";
        match round % 2 {
            0 => config_of("", &[("a", &a), ("b", &b)], &limits) + of_b,
            _ => config_of("", &[("a", &a)], &limits),
        }
    };
    let living = Living::start(&yaml(0));
    let app = &living.app;
    let of_a = (0..450).map(|_| app.open(ask(STREAM)));
    let of_b = (0..50).map(|_| app.open(ask_of("b/m", STREAM)));
    let mut streams = join_all(of_a).await;
    streams.extend(join_all(of_b).await);
    for stream in &mut streams {
        assert_eq!(stream.status(), 200);
        assert!(piece(stream).await.unwrap().contains("Hi"));
    }
    for round in 1..=100 {
        let said = living.change(&yaml(round)).await;
        assert_eq!(said["unchanged"], false, "{round}");
        assert_eq!(said["changed"]["entries"]["changed"][0], "a/m", "{said}");
        if round % 10 == 0 {
            assert_eq!(app.entry("a").await["inFlight"], 450, "{round}");
            assert_eq!(app.entry("b").await["inFlight"], 50, "calls of an entry that was gone meanwhile count");
        }
    }
    gate.add_permits(500);
    for stream in &mut streams {
        let mut rest = String::new();
        while let Some(more) = piece(stream).await {
            rest += &more;
        }
        assert!(rest.ends_with(DONE) && !rest.contains("error"), "{rest}");
    }
    assert_eq!((a.calls(), b.calls()), (450, 50), "none was made twice");
    for (entry, calls) in [("a", 450), ("b", 50)] {
        let idle = async { while app.entry(entry).await["inFlight"] != 0 {} };
        tokio::time::timeout(Duration::from_secs(10), idle).await.expect("all leases come back");
        let bucket = &app.entry(entry).await["keys"][0]["buckets"][0];
        assert_eq!(bucket["used"], calls, "{bucket}");
    }
    living.app.stop().await;
}

#[actix_rt::test]
async fn a_kept_entry_keeps_its_counters_under_changed_limits() {
    let (a, b) = (healthy().await, healthy().await);
    let yaml = |limit| limited(&[("a", &a), ("b", &b)], &format!("requestsPerMinute: {limit}"));
    let living = Living::start(&yaml(2));
    let app = &living.app;
    for served in ["a/m", "a/m", "b/m"] {
        assert_eq!(app.served_by().await, served);
    }
    let said = living.change(&yaml(3)).await;
    assert_eq!(said["changed"]["entries"], json!({ "added": [], "changed": ["a/m"], "removed": [] }));
    assert_eq!((app.served_by().await, app.served_by().await), ("a/m".into(), "b/m".into()), "room for one more");
    living.change(&yaml(1)).await;
    assert_eq!(app.served_by().await, "b/m", "no room at all");
    app.clock.advance(Duration::from_millis(60_250));
    assert_eq!((app.served_by().await, app.served_by().await), ("a/m".into(), "b/m".into()));
    living.app.stop().await;
}

#[actix_rt::test]
async fn a_kept_entry_keeps_its_cooldown() {
    let (a, b) = (Provider::script([Answer::rate_limited(Some("100")), Answer::ok()]).await, healthy().await);
    let yaml = |more| limited(&[("a", &a), ("b", &b)], more);
    let living = Living::start(&yaml("requestsPerMinute: 50"));
    let app = &living.app;
    assert_eq!(app.served_by().await, "b/m");
    living.change(&yaml("requestsPerMinute: 60, requestsPerDay: 1000, concurrentRequests: 5")).await;
    app.clock.advance(Duration::from_millis(99_999));
    let entry = app.entry("a").await;
    assert_eq!((&entry["status"], &entry["reason"]), (&json!("cooling"), &json!("rate limited")), "{entry}");
    assert_eq!(app.served_by().await, "b/m");
    app.clock.advance(Duration::from_millis(1));
    assert_eq!(app.served_by().await, "a/m");
    assert_eq!(a.calls(), 2);
    living.app.stop().await;
}

#[actix_rt::test]
async fn the_next_request_uses_what_is_new_in_its_chain() {
    let (a, b) = (healthy().await, healthy().await);
    let living = Living::start(&chain_of(&[("a", &a)]));
    assert_eq!(living.app.served_by().await, "a/m");
    let said = living.change(&chain_of(&[("b", &b), ("a", &a)])).await;
    assert_eq!(said["changed"]["providers"]["added"], json!(["b"]));
    assert_eq!(said["changed"]["chains"]["changed"], json!(["default"]));
    assert_eq!(living.app.served_by().await, "b/m");
    let models = living.app.get("/v1/models").await.text();
    assert!(models.contains("b/m"), "{models}");
    // Another address of the same account.
    let moved = healthy().await;
    living.change(&chain_of(&[("b", &moved), ("a", &a)])).await;
    assert_eq!((living.app.served_by().await.as_str(), b.calls(), moved.calls()), ("b/m", 1, 1));
    living.app.stop().await;
}

#[actix_rt::test]
async fn a_removed_entry_finishes_its_stream_and_is_gone() {
    let gate = Arc::new(Semaphore::new(0));
    let (a, b) = (Provider::script([held_open(&gate)]).await, healthy().await);
    let living = Living::start(&chain_of(&[("a", &a), ("b", &b)]));
    let app = &living.app;
    let mut stream = app.open(ask(STREAM)).await;
    piece(&mut stream).await.unwrap();
    let said = living.change(&chain_of(&[("b", &b)])).await;
    assert_eq!(said["changed"]["entries"]["removed"], json!(["a/m"]));
    assert_eq!(app.served_by().await, "b/m");
    gate.add_permits(1);
    let mut rest = String::new();
    while let Some(more) = piece(&mut stream).await {
        rest += &more;
    }
    assert!(rest.ends_with(DONE), "{rest}");
    let limits = app.get("/v1/ratelimits").await.text();
    assert!(!limits.contains("\"a\"") && !limits.contains("a/m"), "{limits}");
    let reply = app.chat(ask_of("a/m", "")).await;
    assert_eq!(reply.header("x-429chain-provider"), "b/m", "its name is one that nobody knows");
    living.app.stop().await;
}

#[actix_rt::test]
async fn an_entry_that_comes_back_still_rests() {
    let (a, b) = (Provider::script([Answer::rate_limited(Some("100")), Answer::ok()]).await, healthy().await);
    let with = chain_of(&[("a", &a), ("b", &b)]);
    let living = Living::start(&with);
    let app = &living.app;
    assert_eq!(app.served_by().await, "b/m");
    living.change(&chain_of(&[("b", &b)])).await;
    living.change(&with).await;
    assert_eq!((app.served_by().await.as_str(), a.calls()), ("b/m", 1));
    app.clock.advance(Duration::from_secs(100));
    assert_eq!((app.served_by().await.as_str(), a.calls()), ("a/m", 2));
    living.app.stop().await;
}

#[actix_rt::test]
async fn a_changed_key_makes_good_for_a_rejected_one() {
    let a = Provider::with(|request, _| match request.header("authorization") {
        Some("Bearer right") => Answer::ok(),
        _ => Answer::error(401, &[], "bad key", "auth"),
    })
    .await;
    let b = healthy().await;
    let yaml = chain_of(&[("a", &a), ("b", &b)]);
    let living = Living::start(&yaml);
    assert_eq!(living.app.served_by().await, "b/m");
    assert_eq!(living.app.entry("a").await["status"], "auth_error");
    living.change(&yaml.replace("key-of-a", "wrong")).await;
    assert_eq!(living.app.served_by().await, "b/m", "it was tried, and is wrong as well");
    living.change(&yaml.replace("key-of-a", "right")).await;
    assert_eq!((living.app.served_by().await.as_str(), a.calls()), ("a/m", 3));
    living.change(&yaml).await;
    assert_eq!((living.app.served_by().await.as_str(), a.calls()), ("b/m", 3), "the old one is known to be wrong");
    living.app.stop().await;
}

/// LESSONS O24: the runtime was changed before anything had been checked, and nothing brought it back.
#[actix_rt::test]
async fn o24_a_bad_file_changes_nothing_and_is_told_with_line_and_column() {
    let a = healthy().await;
    let yaml = chain_of(&[("a", &a)]);
    let living = Living::start(&yaml);
    let before = living.standing().await;
    assert_eq!(before["error"], json!(null));
    let bad = yaml.replace("type: generic-openai", "type: gorq").replace("model: m", "modle: m");
    let reply = living.try_change(&bad).await;
    assert_eq!((reply.status, reply.code().as_str()), (422, "invalid_config"));
    let problems = reply.json()["error"]["problems"].clone();
    assert_eq!(
        (&problems[0]["path"], &problems[0]["line"], &problems[0]["column"]),
        (&json!("providers[0].type"), &json!(8), &json!(11)),
        "{problems}"
    );
    assert!(problems[0]["help"].as_str().unwrap().contains("groq"), "{problems}");
    assert_eq!(problems[1]["path"], "chains[0].entries[0].modle", "{problems}");
    assert!(!reply.text().contains("key-of-a"), "{}", reply.text());

    assert_eq!(living.app.served_by().await, "a/m");
    let standing = living.standing().await;
    assert_eq!((&standing["revision"], &standing["loadedAt"]), (&before["revision"], &before["loadedAt"]));
    let message = standing["error"]["message"].as_str().unwrap();
    assert!(message.contains("c.yaml:8:11: providers[0].type: unknown type: `gorq`"), "{message}");
    let open = whole(living.app.client.get(format!("{}/health", living.app.url)).send().await.unwrap()).await;
    assert_eq!((open.status, &open.json()["status"], open.json().get("config")), (200, &json!("ok"), None));

    living.app.clock.advance(Duration::from_secs(5));
    std::fs::remove_file(&living.file).unwrap();
    let gone = living.reload_as(ADMIN).await;
    assert!(gone.status == 422 && gone.text().contains("there is no such file"), "{}", gone.text());
    living.change(&yaml).await;
    let standing = living.standing().await;
    assert_eq!((&standing["error"], &standing["revision"]), (&json!(null), &before["revision"]));
    assert_eq!(standing["loadedAt"], before["loadedAt"], "it is the one that was in use all the time");
    living.app.stop().await;
}

/// LESSONS O25.
#[actix_rt::test]
async fn o25_ids_and_names_that_are_taken_are_refused_in_a_running_proxy_too() {
    let a = healthy().await;
    let yaml = chain_of(&[("a", &a)]);
    let living = Living::start(&yaml);
    let reply = living.try_change(&yaml.replace("providers:\n", "providers:\n  - { id: a, type: local }\n")).await;
    assert!(reply.status == 422 && reply.text().contains("already taken"), "{}", reply.text());
    let twice = format!("{yaml}  - name: default\n    entries: [{{ provider: a, model: n }}]\n");
    let reply = living.try_change(&twice).await;
    assert!(reply.status == 422 && reply.text().contains("already taken"), "{}", reply.text());
    assert_eq!(living.app.served_by().await, "a/m");
    living.app.stop().await;
}

/// LESSONS O23: any client key was full admin.
#[actix_rt::test]
async fn o23_only_an_admin_reloads() {
    let a = healthy().await;
    let living = Living::start(&chain_of(&[("a", &a)]));
    for (key, status, code) in [(CLIENT, 403, "admin_required"), ("nonsense", 401, "invalid_api_key")] {
        let reply = living.reload_as(key).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code));
    }
    let reply = living.reload_as(ADMIN).await;
    assert_eq!((reply.status, &reply.json()["unchanged"]), (200, &json!(true)));
    assert_eq!(living.app.get_as("/v1/admin/reload", ADMIN).await.status, 405);
    living.app.stop().await;
    let bare = App::start(&chain_of(&[("a", &a)])).await;
    let request = bare.client.post(format!("{}/v1/admin/reload", bare.url)).bearer_auth(ADMIN);
    let reply = whole(request.send().await.unwrap()).await;
    assert_eq!((reply.status, reply.code().as_str()), (409, "no_config_file"));
    assert_eq!(bare.get("/health").await.json()["config"]["revision"], json!(null));
    bare.stop().await;
}

/// LESSONS F19: a key that has leaked opens nothing any more from the moment on that it is taken away.
#[actix_rt::test]
async fn f19_keys_open_and_close_doors_at_once() {
    let a = healthy().await;
    let yaml = chain_of(&[("a", &a)]);
    let living = Living::start(&yaml);
    let status = async |key: &str| whole(living.app.post(ask(""), key).await).await.status;
    assert_eq!((status(CLIENT).await, status("another-client-key").await), (200, 401));
    living.change(&yaml.replace(CLIENT, "another-client-key").replace(ADMIN, "another-admin-key")).await;
    assert_eq!((status(CLIENT).await, status("another-client-key").await), (401, 200));
    assert_eq!(living.reload_as(ADMIN).await.status, 401);
    assert_eq!(living.reload_as("another-admin-key").await.status, 200);
    // Without admin keys in the file the generated one counts again.
    std::fs::write(&living.file, yaml.replace(&format!("  adminKeys: [\"{ADMIN}\"]\n"), "")).unwrap();
    assert_eq!(living.reload_as("another-admin-key").await.status, 200);
    assert_eq!((living.reload_as("another-admin-key").await.status, living.reload_as(ADMIN).await.status), (401, 200));
    living.app.stop().await;
}

/// LESSONS F18: a large body was read before anybody had asked who it comes from.
#[actix_rt::test]
async fn f18_a_lowered_limit_of_bodies_holds_for_the_next_request_and_keys_come_first() {
    let a = healthy().await;
    let yaml = chain_of(&[("a", &a)]);
    let living = Living::start(&yaml);
    let long = ask("").replace("Hello", &"x".repeat(4_000));
    assert_eq!(living.app.chat(long.clone()).await.status, 200);
    living.change(&yaml.replace("  port: 0\n", "  port: 0\n  maxBodyBytes: 2000\n")).await;
    assert_eq!(living.app.chat(long.clone()).await.status, 413);
    assert_eq!(whole(living.app.post(long, "nonsense").await).await.status, 401);
    living.app.stop().await;
}

#[actix_rt::test]
async fn settings_hold_from_the_next_request_on() {
    let thinking = r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"Hi","reasoning_content":"Hm"},"finish_reason":"stop"}]}"#;
    let (a, b) = (Provider::script([Answer::json(200, &[], thinking)]).await, healthy().await);
    let two = chain_of(&[("a", &a), ("b", &b)]) + "  - name: other\n    entries: [{ provider: b, model: m }]\n";
    let with = |more: &str| two.replace("  port: 0\n", &format!("  port: 0\n{more}"));
    let living = Living::start(&two);
    let served_by = async |model: &str| living.app.chat(ask_of(model, "")).await;
    assert_eq!(served_by("gpt-5").await.header("x-429chain-provider"), "a/m");
    let said = living.change(&with("  defaultChain: other\n")).await;
    assert_eq!(said["changed"]["settings"], json!(["settings.defaultChain"]));
    assert_eq!(said["changed"]["entries"], json!({ "added": [], "changed": [], "removed": [] }));
    assert_eq!(served_by("gpt-5").await.header("x-429chain-provider"), "b/m");
    living.change(&with("  unknownModel: reject\n")).await;
    assert_eq!(served_by("gpt-5").await.status, 404);
    assert!(!served_by("a/m").await.json()["choices"][0]["message"]["content"].as_str().unwrap().contains("Hm"));
    living.change(&with("  normalizeResponses: true\n")).await;
    assert!(served_by("a/m").await.json()["choices"][0]["message"]["content"].as_str().unwrap().contains("Hm"));
    living.change(&with("  maxAnswerBytes: 1024\n  connectTimeoutMs: 700\n")).await;
    assert_eq!(served_by("a/m").await.status, 200, "new clients call as well");
    living.app.stop().await;
}

#[actix_rt::test]
async fn the_first_guess_of_a_cooldown_and_the_queue_change_at_once() {
    let a = Provider::script([Answer::rate_limited(None)]).await;
    let yaml = |more: &str| config_of(&format!("  port: 0\n{more}"), &[("a", &a)], "");
    let living = Living::start(&yaml("  queueMode: false\n"));
    assert_eq!(living.app.chat(ask("")).await.header("retry-after"), "60");
    living.app.clock.advance(Duration::from_secs(60));
    living.change(&yaml("  queueMode: false\n  cooldownDefaultMs: 7000\n")).await;
    // The second refusal in a row: twice the first guess.
    assert_eq!(living.app.chat(ask("")).await.header("retry-after"), "14");
    living.change(&yaml("  queueMode: true\n  queueMaxSize: 1\n")).await;
    let waiting = actix_rt::spawn(living.app.send(ask("")));
    living.app.line_has(1).await;
    assert_eq!(living.app.chat(ask("")).await.code(), "queue_full");
    waiting.abort();
    living.app.stop().await;
}

#[actix_rt::test]
async fn what_needs_a_restart_is_named_until_it_comes() {
    let a = healthy().await;
    let yaml = chain_of(&[("a", &a)]);
    let living = Living::start(&yaml);
    let other = yaml.replace("  port: 0\n", "  port: 4\n  workers: 3\n  dbPath: ./else/where.redb\n");
    let named = json!(["settings.port", "settings.workers", "settings.dbPath"]);
    assert_eq!(living.change(&other).await["needsRestart"], named);
    let more = format!("# a comment\n{other}");
    let said = living.change(&more).await;
    assert_eq!((&said["needsRestart"], &said["unchanged"]), (&named, &json!(true)), "still");
    assert_eq!(living.standing().await["revision"], said["revision"]);
    assert_eq!(living.change(&yaml).await["needsRestart"], json!([]));
    assert_eq!(living.app.served_by().await, "a/m");
    living.app.stop().await;
}

#[actix_rt::test]
async fn who_waits_goes_on_waiting_and_gets_what_is_new() {
    for (with_another, passes) in [(false, 20), (true, 0)] {
        let (a, b) = (Provider::script([Answer::rate_limited(Some("20")), Answer::ok()]).await, healthy().await);
        let living = Living::start(&chain_of(&[("a", &a)]));
        let waiting = actix_rt::spawn(living.app.send(ask("")));
        living.app.line_has(1).await;
        let providers: &[(&str, &Provider)] = if with_another { &[("b", &b), ("a", &a)] } else { &[("a", &a)] };
        living.change(&limited(providers, "requestsPerMinute: 50")).await;
        if !with_another {
            assert_eq!(living.app.line().await.0, 1);
            assert_eq!(a.calls(), 1);
        }
        living.app.clock.advance(Duration::from_secs(passes));
        let reply = waiting.await.unwrap();
        let by = if with_another { "b/m" } else { "a/m" };
        assert_eq!((reply.status, reply.header("x-429chain-provider")), (200, by), "{}", reply.text());
        assert_eq!(reply.header("x-429chain-attempts"), "2");
        living.app.stop().await;
    }
}

#[actix_rt::test]
async fn who_waits_for_a_chain_that_is_gone_is_told_so() {
    let (a, b) = (Provider::script([Answer::rate_limited(Some("20"))]).await, healthy().await);
    let other = "  - name: other\n    entries: [{ provider: b, model: m }]\n";
    let yaml = chain_of(&[("a", &a)])
        .replace("chains:", &format!("  - {{ id: b, type: generic-openai, baseUrl: '{}' }}\nchains:", b.base_url()))
        + other;
    let living = Living::start(&yaml);
    let waiting = actix_rt::spawn(living.app.send(ask("")));
    living.app.line_has(1).await;
    let without =
        yaml.replace("name: default", "name: renamed").replace("  port: 0\n", "  port: 0\n  defaultChain: other\n");
    living.change(&without).await;
    let reply = waiting.await.unwrap();
    assert_eq!((reply.status, reply.code().as_str(), reply.header("retry-after")), (503, "chain_gone", "1"));
    assert!(reply.text().contains("`default` was taken out of the configuration"), "{}", reply.text());
    assert_eq!(living.app.line().await.0, 0);
    assert_eq!(living.app.served_by().await, "b/m", "sent again, it goes where unknown models go");
    living.app.stop().await;
}

/// A request that has been refused by an entry does not meet it again because its place in the chain is another one now.
#[actix_rt::test]
async fn who_waits_remembers_who_has_refused_the_request() {
    let picky = Provider::script([Answer::error(413, &[], "too large", "invalid_request_error")]).await;
    let a = Provider::script([Answer::rate_limited(Some("20")), Answer::ok()]).await;
    let living = Living::start(&chain_of(&[("p", &picky), ("a", &a)]));
    let waiting = actix_rt::spawn(living.app.send(ask("")));
    living.app.line_has(1).await;
    living.change(&chain_of(&[("a", &a), ("p", &picky)])).await;
    living.app.clock.advance(Duration::from_secs(20));
    let reply = waiting.await.unwrap();
    assert_eq!((reply.status, reply.header("x-429chain-provider")), (200, "a/m"), "{}", reply.text());
    assert_eq!((picky.calls(), a.calls()), (1, 2));
    living.app.stop().await;
}

/// LESSONS O24: under load and with many who reload at the same time, each request sees one configuration or the other.
#[actix_rt::test]
async fn o24_nobody_notices_a_reload_under_load() {
    let (a, b) = (healthy().await, healthy().await);
    let limits = "    rateLimits: { requestsPerMinute: 100000 }\n";
    let yamls = [config_of("", &[("a", &a), ("b", &b)], limits), config_of("", &[("b", &b)], "")];
    let living = Living::start(&yamls[0]);
    for round in 1..=20 {
        std::fs::write(&living.file, &yamls[round % 2]).unwrap();
        let clients = (0..32).map(|_| living.app.send(ask("")));
        let reloads = (0..4).map(|_| living.reload_as(ADMIN));
        let (replies, reloaded) = tokio::join!(join_all(clients), join_all(reloads));
        assert!(replies.iter().all(|reply| reply.status == 200), "{round}");
        assert!(reloaded.iter().all(|reply| reply.status == 200), "{round}");
        let news = reloaded.iter().filter(|reply| reply.json()["unchanged"] == false);
        assert_eq!(news.count(), 1, "one after the other: the first one found something new");
        assert_eq!(living.app.served_by().await, ["a/m", "b/m"][round % 2]);
    }
    assert_eq!(living.standing().await["loadedAt"], chain429::domain::time::Wall(NOON).to_string());
    living.app.stop().await;
}

/// A part of a configuration would be worse than none.
#[actix_rt::test]
async fn a_reload_whose_client_has_left_is_finished() {
    let (a, b) = (healthy().await, healthy().await);
    let living = Living::start(&chain_of(&[("a", &a)]));
    let before = living.standing().await["revision"].clone();
    std::fs::write(&living.file, chain_of(&[("b", &b)])).unwrap();
    {
        let asking = living.app.proxy.reload().reload();
        tokio::pin!(asking);
        tokio::select! {
            biased;
            _ = &mut asking => panic!("it takes longer than that"),
            () = std::future::ready(()) => {}
        }
    }
    let finished = async { while living.standing().await["revision"] == before {} };
    tokio::time::timeout(Duration::from_secs(10), finished).await.expect("nobody waits, and it is finished");
    assert_eq!(living.app.served_by().await, "b/m");
    living.app.stop().await;
}
