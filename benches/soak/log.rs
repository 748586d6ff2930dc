//! What the proxy has said.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use crate::Result;

/// Lines that are kept to be shown.
const EXAMPLES: usize = 5;

/// What stands in the log.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// Lines.
    pub(crate) lines: u64,
    /// Warnings.
    pub(crate) warnings: u64,
    /// Errors.
    pub(crate) errors: u64,
    /// Panics.
    pub(crate) panics: u64,
    /// Requests that were cut when it stopped; `None` when it does not say that it has stopped.
    pub(crate) cut: Option<u64>,
    /// Some of the errors and panics.
    pub(crate) examples: Vec<String>,
}

impl Log {
    /// Reads it.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let mut log = Self::default();
        for line in BufReader::new(File::open(path)?).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            // The time comes first.
            let level = line.split_whitespace().nth(1).unwrap_or_default();
            let panicked = line.contains("panicked at");
            log.lines += 1;
            log.warnings += u64::from(level == "WARN");
            log.errors += u64::from(level == "ERROR");
            log.panics += u64::from(panicked);
            if (level == "ERROR" || panicked) && log.examples.len() < EXAMPLES {
                log.examples.push(line.clone().into_owned());
            }
            if let Some(words) = line.split_once(" stopped ").map(|(_, words)| words) {
                log.cut = words.trim().strip_prefix("cut=").and_then(|count| count.parse().ok());
            }
        }
        Ok(log)
    }
}
