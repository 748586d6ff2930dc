//! What fuzzing starts from: the committed files of `seeds/TARGET`, for `classify` every recorded answer as well, and for
//! `edit` every configuration.

use std::fs;
use std::io;
use std::path::Path;

use chain429::domain::case::Case;
use serde_json::Value;
use serde_json::value::RawValue;

use super::classify::{NOW, decode, encode};

/// Bytes to start from, and what they are called.
pub struct Seed {
    /// Unique within its target.
    pub name: String,
    /// The input.
    pub bytes: Vec<u8>,
}

/// The seeds of a target, in the order of their names. `tests` is the folder of that name.
///
/// # Errors
/// A file that cannot be read, or a recorded answer that is none.
pub fn seeds(tests: &Path, target: &str) -> io::Result<Vec<Seed>> {
    let mut seeds = match target {
        "classify" => recorded(&tests.join("fixtures/dialects.json"))?,
        "edit" => edits(self::seeds(tests, "config")?),
        _ => Vec::new(),
    };
    let folder = tests.join("fuzz/seeds").join(target);
    for file in fs::read_dir(&folder).into_iter().flatten() {
        let file = file?;
        seeds.push(Seed { name: file.file_name().to_string_lossy().into_owned(), bytes: fs::read(file.path())? });
    }
    seeds.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(seeds)
}

/// Some changes of each configuration: others for each.
fn edits(configs: Vec<Seed>) -> Vec<Seed> {
    let edit = |(config, letters): (Seed, &[u8])| {
        let bytes = [letters, b"\n", config.bytes.as_slice()].concat();
        Seed { name: format!("config-{}", config.name), bytes }
    };
    configs.into_iter().zip(b"abcdefghijklmnopqrst".chunks(2).cycle()).map(edit).collect()
}

fn recorded(fixtures: &Path) -> io::Result<Vec<Seed>> {
    let text = fs::read_to_string(fixtures)?;
    let cases: Vec<&RawValue> = serde_json::from_str(&text)?;
    cases.into_iter().map(|raw| seed_of(raw.get())).collect()
}

fn seed_of(line: &str) -> io::Result<Seed> {
    let names: Value = serde_json::from_str(line)?;
    let case = Case::read(line, NOW).map_err(|error| io::Error::other(format!("{names}: {error}")))?;
    let bytes = encode(&case);
    let again = decode(&bytes).ok_or_else(|| io::Error::other(format!("{names} becomes no case")))?;
    if (again.dialect, &again.headers, &again.body) != (case.dialect, &case.headers, &case.body) {
        return Err(io::Error::other(format!("{names} does not survive")));
    }
    let name = |key: &str| names[key].as_str().unwrap_or_default().to_owned();
    Ok(Seed { name: format!("{}-{}", name("provider"), name("case")), bytes })
}
