//! The configuration file: read, checked, resolved. Every mistake is reported at once, with its place in the file.
//!
//! A file passes through these steps; each works on what the one before left over, so that one run finds everything:
//!
//! 1. `document`: YAML text to a tree with positions
//! 2. `interpolate`: `${NAME}` in its values
//! 3. `layers`, `strict`, `read`: defaults below, the command line above, into the shapes of `raw`
//! 4. `check`, `rules`: single values, then how they fit together
//! 5. `resolve`: the shapes become the [`model`] that the program runs on
//!
//! Traces are asked for by the environment alone: [`traces`].

mod check;
mod client_key;
mod day_reset;
pub mod diff;
pub mod disk;
pub mod document;
pub mod edit;
pub mod environment;
pub mod error;
pub mod file;
mod interpolate;
mod key_file;
mod layers;
pub mod litellm;
pub mod live;
pub mod model;
mod notices;
mod open;
pub mod path;
pub mod presets;
mod raw;
pub mod reach;
mod read;
mod report;
mod resolve;
pub mod revision;
mod rules;
pub mod source;
pub mod starter;
mod strict;
pub mod traces;
pub mod versions;
mod wording;

use std::io::{self, Read};
use std::path::Path;

use self::document::Document;
use self::environment::Environment;
use self::error::{ConfigErrorKind, ConfigErrors, Problem};
pub use self::layers::Overrides;
use self::model::Config;
use self::path::YamlPath;
use self::report::Report;

/// No configuration comes near it; a log file given by mistake does.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Reads the configuration at `path`.
///
/// # Errors
/// All that is wrong with it. [`ConfigErrorKind::Missing`] when there is no such file.
pub fn load(path: &Path, environment: &dyn Environment, overrides: &Overrides) -> Result<Config, ConfigErrors> {
    let origin = path.display().to_string();
    let text = read(path)?;
    parse(&text, &origin, path.parent().unwrap_or(Path::new("")), environment, overrides)
}

/// The text of the configuration at `path`.
///
/// # Errors
/// There is none, or what is there is no text. [`ConfigErrorKind::Missing`] when there is no such file.
pub fn read(path: &Path) -> Result<String, ConfigErrors> {
    read_text(path).map_err(|(kind, place, message)| {
        let problem = Problem::new(YamlPath::root(), place, message);
        let help = match kind {
            ConfigErrorKind::Missing => {
                "`429chain init` writes one to start from, `429chain demo` needs none, --config names another"
            }
            _ => "a configuration is a text file in UTF-8 that 429chain is allowed to read",
        };
        ConfigErrors::new(path.display().to_string(), kind, vec![problem.with_help(help)])
    })
}

/// Reads a configuration from its text. `origin` names it in messages; key files are looked for in `base_dir`.
///
/// # Errors
/// All that is wrong with it.
pub fn parse(
    text: &str,
    origin: &str,
    base_dir: &Path,
    environment: &dyn Environment,
    overrides: &Overrides,
) -> Result<Config, ConfigErrors> {
    let invalid = |problem| ConfigErrors::new(origin, ConfigErrorKind::Invalid, vec![problem]);
    let (mut document, problems) = Document::parse(text).map_err(invalid)?;
    let mut report = Report::new(problems);
    document.interpolate(environment, &mut report);
    let mut file = document.read(overrides, &mut report);
    check::check(&file, &document, &mut report);
    let key_files = file.read_key_files(base_dir, &mut report);
    report.finish(origin, &document)?;
    let (traces, mut notices) = traces::read(environment)
        .map_err(|problems| ConfigErrors::new("environment", ConfigErrorKind::Invalid, problems))?;
    notices.extend(notices::unfinished(&file));
    notices.extend(document.notices());
    let incomplete = || invalid(Problem::new(YamlPath::root(), None, "this configuration cannot be used"));
    let config = resolve::resolve(file, overrides, notices, traces).ok_or_else(incomplete)?;
    Ok(Config { key_files, ..config })
}

type Unread = (ConfigErrorKind, Option<document::Place>, String);

fn read_text(path: &Path) -> Result<String, Unread> {
    let unreadable = |error: &io::Error| match error.kind() {
        io::ErrorKind::NotFound => (ConfigErrorKind::Missing, None, "there is no such file".to_owned()),
        io::ErrorKind::PermissionDenied => {
            (ConfigErrorKind::Unreadable, None, "reading it is not permitted".to_owned())
        }
        io::ErrorKind::IsADirectory => (ConfigErrorKind::Unreadable, None, "this is a folder, not a file".to_owned()),
        io::ErrorKind::InvalidInput => (ConfigErrorKind::Unreadable, None, error.to_string()),
        _ => (ConfigErrorKind::Unreadable, None, format!("cannot be read: {error}")),
    };
    let mut bytes = Vec::new();
    let file = open::open(path).map_err(|error| unreadable(&error))?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > MOST_BYTES {
        let message = format!("is larger than {} MiB, which no configuration is", MOST_BYTES >> 20);
        return Err((ConfigErrorKind::Unreadable, None, message));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let place = document::Place::after(&String::from_utf8_lossy(valid));
        (ConfigErrorKind::Unreadable, Some(place), "this is not UTF-8 text".to_owned())
    })
}

#[cfg(test)]
mod tests;
