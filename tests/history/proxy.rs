//! The proxy of a history: the ledgers and desks that a configuration leads to, on a clock of its own.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use chain429::actors::books::Books;
use chain429::actors::desk::{Desk, Terms};
use chain429::actors::gauge::{self, Gauge};
use chain429::actors::lane::Lane;
use chain429::actors::posted::{Posted, Shared};
use chain429::clock::EPOCH;
use chain429::config::model::Config;
use chain429::config::{self, Overrides};
use chain429::domain::demand::Demand;
use chain429::domain::dialect::Dialect;
use chain429::domain::ids::{EntryId, ModelId};
use chain429::domain::refusal::Refusal;
use chain429::domain::time::{Mono, Now, Wall};
use chain429::store::state::State;

use super::plan::{Ask, Host, Plan};

/// The proxy.
pub struct Proxy {
    config: Config,
    books: Books,
    /// In the order of the chain.
    pub entries: Vec<Entry>,
    state: State,
    /// The true time at the start.
    start: u64,
    /// How far its wall clock is ahead.
    pub skew: i64,
    /// True time when the process started, in milliseconds of the history.
    born: u64,
}

/// One entry.
pub struct Entry {
    pub host: usize,
    pub model: usize,
    pub dialect: Dialect,
    pub desk: Desk,
    gauges: Vec<Vec<Arc<Gauge>>>,
}

impl Proxy {
    pub fn new(plan: &Plan, start: Wall) -> Self {
        let nothing: [(&str, &str); 0] = [];
        let text = yaml(&plan.hosts);
        let config = config::parse(&text, "history", Path::new("."), &nothing, &Overrides::default());
        let config = config.unwrap_or_else(|problems| panic!("{text}\n{problems:?}"));
        let books = Books::new(State::new());
        let mut proxy =
            Self { config, books, entries: Vec::new(), state: State::new(), start: start.0, skew: 0, born: 0 };
        proxy.open(&plan.hosts, 0);
        proxy
    }

    /// The clocks of the proxy at `at` milliseconds of the history.
    pub fn now(&self, at: u64) -> Now {
        let wall = self.start + at;
        Now { mono: Mono(EPOCH + at - self.born), wall: Wall(wall.checked_add_signed(self.skew).unwrap()) }
    }

    /// Writes down what is known, and forgets the rest. From now until it is opened again nobody may ask.
    pub fn close(&mut self, at: u64) {
        for (name, value) in self.books.changes(self.now(at)) {
            match value {
                Some(value) => self.state.insert(name, value),
                None => self.state.remove(&name),
            };
        }
        self.entries.clear();
    }

    /// Starts anew with what was written down.
    pub fn open(&mut self, hosts: &[Host], at: u64) {
        self.born = at;
        let now = self.now(at);
        self.books = Books::new(self.state.clone());
        for (host, provider) in self.config.providers.iter().enumerate() {
            for model in 0..hosts[host].models {
                let id = EntryId { provider: provider.id.clone(), model: ModelId::new(hosts[host].model(model)) };
                let (lanes, estimate) = self.books.open(provider, &id.model, now);
                let settings = &self.config.settings;
                let terms = Terms {
                    unknown_429: settings.cooldown_default,
                    mid_stream: settings.mid_stream,
                    reserves_output: provider.dialect.reserves_output(),
                };
                let gauges = lanes.iter().map(Lane::gauges).collect();
                let desk = Desk::new(id, lanes, estimate, terms);
                self.entries.push(Entry { host, model, dialect: provider.dialect, desk, gauges });
            }
        }
    }

    /// Every ledger, each once.
    pub fn ledgers(&self) -> Vec<Shared> {
        let mut all: Vec<Shared> = Vec::new();
        for shared in self.entries.iter().flat_map(|entry| entry.desk.lanes()).flat_map(|lane| &lane.ledgers) {
            if !all.iter().any(|known| Rc::ptr_eq(known, shared)) {
                all.push(Rc::clone(shared));
            }
        }
        all
    }
}

impl Entry {
    /// What the gauges show.
    pub fn shown(&self, demand: Demand, now: Mono) -> Option<Refusal> {
        gauge::refusal(&self.gauges, self.desk.need(demand), now)
    }
}

/// A lane that can be asked about the future without changing the present.
pub fn copy(lane: &Lane, now: Now) -> Lane {
    let ledgers = lane.ledgers.iter().map(|shared| {
        let posted = shared.borrow();
        Posted::shared(posted.owner(), posted.ledger().clone(), now)
    });
    Lane { ledgers: ledgers.collect(), announced: lane.announced, steady: lane.steady }
}

pub fn demand(ask: &Ask) -> Demand {
    Demand { prompt_bytes: ask.bytes, most_output: ask.most, generates: true, ..Demand::default() }
}

fn yaml(hosts: &[Host]) -> String {
    let mut text = "version: 1\nsettings: { apiKeys: [a-client-key] }\nproviders:\n".to_owned();
    for (at, host) in hosts.iter().enumerate() {
        let keys: Vec<String> = (0..host.keys).map(|key| format!("key-{key}-of-{at}")).collect();
        let dialect = serde_json::to_value(host.voice.dialect()).unwrap();
        text += &format!(
            "  - {{ id: h{at}, type: {}, apiKeys: [{}], baseUrl: \"http://h{at}.example/v1\", rateLimits: {} }}\n",
            dialect.as_str().unwrap(),
            keys.join(", "),
            host.limits()
        );
    }
    text += "chains:\n  - name: default\n    entries:\n";
    for (at, host) in hosts.iter().enumerate() {
        for model in 0..host.models {
            text += &format!("      - {{ provider: h{at}, model: \"{}\" }}\n", host.model(model));
        }
    }
    text
}
