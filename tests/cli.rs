//! The binary, as a person at a terminal meets it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use crate::support::app::{ADMIN, CLIENT, ask, chain_of, config_of};
use crate::support::binary::{Running, command};
use crate::support::provider::{Answer, Provider};

mod classify;
mod init;

fn run(dir: &Path, args: &[&str]) -> Output {
    command(dir, args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn without_a_configuration_it_says_what_to_run() {
    let dir = tempfile::tempdir().unwrap();
    for args in [&[][..], &["serve"], &["check"]] {
        let output = run(dir.path(), args);
        let complaint = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2));
        for word in ["config/config.yaml", "429chain init", "429chain demo", "--config"] {
            assert!(complaint.contains(word), "{complaint}");
        }
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn check_prints_every_mistake_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("c.yaml");
    fs::write(
        &file,
        "version: 1\nsettings:\n  prot: 1\n  apiKeys: [a-client-key-1]\nproviders:\n  - { id: x, type: gorq, apiKey: k }\nchains:\n  - name: default\n    entries: [{ provider: y, model: m }]\n",
    )
    .unwrap();
    let output = run(dir.path(), &["check", "-c", "c.yaml"]);
    let complaint = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    for line in ["c.yaml:3:3", "did you mean `port`", "c.yaml:6:", "did you mean `groq`", "c.yaml:9:"] {
        assert!(complaint.contains(line), "{line} is not in {complaint}");
    }
}

#[test]
fn mistakes_in_the_command_line_exit_with_2_and_a_dead_proxy_with_1() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(run(dir.path(), &["nonsense"]).status.code(), Some(2));
    assert_eq!(run(dir.path(), &["--port", "x"]).status.code(), Some(2));
    assert_eq!(run(dir.path(), &["demo", "--log", "=="]).status.code(), Some(2));
    assert_eq!(run(dir.path(), &["--version"]).status.code(), Some(0));
    let health = run(dir.path(), &["health", "--host", "127.0.0.1", "--port", "1"]);
    assert_eq!(health.status.code(), Some(1));
    assert!(text(&health.stderr).contains("no answer from 127.0.0.1:1"), "{health:?}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = run(dir.path(), &["demo", "--port", &port]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("--port"), "{output:?}");
}

/// A server of another kind may answer every path with 200.
#[test]
fn health_knows_another_server_and_says_when_the_port_is_a_guess() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port().to_string();
    std::thread::spawn(move || {
        let (mut asked, _) = other.accept().unwrap();
        let _ = asked.read(&mut [0; 4_096]).unwrap();
        asked.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"object\":\"list\",\"data\":[]}").unwrap();
    });
    let dir = tempfile::tempdir().unwrap();
    let output = run(dir.path(), &["health", "--port", &port]);
    let said = text(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("is not 429chain"), "{output:?}");

    fs::write(dir.path().join("c.yaml"), "settings: { port: ten }\n").unwrap();
    let output = run(dir.path(), &["health", "-c", "c.yaml", "--host", "127.0.0.2"]);
    let said = text(&output.stderr);
    assert!(said.contains("The port is a guess") && said.contains("found `ten`"), "{said}");
}

/// One line per request and one per change of an entry's state; never a key or a body.
#[actix_rt::test]
async fn o20_the_log_tells_what_happened_and_no_secret() {
    for format in ["text", "json"] {
        let limited = Provider::script([Answer::rate_limited(Some("60"))]).await;
        let without_usage = Answer::json(200, &[], r#"{"choices":[{"message":{"content":"Hi"}}]}"#);
        let good = Provider::script([Answer::ok(), without_usage]).await;
        let dir = tempfile::tempdir().unwrap();
        let settings = format!("  logFormat: {format}\n  logLevel: trace\n");
        fs::write(dir.path().join("c.yaml"), config_of(&settings, &[("a", &limited), ("b", &good)], "")).unwrap();
        let mut serve = command(dir.path(), &["-c", "c.yaml"]);
        serve.env("CHAIN429_LOG", "trace");
        let running = Running::start(serve);
        let client = awc::Client::default();
        let ids: Vec<String> = {
            let mut ids = Vec::new();
            for body in [ask("").replace("Hello", "SECRET-PROMPT"), "{".to_owned(), ask("")] {
                let request = client.post(format!("{}/v1/chat/completions", running.url)).bearer_auth(CLIENT);
                let response = request.send_body(body).await.unwrap();
                ids.push(response.headers().get("x-request-id").unwrap().to_str().unwrap().to_owned());
            }
            ids
        };
        let (code, rest) = running.end("-TERM");
        assert_eq!(code, Some(0));
        // LESSONS O20: a request that failed had no latency, and one without usage no row.
        for id in &ids {
            assert_eq!(rest.lines().filter(|line| line.contains(id)).count(), 1, "one line per request: {rest}");
        }
        let served = rest.lines().find(|line| line.contains(&ids[0])).unwrap();
        for word in ["default", "b/m", "attempts", "200", "12", "3", "ms"] {
            assert!(served.contains(word), "{word} is not in {served}");
        }
        assert!(rest.lines().any(|line| line.contains("a/m cools down for 60 s")), "{rest}");
        for secret in ["SECRET-PROMPT", CLIENT, "key-of-a", "key-of-b"] {
            assert!(!rest.contains(secret), "{secret} is in {rest}");
        }
        if format == "json" {
            for line in rest.lines() {
                serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|fault| panic!("{fault}: {line}"));
            }
        }
    }
}

