//! A write of the configuration file that a crash has cut short is said, with what to do.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::support::app::{chain_of, healthy};
use crate::support::binary::{Running, command};

fn check(dir: &Path, more: &[&str]) -> (Output, String) {
    let output = command(dir, &[&["check", "-c", "c.yaml"], more].concat()).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned();
    (output, said)
}

#[actix_rt::test]
async fn old_contents_that_were_left_behind_are_named() {
    let yaml = chain_of(&[("a", &healthy().await)]);
    let dir = tempfile::tempdir().unwrap();
    let (file, data) = (dir.path().join("c.yaml"), dir.path().join("data"));
    let copy = data.join("config-before-write.yaml");
    fs::create_dir(&data).unwrap();
    fs::write(&file, &yaml).unwrap();
    fs::write(&copy, &yaml).unwrap();
    let (output, said) = check(dir.path(), &[]);
    assert!(output.status.success() && !said.contains("cut short"), "nothing is lost when both are the same: {said}");

    fs::write(&copy, format!("{yaml}# as it was\n")).unwrap();
    let (output, said) = check(dir.path(), &[]);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("note: a write of c.yaml was cut short") && said.contains("is fine"), "{said}");
    assert!(said.contains("./data/config-before-write.yaml"), "{said}");
    let running = Running::start(command(dir.path(), &["-c", "c.yaml"]));
    assert_eq!(running.before.matches("was cut short").count(), 1, "{}", running.before);
    assert_eq!(running.end("-TERM").0, Some(0));

    // Half of it is on the disk.
    fs::write(&file, &yaml[..yaml.len() / 2]).unwrap();
    for args in [&["check", "-c", "c.yaml"][..], &["serve", "-c", "c.yaml"]] {
        let output = command(dir.path(), args).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("./data/config-before-write.yaml: put that in its place"), "{said}");
    }
    fs::rename(&copy, &file).unwrap();
    assert!(!check(dir.path(), &[]).1.contains("cut short"));
}

/// Where data lives is told by the command line, or by the file as long as it is one.
#[actix_rt::test]
async fn old_contents_are_looked_for_where_data_lives() {
    let yaml = chain_of(&[("a", &healthy().await)]);
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("elsewhere")).unwrap();
    fs::write(dir.path().join("elsewhere/config-before-write.yaml"), &yaml).unwrap();
    fs::write(dir.path().join("c.yaml"), "version: 1\n").unwrap();
    let (output, said) = check(dir.path(), &["--data-dir", "elsewhere"]);
    assert!(output.status.code() == Some(2) && said.contains("elsewhere/config-before-write.yaml"), "{said}");
    let (_, said) = check(dir.path(), &[]);
    assert!(!said.contains("cut short"), "{said}");
    fs::write(dir.path().join("c.yaml"), "version: 1\nsettings:\n  dbPath: elsewhere/usage.redb\n").unwrap();
    let (output, said) = check(dir.path(), &[]);
    assert!(output.status.code() == Some(2) && said.contains("elsewhere/config-before-write.yaml"), "{said}");
}
