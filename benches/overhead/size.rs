//! Size of the binary. Benches keep symbols for profilers, a release does not: a copy is stripped as a release is.

use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::proxy::BINARY;
use crate::report::{Budget, Line, Report, Unit};

const MEGABYTE: f64 = 1_048_576.0;

/// Strips a copy and looks at it.
pub(crate) fn measure(dir: &Path, report: &Report) -> Result<()> {
    let stripped = dir.join("stripped");
    let status = Command::new("strip").arg("-o").arg(&stripped).arg(BINARY).status();
    if !status.is_ok_and(|status| status.success()) {
        return Err("strip is missing, so the binary's size is not known: apt-get install binutils".into());
    }
    let results = [std::fs::metadata(stripped)?.len() as f64 / MEGABYTE];
    let budget = Budget::AtMost(20.0);
    report.line(&Line { what: "binary", other: "", ours: "", results: &results, unit: Unit::Megabytes, budget });
    Ok(())
}
