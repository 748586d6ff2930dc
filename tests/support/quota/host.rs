//! A fake provider on a real socket: it admits what its truth admits, takes its time on the clock it is given, and says
//! about its quota what its style says.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chain429::clock::Clock;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::announce::{Style, fits};
use super::scenario::Demand;
use super::truth::{Admission, Rule, Ticket, Truth};
use super::waits::Waits;
use super::wire::{Message, Wire, chunk};

/// A provider, as a scenario describes it.
#[derive(Clone, Debug)]
pub struct Spec {
    pub id: &'static str,
    /// `type:` in the configuration.
    pub dialect: &'static str,
    pub style: Style,
    /// Each key has quota of its own.
    pub keys: usize,
    pub models: &'static [&'static str],
    /// One truth for all models of a key.
    pub pool: bool,
    pub rules: Vec<Rule>,
    /// Calls at the same time.
    pub slots: Option<usize>,
    /// How long an answer takes, on the clock.
    pub service: Duration,
    /// `rateLimits:` in the configuration, as a YAML flow mapping; empty when the user has configured none.
    pub limits: String,
}

/// A running provider.
pub struct Host {
    pub spec: Spec,
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

struct Shared {
    spec: Spec,
    demand: Demand,
    clock: Clock,
    truths: Vec<Mutex<Truth>>,
    held: Waits,
    /// Calls that have arrived, plus answers that have left.
    moves: Arc<AtomicUsize>,
    arrived: AtomicUsize,
}

impl Host {
    /// Starts it. `held` gets all calls that are being answered, `moves` counts what happens.
    pub async fn start(
        spec: Spec,
        demand: Demand,
        clock: Clock,
        news: Duration,
        held: Waits,
        moves: Arc<AtomicUsize>,
    ) -> Self {
        for rule in &spec.rules {
            assert!(fits(spec.style, rule.kind), "{}: {:?} does not announce {:?}", spec.id, spec.style, rule.kind);
        }
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let owners = if spec.pool { spec.keys } else { spec.keys * spec.models.len() };
        let truth = || {
            let truth = Truth::new(spec.rules.clone(), spec.slots, news);
            Mutex::new(if spec.limits.is_empty() { truth } else { truth.configured() })
        };
        let truths = (0..owners).map(|_| truth()).collect();
        let arrived = AtomicUsize::new(0);
        let shared = Arc::new(Shared { spec: spec.clone(), demand, clock, truths, held, moves, arrived });
        let for_listener = Arc::clone(&shared);
        let listening = actix_rt::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                actix_rt::spawn(serve(stream, Arc::clone(&for_listener)));
            }
        });
        Self { spec, address, shared, listening }
    }

    /// Its item of `providers:`.
    #[must_use]
    pub fn yaml(&self) -> String {
        let Spec { id, dialect, keys, limits, .. } = &self.spec;
        let keys: Vec<String> = (0..*keys).map(|at| key(id, at)).collect();
        let mut text = format!(
            "  - id: {id}\n    type: {dialect}\n    apiKeys: [{}]\n    baseUrl: http://{}/v1\n",
            keys.join(", "),
            self.address
        );
        if !limits.is_empty() {
            text += &format!("    rateLimits: {limits}\n");
        }
        text
    }

    /// The first key with which a request of this size to this model would have been served just now.
    #[must_use]
    pub fn able_key(&self, model: &str, tokens: u64, settled: Duration) -> Option<String> {
        let now = self.shared.clock.now().wall;
        let able = |at: &usize| {
            let owner = self.shared.owner(*at, model);
            owner.is_some_and(|truth| truth.could_serve(tokens, now, settled))
        };
        (0..self.spec.keys).find(able).map(|at| self.key(at))
    }

    /// One of its keys.
    #[must_use]
    pub fn key(&self, at: usize) -> String {
        key(self.spec.id, at)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everybody's quota.
    pub fn truths(&self) -> impl Iterator<Item = MutexGuard<'_, Truth>> {
        self.shared.truths.iter().map(|truth| truth.lock().unwrap())
    }

    /// Calls that have arrived.
    #[must_use]
    pub fn arrived(&self) -> usize {
        self.shared.arrived.load(Ordering::SeqCst)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Shared {
    fn owner(&self, key: usize, model: &str) -> Option<MutexGuard<'_, Truth>> {
        let models = &self.spec.models;
        let at = match self.spec.pool {
            true => key,
            false => key * models.len() + models.iter().position(|name| *name == model)?,
        };
        Some(self.truths[at].lock().unwrap())
    }

    fn count_move(&self) {
        self.moves.fetch_add(1, Ordering::SeqCst);
    }
}

