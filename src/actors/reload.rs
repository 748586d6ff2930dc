//! Puts another configuration in the place of the one in use: all of it or nothing, while requests go on.
//!
//! Whoever asks for it - a signal, a changed file, the API - asks here, and one is done after the other. A file is read and
//! checked in a thread that may block. Then the keeper adopts it, and when the router has the new routes, the new settings
//! are put where requests find them. Whoever has asked may leave meanwhile: what was begun is finished.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use tokio::sync::{Mutex, SetOnce};
use tracing::{error, info, warn};

use super::keeper::{Control, KeeperActor};
use super::msg::{Adopt, Retain};
use super::recorder::RecorderActor;
use crate::clock::Clock;
use crate::config::diff::{Diff, needs_restart};
use crate::config::error::ConfigErrors;
use crate::config::live::{Active, Fault, Live};
use crate::config::model::{Config, KeyDigest, Settings};
use crate::config::source::{Loaded, Source};
use crate::telemetry;

/// A configuration is in use.
#[derive(Clone, Debug)]
pub struct Adopted {
    /// What is different from before; nothing when it was in use already.
    pub changed: Diff,
    /// Settings that differ from those that the process was started with and take effect at the next start only.
    pub needs_restart: Vec<&'static str>,
    /// Of the text.
    pub revision: String,
    /// What is missing, and keys of the file that do nothing in this version, as one sentence each.
    pub notices: Vec<String>,
}

/// A configuration is not in use, and the one before is.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refused {
    /// The proxy was started without a file.
    #[error("this proxy runs without a configuration file, so there is nothing to reload")]
    NoFile,
    /// It is wrong.
    #[error("{0}")]
    Invalid(ConfigErrors),
    /// It names no admin keys, and the generated one cannot be had.
    #[error("{0}")]
    AdminKey(String),
    /// The process is on its way out.
    #[error("429chain is shutting down")]
    Unavailable,
}

/// What has become of the file.
pub struct Made {
    /// What it means now.
    pub loaded: Loaded,
    /// Puts back what was there before.
    pub undo: Box<dyn FnOnce() + Send>,
}

/// What has come of a change: whether the file was changed, and whether the configuration is in use. When it is not, the
/// file is as it was.
pub type Changed<E> = Result<Result<Adopted, Refused>, E>;

/// Gives the digest of the generated admin key, which is kept in this data directory, or says why there is none.
pub type GeneratedKey = Box<dyn Fn(&Path) -> Result<KeyDigest, String> + Send + Sync>;

/// Where configurations come from.
pub struct Origin {
    /// The file; `None` when there is none.
    pub source: Option<Source>,
    /// For files that name no admin keys.
    pub generated_key: GeneratedKey,
}

/// The loader. Clones are the same one.
#[derive(Clone)]
pub struct Reload(Arc<Inner>);

struct Inner {
    origin: Arc<Origin>,
    live: Arc<Live>,
    /// Once it runs.
    keeper: SetOnce<Addr<KeeperActor>>,
    recorder: Addr<RecorderActor>,
    clock: Clock,
    /// What the process was started with.
    started: Settings,
    /// Held by whoever is at it.
    turn: Mutex<()>,
}

impl Reload {
    /// A loader for the configuration in `live`, which the process was started with.
    #[must_use]
    pub fn new(origin: Origin, live: Arc<Live>, recorder: Addr<RecorderActor>, clock: Clock) -> Self {
        let (started, origin) = (live.config().settings.clone(), Arc::new(origin));
        Self(Arc::new(Inner { origin, live, keeper: SetOnce::new(), recorder, clock, started, turn: Mutex::default() }))
    }

    /// The entries run now, and this is who runs them.
    pub fn runs(&self, control: &Control) {
        // The first one counts; there is no other.
        let _ = self.0.keeper.set(control.keeper.clone());
    }

    /// The file that is read; `None` when there is none.
    #[must_use]
    pub fn source(&self) -> Option<&Source> {
        self.0.origin.source.as_ref()
    }

