//! The rules of the source tree that a machine can hold.

use std::fs;
use std::path::{Path, PathBuf};

/// Lowest first: a module may use those before it and itself.
const ORDER: [&str; 11] =
    ["domain", "clock", "config", "telemetry", "store", "actors", "upstream", "web", "demo", "app", "cli"];

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn module(path: &Path) -> String {
    let relative = path.strip_prefix("src").unwrap();
    relative.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs")
}

fn production(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

#[test]
fn dependencies_point_one_way() {
    let rank = |name: &str| ORDER.iter().position(|known| *known == name);
    for path in sources(Path::new("src")) {
        let module = module(&path);
        let Some(own) = rank(&module) else {
            assert!(["lib", "main"].contains(&module.as_str()), "{} is in no module of the order", path.display());
            continue;
        };
        let text = fs::read_to_string(&path).unwrap();
        for used in text.split("crate::").skip(1) {
            let name: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let Some(other) = rank(&name) else { continue };
            assert!(other <= own, "{} uses crate::{name}, which depends on {module}", path.display());
        }
    }
}

/// LESSONS F16: on its way a request meets no database. What it leaves goes through the journal.
#[test]
fn f16_who_serves_requests_knows_no_database() {
    let mut serving = sources(Path::new("src/upstream"));
    serving.extend(
        ["gate", "keys", "strangers", "admit", "completions", "unread"].map(|name| format!("src/web/{name}.rs").into()),
    );
    for path in serving {
        let text = fs::read_to_string(&path).unwrap();
        assert!(!production(&text).contains("crate::store"), "{} uses the store", path.display());
    }
}

#[test]
fn the_core_touches_nothing_of_the_outside() {
    for path in sources(Path::new("src/domain")) {
        let text = fs::read_to_string(&path).unwrap();
        for outside in ["std::fs", "std::net", "std::env", "std::thread", "tokio", "actix", "awc", "tracing", "redb"] {
            assert!(!text.contains(&format!("use {outside}")), "{} uses {outside}", path.display());
        }
    }
}

#[test]
fn a_file_has_one_noun_and_at_most_400_lines() {
    for path in sources(Path::new("src")) {
        if is_test(&path) {
            continue;
        }
        let lines = production(&fs::read_to_string(&path).unwrap()).lines().count();
        assert!(lines <= 400, "{} has {lines} production lines", path.display());
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(!["utils", "util", "helpers", "common", "misc"].contains(&name.as_str()), "{}", path.display());
    }
}
