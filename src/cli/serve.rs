//! `429chain serve`: the proxy itself, until a signal ends it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use actix_rt::System;
use tracing::{debug, info, warn};

use super::Failure;
use super::args::Args;
use super::report::complain;
use crate::app::{GRACE, Proxy};
use crate::clock::Clock;
use crate::config;
use crate::config::environment::ProcessEnvironment;
use crate::config::model::{Config, KeyDigest};
use crate::store::admin_key;
use crate::store::place::Place;
use crate::telemetry;
use crate::upstream::tls;

/// Loads the configuration and serves it.
pub(super) fn serve(args: &Args) -> Result<(), Failure> {
    let config = config::load(&args.config, &ProcessEnvironment, &args.overrides()).map_err(Failure::usage)?;
    start_log(&config, args)?;
    for notice in &config.notices {
        warn!("{notice}");
    }
    let admin_keys = match config.settings.admin_keys.as_slice() {
        [] => vec![generated_admin_key(&config.settings.data_dir)?],
        configured => configured.to_vec(),
    };
    // The variable that OpenSSL and curl read, for providers behind a company's or a home's own authority.
    let more_roots = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let tls = tls::client_config(more_roots.as_deref()).map_err(Failure::usage)?;
    System::new().block_on(async {
        let signals = Signals::listen().map_err(Failure::runtime)?;
        raise_open_files();
        let place = Place::File(config.settings.db_path.clone());
        let proxy = Proxy::start(config, admin_keys, tls, Clock::system(), place).map_err(Failure::runtime)?;
        run(proxy, signals).await
    })
}

/// Starts logging as the configuration says.
pub(super) fn start_log(config: &Config, args: &Args) -> Result<(), Failure> {
    let settings = &config.settings;
    telemetry::start(settings.log_level, settings.log_format, args.log.as_deref()).map_err(Failure::usage)
}

/// Waits for a signal, then stops without losing anything. A second signal ends the process at once.
///
/// The caller takes `signals` before it tells anyone that the proxy is there: whoever reads that line may end the
/// process the moment after.
pub(super) async fn run(proxy: Proxy, mut signals: Signals) -> Result<(), Failure> {
    for address in proxy.addresses() {
        info!("listening on {}", url(*address));
    }
    signals.next().await;
    let stopping = proxy.stop(GRACE);
    tokio::select! {
        cut = stopping => {
            if cut > 0 {
                warn!("{cut} requests were still in progress after {} s and were cut", GRACE.as_secs());
            }
            Ok(())
        }
        () = signals.next() => Err(Failure::runtime("second signal: requests in progress were cut")),
    }
}

/// A stream takes two sockets; where nobody asks for more, a process may often have 1,024 files.
pub(super) fn raise_open_files() {
    #[cfg(unix)]
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => debug!(limit, "open files"),
        Err(fault) => warn!("the limit of open files stays as it is: {fault}"),
    }
}

/// How a client on this machine reaches the address.
pub(super) fn url(address: SocketAddr) -> String {
    let ip = address.ip();
    match ip.is_unspecified() {
        true => format!("http://127.0.0.1:{}", address.port()),
        false => format!("http://{address}"),
    }
}

/// The key of an earlier start, or a new one that is shown this once.
fn generated_admin_key(data_dir: &Path) -> Result<KeyDigest, Failure> {
    if let Some(digest) = admin_key::load(data_dir).map_err(Failure::runtime)? {
        return Ok(digest);
    }
    let (key, digest) = admin_key::create(data_dir).map_err(Failure::runtime)?;
    // Not through the log: logs are kept and sent elsewhere.
    complain(&format!("admin key, shown only now: {key}"));
    Ok(digest)
}

/// The signals that end the process, one after the other: SIGTERM and SIGINT, or Ctrl-C where there are none.
pub(super) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// Replaces the default of these signals, which is to end the process where it stands.
    pub(super) fn listen() -> std::io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
