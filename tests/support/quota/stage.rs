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
use chain429::store::place::Place;
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
    proxy: Option<Proxy>,
    clients: Vec<JoinHandle<()>>,
    began: Wall,
}

/// What is there before the proxy.
pub struct Ground {
    pub hosts: Arc<Vec<Host>>,
    /// Entries of the chain: which host, which model.
    pub chain: Vec<(usize, &'static str)>,
    /// Calls that providers are answering.
    pub held: Waits,
    /// Counts whatever happens.
    pub moves: Arc<AtomicUsize>,
}

impl Ground {
    /// Starts the providers of a scenario.
    pub async fn prepare(scenario: &Scenario, clock: &Clock, news: Duration) -> Self {
        let (held, moves) = (Waits::default(), Arc::<AtomicUsize>::default());
        let mut hosts = Vec::new();
        for spec in &scenario.hosts {
            let (demand, clock) = (scenario.demand.clone(), clock.clone());
            hosts.push(Host::start(spec.clone(), demand, clock, news, held.clone(), Arc::clone(&moves)).await);
        }
        let entries =
            |(at, host): (usize, &Host)| host.spec.models.iter().map(move |model| (at, *model)).collect::<Vec<_>>();
        let chain = hosts.iter().enumerate().flat_map(entries).collect();
        Self { hosts: Arc::new(hosts), chain, held, moves }
    }
}

impl Stage {
    /// Starts providers and proxy; no client asks yet. The clock must already show the scenario's start.
    pub async fn set(scenario: Scenario, clock: Clock, news: Duration) -> Self {
        let ground = Ground::prepare(&scenario, &clock, news).await;
        let yaml = yaml(&scenario, &ground);
        let environment = BTreeMap::<String, String>::new();
        let config = config::parse(&yaml, "scenario.yaml", Path::new("."), &environment, &Overrides::default())
            .unwrap_or_else(|errors| panic!("{errors}\n{yaml}"));
        let tls = tls::client_config(None).unwrap();
        let proxy = Proxy::start(config, vec![KeyDigest::of(KEY)], tls, clock.clone(), Place::Memory).unwrap();
        let address = proxy.addresses()[0];
        Self { proxy: Some(proxy), ..Self::before(address, ground, scenario, clock, news) }
    }

    /// The same with something else in place of the proxy.
    #[must_use]
    pub fn before(address: SocketAddr, ground: Ground, scenario: Scenario, clock: Clock, news: Duration) -> Self {
        let Ground { hosts, chain, held, moves } = ground;
        let began = clock.now().wall;
        let crowd = Arc::new(Crowd {
            proxy: address,
            clock,
            demand: scenario.demand.clone(),
            chain,
            hosts,
            news,
            resting: Waits::default(),
            asking: AtomicUsize::new(0),
            moves,
            over: AtomicBool::new(false),
            tally: Mutex::default(),
        });
        Self { scenario, crowd, held, proxy: None, clients: Vec::new(), began }
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
        if let Some(proxy) = self.proxy {
            proxy.stop(Duration::from_secs(2)).await;
        }
        figures
    }
}

fn yaml(scenario: &Scenario, ground: &Ground) -> String {
    let settings = &scenario.settings;
    let mut text = format!(
        "version: 1\nsettings:\n  port: 0\n  apiKeys: [{KEY}]\n  adminKeys: [{KEY}-admin]\n{settings}providers:\n"
    );
    text.extend(ground.hosts.iter().map(Host::yaml));
    text += "chains:\n  - name: chain\n    entries:\n";
    for (at, model) in &ground.chain {
        text += &format!("      - {{ provider: {}, model: \"{model}\" }}\n", ground.hosts[*at].spec.id);
    }
    text
}
