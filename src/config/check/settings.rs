//! Who may use the proxy.

use super::super::model::{KeyDigest, Secret};
use super::super::path::YamlPath;
use super::super::raw::Settings;
use super::super::report::Report;
use super::check_rules;

pub(super) fn check(settings: &Settings, path: &YamlPath, report: &mut Report) {
    check_rules(settings, path, report);
    let (clients, admins) = (path.key("apiKeys"), path.key("adminKeys"));
    for (keys, path) in [(&settings.api_keys, &clients), (&settings.admin_keys, &admins)] {
        for (index, _) in keys.iter().enumerate().filter(|(_, key)| key.is_none()) {
            report.add_with_help(&path.index(index), "this key is empty", "put the key here, or remove the item");
        }
    }
    if settings.api_keys.is_empty() {
        report.add_with_help(
            &clients,
            "at least one client key is needed, or everybody who reaches this proxy could spend your quota",
            "make a key with `openssl rand -hex 24` and add `apiKeys: [\"${PROXY_KEY}\"]`; \
             `429chain init` writes a file with a fresh one",
        );
    }
    let client_digests: Vec<KeyDigest> = settings.api_keys.iter().flatten().filter_map(digest).collect();
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