/// A call on its way through the provider. When the other side leaves before its end, it counts as if answered.
struct Held<'a> {
    shared: &'a Shared,
    key: usize,
    model: String,
    ticket: Option<(Ticket, u64)>,
}

impl Held<'_> {
    fn finish(&mut self) {
        if let Some((ticket, tokens)) = self.ticket.take() {
            let now = self.shared.clock.now().wall;
            self.shared.owner(self.key, &self.model).unwrap().finish(ticket, tokens, now);
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.finish();
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let Ok(mut wire) = Wire::over(stream) else { return };
    while let Ok(Some(request)) = wire.message().await {
        let before = shared.arrived.fetch_add(1, Ordering::SeqCst);
        shared.count_move();
        if answer(&mut wire, &request, before, &shared).await.is_none() {
            return;
        }
        shared.count_move();
    }
}

/// `None` when the other side has left.
async fn answer(wire: &mut Wire, request: &Message, before: usize, shared: &Shared) -> Option<()> {
    let Shared { spec, clock, held, .. } = shared;
    let document: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON from the proxy");
    let model = document["model"].as_str().expect("a model").to_owned();
    let bearer = request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let key = (0..spec.keys).find(|at| key(spec.id, *at) == bearer).expect("a key of this provider");
    let prompt = prompt_tokens(document["messages"][0]["content"].as_str().unwrap_or_default());
    let most = document["max_tokens"].as_u64().unwrap_or(0);
    let used = shared.demand.answer_tokens(most, before);

    let arrived = clock.now();
    let admission = shared.owner(key, &model).expect("a model of this provider").arrive(prompt, most, arrived.wall);
    let ticket = match admission {
        Admission::Admit(ticket) => ticket,
        Admission::Refuse { which, retry_after } => {
            let refusal = spec.style.refusal(&mut *shared.owner(key, &model)?, which, retry_after, arrived.wall);
            let (headers, body) = (refusal.headers, refusal.body);
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\n\r\n{body}"
            );
            return wire.send(answer.as_bytes()).await.ok();
        }
    };
    let mut call = Held { shared, key, model, ticket: Some((ticket, prompt + used)) };
    let usage = format!(r#"{{"prompt_tokens":{prompt},"completion_tokens":{used},"total_tokens":{}}}"#, prompt + used);
    let end = arrived.mono.after(spec.service);
    if document["stream"] == true {
        let headers = spec.style.headers(&mut *shared.owner(key, &call.model)?, arrived.wall);
        let first = r#"{"id":"c","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}"#;
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n{headers}transfer-encoding: chunked\r\n\r\n{}",
            chunk(&format!("data: {first}\n\n"))
        );
        wire.send(head.as_bytes()).await.ok()?;
        wait(wire, held.until(end, clock)).await?;
        call.finish();
        let last =
            format!(r#"{{"id":"c","choices":[{{"index":0,"delta":{{}},"finish_reason":"stop"}}],"usage":{usage}}}"#);
        let rest = format!("{}0\r\n\r\n", chunk(&format!("data: {last}\n\ndata: [DONE]\n\n")));
        return wire.send(rest.as_bytes()).await.ok();
    }
    wait(wire, held.until(end, clock)).await?;
    call.finish();
    let headers = spec.style.headers(&mut *shared.owner(key, &call.model)?, clock.now().wall);
    let body = format!(
        r#"{{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{{"index":0,"message":{{"role":"assistant","content":"Hi"}},"finish_reason":"stop"}}],"usage":{usage}}}"#
    );
    let length = body.len();
    let answer =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\n\r\n{body}");
    wire.send(answer.as_bytes()).await.ok()
}

/// `None` when the other side leaves before.
async fn wait(wire: &Wire, end: impl Future<Output = ()>) -> Option<()> {
    tokio::select! {
        biased;
        () = end => Some(()),
        () = wire.closed() => None,
    }
}

/// Four bytes of text are one token here.
#[must_use]
pub fn prompt_tokens(text: &str) -> u64 {
    text.len().div_ceil(4) as u64
}

fn key(id: &str, at: usize) -> String {
    format!("key-{at}-of-{id}")
}