#[actix_rt::test]
async fn the_environment_stands_in_for_options() {
    let provider = Provider::with(|_, _| Answer::ok()).await;
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("c.yaml"), chain_of(&[("a", &provider)]).replace("port: 0", "port: 1")).unwrap();
    let mut serve = command(dir.path(), &[]);
    serve.env("CHAIN429_CONFIG", "c.yaml").env("CHAIN429_PORT", "0").env("CHAIN429_HOST", "127.0.0.1");
    serve.env("CHAIN429_DATA_DIR", "elsewhere");
    let running = Running::start(serve);
    assert!(running.url.starts_with("http://127.0.0.1:") && !running.url.ends_with(":1"), "{}", running.url);
    assert_eq!(running.end("-TERM").0, Some(0));
}

#[actix_rt::test]
async fn keys_without_effect_are_named_at_the_start() {
    let provider = Provider::with(|_, _| Answer::ok()).await;
    let dir = tempfile::tempdir().unwrap();
    let yaml = chain_of(&[("a", &provider)]).replace("    entries:\n", "    strategy: latency\n    entries:\n");
    fs::write(dir.path().join("c.yaml"), yaml).unwrap();
    let running = Running::start(command(dir.path(), &["-c", "c.yaml"]));
    assert!(running.before.contains("strategy: latency has no effect"), "{}", running.before);
    assert_eq!(running.end("-TERM").0, Some(0));
}

/// The curl line that `demo` prints works when it is pasted.
/// A stream takes two files, and shells allow few unless asked.
#[cfg(unix)]
#[test]
fn more_connections_than_the_shell_allows_files() {
    let dir = tempfile::tempdir().unwrap();
    let mut shell = Command::new("sh");
    let script = r#"ulimit -Sn 64 && exec "$0" demo --port 0"#;
    shell.args(["-c", script, env!("CARGO_BIN_EXE_429chain")]).current_dir(dir.path());
    let running = Running::start(shell);
    let address = running.url.strip_prefix("http://").unwrap();
    let mut connections = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"HTTP/1.1 200");
        connections.push(stream);
    }
    assert_eq!(running.end("-TERM").0, Some(0));
}

#[test]
fn the_printed_curl_line_of_the_demo_works() {
    let dir = tempfile::tempdir().unwrap();
    let mut running = Running::start(command(dir.path(), &["demo", "--port", "0"]));
    let mut stdout = BufReader::new(running.child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("curl") {
        line.clear();
        assert!(stdout.read_line(&mut line).unwrap() > 0);
    }
    let mut attempts = Vec::new();
    for _ in 0..7 {
        let output = Command::new("sh").args(["-c", &line]).output().unwrap();
        let answer = text(&output.stdout);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let header =
            answer.lines().find_map(|line| line.strip_prefix("x-429chain-attempts: ")).unwrap().trim().to_owned();
        attempts.push(header);
    }
    assert!(attempts.iter().any(|attempts| attempts != "1"), "{attempts:?}");
    assert_eq!(running.end("-INT").0, Some(0));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "the demo leaves nothing behind");
}

/// Runs `explain` against `running` with this admin key.
fn explain(running: &Running, key: Option<&str>, args: &[&str]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let (host, port) = running.url.strip_prefix("http://").unwrap().split_once(':').unwrap();
    let mut command = command(dir.path(), &["explain", "--host", host, "--port", port]);
    command.args(args).envs(key.map(|key| ("CHAIN429_ADMIN_KEY", key))).output().unwrap()
}

