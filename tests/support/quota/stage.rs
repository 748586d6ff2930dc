//! A scenario on its feet: providers, the proxy in process, and clients.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chain429::app::Proxy;
use chain429::clock::Clock;
use chain429::config::model::KeyDigest;
use chain429::config::{self, Overrides};
use chain429::domain::time::Wall;
use chain429::upstream::tls;
use tokio::task::JoinHandle;

use super::client::{self, Crowd, KEY};
use super::figures::Figures;
use super::host::Host;
use super::scenario::Scenario;
use super::waits::Waits;

/// Everything that runs.
pub struct Stage {
    pub scenario: Scenario,
    pub crowd: Arc<Crowd>,
    /// Calls that providers are answering.
    pub held: Waits,
    proxy: Proxy,
    clients: Vec<JoinHandle<()>>,
    began: Wall,
    /// The database of the proxy, gone with the run.
    _dir: tempfile::TempDir,
}

impl Stage {
    /// Starts providers and proxy; no client asks yet. The clock must already show the scenario's start.
    pub async fn set(scenario: Scenario, clock: Clock, news: Duration) -> Self {
        let (held, moves) = (Waits::default(), Arc::<AtomicUsize>::default());
        let mut hosts = Vec::new();
        for spec in &scenario.hosts {
            let (demand, clock) = (scenario.demand.clone(), clock.clone());
            hosts.push(Host::start(spec.clone(), demand, clock, news, held.clone(), Arc::clone(&moves)).await);
        }
        let models =
            |(at, host): (usize, &Host)| host.spec.models.iter().map(move |model| (at, *model)).collect::<Vec<_>>();
        let chain: Vec<_> = hosts.iter().enumerate().flat_map(models).collect();
        let dir = tempfile::tempdir().unwrap();
        let yaml = yaml(&scenario, &hosts, &chain, dir.path());
        let environment = BTreeMap::<String, String>::new();
        let config = config::parse(&yaml, "scenario.yaml", dir.path(), &environment, &Overrides::default())
            .unwrap_or_else(|errors| panic!("{errors}\n{yaml}"));
        let tls = tls::client_config(None).unwrap();
        let proxy = Proxy::start(config, vec![KeyDigest::of(KEY)], tls, clock.clone()).unwrap();
        let crowd = Arc::new(Crowd {
            proxy: proxy.addresses()[0],
            clock: clock.clone(),
            demand: scenario.demand.clone(),
            chain,
            hosts: Arc::new(hosts),
            news,
            resting: Waits::default(),
            asking: AtomicUsize::new(0),
            moves,
            over: AtomicBool::new(false),
            tally: Mutex::default(),
        });
        Self { scenario, crowd, held, proxy, clients: Vec::new(), began: clock.now().wall, _dir: dir }
    }

    /// Where the proxy listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.crowd.proxy
    }

    /// Lets the clients ask.
    pub fn begin(&mut self) {
        let crowd = &self.crowd;
        self.clients = (0..self.scenario.demand.clients)
            .map(|number| actix_rt::spawn(client::run(Arc::clone(crowd), number)))
            .collect();
    }

    /// The period that is measured: whole windows, the first of them the first to begin after the start.
    #[must_use]
    pub fn period(&self, windows: u32) -> (Wall, Wall) {
        let window = u64::try_from(self.scenario.window.as_millis()).unwrap();
        let from = self.began.0.div_ceil(window) * window;
        (Wall(from), Wall(from + window * u64::from(windows)))
    }

    /// Measures, and ends everything.
    pub async fn end(self, (from, to): (Wall, Wall)) -> Figures {
        let figures = Figures::of(&self.scenario, &self.crowd, from, to);
        self.crowd.over.store(true, Ordering::SeqCst);
        for client in &self.clients {
            client.abort();
        }
        self.proxy.stop(Duration::from_secs(2)).await;
        figures
    }
}

fn yaml(scenario: &Scenario, hosts: &[Host], chain: &[(usize, &str)], dir: &Path) -> String {
    let (settings, database) = (&scenario.settings, dir.join("usage.redb"));
    let mut text = format!(
        "version: 1\nsettings:\n  port: 0\n  apiKeys: [{KEY}]\n  adminKeys: [{KEY}-admin]\n  dbPath: {}\n{settings}providers:\n",
        database.display()
    );
    text.extend(hosts.iter().map(Host::yaml));
    text += "chains:\n  - name: chain\n    entries:\n";
    let entry =
        |(at, model): &(usize, &str)| format!("      - {{ provider: {}, model: \"{model}\" }}\n", hosts[*at].spec.id);
    text.extend(chain.iter().map(entry));
    text
}
