//! How a configuration comes about: by `init`, from elsewhere, or at the first start of a container.

use std::fs;

use super::{run, text};
use crate::support::binary::{Running, command};

#[test]
fn init_check_and_serve_follow_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let output = command(dir.path(), &["init"]).env("GROQ_API_KEY", "gsk-test").output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.contains("Client key for your apps: sk-429-") && said.contains("switched on: GROQ_API_KEY"), "{said}");

    let again = run(dir.path(), &["--init"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("is there already"), "{}", text(&again.stderr));

    let output = command(dir.path(), &["check"]).env("GROQ_API_KEY", "gsk-test").output().unwrap();
    assert!(output.status.success() && text(&output.stdout).contains("is fine: 1 of 10 providers"), "{output:?}");

    let mut serve = command(dir.path(), &["--port", "0"]);
    serve.env("GROQ_API_KEY", "gsk-test");
    let running = Running::start(serve);
    let shown: Vec<&str> = running.before.lines().filter(|line| line.contains("admin key")).collect();
    assert_eq!(shown.len(), 1, "{}", running.before);
    let key = shown[0].rsplit(' ').next().unwrap().to_owned();
    let (host, port) = running.url.strip_prefix("http://").unwrap().split_once(':').unwrap();
    let health = run(dir.path(), &["health", "--host", host, "--port", port]);
    assert!(health.status.success() && text(&health.stdout).contains(r#""status":"ok""#), "{health:?}");
    let (code, rest) = running.end("-TERM");
    assert_eq!(code, Some(0));
    assert!(rest.contains("draining") && rest.contains("stopped"), "{rest}");

    // The second start shows no key, and nowhere on disk is the key itself.
    let mut serve = command(dir.path(), &["--port", "0"]);
    serve.env("GROQ_API_KEY", "gsk-test");
    let running = Running::start(serve);
    assert!(!running.before.contains("admin key"), "{}", running.before);
    assert_eq!(running.end("-INT").0, Some(0));
    for entry in fs::read_dir(dir.path().join("data")).unwrap() {
        let kept = fs::read(entry.unwrap().path()).unwrap();
        assert!(!kept.windows(key.len()).any(|window| window == key.as_bytes()));
    }
}

#[test]
fn services_are_picked_by_name_or_type_and_an_unknown_one_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(dir.path(), &["init", "--providers", "grok"]);
    assert_eq!(output.status.code(), Some(2));
    let complaint = text(&output.stderr);
    assert!(complaint.contains("no service is called `grok`") && complaint.contains("groq, google"), "{complaint}");
    assert!(!dir.path().join("config").exists());
    let output = run(dir.path(), &["init", "--providers", "groq,google-ai", "--config", "c.yaml"]);
    assert!(output.status.success(), "{output:?}");
    let file = fs::read_to_string(dir.path().join("c.yaml")).unwrap();
    assert_eq!(file.matches("  - id: ").count(), 2, "{file}");
    assert!(file.contains("  - id: google\n    type: google-ai\n") && file.contains("requestsPerDay: 1000"), "{file}");
}

#[test]
fn a_configuration_of_litellm_is_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let theirs = "model_list:\n  - model_name: smart\n    litellm_params: { model: groq/openai/gpt-oss-120b, rpm: 30 }\n  \
                  - model_name: smart\n    litellm_params: { model: anthropic/claude, api_key: x }\n";
    fs::write(dir.path().join("litellm.yaml"), theirs).unwrap();
    let mut init = command(dir.path(), &["init", "--from-litellm", "litellm.yaml"]);
    let output = init.env("GROQ_API_KEY", "gsk-test").output().unwrap();
    let said = text(&output.stdout);
    assert!(output.status.success() && said.contains("note: anthropic/claude"), "{output:?}");
    let output = command(dir.path(), &["check"]).env("GROQ_API_KEY", "gsk-test").output().unwrap();
    assert!(text(&output.stdout).contains("is fine: 1 of 1 provider enabled, 1 chain with 1 entry"), "{output:?}");
    let missing = run(dir.path(), &["init", "--from-litellm", "nothing.yaml", "--config", "other.yaml"]);
    assert!(missing.status.code() == Some(2) && text(&missing.stderr).contains("nothing.yaml cannot be read"));
}

#[test]
fn a_configuration_of_litellm_that_can_be_misread_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let model = "model_list:\n  - model_name: smart\n    litellm_params:\n      model: ";
    for (rest, said) in [
        ("openai/m\n      api_base: http://a\n      api_base: http://b\n", "litellm.yaml:6:7: model_list[0]"),
        ("openai/m\n      <<: defaults\n", "litellm.yaml:5:7: `<<` takes a mapping"),
        ("openrouter/*\n", "openrouter/*: wildcards are not carried over"),
    ] {
        fs::write(dir.path().join("litellm.yaml"), format!("{model}{rest}")).unwrap();
        let output = run(dir.path(), &["init", "--from-litellm", "litellm.yaml"]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(text(&output.stderr).contains(said), "{output:?}");
        assert!(!dir.path().join("config").exists());
    }
}

/// As in a container with empty volumes: it writes a file, says the keys, and can be set up in the browser.
#[test]
fn a_missing_configuration_is_made_at_the_start_where_that_is_wanted() {
    let dir = tempfile::tempdir().unwrap();
    let start = || Running::start(command(dir.path(), &["serve", "--create-config", "--port", "0"]));
    let running = start();
    assert!(running.before.contains("all providers are disabled"), "{}", running.before);
    let made = fs::read(dir.path().join("config/config.yaml")).unwrap();
    assert_eq!(running.end("-TERM").0, Some(0));
    let running = start();
    assert_eq!(running.end("-TERM").0, Some(0));
    assert_eq!(fs::read(dir.path().join("config/config.yaml")).unwrap(), made, "the second time it is there");
}

#[test]
fn the_version_is_that_of_the_package() {
    let dir = tempfile::tempdir().unwrap();
    let said = text(&run(dir.path(), &["--version"]).stdout);
    assert!(said.starts_with(concat!("429chain ", env!("CARGO_PKG_VERSION"))), "{said}");
}
