//! Figures of the process, by the names that they have everywhere. What the system does not tell is left out.

use std::fs;

use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::clock::processor_time;
use crate::domain::time::Wall;

/// Adds what there is. The process has started at `started`.
pub(super) fn figures(registry: &mut Registry, started: Wall) {
    registry.register(
        "process_start_time_seconds",
        "When the process started, in seconds since 1970",
        ConstGauge::new(started.0 as f64 / 1_000.0),
    );
    if let Some(worked) = processor_time() {
        let worked = ConstCounter::new(worked.as_secs_f64());
        registry.register("process_cpu_seconds", "How long processors have worked for the process", worked);
    }
    let memory = fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(bytes) = bytes_of(&memory, "VmRSS:") {
        registry.register("process_resident_memory_bytes", "Memory that is in use", ConstGauge::new(bytes));
    }
    if let Some(bytes) = bytes_of(&memory, "VmSize:") {
        registry.register("process_virtual_memory_bytes", "Memory that was asked for", ConstGauge::new(bytes));
    }
    if let Some(open) = open_files() {
        registry.register("process_open_fds", "Files and connections that are open", ConstGauge::new(open));
    }
    #[cfg(unix)]
    if let Ok((soft, _)) = rlimit::getrlimit(rlimit::Resource::NOFILE) {
        registry.register("process_max_fds", "How many of them there may be", ConstGauge::new(soft));
    }
}

/// A line of `/proc/self/status`: `VmRSS:     17204 kB`.
fn bytes_of(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    kilobytes.checked_mul(1_024)
}

fn open_files() -> Option<u64> {
    const OPEN: &str = "/proc/self/fd";
    // Linux 6.2 and later know the number. With thousands of connections counting them takes a while.
    match fs::metadata(OPEN).ok()?.len() {
        // The directory itself is open while it is read.
        0 => Some((fs::read_dir(OPEN).ok()?.count() as u64).saturating_sub(1)),
        known => Some(known),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_told_in_bytes() {
        let status = "Name:\t429chain\nVmSize:\t  123456 kB\nVmRSS:\t   17204 kB\n";
        assert_eq!(bytes_of(status, "VmRSS:"), Some(17_204 * 1_024));
        assert_eq!(bytes_of(status, "VmSize:"), Some(123_456 * 1_024));
        assert_eq!(bytes_of(status, "VmPeak:"), None);
        assert_eq!(bytes_of("VmRSS: much", "VmRSS:"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_open_file_is_counted() {
        let before = open_files().unwrap();
        assert!(before >= 3, "{before}");
        let held: Vec<_> = (0..100).map(|_| fs::File::open("/dev/null").unwrap()).collect();
        // Other tests open and close files meanwhile.
        assert!(open_files().unwrap() >= held.len() as u64, "{before}");
    }
}
