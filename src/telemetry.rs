//! Where log lines go and what they look like.

use std::io::{self, IsTerminal};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::config::model::{LogFormat, LogLevel};

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `CHAIN429_LOG` is no filter.
    #[error("CHAIN429_LOG={0:?} is no log filter; use a level (debug) or targets (info,chain429::upstream=trace)")]
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
    let targets = match filter {
        Some(text) => text.parse().map_err(|_| TelemetryError::Filter(text.to_owned()))?,
        None => Targets::new().with_target("chain429", own(level)).with_default(LevelFilter::WARN),
    };
    let lines = fmt::layer().with_writer(io::stderr).with_target(false);
    let lines = match format {
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(targets)).try_init().map_err(|_| TelemetryError::Started)
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
