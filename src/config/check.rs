//! What must hold beyond the shape of the file: first each value on its own, then how they fit together.

mod chains;
mod providers;
mod settings;

use garde::Validate;

pub(super) use self::settings::digest;
use super::document::{Content, Document};
use super::path::YamlPath;
use super::raw::File;
use super::report::Report;
use crate::config::reach::Fence;

/// Where a new user is sent.
const START_HELP: &str = "`429chain init` writes a file to start from, `429chain demo` needs none";

pub(super) fn check(file: &File, document: &Document, report: &mut Report) {
    let root = YamlPath::root();
    if matches!(document.root.content, Content::Null) {
        report.add_with_help(&root, "the file is empty", START_HELP);
    }
    check_version(file, report);
    settings::check(&file.settings, &root.key("settings"), report);
    let fence = Fence { private: file.settings.allow_private_urls };
    providers::check(&file.providers, fence, document, report);
    chains::check(file, document, report);
}

fn check_version(file: &File, report: &mut Report) {
    let path = YamlPath::root().key("version");
    match file.version {
        Some(1) => {}
        Some(_) => report.add_with_help(&path, "this version of the file format is not known", "write `version: 1`"),
        None => report.add_with_help(&path, "is missing", "add `version: 1` at the top of the file"),
    }
}

/// Runs the rules written at the fields of `raw`.
fn check_rules<T: Validate<Context = ()>>(shape: &T, path: &YamlPath, report: &mut Report) {
    let Err(broken) = shape.validate() else { return };
    for (field, error) in broken.iter() {
        check_rule(Err(error.clone()), &field_path(path, &field.to_string()), report);
    }
}

/// Says of the value at `path` what a rule says.
fn check_rule(result: garde::Result, path: &YamlPath, report: &mut Report) {
    let Err(error) = result else { return };
    match error.message().split_once('\n') {
        Some((message, help)) => report.add_with_help(path, message, help),
        None => report.add(path, error.message()),
    }
}

/// From `api_keys[0]` to `apiKeys[0]` below `path`.
fn field_path(path: &YamlPath, field: &str) -> YamlPath {
    let (name, index) = field.split_once('[').unwrap_or((field, ""));
    let mut camel = String::with_capacity(name.len());
    for (part, word) in name.split('_').enumerate() {
        let mut letters = word.chars();
        if let Some(first) = letters.next().filter(|_| part > 0) {
            camel.push(first.to_ascii_uppercase());
            camel.push_str(letters.as_str());
        } else {
            camel.push_str(word);
        }
    }
    let path = path.key(camel);
    match index.trim_end_matches(']').parse() {
        Ok(index) => path.index(index),
        Err(_) => path,
    }
}

#[cfg(test)]
mod field_tests {
    use super::*;

    #[test]
    fn fields_are_called_as_in_the_file() {
        let root = YamlPath::root();
        assert_eq!(field_path(&root, "port").to_string(), "port");
        assert_eq!(field_path(&root, "api_keys[1]").to_string(), "apiKeys[1]");
        assert_eq!(field_path(&root, "mid_stream_cooldown_ms").to_string(), "midStreamCooldownMs");
    }
}
