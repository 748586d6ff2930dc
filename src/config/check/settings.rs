//! Who may use the proxy.

use super::super::model::{self, KeyDigest, Secret};
use super::super::path::YamlPath;
use super::super::raw::{ClientKey, Price, Settings};
use super::super::report::Report;
use super::super::rules;
use super::{check_rule, check_rules};

const EMPTY: &str = "this key is empty";
const EMPTY_HELP: &str = "put the key here, or remove the item";

pub(super) fn check(settings: &Settings, path: &YamlPath, report: &mut Report) {
    check_rules(settings, path, report);
    let (clients, admins) = (path.key("apiKeys"), path.key("adminKeys"));
    for (index, item) in settings.api_keys.iter().enumerate() {
        check_client_key(item.as_ref(), &clients.index(index), report);
    }
    check_labels(&settings.api_keys, &clients, report);
    for (index, _) in settings.admin_keys.iter().enumerate().filter(|(_, key)| key.is_none()) {
        report.add_with_help(&admins.index(index), EMPTY, EMPTY_HELP);
    }
    for (models, price) in &settings.reference_prices {
        check_price(models, price.as_ref(), &path.key("referencePrices"), report);
    }
    if settings.api_keys.is_empty() {
        report.add_with_help(
            &clients,
            "at least one client key is needed, or everybody who reaches this proxy could spend your quota",
            "make a key with `openssl rand -hex 24` and add `apiKeys: [\"${PROXY_KEY}\"]`; \
             `429chain init` writes a file with a fresh one",
        );
    }
    let client_keys = settings.api_keys.iter().flatten().filter_map(|item| item.key.as_ref());
    let client_digests: Vec<KeyDigest> = client_keys.filter_map(digest).collect();
    for (index, key) in settings.admin_keys.iter().enumerate() {
        if key.as_ref().and_then(digest).is_some_and(|admin| client_digests.contains(&admin)) {
            report.add_with_help(
                &admins.index(index),
                "this is also a client key, so every client would be an administrator",
                "make another key: `429chain admin-key` does",
            );
        }
    }
}

fn check_client_key(item: Option<&ClientKey>, path: &YamlPath, report: &mut Report) {
    match item {
        Some(ClientKey { key: Some(key), label }) => {
            // An item may be nothing but a key.
            let place = if label.is_none() { path.clone() } else { path.key("key") };
            check_rule(rules::client_key(key, &()), &place, report);
            if let Some(label) = label {
                check_rule(rules::label(label, &()), &path.key("label"), report);
            }
        }
        Some(ClientKey { key: None, label: Some(_) }) => {
            report.add_with_help(&path.key("key"), "is missing", "write the key, or `{ key: ..., label: ... }`");
        }
        _ => report.add_with_help(path, EMPTY, EMPTY_HELP),
    }
}

/// Two keys with one label could not be told apart in the log.
fn check_labels(keys: &[Option<ClientKey>], path: &YamlPath, report: &mut Report) {
    let label = |(index, item): (usize, &Option<ClientKey>)| {
        item.as_ref().and_then(|item| item.label.clone()).unwrap_or_else(|| model::ClientKey::label_of(index))
    };
    let labels: Vec<String> = keys.iter().enumerate().map(label).collect();
    for (index, own) in labels.iter().enumerate() {
        let is_given = keys.get(index).is_some_and(|item| item.as_ref().is_some_and(|item| item.label.is_some()));
        let twin = labels.iter().enumerate().find(|(other, label)| {
            let other_given = keys.get(*other).is_some_and(|item| item.as_ref().is_some_and(|it| it.label.is_some()));
            *label == own && *other != index && (*other < index || !other_given)
        });
        if let Some((other, _)) = twin.filter(|_| is_given) {
            report.add_with_help(
                &path.index(index).key("label"),
                format!("{} is called so, too", path.index(other)),
                "give each key a label of its own; one without is called key-1, key-2 ... by its place",
            );
        }
    }
}

fn check_price(models: &str, price: Option<&Price>, path: &YamlPath, report: &mut Report) {
    let path = path.key(models);
    if models.trim().is_empty() {
        report.add_with_help(&path, "names no model", "write a model's name; `*` stands for anything");
    }
    let Some(price) = price else {
        return report.add_with_help(&path, "has no price", "write `{ input: 0.59, output: 0.79 }`");
    };
    check_rules(price, &path, report);
    for (key, value) in [("input", price.input), ("output", price.output)] {
        if value.is_none() {
            report.add_with_help(&path.key(key), "is missing", "in US dollars per million tokens");
        }
    }
}

/// Of a key in plain text or written as `sha256:`. `None` where the digest is not one.
pub(in crate::config) fn digest(key: &Secret) -> Option<KeyDigest> {
    let Some(hex) = key.expose().strip_prefix("sha256:") else { return Some(KeyDigest::of(key.expose())) };
    let mut bytes = [0; 32];
    if hex.len() != 64 {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(KeyDigest(bytes))
}
