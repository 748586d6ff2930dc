//! What a proxy would be that knew everything: it asks the providers' truth before each call, one call at a time, first
//! come first served. It shows which figures a scenario allows at all, and that the measuring side counts right.

#![allow(dead_code, reason = "the bench and the tests each use a part of this")]
#![allow(unreachable_pub, reason = "shared by the bench and the tests")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "what goes wrong here ends the measuring")]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chain429::clock::Clock;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};

use super::quota::host::{Host, prompt_tokens};
use super::quota::stage::Ground;
use super::quota::wire::{Message, Wire};

/// What a proxy goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mind {
    /// The truth.
    Knowing,
    /// Nothing: everything goes to the first entry, and its answer back to the client, whatever it is.
    Blind,
}

struct Oracle {
    mind: Mind,
    hosts: Arc<Vec<Host>>,
    chain: Vec<(usize, &'static str)>,
    line: Mutex<VecDeque<Waiting>>,
    /// Something has come, gone, or grown old.
    news: Notify,
}

struct Waiting {
    body: serde_json::Value,
    tokens: u64,
    answer: oneshot::Sender<Message>,
}

/// Starts it; it ends with the test.
pub async fn start(mind: Mind, ground: &Ground, clock: Clock) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (hosts, chain) = (Arc::clone(&ground.hosts), ground.chain.clone());
    let oracle = Arc::new(Oracle { mind, hosts, chain, line: Mutex::default(), news: Notify::new() });
    actix_rt::spawn(Arc::clone(&oracle).dispatch());
    let for_clock = Arc::clone(&oracle);
    actix_rt::spawn(async move {
        loop {
            clock.until(clock.mono().after(Duration::from_millis(1))).await;
            for_clock.news.notify_one();
        }
    });
    actix_rt::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            actix_rt::spawn(Arc::clone(&oracle).serve(stream));
        }
    });
    address
}

impl Oracle {
    async fn serve(self: Arc<Self>, stream: TcpStream) {
        let mut wire = Wire::over(stream).unwrap();
        while let Ok(Some(request)) = wire.message().await {
            let answer = if request.head.starts_with("GET /v1/ratelimits ") {
                let depth = self.line.lock().unwrap().len();
                let body = format!(r#"{{"chains":[{{"waiting":{{"depth":{depth}}}}}]}}"#);
                Message { head: format!("HTTP/1.1 200 OK\r\ncontent-length: {}", body.len()), body: body.into_bytes() }
            } else {
                self.queue(&request).await
            };
            let bytes = [answer.head.as_bytes(), b"\r\n\r\n", &answer.body].concat();
            if wire.send(&bytes).await.is_err() {
                return;
            }
        }
    }

    async fn queue(&self, request: &Message) -> Message {
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        let prompt = prompt_tokens(body["messages"][0]["content"].as_str().unwrap());
        let tokens = prompt + body["max_tokens"].as_u64().unwrap();
        let (answer, answered) = oneshot::channel();
        self.line.lock().unwrap().push_back(Waiting { body, tokens, answer });
        self.news.notify_one();
        answered.await.unwrap()
    }

    /// One call after the other: the next is decided on when the provider has counted the last.
    async fn dispatch(self: Arc<Self>) {
        loop {
            self.news.notified().await;
            while let Some((waiting, host, key)) = self.next() {
                let before = host.arrived();
                let mut wire = Wire::over(TcpStream::connect(host.address()).await.unwrap()).unwrap();
                let body = waiting.body.to_string();
                let head = format!("POST / HTTP/1.1\r\nauthorization: Bearer {key}\r\ncontent-length: {}", body.len());
                wire.send(format!("{head}\r\n\r\n{body}").as_bytes()).await.unwrap();
                while host.arrived() == before {
                    tokio::task::yield_now().await;
                }
                let oracle = Arc::clone(&self);
                actix_rt::spawn(async move {
                    let answer = wire.message().await.unwrap().unwrap();
                    // A client that has left needs none.
                    let _ = waiting.answer.send(answer);
                    oracle.news.notify_one();
                });
            }
        }
    }

    /// The first in line, if it can be served, and where.
    fn next(&self) -> Option<(Waiting, &Host, String)> {
        let mut line = self.line.lock().unwrap();
        let tokens = line.front()?.tokens;
        let (at, model, key) = self.chain.iter().find_map(|(at, model)| {
            let key = match self.mind {
                Mind::Knowing => self.hosts[*at].able_key(model, tokens, Duration::ZERO)?,
                Mind::Blind => self.hosts[*at].key(0),
            };
            Some((*at, *model, key))
        })?;
        let mut first = line.pop_front()?;
        first.body["model"] = model.into();
        Some((first, &self.hosts[at], key))
    }
}
