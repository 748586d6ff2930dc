//! The process that is watched, and that never outlives the bench.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::Result;

/// How long it may take until it listens.
const UP_WITHIN: Duration = Duration::from_secs(10);

/// How long it may take to stop: what its requests may take, and then some.
const DOWN_WITHIN: Duration = Duration::from_secs(45);

/// A running process that listens; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Starts `command`, which is about to listen on `address`; what it says goes to the file `log`. Returns when
    /// connections are taken.
    pub(crate) async fn start(command: &mut Command, address: SocketAddr, log: &Path) -> Result<Self> {
        let file = File::create(log)?;
        let child = command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).spawn()?;
        let mut started = Self { child, address };
        let last_call = Instant::now() + UP_WITHIN;
        while TcpStream::connect(address).is_err() {
            let gone = started.child.try_wait()?;
            if gone.is_some() || Instant::now() > last_call {
                let said = fs::read_to_string(log).unwrap_or_default();
                return Err(format!("{} does not start ({gone:?}):\n{said}", log.display()).into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(started)
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("it has ended")?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1_024)
    }

    /// Open file descriptors.
    pub(crate) fn files(&self) -> Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.child.id()))?.count())
    }

    /// Asks it to stop, and waits until it has. `None` when it does not.
    pub(crate) async fn stop(mut self) -> Result<Option<ExitStatus>> {
        let pid = self.child.id().to_string();
        // It may have ended by itself; then its status says so.
        let _ = Command::new("kill").args(["-TERM", &pid]).stderr(Stdio::null()).status()?;
        let last_call = Instant::now() + DOWN_WITHIN;
        loop {
            let ended = self.child.try_wait()?;
            if ended.is_some() || Instant::now() > last_call {
                return Ok(ended);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A loopback address that nobody listens on.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
