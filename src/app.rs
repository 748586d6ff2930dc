//! The whole proxy, wired: started, and stopped without losing anything.

mod watch;

use std::any::Any;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix::{Addr, Arbiter};
#[cfg(target_os = "linux")]
use actix_rt::net::TcpStream;
use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer};
use rustls::ClientConfig;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tracing::{info, warn};

use crate::actors::drain::Drain;
use crate::actors::journal::{FLUSH_EVERY, Journal};
use crate::actors::keeper::{Control, KeeperActor};
use crate::actors::metrics::Metrics;
use crate::actors::msg::{Close, Heir, NoteDown};
use crate::actors::recorder::RecorderActor;
use crate::actors::reload::{Origin, Reload, retention};
use crate::clock::Clock;
use crate::config::live::{Active, Live};
use crate::config::model::{Config, KeyDigest};
use crate::config::source::Loaded;
use crate::store::place::Place;
use crate::upstream::collector::Collector;
use crate::upstream::waterfall::Worker;
use crate::web::gate::gate;
use crate::web::routes;
use crate::web::state::{RequestIds, State};
use crate::web::strangers::Strangers;
use crate::web::ui::Ui;

/// How long requests in progress may take at shutdown.
pub const GRACE: Duration = Duration::from_secs(30);

/// How long the head of a request may take to arrive.
const HEAD: Duration = Duration::from_secs(5);

/// More connections than one worker can look after.
const MOST_CONNECTIONS: usize = 25_600;

/// How much longer than `clientStallTimeoutMs` a connection is kept on which nothing gets through: a client that wakes up
/// before then finds out why its stream has ended.
const LAST_WORDS: Duration = Duration::from_secs(30);

/// How long the last bytes of finished answers may take to leave, at least.
const LINGER: Duration = Duration::from_secs(2);

/// Why the proxy cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or not ours.
    #[error("cannot listen on {host}:{port}: {source}. Choose another with --host and --port")]
    Listen {
        /// As configured.
        host: String,
        /// As configured.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The system gave no random numbers.
    #[error("the system gives no random numbers")]
    NoRandomness,
}

