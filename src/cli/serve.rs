//! `429chain serve`: the proxy itself, until a signal ends it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use actix_rt::System;
use tracing::{debug, info, warn};

use super::Failure;
use super::args::{Args, Serve};
use super::left_over;
use super::report::{complain, count};
use crate::actors::reload::{Origin, Reload};
use crate::app::{GRACE, Proxy};
use crate::clock::Clock;
use crate::config::environment::ProcessEnvironment;
use crate::config::model::{Config, KeyDigest};
use crate::config::source::Source;
use crate::store::admin_key::{self, AdminKeyError};
use crate::store::place::Place;
use crate::telemetry;
use crate::upstream::tls;

/// Loads the configuration and serves it.
pub(super) fn serve(args: &Args, how: &Serve) -> Result<(), Failure> {
    if how.create_config {
        super::setup::create_missing(args)?;
    }
    let source = Source::new(&args.config, ProcessEnvironment, args.overrides());
    let loaded = left_over::load(&source)?;
    let config = loaded.config.clone();
    start_log(&config, args)?;
    for notice in config.notices.iter().chain(&left_over::notice(&source)) {
        warn!("{notice}");
    }
    let admin_keys = match config.settings.admin_keys.as_slice() {
        [] => vec![generated_admin_key(&config.settings.data_dir).map_err(Failure::runtime)?],
        configured => configured.to_vec(),
    };
    // The variable that OpenSSL and curl read, for providers behind a company's or a home's own authority.
    let more_roots = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let tls = tls::client_config(more_roots.as_deref()).map_err(Failure::usage)?;
    System::new().block_on(async {
        let signals = Signals::listen().map_err(Failure::runtime)?;
        raise_open_files();
        let place = Place::File(config.settings.db_path.clone());
        let generated_key = |data_dir: &Path| generated_admin_key(data_dir).map_err(|fault| fault.to_string());
        let origin = Origin { source: Some(source), generated_key: Box::new(generated_key) };
        let proxy = Proxy::start_from(loaded, origin, admin_keys, tls, Clock::system(), place);
        let mut proxy = proxy.map_err(Failure::runtime)?;
        proxy.watch();
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
    signals.ending(proxy.reload()).await;
    let in_flight = proxy.in_flight();
    let stopping = proxy.stop(GRACE);
    tokio::select! {
        _ = stopping => Ok(()),
        () = signals.next() => Err(Failure::runtime(match in_flight() {
            0 => "second signal: ended before everything was put in order".to_owned(),
            cut => format!("second signal: what was in progress was cut, {}", count(cut, "request", "requests")),
        })),
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
fn generated_admin_key(data_dir: &Path) -> Result<KeyDigest, AdminKeyError> {
    if let Some(digest) = admin_key::load(data_dir)? {
        return Ok(digest);
    }
    let (key, digest) = admin_key::create(data_dir)?;
    // Not through the log: logs are kept and sent elsewhere.
    complain(&format!("admin key, shown only now: {key}"));
    Ok(digest)
}

/// The signals that end the process, one after the other: SIGTERM and SIGINT, or Ctrl-C where there are none. SIGHUP has it
/// read its configuration again.
pub(super) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
}

impl Signals {
    /// Replaces the default of these signals, which is to end the process where it stands.
    pub(super) fn listen() -> std::io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
                hangup: signal(SignalKind::hangup())?,
            })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for the first of those that end the process. Until then SIGHUP has the configuration read again.
    async fn ending(&mut self, reload: &Reload) {
        #[cfg(unix)]
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => {
                    let reload = reload.clone();
                    // What comes of it is in the log.
                    actix_rt::spawn(async move { reload.reload().await });
                }
            }
        }
        #[cfg(not(unix))]
        {
            let _ = reload;
            self.next().await;
        }
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
