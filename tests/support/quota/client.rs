//! A client that always wants one more answer.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chain429::clock::Clock;
use tokio::net::TcpStream;

use super::host::Host;
use super::scenario::{Demand, Size};
use super::waits::Waits;
use super::wire::{Message, Wire};

/// Presented by every client.
pub const KEY: &str = "sk-429-efficiency-client";

/// Without a `Retry-After`, the next request comes after this.
const PATIENCE: Duration = Duration::from_secs(1);

/// What all clients of a run share.
pub struct Crowd {
    pub proxy: SocketAddr,
    pub clock: Clock,
    pub demand: Demand,
    /// Entries of the chain: which host, which model.
    pub chain: Vec<(usize, &'static str)>,
    pub hosts: Arc<Vec<Host>>,
    /// How long what has come back may take to be known.
    pub news: Duration,
    /// Clients that stay away because they were told to.
    pub resting: Waits,
    pub asking: AtomicUsize,
    pub moves: Arc<AtomicUsize>,
    pub over: AtomicBool,
    pub tally: Mutex<Tally>,
}

/// What clients saw.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Milliseconds that those who got an answer waited for it.
    pub waits: Vec<u64>,
    /// Answers that were none, by status and code.
    pub errors: BTreeMap<String, usize>,
    /// Errors at a moment when some entry could have served the request.
    pub false_exhaustion: usize,
    /// One of them, for whoever wants to know more.
    pub example: Option<String>,
}

/// Asks again and again until the run is over.
pub async fn run(crowd: Arc<Crowd>, number: usize) {
    let mut sizes = crowd.demand.sizes(number);
    let mut wire = None;
    while !crowd.over.load(Ordering::SeqCst) {
        let size = sizes.next().unwrap();
        let request = request(&crowd.demand, size);
        let sent = crowd.clock.mono();
        crowd.asking.fetch_add(1, Ordering::SeqCst);
        let answer = ask(&mut wire, crowd.proxy, &request).await;
        let rest = crowd.conclude(size, sent.0, answer);
        // Resting begins before asking ends: a client must never seem to do neither.
        let resting = rest.map(|rest| crowd.resting.until(crowd.clock.mono().after(rest), &crowd.clock));
        crowd.asking.fetch_sub(1, Ordering::SeqCst);
        crowd.moves.fetch_add(1, Ordering::SeqCst);
        if let Some(resting) = resting {
            resting.await;
        }
    }
}

impl Crowd {
    /// Takes note of an answer. Returns how long the client stays away.
    fn conclude(&self, size: Size, sent: u64, answer: Option<Message>) -> Option<Duration> {
        let mut tally = self.tally.lock().unwrap();
        let answer = answer.unwrap_or_default();
        let whole = !self.demand.stream || memchr::memmem::find(&answer.body, b"data: [DONE]").is_some();
        if answer.status() == 200 && whole {
            tally.waits.push(self.clock.mono().0 - sent);
            return None;
        }
        let body = String::from_utf8_lossy(&answer.body);
        let code = serde_json::from_str::<serde_json::Value>(&body).ok();
        let code = code.and_then(|body| body["error"]["code"].as_str().map(str::to_owned));
        let name = format!("{} {}", answer.status(), code.as_deref().unwrap_or("broken"));
        *tally.errors.entry(name).or_default() += 1;
        let tokens = size.prompt + size.most;
        let able =
            self.chain.iter().find(|(host, model)| self.hosts[*host].able_key(model, tokens, self.news).is_some());
        if let Some((host, model)) = able {
            tally.false_exhaustion += 1;
            let said = || format!("{}/{model} could have served {tokens} tokens: {body}", self.hosts[*host].spec.id);
            tally.example.get_or_insert_with(said);
        }
        let told = answer.header("retry-after").and_then(|value| value.parse().ok());
        Some(told.map_or(PATIENCE, Duration::from_secs))
    }
}

/// `None` when no complete answer comes.
async fn ask(wire: &mut Option<Wire>, proxy: SocketAddr, request: &str) -> Option<Message> {
    if wire.is_none() {
        *wire = Some(Wire::over(TcpStream::connect(proxy).await.ok()?).ok()?);
    }
    let open = wire.as_mut()?;
    let answer = match open.send(request.as_bytes()).await {
        Ok(()) => open.message().await.ok().flatten(),
        Err(_) => None,
    };
    if answer.as_ref().is_none_or(|answer| answer.header("connection") == Some("close")) {
        *wire = None;
    }
    answer
}

fn request(demand: &Demand, size: Size) -> String {
    let content =
        "word ".repeat(usize::try_from(size.prompt).unwrap()).split_off(usize::try_from(size.prompt).unwrap());
    let stream = if demand.stream { r#","stream":true"# } else { "" };
    let most = size.most;
    let body = format!(
        r#"{{"model":"chain","messages":[{{"role":"user","content":"{content}"}}],"max_tokens":{most}{stream}}}"#
    );
    let length = body.len();
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: proxy\r\nauthorization: Bearer {KEY}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}