/// A running proxy.
pub struct Proxy {
    addresses: Vec<SocketAddr>,
    server: ServerHandle,
    serving: JoinHandle<io::Result<()>>,
    recorder: Addr<RecorderActor>,
    recording: Arbiter,
    drain: Arc<Drain>,
    control: Arc<Mutex<Option<Control>>>,
    collector: Option<Collector>,
    reload: Reload,
    watching: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts all parts and listens, with a configuration that comes from no file; what happens is recorded at `place`, or
    /// nowhere while that cannot be used. Must be called within an actix system.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn start(
        config: Config,
        admin_keys: Vec<KeyDigest>,
        tls: Arc<ClientConfig>,
        clock: Clock,
        place: Place,
    ) -> Result<Self, StartError> {
        let key = admin_keys.first().copied().ok_or_else(|| "there is no admin key".to_owned());
        let origin = Origin { source: None, generated_key: Box::new(move |_| key.clone()) };
        Self::start_from(Loaded::unfiled(config), origin, admin_keys, tls, clock, place)
    }

    /// The same with a configuration that was `loaded` from `origin` and can be read again from there.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn start_from(
        loaded: Loaded,
        origin: Origin,
        admin_keys: Vec<KeyDigest>,
        tls: Arc<ClientConfig>,
        clock: Clock,
        place: Place,
    ) -> Result<Self, StartError> {
        let Loaded { config, revision } = loaded;
        let drain = Arc::new(Drain::default());
        let settings = Arc::new(config.settings.clone());
        let open = Box::new(move || place.open());
        let (recorder, remembered) = RecorderActor::open(open, retention(&settings), clock.clone());
        let shelf = recorder.shelf();
        let metrics = Arc::new(Metrics::new(recorder.backlog()));
        let recording = Arbiter::new();
        let recorder = recorder.start_on(&recording);
        let collector = config.traces.clone().map(|traces| Collector::start(traces, &tls));
        let tracer = collector.as_ref().map(|collector| Arc::clone(collector.tracer()));
        let config = Arc::new(config);
        let active = Active { config: Arc::clone(&config), admin_keys, revision, since: clock.now().wall };
        let live = Arc::new(Live::new(active));
        let reload = Reload::new(origin, Arc::clone(&live), recorder.clone(), clock.clone());
        let state = Arc::new(State {
            live: Arc::clone(&live),
            reload: reload.clone(),
            drain: Arc::clone(&drain),
            metrics: Arc::clone(&metrics),
            clock: clock.clone(),
            started: clock.now(),
            ids: RequestIds::new(random_u32()?),
            shelf,
            lately: Default::default(),
            catalogue: Default::default(),
            ui: Ui::new(settings.static_dir.clone()).map_err(|_| StartError::NoRandomness)?,
        });

        let control: Arc<Mutex<Option<Control>>> = Arc::default();
        let started = Arc::clone(&control);
        let remembered = Arc::new(Mutex::new(remembered));
        let (journal_drain, journal_recorder) = (Arc::clone(&drain), recorder.clone());
        let (running, connecting) = (reload.clone(), Arc::clone(&live));
        let bound = HttpServer::new(move || {
            // The actors live on the worker thread that comes first: with one worker no message crosses a thread.
            let control = started
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert_with(|| {
                    let remembered = std::mem::take(&mut *remembered.lock().unwrap_or_else(PoisonError::into_inner));
                    let memory = journal_recorder.clone().recipient();
                    let control = KeeperActor::start_all(Arc::clone(&config), clock.clone(), remembered, memory);
                    journal_recorder.do_send(Heir(control.keeper.clone().recipient()));
                    running.runs(&control);
                    control
                })
                .clone();
            let (recorder, drain) = (journal_recorder.clone(), Arc::clone(&journal_drain));
            let journal = Journal::start(recorder, drain, Arc::clone(&metrics), clock.clone(), tracer.clone());
            let worker = Rc::new(Worker::new(Arc::clone(&tls), Arc::clone(&live), control, journal, clock.clone()));
            App::new().app_data(worker).app_data(Arc::clone(&state)).wrap(from_fn(gate)).configure(routes::api)
        })
        .workers(settings.workers)
        .tcp_nodelay(true)
        .on_connect(move |connection, data| {
            limit_unread(connection, connecting.get().config.settings.client_stall_timeout + LAST_WORDS);
            data.insert(Strangers::default());
        })
        // With half-closed connections a client that leaves would not end its request.
        .h1_allow_half_closed(false)
        .backlog(4_096)
        .client_request_timeout(HEAD)
        .max_connections(connections_per_worker(open_files(), settings.workers))
        .keep_alive(Duration::from_secs(75))
        .shutdown_timeout(GRACE.as_secs())
        .disable_signals()
        .bind((settings.host.as_str(), settings.port));
        let server = match bound {
            Ok(server) => server,
            Err(source) => {
                // The recorder closes the database when its thread ends.
                recording.stop();
                let _ = recording.join();
                drop(collector);
                return Err(StartError::Listen { host: settings.host.clone(), port: settings.port, source });
            }
        };

        let addresses = server.addrs();
        let server = server.run();
        Ok(Self {
            addresses,
            server: server.handle(),
            serving: actix_rt::spawn(server),
            recorder,
            recording,
            drain,
            control,
            collector,
            reload,
            watching: None,
        })
    }

    /// Puts another configuration in the place of the one in use.
    #[must_use]
    pub fn reload(&self) -> &Reload {
        &self.reload
    }

    /// Reads the file again whenever it has changed.
    pub fn watch(&mut self) {
        self.watching = Some(actix_rt::spawn(watch::watch(self.reload.clone())));
    }

    /// Tells how many requests are under way, also when it has been asked to stop.
    pub fn in_flight(&self) -> impl Fn() -> usize + use<> {
        let drain = Arc::clone(&self.drain);
        move || drain.in_flight()
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Refuses new requests, gives those in progress `grace`, writes down what has happened, and ends. Returns how many
    /// requests were cut.
    pub async fn stop(self, grace: Duration) -> usize {
        let deadline = Instant::now() + grace;
        if let Some(watching) = &self.watching {
            watching.abort();
        }
        self.drain.begin();
        info!(in_flight = self.drain.in_flight(), "draining");
        let cut = self.drain.idle(grace).await;
        if cut > 0 {
            warn!(cut, "requests that were still in progress after {} s are cut", grace.as_secs());
        }
        // Rows of requests that ended before the drain began may still be in a worker's buffer.
        tokio::time::sleep(FLUSH_EVERY * 2).await;
        let keeper = self.control.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|it| it.keeper.clone());
        if let Some(keeper) = keeper {
            let _ = keeper.send(NoteDown).await;
        }
        // What is answered may still be on its way to slow clients; connections without a request are closed at once.
        let leaving = async {
            self.server.stop(cut == 0).await;
            let _ = self.serving.await;
        };
        let _ = timeout_at(deadline.max(Instant::now() + LINGER), leaving).await;
        // A forced end does not wait for the workers: their last rows come when the requests are dropped.
        self.drain.idle(FLUSH_EVERY * 20).await;
        if self.recorder.send(Close).timeout(GRACE).await.is_err() {
            warn!("the recorder does not answer: the last requests may be missing from its log");
        }
        self.recording.stop();
        if let Some(collector) = self.collector {
            collector.stop(deadline.max(Instant::now() + LINGER) - Instant::now()).await;
        }
        info!(cut, "stopped");
        cut
    }
}

