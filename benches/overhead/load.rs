//! Load: some connections, each with one request after the other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::Result;
use crate::connection::Connection;

/// Until when the answer to a request is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// Its end.
    Answered,
    /// The first event of a stream. The rest is read, too, but not counted.
    FirstEvent,
}

/// What is to be sent, and for how long.
#[derive(Debug)]
pub(crate) struct Load {
    /// To whom.
    pub(crate) target: SocketAddr,
    /// The bytes of each request.
    pub(crate) request: Arc<[u8]>,
    /// At the same time.
    pub(crate) connections: usize,
    /// Length of the round.
    pub(crate) lasting: Duration,
    /// What is measured.
    pub(crate) until: Until,
}

/// What a round showed.
#[derive(Debug)]
pub(crate) struct Round {
    /// Answers that came.
    pub(crate) answers: usize,
    /// Time from the first request to the last answer.
    pub(crate) took: Duration,
    /// Sorted.
    waits: Vec<Duration>,
}

impl Round {
    /// Answers per second.
    pub(crate) fn rate(&self) -> f64 {
        self.answers as f64 / self.took.as_secs_f64()
    }

    /// The wait that `part` of the requests (0 to 1) did not exceed.
    pub(crate) fn quantile(&self, part: f64) -> Duration {
        let at = (self.waits.len() as f64 * part) as usize;
        self.waits.get(at.min(self.waits.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

impl Load {
    /// Runs one round.
    pub(crate) async fn run(&self) -> Result<Round> {
        let mut connections = Vec::with_capacity(self.connections);
        for _ in 0..self.connections {
            connections.push(Connection::open(self.target).await?);
        }
        let began = Instant::now();
        let end = began + self.lasting;
        let mut running = JoinSet::new();
        for connection in connections {
            let (request, until) = (Arc::clone(&self.request), self.until);
            running.spawn(async move { repeat(connection, &request, until, end).await });
        }
        let mut waits = Vec::new();
        while let Some(joined) = running.join_next().await {
            waits.extend(joined??);
        }
        let took = began.elapsed();
        waits.sort_unstable();
        Ok(Round { answers: waits.len(), took, waits })
    }
}

async fn repeat(mut connection: Connection, request: &[u8], until: Until, end: Instant) -> Result<Vec<Duration>> {
    let mut waits = Vec::with_capacity(8_192);
    loop {
        let sent = Instant::now();
        if sent >= end {
            return Ok(waits);
        }
        match until {
            Until::Answered => {
                connection.ask(request).await?;
                waits.push(sent.elapsed());
            }
            Until::FirstEvent => {
                connection.send(request).await?;
                connection.until(b"data: {").await?;
                waits.push(sent.elapsed());
                connection.until(b"\r\n0\r\n\r\n").await?;
            }
        }
    }
}
