//! Memory and open files of the proxy over time.

use std::time::Duration;

use crate::Result;
use crate::process::Process;

const MEGABYTE: f64 = 1_048_576.0;

/// One look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Since the load began.
    pub(crate) at: Duration,
    /// Resident memory in megabytes.
    pub(crate) resident: f64,
    /// Open file descriptors.
    pub(crate) files: usize,
}

/// All looks, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Samples(Vec<Sample>);

impl Samples {
    /// Takes one more.
    pub(crate) fn take(&mut self, process: &Process, at: Duration) -> Result<()> {
        let resident = process.resident()? as f64 / MEGABYTE;
        self.0.push(Sample { at, resident, files: process.files()? });
        Ok(())
    }

    /// The first one at that time or later, or else the last one.
    pub(crate) fn at(&self, at: Duration) -> Option<Sample> {
        self.0.iter().find(|sample| sample.at >= at).or(self.0.last()).copied()
    }

    /// The last one.
    pub(crate) fn last(&self) -> Option<Sample> {
        self.0.last().copied()
    }

    /// Most memory, and most open files.
    pub(crate) fn most(&self) -> (f64, usize) {
        let files = self.0.iter().map(|sample| sample.files).max().unwrap_or_default();
        (self.0.iter().map(|sample| sample.resident).fold(0.0, f64::max), files)
    }

    /// Growth of memory in megabytes per ten minutes: the line with the least squares through all samples after `warm`.
    pub(crate) fn slope(&self, warm: Duration) -> f64 {
        let later: Vec<(f64, f64)> = self
            .0
            .iter()
            .filter(|sample| sample.at >= warm)
            .map(|sample| (sample.at.as_secs_f64() / 600.0, sample.resident))
            .collect();
        let count = later.len() as f64;
        let mean = later.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0 / count, sum.1 + point.1 / count));
        let (mut up, mut along) = (0.0, 0.0);
        for (at, resident) in later {
            up += (at - mean.0) * (resident - mean.1);
            along += (at - mean.0) * (at - mean.0);
        }
        up / along
    }
}