#[actix_rt::test]
async fn explain_says_who_would_serve_and_why_the_others_would_not() {
    let limited = Provider::script([Answer::rate_limited(Some("600"))]).await;
    let good = Provider::with(|_, _| Answer::ok()).await;
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("c.yaml"), chain_of(&[("a", &limited), ("b", &good)])).unwrap();
    let running = Running::start(command(dir.path(), &["-c", "c.yaml"]));
    let request = awc::Client::default().post(format!("{}/v1/chat/completions", running.url)).bearer_auth(CLIENT);
    assert_eq!(request.send_body(ask("")).await.unwrap().status(), 200);

    let output = explain(&running, Some(ADMIN), &["--prompt-tokens", "1000", "--max-tokens", "500"]);
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
    let said = text(&output.stdout);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!((lines[0], lines[1]), ("default: b/m would serve it.", ""));
    let cells = |line: &str| {
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(cells(lines[2]), ["ENTRY", "WOULD", "TOKENS", "WHY"]);
    assert_eq!(cells(lines[3])[..3], ["a/m", "pass", "1500"]);
    assert!(cells(lines[3])[3].starts_with("429, back in "), "{said}");
    assert_eq!((&cells(lines[4])[..2], lines.len()), (&["b/m".to_owned(), "serve".to_owned()][..], 5));

    let alone = explain(&running, Some(ADMIN), &["a/m"]);
    let said = text(&alone.stdout);
    assert_eq!(alone.status.code(), Some(0), "an answer is an answer");
    assert!(said.starts_with("a/m: nobody could serve it now. The first is back in "), "{said}");

    let json = explain(&running, Some(ADMIN), &["--json", "default"]);
    let answer: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&answer["next"], &answer["trail"][0]["reason"]), (&"b/m".into(), &"rate_limit".into()));

    let unknown = explain(&running, Some(ADMIN), &["gpt-4"]);
    let said = text(&unknown.stdout);
    assert!(said.starts_with("gpt-4 names no chain and no entry; such requests go to default.\n"), "{said}");
    assert_eq!((limited.calls(), good.calls()), (1, 1), "nobody was called");
    assert_eq!(running.end("-TERM").0, Some(0));
}

#[actix_rt::test]
async fn explain_says_what_to_do_when_there_is_no_answer() {
    let provider = Provider::with(|_, _| Answer::ok()).await;
    let dir = tempfile::tempdir().unwrap();
    let yaml = config_of("  unknownModel: reject\n", &[("a", &provider)], "");
    fs::write(dir.path().join("c.yaml"), yaml).unwrap();
    let running = Running::start(command(dir.path(), &["-c", "c.yaml"]));
    for (key, args, code, words) in [
        (None, &[][..], 2, "Set CHAIN429_ADMIN_KEY"),
        (Some(""), &[][..], 2, "Set CHAIN429_ADMIN_KEY"),
        (Some("a key"), &[][..], 2, "no spaces"),
        (Some(ADMIN), &["--prompt-tokens", "many"][..], 2, "--prompt-tokens"),
        (Some("ak-429-wrong"), &[][..], 1, "needs an admin key: send one of settings.adminKeys"),
        (Some(CLIENT), &[][..], 1, "needs an admin key: one of settings.adminKeys"),
        (Some(ADMIN), &["gpt-4"][..], 1, "The model `gpt-4` does not exist here"),
        (Some("ak-429-wrong"), &["--admin-key", ADMIN][..], 0, ""),
    ] {
        let output = explain(&running, key, args);
        let complaint = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{key:?} {args:?}: {complaint}");
        assert!(complaint.contains(words) && !complaint.contains("ak-429-wrong"), "{complaint}");
        assert_eq!(output.stdout.is_empty(), code != 0);
    }
    let port = running.url.rsplit(':').next().unwrap().to_owned();
    assert_eq!(running.end("-TERM").0, Some(0));
    let dir = tempfile::tempdir().unwrap();
    let mut gone = command(dir.path(), &["explain", "--host", "127.0.0.1", "--port", &port, "--admin-key", ADMIN]);
    let gone = gone.output().unwrap();
    assert_eq!(gone.status.code(), Some(1));
    assert!(text(&gone.stderr).contains(&format!("no answer from 127.0.0.1:{port}")), "{gone:?}");
}
