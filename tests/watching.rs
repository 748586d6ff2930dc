//! The binary notices by itself that its configuration has changed, however that is done.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::support::app::{ADMIN, CLIENT, Reply, ask, config_of, healthy, whole};
use crate::support::binary::{Running, command};
use crate::support::provider::{Answer, Provider};

/// Long enough for a busy machine, and for a look without inotify.
const PATIENCE: Duration = Duration::from_secs(60);

struct Watched {
    running: Running,
    client: awc::Client,
}

impl Watched {
    /// A proxy with the configuration at this path.
    fn start(dir: &Path, config: &str) -> Self {
        let running = Running::start(command(dir, &["-c", config]));
        Self { running, client: awc::Client::builder().disable_timeout().finish() }
    }

    async fn standing(&self) -> Value {
        let request = self.client.get(format!("{}/health", self.running.url)).bearer_auth(CLIENT);
        whole(request.send().await.unwrap()).await.json()["config"].clone()
    }

    /// Waits until this holds for what `/health` says of the configuration.
    async fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let looking = async {
            loop {
                let standing = self.standing().await;
                if holds(&standing) {
                    return standing;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("not noticed: {what}"))
    }

    /// Does something to the file, and waits until another revision is in use.
    async fn notices(&self, what: &str, change: impl FnOnce()) {
        let before = self.standing().await["revision"].clone();
        change();
        self.until(what, |standing| standing["revision"] != before).await;
    }

    async fn chat(&self) -> Reply {
        let request = self.client.post(format!("{}/v1/chat/completions", self.running.url)).bearer_auth(CLIENT);
        whole(request.send_body(ask("")).await.unwrap()).await
    }

    /// Waits until so many requests are in the log of requests: then they are in the other one, too, or will never be.
    async fn recorded(&self, count: usize) {
        let looking = async {
            loop {
                let request = self.client.get(format!("{}/v1/stats/requests", self.running.url)).bearer_auth(CLIENT);
                let log = whole(request.send().await.unwrap()).await.text();
                if log.matches("\"req_").count() >= count {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.expect("it is written down");
    }

    async fn reload(&self) -> u16 {
        let request = self.client.post(format!("{}/v1/admin/reload", self.running.url)).bearer_auth(ADMIN);
        request.send().await.unwrap().status().as_u16()
    }
}

fn yaml(provider: &Provider, settings: &str) -> String {
    config_of(settings, &[("a", provider)], "")
}

#[actix_rt::test]
async fn editors_scripts_and_mounts_are_noticed() {
    let provider = healthy().await;
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let file = at("c.yaml");
    let wait = |number: u32| yaml(&provider, &format!("  queueMaxWaitMs: {number}\n"));
    fs::write(&file, wait(1)).unwrap();
    let watched = Watched::start(dir.path(), "c.yaml");
    watched.notices("written in place", || fs::write(&file, wait(2)).unwrap()).await;
    watched
        .notices("another file put in its place, as editors do", || {
            fs::write(at(".c.yaml.swp"), wait(3)).unwrap();
            fs::rename(at(".c.yaml.swp"), &file).unwrap();
        })
        .await;
    watched
        .notices("moved away and written anew, as other editors do", || {
            fs::rename(&file, at("c.yaml~")).unwrap();
            fs::write(&file, wait(4)).unwrap();
        })
        .await;
    // As a mounted ConfigMap: the file is a link to a link that is swapped.
    let version = |number: u32| {
        let folder = at(&format!("..{number}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("c.yaml"), wait(number)).unwrap();
        std::os::unix::fs::symlink(format!("..{number}"), at("..new")).unwrap();
        fs::rename(at("..new"), at("..data")).unwrap();
    };
    watched
        .notices("a link in its place", || {
            version(5);
            std::os::unix::fs::symlink("..data/c.yaml", at("link")).unwrap();
            fs::rename(at("link"), &file).unwrap();
        })
        .await;
    watched.notices("a link on the way swapped", || version(6)).await;
    watched.notices("what a link leads to written in place", || fs::write(at("..6/c.yaml"), wait(7)).unwrap()).await;
    assert_eq!(watched.chat().await.status, 200);
    let (code, log) = watched.running.end("-TERM");
    assert_eq!(code, Some(0));
    assert_eq!(log.matches("the configuration has changed and is in use").count(), 6, "{log}");
    assert!(!log.contains("ERROR"), "{log}");
}

/// Nothing happens in the folder that the system was asked about: another one is in its place.
#[actix_rt::test]
async fn what_the_system_does_not_tell_is_found_by_looking() {
    let provider = healthy().await;
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    for number in [1, 2] {
        fs::create_dir(at(&format!("v{number}"))).unwrap();
        let text = yaml(&provider, &format!("  queueMaxWaitMs: {number}\n"));
        fs::write(at(&format!("v{number}/c.yaml")), text).unwrap();
    }
    std::os::unix::fs::symlink("v1", at("current")).unwrap();
    let watched = Watched::start(dir.path(), "current/c.yaml");
    watched
        .notices("another folder", || {
            std::os::unix::fs::symlink("v2", at("next")).unwrap();
            fs::rename(at("next"), at("current")).unwrap();
        })
        .await;
    assert_eq!(watched.chat().await.status, 200);
}

#[actix_rt::test]
async fn a_key_file_is_a_part_of_the_configuration() {
    let provider = Provider::with(|request, _| match request.header("authorization") {
        Some("Bearer right") => Answer::ok(),
        _ => Answer::error(401, &[], "bad key", "auth"),
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("secrets")).unwrap();
    let key = dir.path().join("secrets/key");
    fs::write(&key, "wrong").unwrap();
    let text = yaml(&provider, "").replace("apiKey: key-of-a", "apiKeyFile: secrets/key");
    fs::write(dir.path().join("c.yaml"), text).unwrap();
    let watched = Watched::start(dir.path(), "c.yaml");
    assert_eq!(watched.chat().await.status, 503);
    let before = watched.standing().await;
    fs::remove_file(&key).unwrap();
    watched.until("the key is gone", |standing| standing["error"] != Value::Null).await;
    fs::write(&key, "right").unwrap();
    let after = watched.until("the key is back", |standing| standing["error"] == Value::Null).await;
    assert_eq!(after["revision"], before["revision"], "the configuration itself is the same");
    assert_eq!(watched.chat().await.status, 200);
}

#[actix_rt::test]
async fn a_bad_file_is_told_once_and_how_much_is_logged_can_be_changed() {
    let provider = healthy().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("c.yaml");
    let level = |level: &str| yaml(&provider, &format!("  logLevel: {level}\n"));
    fs::write(&file, level("info")).unwrap();
    let watched = Watched::start(dir.path(), "c.yaml");
    fs::write(&file, level("loud")).unwrap();
    watched.until("it is wrong", |standing| standing["error"] != Value::Null).await;
    assert_eq!((watched.reload().await, watched.reload().await), (422, 422));
    watched.notices("it is right again", || fs::write(&file, level("warn")).unwrap()).await;
    assert_eq!(watched.chat().await.status, 200);
    watched.recorded(1).await;
    watched.notices("more is logged", || fs::write(&file, level("debug")).unwrap()).await;
    assert_eq!(watched.chat().await.status, 200);
    let (_, log) = watched.running.end("-TERM");
    let told: Vec<&str> = log.lines().filter(|line| line.contains("ERROR")).collect();
    assert_eq!(told.len(), 1, "{log}");
    let place = log.lines().find(|line| line.contains("c.yaml:5:13: settings.logLevel")).expect(&log);
    assert!(!place.contains("INFO"), "{place}");
    assert_eq!(log.lines().filter(|line| line.contains("request.id=")).count(), 1, "{log}");
}

/// A change that nobody can see from outside is found by SIGHUP.
#[actix_rt::test]
async fn sighup_has_the_file_read_again() {
    let provider = healthy().await;
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("elsewhere")).unwrap();
    let (file, twin) = (dir.path().join("c.yaml"), dir.path().join("elsewhere/twin"));
    let wait = |number: u32| yaml(&provider, &format!("  queueMaxWaitMs: {number}\n"));
    fs::write(&file, wait(1)).unwrap();
    fs::hard_link(&file, &twin).unwrap();
    let watched = Watched::start(dir.path(), "c.yaml");
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    watched
        .notices("a signal", || {
            fs::write(&twin, wait(2)).unwrap();
            fs::File::options().write(true).open(&twin).unwrap().set_modified(modified).unwrap();
            watched.running.signal("-HUP");
        })
        .await;
    assert_eq!(watched.chat().await.status, 200);
    let (code, log) = watched.running.end("-TERM");
    assert!(code == Some(0) && log.contains("is in use"), "{log}");
}
