//! Where log lines go and what they look like; what traces are made of.

pub mod otlp;
pub mod span;
mod text;
pub mod tracer;

use std::cell::RefCell;
use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use crate::config::model::{LogFormat, LogLevel};

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `--log` or `CHAIN429_LOG` is no filter.
    #[error(
        "--log or CHAIN429_LOG: {0:?} is no log filter; use a level (error, warn, info, debug or trace) or targets with \
         theirs (info,chain429::upstream=trace)"
    )]
    Filter(String),
    /// Somebody else logs already.
    #[error("logging was started before")]
    Started,
}

/// Starts logging to stderr. `filter` (from `CHAIN429_LOG`) wins over `level`.
///
/// # Errors
/// When the filter cannot be read, or logging was started before.
pub fn start(level: LogLevel, format: LogFormat, filter: Option<&str>) -> Result<(), TelemetryError> {
    // An empty variable is how many say that it is not set.
    let filter = filter.filter(|text| !text.trim().is_empty());
    let targets = match filter {
        Some(text) => read(text).ok_or_else(|| TelemetryError::Filter(text.to_owned()))?,
        None => targets(level),
    };
    let (targets, handle) = reload::Layer::new(targets);
    let lines = fmt::layer().with_writer(|| Lines).with_target(false);
    let lines = match format {
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        LogFormat::Text if io::stderr().is_terminal() => lines.with_ansi(true).boxed(),
        LogFormat::Text => lines.with_ansi(false).with_timer(text::Time).fmt_fields(text::Plain).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(targets)).try_init().map_err(|_| TelemetryError::Started)?;
    if filter.is_none() {
        // Logging starts once: there is no other handle.
        let _ = LEVEL.set(handle);
    }
    Ok(())
}

/// How much is logged can be changed, unless a filter has said it more exactly.
static LEVEL: OnceLock<reload::Handle<Targets, Registry>> = OnceLock::new();

/// Logs as much as `level` says from now on, where that is what decides.
pub fn set_level(level: LogLevel) {
    if let Some(handle) = LEVEL.get() {
        // It fails when nobody logs any more.
        let _ = handle.reload(targets(level));
    }
}

/// A filter as people write it. `Targets` takes any word for the name of a target, and so a level that is misspelt for one
/// that says nothing.
fn read(filter: &str) -> Option<Targets> {
    // It takes blanks for a part of the name as well.
    let trimmed = |part: &str| part.split('=').map(str::trim).collect::<Vec<_>>().join("=");
    let parts: Vec<String> = filter.split(',').map(trimmed).collect();
    let is_clear = |part: &String| match part.rsplit_once('=') {
        Some((target, level)) => !target.is_empty() && !level.is_empty(),
        None => part == "chain429" || part.contains("::") || (!part.is_empty() && part.parse::<LevelFilter>().is_ok()),
    };
    parts.iter().all(is_clear).then(|| parts.join(",").parse().ok()).flatten()
}

fn targets(level: LogLevel) -> Targets {
    // What a client sends wrong is an error to this target, a line each: strangers could fill the log with it.
    Targets::new()
        .with_target("chain429", own(level))
        .with_target("actix_http::h1", LevelFilter::OFF)
        .with_default(LevelFilter::WARN)
}

thread_local! {
    static HELD: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Writes the log lines of `work` at once, in place of one system call each.
pub fn together(work: impl FnOnce()) {
    HELD.set(Some(Vec::new()));
    work();
    if let Some(lines) = HELD.take() {
        // Nobody is left to tell when the log itself cannot be written.
        let _ = io::stderr().write_all(&lines);
    }
}

/// Log lines go to stderr, or wait for the end of [`together`].
struct Lines;

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        HELD.with_borrow_mut(|held| match held {
            Some(lines) => lines.write(line),
            None => io::stderr().write(line),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

fn own(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Trace => LevelFilter::TRACE,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_that_is_misspelt_does_not_silence_the_log() {
        for filter in
            ["info", "WARN", "off", "warn,chain429::upstream=trace", "redb=debug", "chain429::web", "chain429"]
        {
            assert!(read(filter).is_some(), "{filter}");
        }
        assert_eq!(read(" debug\n"), read("debug"));
        assert_eq!(read("warn, chain429::upstream = trace"), read("warn,chain429::upstream=trace"));
        for filter in
            ["warning", "verbose", "fatal", "info,loud", "foo=bar=baz", "chain429=loud", "info,", "chain429=", "=info"]
        {
            assert!(read(filter).is_none(), "{filter}");
        }
    }
}
