//! One upstream call: sent, read, and judged. Whatever goes wrong before the first content of a stream, or anywhere in
//! a whole answer, is an ordinary failure that the client never sees.

use std::time::Duration;

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use awc::ClientResponse;
use bytes::{Bytes, BytesMut};
use tokio::time::{Instant, timeout_at};
use tokio_stream::StreamExt;

use super::body::collect;
use super::client::{Clients, Wire};
use super::error::CallError;
use crate::actors::route::{Entry, Place};
use crate::clock::Clock;
use crate::domain::chunk::{self, classify_in_band};
use crate::domain::classify::{Answer, broken, classify};
use crate::domain::endpoint::Endpoint;
use crate::domain::envelope::Envelope;
use crate::domain::evidence::{self, Evidence};
use crate::domain::outcome::{Action, Reason, Verdict};
use crate::domain::stream::{End, Watch};
use crate::domain::usage::{self, Usage};

/// A whole answer may be this long, an error too: some repeat the request. Larger ones are not believed.
const MAX_WHOLE: usize = 64 << 20;

/// More than what is sent before anybody reads it.
const LONG_BODY: usize = 256 << 10;

/// What may come before the first content of a stream.
const MAX_HELD: usize = 1 << 20;

/// A call to be made.
pub struct Call<'a> {
    /// The clients of this worker.
    pub clients: &'a Clients,
    /// Whom to call.
    pub place: &'a Place,
    /// With which of the provider's keys.
    pub key: usize,
    /// What for.
    pub endpoint: Endpoint,
    /// The request as it goes upstream.
    pub body: Bytes,
    /// `Some` when a stream is asked for.
    pub stream: Option<StreamCall>,
    /// For absolute times in answers.
    pub clock: &'a Clock,
}

/// What a call for a stream adds.
#[derive(Clone, Copy, Debug)]
pub struct StreamCall {
    /// From the start of the call to the first content.
    pub first_token_timeout: Duration,
    /// Leave out the usage chunk that only the proxy asked for.
    pub strip_usage: bool,
}

/// A usable answer.
pub enum Served {
    /// All of it.
    Whole(Whole, Option<Usage>, Evidence),
    /// A stream whose first content has come.
    Stream(Box<Opened>),
}

/// A complete answer, as it goes to the client.
#[derive(Clone, Debug)]
pub struct Whole {
    /// HTTP status.
    pub status: u16,
    /// As the provider sent it.
    pub content_type: Option<HeaderValue>,
    /// As the provider sent it.
    pub body: Bytes,
}

/// A stream that is worth starting an answer with.
pub struct Opened {
    /// Where the rest comes from; `None` when it has been read to its end.
    pub rest: Option<ClientResponse>,
    /// Has seen everything so far.
    pub watch: Watch,
    /// What has been held back until now.
    pub head: Bytes,
    /// What the head of the answer says about quota.
    pub evidence: Evidence,
}

/// A call without a usable answer.
#[derive(Debug)]
pub struct Failed {
    /// What it means.
    pub verdict: Verdict,
    /// HTTP status; 0 when there was no answer.
    pub status: u16,
    /// False when nothing of the request can have reached the provider.
    pub reached: bool,
    /// What the answer says about quota.
    pub evidence: Evidence,
    /// For people, where the verdict does not say it all.
    pub detail: Option<String>,
    /// The provider's answer, to be returned if the request itself is at fault.
    pub answer: Option<Whole>,
}

