use std::path::Path;

use super::*;
use crate::config::{self, Overrides};

const BASE: &str = "version: 1
settings: { apiKeys: [a-client-key], port: 3429 }
providers:
  - { id: p, type: generic-openai, baseUrl: 'http://one/v1', apiKeys: [k1, k2], rateLimits: { requestsPerMinute: 5 } }
  - { id: q, type: generic-openai, baseUrl: 'http://two/v1', apiKey: k3 }
chains:
  - { name: default, entries: [{ provider: p, model: m }, { provider: q, model: m }] }
  - { name: other, entries: [{ provider: p, model: n }] }
";

fn parse(yaml: &str) -> Config {
    let nothing: [(&str, &str); 0] = [];
    config::parse(yaml, "test", Path::new("."), &nothing, &Overrides::default())
        .unwrap_or_else(|problems| panic!("{problems}\n{yaml}"))
}

/// From the base to the base with these replacements.
fn diff(changes: &[(&str, &str)]) -> (Config, Config, Diff) {
    let text = changes.iter().fold(BASE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    let (old, new) = (parse(BASE), parse(&text));
    let diff = Diff::of(&old, &new);
    (old, new, diff)
}

fn changes(added: &[&str], changed: &[&str], removed: &[&str]) -> Changes {
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Changes { added: list(added), changed: list(changed), removed: list(removed) }
}

#[test]
fn the_same_file_and_other_comments_are_no_difference() {
    assert!(diff(&[]).2.is_empty());
    let (old, new, difference) = diff(&[("version: 1\n", "# words\nversion: 1\n\n")]);
    assert!(difference.is_empty() && old == new);
    assert!(fates(&old, &new).values().all(|fate| *fate == Fate::Kept));
}

#[test]
fn entries_start_are_retuned_and_retire() {
    let (old, new, difference) = diff(&[
        ("requestsPerMinute: 5", "requestsPerMinute: 9"),
        ("{ provider: p, model: n }", "{ provider: q, model: n }"),
    ]);
    assert_eq!(difference.providers, changes(&[], &["p"], &[]));
    assert_eq!(difference.chains, changes(&[], &["other"], &[]));
    assert_eq!(difference.entries, changes(&["q/n"], &["p/m"], &["p/n"]));
    assert!(difference.settings.is_empty() && mended(&old, &new).is_empty());
    let fate = |provider: &str| {
        let id = EntryId { provider: ProviderId::new(provider), model: crate::domain::ids::ModelId::new("m") };
        fates(&old, &new)[&id]
    };
    assert_eq!((fate("p"), fate("q")), (Fate::Retuned, Fate::Kept));
}

#[test]
fn what_concerns_all_entries_retunes_all_entries() {
    for setting in ["cooldownDefaultMs: 5", "midStreamFailureThreshold: 9", "midStreamCooldownMaxMs: 7200000"] {
        let (old, new, _) = diff(&[("port: 3429", setting)]);
        assert!(fates(&old, &new).values().all(|fate| *fate == Fate::Retuned), "{setting}");
    }
}

#[test]
fn servers_that_are_called_otherwise_are_mended() {
    for (from, to, is_mended) in [
        ("http://two/v1", "http://three/v1", true),
        ("apiKey: k3", "apiKey: k3, headers: { X-Team: a }", true),
        ("id: q, type: generic-openai", "id: q, type: mistral", true),
        ("apiKey: k3", "apiKey: k4", false),
        ("apiKey: k3", "apiKey: k3, timeout: 1000", false),
    ] {
        let (old, new, difference) = diff(&[(from, to)]);
        assert_eq!(difference.providers.changed, ["q"], "{to}");
        assert_eq!(mended(&old, &new).contains("q"), is_mended, "{to}");
    }
    let off = parse(&BASE.replace("apiKey: k3", "apiKey: k3, enabled: false"));
    let on = parse(BASE);
    assert!(mended(&off, &on).contains("q"), "switched on again");
    assert!(mended(&on, &off).is_empty());
}

/// Every key of the file that is a setting is told apart, and those that need a restart are named until it comes.
#[test]
fn every_setting_is_named_as_in_the_file() {
    let others = [
        ("host", "0.0.0.0"),
        ("port", "1"),
        ("workers", "2"),
        ("apiKeys", "[another-key]"),
        ("adminKeys", "[an-admin-key]"),
        ("defaultChain", "other"),
        ("unknownModel", "reject"),
        ("allowPrivateUrls", "false"),
        ("logLevel", "warn"),
        ("logFormat", "json"),
        ("cooldownDefaultMs", "1"),
        ("connectTimeoutMs", "1"),
        ("requestTimeoutMs", "1"),
        ("firstTokenTimeoutMs", "1"),
        ("streamIdleTimeoutMs", "1"),
        ("clientStallTimeoutMs", "1"),
        ("maxBodyBytes", "2000"),
        ("maxAnswerBytes", "2000"),
        ("queueMode", "false"),
        ("queueMaxWaitMs", "1"),
        ("queueMaxSize", "1"),
        ("dbPath", "./else/where.redb"),
        ("retentionDays", "1"),
        ("normalizeResponses", "true"),
        ("midStreamFailureThreshold", "1"),
        ("midStreamCooldownMs", "1"),
        ("midStreamCooldownMaxMs", "7200000"),
    ];
    let fixed = ["host", "port", "workers", "logFormat", "dbPath"];
    let old = parse(BASE);
    for (key, value) in others {
        let keys = if key == "apiKeys" { String::new() } else { "apiKeys: [a-client-key], ".to_owned() };
        let port = if key == "port" { "" } else { ", port: 3429" };
        let settings = format!("settings: {{ {keys}{key}: {value}{port} }}");
        let new = parse(&BASE.replace("settings: { apiKeys: [a-client-key], port: 3429 }", &settings));
        let name = format!("settings.{key}");
        assert_eq!(Diff::of(&old, &new).settings, [name.as_str()], "{settings}");
        let restart: Vec<&str> = needs_restart(&old.settings, &new.settings);
        assert_eq!(restart, if fixed.contains(&key) { vec![name.as_str()] } else { vec![] }, "{settings}");
    }
    let known = serde_json::to_value(crate::config::raw::Settings::default()).unwrap();
    for key in known.as_object().unwrap().keys() {
        assert!(others.iter().any(|(other, _)| other == key), "{key} is a setting that nobody has tried here");
    }
}