/// How many clients a worker lets in at the same time. Others wait at the door until somebody leaves. Without this they
/// would take all files that the process may open, and no provider could be called for those who are in.
fn connections_per_worker(files: usize, workers: usize) -> usize {
    // Some 25 are open from the start.
    let others = (files / 4).clamp(64, 4_096);
    let clients = files.saturating_sub(others).max(files / 4);
    (clients / workers.max(1)).clamp(1, MOST_CONNECTIONS)
}

/// Has the system end a connection on which nothing gets through for so long. Elsewhere than on Linux it does so in its
/// own time.
fn limit_unread(connection: &dyn Any, limit: Duration) {
    #[cfg(target_os = "linux")]
    if let Some(stream) = connection.downcast_ref::<TcpStream>() {
        let millis = u32::try_from(limit.as_millis()).unwrap_or(u32::MAX);
        // A connection that is gone already needs no limit.
        let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, millis);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (connection, limit);
}

/// How many files the process may open.
fn open_files() -> usize {
    #[cfg(unix)]
    if let Ok((soft, _)) = rlimit::getrlimit(rlimit::Resource::NOFILE) {
        return usize::try_from(soft).unwrap_or(usize::MAX);
    }
    usize::MAX
}

fn random_u32() -> Result<u32, StartError> {
    use ring::rand::{SecureRandom, SystemRandom};

    let mut bytes = [0; 4];
    SystemRandom::new().fill(&mut bytes).map_err(|_| StartError::NoRandomness)?;
    Ok(u32::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[actix_rt::test]
    async fn connections_of_clients_end_when_nothing_gets_through() {
        use actix_rt::net::TcpListener;

        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        limit_unread(&accepted, Duration::from_secs(90));
        assert_eq!(rustix::net::sockopt::tcp_user_timeout(&accepted).unwrap(), 90_000);
    }

    #[test]
    fn clients_leave_files_for_calls() {
        for (files, workers, connections) in
            [(usize::MAX, 1, 25_600), (20_000, 1, 15_904), (1_024, 1, 768), (1_024, 4, 192), (64, 1, 16), (1, 1, 1)]
        {
            assert_eq!(connections_per_worker(files, workers), connections, "{files} files, {workers} workers");
        }
    }
}
