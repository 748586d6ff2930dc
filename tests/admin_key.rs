//! The admin key that was generated: a new one is taken without a restart.

use std::sync::{Arc, Mutex};

use chain429::config::model::KeyDigest;

use crate::support::app::{ADMIN, chain_of, healthy};
use crate::support::binary::{Running, command};
use crate::support::living::Living;

/// The file has no admin keys and stays as it is.
#[actix_rt::test]
async fn another_generated_key_is_taken_when_the_configuration_is_read_again() {
    let a = healthy().await;
    let yaml = chain_of(&[("a", &a)]).replace(&format!("  adminKeys: [\"{ADMIN}\"]\n"), "");
    let kept = Arc::new(Mutex::new(KeyDigest::of(ADMIN)));
    let shared = Arc::clone(&kept);
    let living = Living::start_with_key(&yaml, Box::new(move |_| Ok(*shared.lock().unwrap())));
    assert_eq!(living.reload_as(ADMIN).await.status, 200);
    *kept.lock().unwrap() = KeyDigest::of("ak-429-another");
    assert_eq!(living.reload_as("ak-429-another").await.status, 401, "not by itself");
    let said = living.reload_as(ADMIN).await;
    assert_eq!((said.status, &said.json()["unchanged"]), (200, &true.into()));
    assert_eq!(living.reload_as("ak-429-another").await.status, 200);
    assert_eq!(living.reload_as(ADMIN).await.status, 401, "it has taken the place of the one before");
    living.app.stop().await;
}

/// The same by the commands that people use.
#[actix_rt::test]
async fn a_lost_key_is_replaced_while_the_proxy_runs() {
    let a = healthy().await;
    let dir = tempfile::tempdir().unwrap();
    let yaml = chain_of(&[("a", &a)]).replace(&format!("  adminKeys: [\"{ADMIN}\"]\n"), "");
    // The shell that the key is made in does not have what the proxy was started with.
    let yaml = yaml.replace("apiKey: key-of-a", "apiKey: \"${KEY_OF_A}\"");
    std::fs::write(dir.path().join("c.yaml"), yaml).unwrap();
    let running = Running::start(command(dir.path(), &["-c", "c.yaml"]).env("KEY_OF_A", "key-of-a"));
    let make = |more: &[&str]| command(dir.path(), &[&["admin-key", "-c", "c.yaml"], more].concat()).output().unwrap();
    let refused = make(&[]);
    let advice = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        refused.status.code() == Some(2) && advice.contains("KEY_OF_A") && advice.contains("--data-dir"),
        "{advice}"
    );
    let output = make(&["--data-dir", "data"]);
    let warning = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && warning.contains("no effect if c.yaml sets settings.adminKeys"), "{warning}");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("SIGHUP") && !said.contains("after a restart"), "{said}");
    let key = said.lines().next().unwrap().rsplit(' ').next().unwrap().to_owned();
    let asked = || async {
        let request = awc::Client::default().get(format!("{}/v1/admin/versions", running.url)).bearer_auth(&key);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(asked().await, 401);
    running.signal("-HUP");
    let taken = async { while asked().await != 200 {} };
    tokio::time::timeout(std::time::Duration::from_secs(10), taken).await.expect("the key is taken");
    let (code, log) = running.end("-TERM");
    assert!(code == Some(0) && log.contains("another admin key is in use") && !log.contains(&key), "{log}");
}
