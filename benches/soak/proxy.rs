//! The proxy that is watched: the binary that the same command has built, configured for what is asked of it here.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::cast;
use crate::chains::Chains;
use crate::options::Options;
use crate::process::{Process, free_address};
use crate::providers::Providers;

/// Presented by every request.
pub(crate) const KEY: &str = "sk-429-soak-0123456789abcdef0123456789abcdef";

/// Timeouts as short as a machine allows that is shared with others, so that silence costs little; short cooldowns where they can be chosen, so that faults stay frequent.
/// Good providers have more time where that can be said.
const SETTINGS: &str = "  defaultChain: slow
  unknownModel: reject
  logLevel: info
  connectTimeoutMs: 1000
  requestTimeoutMs: 2000
  firstTokenTimeoutMs: 2200
  streamIdleTimeoutMs: 2000
  cooldownDefaultMs: 1000
  queueMaxWaitMs: 4000
  midStreamCooldownMs: 2000
  midStreamCooldownMaxMs: 8000
";

/// Where things lie.
#[derive(Debug)]
pub(crate) struct Files {
    /// What the proxy says.
    pub(crate) log: PathBuf,
    /// What it has recorded.
    pub(crate) database: PathBuf,
}

impl Files {
    /// In this folder.
    pub(crate) fn under(dir: &Path) -> Self {
        Self { log: dir.join("log"), database: dir.join("soak.redb") }
    }
}

/// Starts the proxy in `dir` and waits until it listens.
pub(crate) async fn start(
    dir: &Path,
    files: &Files,
    options: &Options,
    providers: &Providers,
    chains: &Chains,
) -> Result<Process> {
    let address = free_address()?;
    let config = dir.join("config.yaml");
    std::fs::write(&config, text(address, files, options, providers, chains)?)?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_429chain"));
    command.env_clear().arg("serve").arg("--config").arg(&config).arg("--data-dir").arg(dir);
    Process::start(&mut command, address, &files.log).await
}

fn text(
    address: SocketAddr,
    files: &Files,
    options: &Options,
    providers: &Providers,
    chains: &Chains,
) -> Result<String> {
    let mut text = format!(
        "version: 1\nsettings:\n  host: {}\n  port: {}\n  workers: {}\n  apiKeys: [{KEY}]\n  \
         adminKeys: [ak-429-soak]\n  dbPath: {:?}\n{SETTINGS}providers:\n",
        address.ip(),
        address.port(),
        options.workers,
        files.database
    );
    for manner in cast::all() {
        let base = providers.base_url(manner).ok_or("a provider has no address")?;
        let patience = if cast::GOOD.iter().any(|good| good.name == manner.name) { ", timeout: 10000" } else { "" };
        let limits = if manner.limits.is_empty() { String::new() } else { format!(", {}", manner.limits) };
        writeln!(
            text,
            "  - {{ id: {}, type: generic-openai, apiKeys: [{}], baseUrl: \"{base}\"{patience}{limits} }}",
            manner.name, manner.keys
        )?;
    }
    text += "chains:\n";
    for chain in chains.all() {
        writeln!(text, "  - name: {}\n    entries:", chain.name)?;
        for (manner, model) in &chain.entries {
            writeln!(text, "      - {{ provider: {}, model: {model} }}", manner.name)?;
        }
    }
    Ok(text)
}
