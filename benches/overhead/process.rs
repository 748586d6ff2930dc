//! A process that is measured, and that never outlives the measurement.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;

/// Linux counts CPU time in these for every architecture that Rust knows.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// How long a process may take until it listens.
const UP_WITHIN: Duration = Duration::from_secs(10);

/// A running process that listens; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Starts `command`, which is about to listen on `address`; what it says goes to the file `log`.
    pub(crate) fn start(command: &mut Command, address: SocketAddr, log: &Path) -> Result<Self> {
        let log = File::create(log)?;
        let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
        Ok(Self { child, address })
    }

    /// Waits until connections are taken.
    pub(crate) async fn up(mut self, log: &Path) -> Result<Self> {
        let last_call = Instant::now() + UP_WITHIN;
        while TcpStream::connect(self.address).is_err() {
            let gone = self.child.try_wait()?;
            if gone.is_some() || Instant::now() > last_call {
                let said = fs::read_to_string(log).unwrap_or_default();
                return Err(format!("{} does not start ({gone:?}):\n{said}", log.display()).into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(self)
    }

    /// CPU time used until now by all its threads.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        cpu_of(&self.child.id().to_string())
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1_024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU time used until now by all threads of the process that `/proc` lists as `process`.
pub(crate) fn cpu_of(process: &str) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The second field is the name in parentheses; after it, the 12th and 13th are user and system time.
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let times = behind_name.split_whitespace().skip(11).take(2).map(str::parse::<u32>);
    let ticks: u32 = times.sum::<std::result::Result<_, _>>()?;
    Ok(TICK * ticks)
}

/// A loopback address that nobody listens on.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Thousands of open streams need more files than shells allow by default. Children inherit the limit.
pub(crate) fn allow_many_files() {
    let own = std::process::id().to_string();
    // Where this does not work, the measurement with many streams says so.
    let _ = Command::new("prlimit").args(["--pid", &own, "--nofile=8192:"]).stderr(Stdio::null()).status();
}
