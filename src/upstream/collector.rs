//! Sends spans to the collector, from a thread of its own. Nothing that serves requests ever waits for it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix::Arbiter;
use awc::http::header::{CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use awc::{FrozenClientRequest, error::SendRequestError};
use bytes::Bytes;
use rustls::ClientConfig;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use super::client::{AGENT, address, client};
use crate::config::traces::Traces;
use crate::telemetry::otlp;
use crate::telemetry::span::Span;
use crate::telemetry::tracer::Tracer;

/// Between two tries, at first and at last.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Whatever the collector says of when to come back.
const LEAST_PAUSE: Duration = Duration::from_millis(100);

/// The thread that sends.
#[derive(Debug)]
pub struct Collector {
    tracer: Arc<Tracer>,
    thread: Arbiter,
    ended: oneshot::Receiver<()>,
}

impl Collector {
    /// Starts it.
    #[must_use]
    pub fn start(traces: Traces, tls: &Arc<ClientConfig>) -> Self {
        let tracer = Arc::new(Tracer::new(traces));
        let (thread, (ends, ended)) = (Arbiter::new(), oneshot::channel());
        let (working, tls) = (Arc::clone(&tracer), Arc::clone(tls));
        thread.spawn_fn(move || {
            actix_rt::spawn(async move {
                Sender::new(working, &tls).run().await;
                let _ = ends.send(());
            });
        });
        Self { tracer, thread, ended }
    }

    /// Where spans are taken.
    #[must_use]
    pub fn tracer(&self) -> &Arc<Tracer> {
        &self.tracer
    }

    /// Sends what there is, for as long as `grace`.
    pub async fn stop(mut self, grace: Duration) {
        self.tracer.close();
        let unsent = timeout(grace, &mut self.ended).await.is_err();
        if unsent {
            warn!("the last spans could not be sent in time");
        }
        match self.tracer.lost() {
            0 => {}
            lost => warn!(lost, "spans were lost"),
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.thread.stop();
    }
}

/// What sends.
struct Sender {
    tracer: Arc<Tracer>,
    request: Option<FrozenClientRequest>,
    /// For people: the address without its query, where keys might stand.
    place: String,
    /// Nothing could be sent lately, and that has been said.
    ailing: bool,
    /// Losses that have been said.
    told: u64,
}

/// Why a batch was not taken.
#[derive(Debug)]
enum Fault {
    /// No answer.
    Unreachable(SendRequestError),
    /// No answer in time.
    Late(Duration),
    /// No.
    Refused { status: u16, back_in: Option<Duration> },
    /// There is no address that a request could be sent to.
    Unsendable,
}

impl Fault {
    /// Whether the same may be taken later (OTLP specification, "OTLP/HTTP Response").
    fn passes(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Late(_) => true,
            Self::Refused { status, .. } => matches!(status, 429 | 502..=504),
            Self::Unsendable => false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(fault) => write!(f, "{fault}"),
            Self::Late(limit) => write!(f, "no answer within {} ms", limit.as_millis()),
            Self::Refused { status, .. } => write!(f, "it answers {status}"),
            Self::Unsendable => f.write_str("the address cannot be used"),
        }
    }
}

impl Sender {
    fn new(tracer: Arc<Tracer>, tls: &Arc<ClientConfig>) -> Self {
        let traces = &tracer.traces;
        let place = traces.endpoint.split('?').next().unwrap_or_default().to_owned();
        let request = prepare(traces, tls);
        Self { tracer, request, place, ailing: false, told: 0 }
    }

    async fn run(mut self) {
        loop {
            // Either way there is something to do.
            let _ = timeout(self.tracer.traces.delay, async {
                tokio::select! {
                    () = self.tracer.filled() => {}
                    () = self.tracer.closed() => {}
                }
            })
            .await;
            let closing = self.tracer.closing();
            let mut taken = true;
            loop {
                let spans = self.tracer.take();
                let whole = spans.len() >= self.tracer.traces.batch;
                if spans.is_empty() {
                    break;
                }
                // At the end there is no time for a collector that has just refused.
                if taken || !closing {
                    taken = self.deliver(&spans).await;
                }
                if !taken {
                    self.tracer.lose(spans.len());
                }
                if !whole && !closing {
                    break;
                }
            }
            self.say_losses();
            if closing {
                return;
            }
        }
    }

    /// Sends one batch, again and again where that may help; once at the end.
    async fn deliver(&mut self, spans: &[Span]) -> bool {
        let traces = &self.tracer.traces;
        let body = Bytes::from(otlp::encode(traces.encoding, &traces.resource, spans));
        let end = Instant::now() + self.tracer.traces.patience;
        let (mut pause, longest) = PAUSES;
        loop {
            let fault = match self.send(body.clone()).await {
                Ok(()) => {
                    if std::mem::take(&mut self.ailing) {
                        info!(collector = %self.place, lost = self.tracer.lost(), "traces can be sent again");
                    }
                    return true;
                }
                Err(fault) => fault,
            };
            if !std::mem::replace(&mut self.ailing, true) {
                warn!(collector = %self.place, "traces cannot be sent: {fault}. Requests are served all the same");
            }
            let told = match fault {
                Fault::Refused { back_in, .. } => back_in,
                _ => None,
            };
            let wait = told.unwrap_or(pause).max(LEAST_PAUSE);
            pause = (pause * 2).min(longest);
            if !fault.passes() || end.saturating_duration_since(Instant::now()) < wait {
                return false;
            }
            tokio::select! {
                () = sleep(wait) => {}
                () = self.tracer.closed() => return false,
            }
        }
    }

    async fn send(&self, body: Bytes) -> Result<(), Fault> {
        let Some(request) = &self.request else { return Err(Fault::Unsendable) };
        let limit = self.tracer.traces.timeout;
        let exchange = async {
            let response = request.send_body(body).await.map_err(Fault::Unreachable)?;
            let status = response.status();
            let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            match status.is_success() {
                true => Ok(()),
                false => Err(Fault::Refused { status: status.as_u16(), back_in: wait.map(Duration::from_secs) }),
            }
        };
        timeout(limit, exchange).await.unwrap_or(Err(Fault::Late(limit)))
    }

    /// Once: how many there were in the end is said at the end.
    fn say_losses(&mut self) {
        let lost = self.tracer.lost();
        if self.told == 0 && lost > 0 && !self.ailing {
            warn!(lost, "spans were lost: they came faster than they could be sent");
        }
        self.told = lost;
    }
}

/// The request without its body; `None` when it cannot be sent.
fn prepare(traces: &Traces, tls: &Arc<ClientConfig>) -> Option<FrozenClientRequest> {
    let (url, host) = address(&traces.endpoint).ok()?;
    // Some collectors close a kept connection after the very seconds that pass between two exports.
    let client = client(tls, traces.timeout, Duration::ZERO, None);
    let mut request = client
        .post(url)
        .insert_header((HOST, host))
        .insert_header((CONTENT_TYPE, otlp::content_type(traces.encoding)))
        .insert_header((USER_AGENT, AGENT));
    for (name, value) in &traces.headers {
        request = request.insert_header((name.as_str(), value.expose()));
    }
    request.freeze().ok()
}
