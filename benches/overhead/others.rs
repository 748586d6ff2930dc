//! What everything else on the machine did meanwhile. Ratios survive a busy machine better than times do, but not well.

use std::fs;
use std::time::{Duration, Instant};

use crate::Result;
use crate::process::{self, Process, TICK};

/// A stretch of time, and the processes that were meant to run in it.
#[derive(Debug)]
pub(crate) struct Others<'a> {
    own: Vec<&'a Process>,
    began: Instant,
    before: Duration,
}

impl<'a> Others<'a> {
    /// Begins the stretch. This process is one of `own` without being named.
    pub(crate) fn watch(own: &[&'a Process]) -> Result<Self> {
        let own = own.to_vec();
        let before = used_by_others(&own)?;
        Ok(Self { own, began: Instant::now(), before })
    }

    /// The part of all processors that others have used since then, 0 to 1.
    pub(crate) fn share(&self) -> Result<f64> {
        let used = used_by_others(&self.own)?.saturating_sub(self.before);
        let processors = std::thread::available_parallelism()?.get();
        Ok(used.as_secs_f64() / self.began.elapsed().as_secs_f64() / processors as f64)
    }
}

fn used_by_others(own: &[&Process]) -> Result<Duration> {
    let mut ours = process::cpu_of("self")?;
    for process in own {
        ours += process.cpu()?;
    }
    Ok(used_by_all()?.saturating_sub(ours))
}

/// User, nice, system, interrupts and what the hypervisor gave to others; not idle and not waiting.
fn used_by_all() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    let total = stat.lines().next().and_then(|line| line.strip_prefix("cpu ")).ok_or("no cpu line")?;
    let mut ticks = 0;
    for (at, field) in total.split_whitespace().enumerate() {
        if matches!(at, 0..=2 | 5..=7) {
            ticks += field.parse::<u32>()?;
        }
    }
    Ok(TICK * ticks)
}
