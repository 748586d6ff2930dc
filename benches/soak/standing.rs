//! What the proxy says of itself at `/v1/ratelimits`: calls under way, and who waits.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::Result;
use crate::answer::Line;
use crate::proxy::KEY;

/// How long after its last request everything has to be given back. A provider may take a second to end a stream.
const CALM_WITHIN: Duration = Duration::from_secs(10);

/// What is under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    /// Calls, over all entries.
    pub(crate) in_flight: u64,
    /// Entries with a call under way.
    pub(crate) holders: Vec<String>,
    /// Requests in lines, over all chains.
    pub(crate) waiting: u64,
}

impl Standing {
    /// Asks once.
    pub(crate) async fn ask(proxy: SocketAddr) -> Result<Self> {
        let mut line = Line::open(proxy, false).await?;
        let request = format!(
            "GET /v1/ratelimits HTTP/1.1\r\nhost: soak.localhost\r\nauthorization: Bearer {KEY}\r\n\
             connection: close\r\n\r\n"
        );
        line.send(request.as_bytes()).await?;
        let (head, mut rest) = line.head().await?;
        let mut body = Vec::new();
        while let Some(part) = line.part(&mut rest).await? {
            body.extend_from_slice(&part);
        }
        if head.status != 200 {
            return Err(format!("/v1/ratelimits: {}", head.status).into());
        }
        let told: Value = serde_json::from_slice(&body)?;
        let list = |name: &str| told.get(name).and_then(Value::as_array).cloned().ok_or("/v1/ratelimits: another form");
        let mut standing = Self::default();
        for entry in list("ratelimits")? {
            let calls = entry.get("inFlight").and_then(Value::as_u64).ok_or("an entry without inFlight")?;
            standing.in_flight += calls;
            if calls > 0 {
                let name = |key| entry.get(key).and_then(Value::as_str).unwrap_or("?");
                standing.holders.push(format!("{}/{} {calls}", name("provider"), name("model")));
            }
        }
        for chain in list("chains")? {
            let depth = chain.get("waiting").and_then(|waiting| waiting.get("depth")).and_then(Value::as_u64);
            standing.waiting += depth.ok_or("a chain without waiting.depth")?;
        }
        Ok(standing)
    }

    /// Asks until nothing is under way, or it takes too long.
    pub(crate) async fn calm(proxy: SocketAddr) -> Result<Self> {
        let last_call = Instant::now() + CALM_WITHIN;
        loop {
            let standing = Self::ask(proxy).await?;
            if (standing.in_flight == 0 && standing.waiting == 0) || Instant::now() > last_call {
                return Ok(standing);
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
}
