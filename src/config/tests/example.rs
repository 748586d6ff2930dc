//! `config/config.example.yaml` is complete and true.

use std::collections::BTreeSet;

use config::{Map, Value, ValueKind};
use serde::Deserialize;

use super::super::document::{Content, Document};
use super::super::notices::NOT_YET;
use super::super::path::{Step, YamlPath};
use super::super::raw;
use super::super::report::Report;
use super::super::strict::{Misfit, Strict};
use super::*;

const EXAMPLE: &str = include_str!("../../../config/config.example.yaml");
const ENVIRONMENT: [(&str, &str); 5] = [
    ("PROXY_KEY", "p"),
    ("LAPTOP_KEY", "l"),
    ("GROQ_API_KEY", "g"),
    ("MISTRAL_API_KEY", "m"),
    ("MISTRAL_API_KEY_2", "n"),
];

/// All keys that a shape knows, from what it says to a key that it does not.
fn known_to<T: for<'de> Deserialize<'de>>() -> BTreeSet<&'static str> {
    let stranger = Map::from([("no such key".to_owned(), Value::new(None, ValueKind::Nil))]);
    match T::deserialize(Strict(&Value::new(None, ValueKind::Table(stranger)))) {
        Err(Misfit::UnknownKey { known, .. }) => known.iter().copied().collect(),
        _ => panic!("unknown keys should be refused"),
    }
}

/// All keys of the mappings at paths like `providers.*`.
fn keys_at(document: &Document, pattern: &str) -> BTreeSet<String> {
    let mut found = vec![YamlPath::root()];
    for wanted in pattern.split('.').filter(|wanted| !wanted.is_empty()) {
        let below = |path: &YamlPath| match document.get(path).map(|node| &node.content) {
            Some(Content::Map(entries)) => entries.iter().map(|it| path.key(it.key.clone())).collect(),
            Some(Content::List(items)) => (0..items.len()).map(|index| path.index(index)).collect(),
            _ => Vec::new(),
        };
        let fits = |path: &YamlPath| wanted == "*" || path.steps().last() == Some(&Step::Key(wanted.to_owned()));
        found = found.iter().flat_map(below).filter(fits).collect();
    }
    found
        .iter()
        .filter_map(|path| match &document.get(path)?.content {
            Content::Map(entries) => Some(entries.iter().map(|entry| entry.key.clone())),
            _ => None,
        })
        .flatten()
        .collect()
}

#[test]
fn the_example_loads() {
    let config = read_with(EXAMPLE, &ENVIRONMENT).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(config.providers.len(), 4);
}

#[test]
fn the_example_shows_every_key() {
    let (document, _) = Document::parse(EXAMPLE).unwrap_or_else(|problem| panic!("{problem}"));
    for (pattern, known) in [
        ("", known_to::<raw::File>()),
        ("settings", known_to::<raw::Settings>()),
        ("providers.*", known_to::<raw::Provider>()),
        ("providers.*.rateLimits", known_to::<raw::RateLimits>()),
        ("providers.*.models.*", known_to::<raw::ModelOverrides>()),
        ("chains.*", known_to::<raw::Chain>()),
        ("chains.*.entries.*", known_to::<raw::Entry>()),
    ] {
        let shown = keys_at(&document, pattern);
        let missing: Vec<&str> = known.into_iter().filter(|key| !shown.contains(*key)).collect();
        assert_eq!(missing, [""; 0], "{pattern}");
    }
}

#[test]
fn the_settings_of_the_example_are_the_defaults() {
    let (mut document, _) = Document::parse(EXAMPLE).unwrap_or_else(|problem| panic!("{problem}"));
    let mut report = Report::default();
    document.interpolate(&ENVIRONMENT, &mut report);
    let file = document.read(&Overrides::default(), &mut report);
    let defaults = serde_json::to_value(raw::Settings::default()).unwrap();
    assert_eq!(serde_json::to_value(file.settings).unwrap(), defaults);
    let settings = read_with(EXAMPLE, &ENVIRONMENT).unwrap().settings;
    assert_eq!(settings.db_path, good(LEAST).settings.db_path);
}

#[test]
fn the_example_marks_what_has_no_effect_yet() {
    let keys: BTreeSet<&str> = NOT_YET
        .iter()
        .filter_map(|pattern| pattern.split('=').next()?.split('.').rfind(|step| *step != "1"))
        .filter(|key| *key != "apiKeys")
        .collect();
    let marked: BTreeSet<&str> = EXAMPLE
        .lines()
        .filter(|line| line.contains("# [later]") || line.ends_with("[later]"))
        .filter_map(|line| line.split_once(": ").map(|(key, _)| key.trim()))
        .collect();
    assert_eq!(marked, keys);
}
