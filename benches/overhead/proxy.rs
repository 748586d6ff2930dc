//! The proxy that is measured, configured for what is asked of it here.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::process::{Process, free_address};

/// Presented by every request.
pub(crate) const KEY: &str = "sk-429-overhead-0123456789abcdef0123456789abcdef";

/// Where chat completions are asked for.
pub(crate) const PATH: &str = "/v1/chat/completions";

/// The binary, built by the same command as this.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_429chain");

/// Entries that are passed over by requests of the chain `ten`.
pub(crate) const COLD: usize = 9;

/// Who is behind the proxy.
#[derive(Debug)]
pub(crate) struct Config {
    /// Answers every request with a completion.
    pub(crate) served_by: SocketAddr,
    /// Answers as its path says.
    pub(crate) scripted: SocketAddr,
}

impl Config {
    fn text(&self, address: SocketAddr) -> String {
        let Self { served_by, scripted } = self;
        let mut providers = String::new();
        let mut provider = |id: &str, base: &str| {
            // Writing to a String cannot fail.
            let _ = writeln!(providers, "  - {{ id: {id}, type: generic-openai, apiKey: key, baseUrl: \"{base}\" }}");
        };
        provider("free", &format!("http://{served_by}/v1"));
        provider("streamed", &format!("http://{scripted}/stream/v1"));
        provider("held", &format!("http://{scripted}/hold/v1"));
        let mut before = String::new();
        for at in 0..COLD {
            provider(&format!("cold{at}"), &format!("http://{scripted}/cold/v1"));
            let _ = write!(before, "{{ provider: cold{at}, model: m }}, ");
        }
        format!(
            "version: 1\nsettings:\n  host: {}\n  port: {}\n  apiKeys: [{KEY}]\n  adminKeys: [ak-429-overhead]\n  \
             defaultChain: one\n  logLevel: info\n\
             providers:\n{providers}\
             chains:\n  \
             - {{ name: one, entries: [{{ provider: free, model: m }}] }}\n  \
             - {{ name: ten, entries: [{before}{{ provider: free, model: m }}] }}\n  \
             - {{ name: stream, entries: [{{ provider: streamed, model: m }}] }}\n  \
             - {{ name: hold, entries: [{{ provider: held, model: m }}] }}\n",
            address.ip(),
            address.port()
        )
    }
}

/// The file that a proxy of this name under `dir` records in.
pub(crate) fn database(dir: &Path, name: &str) -> PathBuf {
    dir.join(name).join("usage.redb")
}

/// What a proxy of this name under `dir` has said.
pub(crate) fn log(dir: &Path, name: &str) -> PathBuf {
    dir.join(name).join("log")
}

/// Starts a proxy that cannot record anything, because a folder is in the place of its database.
pub(crate) async fn start_without_records(dir: &Path, name: &str, config: &Config) -> Result<Process> {
    std::fs::create_dir_all(database(dir, name))?;
    start(dir, name, config).await
}

/// Starts the proxy in a folder of its own under `dir`; returns at once.
pub(crate) fn launch(dir: &Path, name: &str, config: &Config) -> Result<Process> {
    let dir = dir.join(name);
    std::fs::create_dir_all(&dir)?;
    let address = free_address()?;
    let file = dir.join("config.yaml");
    std::fs::write(&file, config.text(address))?;
    let mut command = Command::new(BINARY);
    command.env_clear().arg("serve").arg("--config").arg(&file).arg("--data-dir").arg(&dir);
    Process::start(&mut command, address, &dir.join("log"))
}

/// Starts the proxy and waits until it listens.
pub(crate) async fn start(dir: &Path, name: &str, config: &Config) -> Result<Process> {
    launch(dir, name, config)?.up(&dir.join(name).join("log")).await
}