impl Call<'_> {
    /// Makes the call.
    ///
    /// # Errors
    /// Why the answer cannot be used.
    pub async fn run(self) -> Result<Served, Box<Failed>> {
        let began = Instant::now();
        // The first content cannot come before the head.
        let longest = self.stream.map_or(Duration::MAX, |stream| stream.first_token_timeout);
        let patience = self.place.timeout.min(longest);
        let deadline = began + patience;
        let mut response = timeout_at(deadline, self.send())
            .await
            .map_err(|_| self.late("answer", patience))?
            .map_err(|fault| self.unanswered(&fault))?;
        let status = response.status().as_u16();
        match self.stream.filter(|_| response.status().is_success()) {
            Some(stream) if is_event_stream(response.headers()) => {
                check_encoding(response.headers()).map_err(|fault| self.failed(&fault, status))?;
                let limit = stream.first_token_timeout;
                timeout_at(began + limit, self.open(response, Watch::new(stream.strip_usage)))
                    .await
                    .map_err(|_| self.late("content", limit))?
            }
            stream => {
                let body = timeout_at(deadline, collect(&mut response, MAX_WHOLE))
                    .await
                    .map_err(|_| self.late("end of the answer", patience))
                    .and_then(|body| body.map_err(|fault| self.failed(&fault, status)));
                match body {
                    Ok(body) => self.judge(status, response.headers(), body, stream.is_some()),
                    // How long to stay away stands in the head.
                    Err(_) if status == 429 || status >= 500 => self
                        .judge(status, response.headers(), Bytes::new(), false)
                        .map_err(|failed| Box::new(Failed { answer: None, ..*failed })),
                    Err(failed) => Err(failed),
                }
            }
        }
    }

    /// Sends the request. A kept connection may turn out to have been closed by the provider; then nothing was
    /// processed, and a new connection is tried once.
    async fn send(&self) -> Result<ClientResponse, CallError> {
        match self.send_by(Wire::Pooled).await {
            Err(fault) if fault.stale_connection() => self.send_by(Wire::Fresh).await,
            result => result,
        }
    }

    async fn send_by(&self, wire: Wire) -> Result<ClientResponse, CallError> {
        Ok(self.clients.head(self.entry(), self.key, self.endpoint, wire)?.send_body(self.body.clone()).await?)
    }

    fn judge(&self, status: u16, headers: &HeaderMap, body: Bytes, wanted_stream: bool) -> Result<Served, Box<Failed>> {
        if is_success(status) {
            check_encoding(headers).map_err(|fault| self.failed(&fault, status))?;
            // awc gives no body when an answer has neither a length nor chunks.
            if body.is_empty() && !headers.contains_key(CONTENT_LENGTH) {
                return Err(self.failed(&CallError::Unreadable("answer without a length and without a body"), status));
            }
        }
        let lines: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let answer = Answer { status, headers: &lines, body: &body };
        let (dialect, wall) = (self.entry().provider.dialect, self.clock.now().wall);
        let verdict = classify(dialect, &answer, wall);
        let evidence = evidence::read(dialect, &answer, &verdict, wall);
        let content_type = headers.get(CONTENT_TYPE).cloned();
        match verdict.action {
            Action::Ok if wanted_stream => {
                Err(self.failed(&CallError::Unreadable("answered without a stream"), status))
            }
            Action::Ok => {
                let usage = usage::read(&body);
                Ok(Served::Whole(Whole { status, content_type, body }, usage, evidence))
            }
            Action::NextEntry | Action::ReturnToClient => {
                let answer = match is_success(status) && chunk::read(&body).failed {
                    true => in_band_refusal(body),
                    false => Whole { status, content_type, body },
                };
                Err(Box::new(Failed { verdict, status, reached: true, evidence, detail: None, answer: Some(answer) }))
            }
        }
    }

    /// Reads a stream until there is something to show, holding back everything until then.
    async fn open(&self, mut response: ClientResponse, mut watch: Watch) -> Result<Served, Box<Failed>> {
        let mut held = BytesMut::new();
        let evidence = self.of_head(&response);
        let rest = loop {
            let (fed, ended) = match response.next().await {
                Some(Ok(chunk)) => (watch.feed(chunk), false),
                Some(Err(fault)) => return Err(self.failed(&fault.into(), 200)),
                None => match watch.end() {
                    (fed, None) => (fed, true),
                    (_, Some(End::Complete(closing))) => {
                        held.extend_from_slice(&closing);
                        break None;
                    }
                    (_, Some(End::Truncated)) => return Err(self.in_band(Reason::Truncated)),
                },
            };
            held.extend_from_slice(&fed.ready);
            if let Some(data) = fed.failed {
                let (dialect, wall) = (self.entry().provider.dialect, self.clock.now().wall);
                let verdict = classify_in_band(dialect, &data, wall);
                let evidence = evidence::read_in_band(dialect, &data, &verdict, wall);
                let answer = Some(in_band_refusal(data.into()));
                let failed = Failed { verdict, status: 200, reached: true, evidence, detail: None, answer };
                return Err(Box::new(failed));
            }
            if ended {
                break None;
            }
            if fed.done || watch.committed() {
                break Some(response);
            }
            if held.len() > MAX_HELD {
                return Err(self.in_band(Reason::Empty));
            }
        };
        if !watch.committed() {
            return Err(self.in_band(Reason::Empty));
        }
        Ok(Served::Stream(Box::new(Opened { rest, watch, head: held.freeze(), evidence })))
    }

    /// A stream that is no answer.
    fn in_band(&self, reason: Reason) -> Box<Failed> {
        Box::new(Failed {
            verdict: broken(self.entry().provider.dialect, reason),
            status: 200,
            reached: true,
            evidence: Evidence::default(),
            detail: None,
            answer: None,
        })
    }

    /// What the head of a stream says about quota.
    fn of_head(&self, response: &ClientResponse) -> Evidence {
        let headers = response.headers().iter();
        let lines: Vec<(&str, &[u8])> = headers.map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let answer = Answer { status: response.status().as_u16(), headers: &lines, body: b"" };
        evidence::read(self.entry().provider.dialect, &answer, &Verdict::OK, self.clock.now().wall)
    }

    fn failed(&self, fault: &CallError, status: u16) -> Box<Failed> {
        let verdict = fault.verdict(self.entry().provider.dialect);
        let (reached, detail) = (fault.reached(), Some(fault.detail()));
        Box::new(Failed { verdict, status, reached, evidence: Evidence::default(), detail, answer: None })
    }

    /// A provider that refuses a long body before it has read it closes the connection, and its answer is lost. It is
    /// not known to be sick, so only this request is kept from it.
    fn unanswered(&self, fault: &CallError) -> Box<Failed> {
        let failed = self.failed(fault, 0);
        match fault.stale_connection() && self.body.len() > LONG_BODY {
            true => Box::new(Failed { verdict: Verdict::skip(Reason::Transport), ..*failed }),
            false => failed,
        }
    }

    fn late(&self, what: &'static str, limit: Duration) -> Box<Failed> {
        self.failed(&CallError::Timeout { what, limit }, 0)
    }

    fn entry(&self) -> &Entry {
        &self.place.entry
    }
}

/// What goes to the client if the error inside a 200 is its own: never as a 200, which it would take for an answer.
fn in_band_refusal(body: Bytes) -> Whole {
    let stated = Envelope::read(&body).status.filter(|status| (400..500).contains(status));
    Whole { status: stated.unwrap_or(400), content_type: None, body }
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    content_type.get(..17).is_some_and(|start| start.eq_ignore_ascii_case(b"text/event-stream"))
}

/// Nothing but identity was offered, so anything else cannot be passed on.
fn check_encoding(headers: &HeaderMap) -> Result<(), CallError> {
    match headers.get(CONTENT_ENCODING) {
        Some(coding) if !coding.as_bytes().eq_ignore_ascii_case(b"identity") => {
            Err(CallError::Unreadable("answer is compressed although that was not offered"))
        }
        _ => Ok(()),
    }
}