    /// Where data is kept, and with it the earlier versions of the file: as at the start, whatever the configuration in use
    /// says by now.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.0.started.data_dir.clone()
    }

    /// The configuration in use.
    #[must_use]
    pub fn live(&self) -> &Live {
        &self.0.live
    }

    /// Settings of the configuration in use that take effect at the next start only.
    #[must_use]
    pub fn needs_restart(&self) -> Vec<&'static str> {
        needs_restart(&self.0.started, &self.0.live.config().settings)
    }

    /// Reads the file again and uses it.
    ///
    /// # Errors
    /// When it cannot be used. The one before stays in use, the log says so once, and so does [`Live::fault`].
    pub async fn reload(&self) -> Result<Adopted, Refused> {
        self.finish(|inner| async move {
            let _turn = inner.turn.lock().await;
            let result = match inner.read().await {
                Ok(loaded) => inner.adopt(loaded).await,
                Err(refused) => Err(refused),
            };
            inner.note(&result);
            result
        })
        .await
    }

    /// Uses a configuration that was read and checked elsewhere: see [`Source::parse`].
    ///
    /// # Errors
    /// When it cannot be used. The one before stays in use.
    pub async fn adopt(&self, loaded: Loaded) -> Result<Adopted, Refused> {
        self.finish(|inner| async move {
            let _turn = inner.turn.lock().await;
            inner.adopt(loaded).await
        })
        .await
    }

    /// Changes the file and uses what comes of it, with nobody else in between. `make` may block: it writes the file, and
    /// says what it means now and how to take it back if that cannot be used after all.
    ///
    /// # Errors
    /// Why `make` has changed nothing.
    pub async fn change<E>(&self, make: impl FnOnce(&Source) -> Result<Made, E> + Send + 'static) -> Changed<E>
    where
        E: Send + 'static,
    {
        let inner = Arc::clone(&self.0);
        let work = async move {
            let _turn = inner.turn.lock().await;
            let origin = Arc::clone(&inner.origin);
            let making = tokio::task::spawn_blocking(move || match origin.source.as_ref() {
                Some(source) => make(source).map(Ok),
                None => Ok(Err(Refused::NoFile)),
            });
            let Made { loaded, undo } = match making.await {
                Ok(Ok(Ok(made))) => made,
                Ok(Ok(Err(refused))) => return Ok(Err(refused)),
                Ok(Err(fault)) => return Err(fault),
                Err(_) => return Ok(Err(Refused::Unavailable)),
            };
            let result = inner.adopt(loaded).await;
            match &result {
                Ok(_) => inner.note(&result),
                Err(_) => _ = tokio::task::spawn_blocking(undo).await,
            }
            Ok(result)
        };
        actix_rt::spawn(work).await.unwrap_or(Ok(Err(Refused::Unavailable)))
    }

    /// Does so even if nobody waits for it any longer: a part of a configuration is worse than none.
    async fn finish<F>(&self, work: impl FnOnce(Arc<Inner>) -> F) -> Result<Adopted, Refused>
    where
        F: Future<Output = Result<Adopted, Refused>> + 'static,
    {
        actix_rt::spawn(work(Arc::clone(&self.0))).await.unwrap_or(Err(Refused::Unavailable))
    }
}

impl Inner {
    async fn read(&self) -> Result<Loaded, Refused> {
        let origin = Arc::clone(&self.origin);
        let reading = tokio::task::spawn_blocking(move || {
            let source = origin.source.as_ref().ok_or(Refused::NoFile)?;
            source.load().map_err(Refused::Invalid)
        });
        reading.await.unwrap_or(Err(Refused::Unavailable))
    }

    async fn adopt(&self, loaded: Loaded) -> Result<Adopted, Refused> {
        let Loaded { config, revision } = loaded;
        let before = self.live.get();
        let changed = Diff::of(&before.config, &config);
        let needs_restart = needs_restart(&self.started, &config.settings);
        let notices = config.notices.clone();
        let adopted = Adopted { changed, needs_restart, revision, notices };
        // `429chain admin-key` may have made another one meanwhile.
        let admin_keys = self.admin_keys(&config).await?;
        if before.config.as_ref() == &config && before.revision == adopted.revision {
            if before.admin_keys != admin_keys {
                self.live.put(Active { admin_keys, ..Active::clone(&before) });
                info!("another admin key is in use");
            }
            return Ok(adopted);
        }
        let config = Arc::new(config);
        let keeper = self.keeper.wait().await;
        keeper.send(Adopt(Arc::clone(&config))).await.map_err(|_| Refused::Unavailable)?;
        let settings = &config.settings;
        self.recorder.do_send(Retain(retention(settings)));
        telemetry::set_level(settings.log_level);
        let (revision, since) = (adopted.revision.clone(), self.clock.now().wall);
        self.live.put(Active { config: Arc::clone(&config), admin_keys, revision, since });
        tell(&adopted, &before.config);
        Ok(adopted)
    }

    async fn admin_keys(&self, config: &Config) -> Result<Vec<KeyDigest>, Refused> {
        if !config.settings.admin_keys.is_empty() {
            return Ok(config.settings.admin_keys.clone());
        }
        let (origin, data_dir) = (Arc::clone(&self.origin), self.started.data_dir.clone());
        let key = tokio::task::spawn_blocking(move || (origin.generated_key)(&data_dir)).await;
        let key = key.map_err(|_| Refused::Unavailable)?;
        key.map(|key| vec![key]).map_err(Refused::AdminKey)
    }

    /// Tells once of a file that cannot be used, and once that it can be used again.
    fn note(&self, result: &Result<Adopted, Refused>) {
        let fault = match result {
            Ok(_) => None,
            Err(Refused::NoFile | Refused::Unavailable) => return,
            Err(refused) => Some(Fault { message: refused.to_string(), at: self.clock.now().wall }),
        };
        match (self.live.note(fault), result) {
            (true, Err(refused)) => {
                error!("the configuration file is not used, the one before stays in use:\n{refused}")
            }
            (true, Ok(_)) => info!("the configuration file is in use again"),
            (false, _) => {}
        }
    }
}

/// How long rows are kept.
#[must_use]
pub fn retention(settings: &Settings) -> Duration {
    Duration::from_secs(u64::from(settings.retention_days) * 24 * 3_600)
}

fn tell(adopted: &Adopted, before: &Config) {
    let Adopted { changed, needs_restart, revision, notices } = adopted;
    let Diff { settings, providers, chains, entries } = changed;
    info!(revision, ?settings, ?providers, ?chains, ?entries, "the configuration has changed and is in use");
    if !needs_restart.is_empty() {
        warn!("takes effect at the next start only: {}", needs_restart.join(", "));
    }
    for notice in notices.iter().filter(|notice| !before.notices.contains(notice)) {
        warn!("{notice}");
    }
}

impl fmt::Debug for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reload").field("source", &self.source()).finish_non_exhaustive()
    }
}
