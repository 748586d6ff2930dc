//! One upstream call: sent, read, and judged. Whatever goes wrong before the first content of a stream, or anywhere in
//! a whole answer, is an ordinary failure that the client never sees.

use std::time::Duration;

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use awc::ClientResponse;
use bytes::Bytes;
use memchr::memmem;
use tokio::time::{Instant, timeout_at};

use super::body::{collect, next};
use super::client::{Clients, Wire};
use super::dial::noticing;
use super::error::CallError;
use crate::actors::route::{Entry, Place};
use crate::actors::traced::Context;
use crate::clock::Clock;
use crate::config::model::Settings;
use crate::domain::chunk;
use crate::domain::classify::{Answer, classify};
use crate::domain::demand::{Demand, Estimate};
use crate::domain::endpoint::Endpoint;
use crate::domain::envelope::Envelope;
use crate::domain::evidence::{self, Evidence};
use crate::domain::normalize;
use crate::domain::outcome::{Action, Reason, Verdict};
use crate::domain::sse;
use crate::domain::stream::{View, Watch};
use crate::domain::usage::{self, Usage};

/// More than what is sent before anybody reads it.
const LONG_BODY: usize = 256 << 10;

/// A kept connection that had been closed is found out within this time.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A long body that is refused while it is sent is refused within this time.
const SENDING: Duration = Duration::from_secs(5);

/// The body of an error is worth so much waiting: the status has been said.
const ERROR_BODY: Duration = Duration::from_secs(5);

/// The headers of W3C Trace Context.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// See [`TRACEPARENT`].
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// A call to be made.
pub struct Call<'a> {
    /// The clients of this worker.
    pub clients: &'a Clients,
    /// Timeouts and bounds.
    pub settings: &'a Settings,
    /// Whom to call.
    pub place: &'a Place,
    /// With which of the provider's keys.
    pub key: usize,
    /// What for.
    pub endpoint: Endpoint,
    /// The request as it goes upstream.
    pub body: Bytes,
    /// Its size.
    pub demand: Demand,
    /// Whether a stream is asked for.
    pub stream: bool,
    /// Whether the client wants to see its usage.
    pub shows_usage: bool,
    /// For absolute times in answers.
    pub clock: &'a Clock,
    /// Sent along, when the request is traced.
    pub trace: Option<Context>,
}

/// A usable answer.
pub enum Served {
    /// All of it.
    Whole(Box<Complete>),
    /// A stream whose first content has come.
    Stream(Box<Opened>),
}

/// A usable answer that has come as a whole.
pub struct Complete {
    /// For the client.
    pub answer: Whole,
    /// What it says that it has cost.
    pub usage: Option<Usage>,
    /// The same, or what it has cost as far as anybody can tell.
    pub cost: Usage,
    /// What it says about quota.
    pub evidence: Evidence,
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

impl Failed {
    /// Whether the provider refused the request because of this member of it. An answer that repeats the request names all
    /// of them, and is longer.
    pub fn names(&self, member: &str) -> bool {
        const LONGEST: usize = 4_096;
        let body = self.answer.as_ref().map(|answer| &answer.body);
        let refused = matches!(self.status, 400 | 422);
        refused && body.is_some_and(|body| body.len() <= LONGEST && memmem::find(body, member.as_bytes()).is_some())
    }
}

impl Call<'_> {
    /// Makes the call.
    ///
    /// # Errors
    /// Why the answer cannot be used.
    pub async fn run(self) -> Result<Served, Box<Failed>> {
        let began = Instant::now();
        let first_token = self.settings.first_token_timeout;
        // The first content cannot come before the head.
        let longest = if self.stream { first_token } else { Duration::MAX };
        let patience = self.place.timeout.min(longest);
        let deadline = began + patience;
        let response = timeout_at(deadline, self.send())
            .await
            .map_err(|_| self.late("answer", patience))?
            .map_err(|fault| self.unanswered(&fault, began.elapsed()))?;
        if !response.status().is_success() {
            return self.refused(response, deadline.min(Instant::now() + ERROR_BODY)).await;
        }
        check_encoding(response.headers()).map_err(|fault| self.failed(&fault, response.status().as_u16()))?;
        if !self.stream {
            return self.whole(response, None, deadline, patience).await;
        }
        let mut response = response;
        let mut first = None;
        if !is_event_stream(response.headers()) {
            // Some servers call a stream something else.
            let status = response.status().as_u16();
            let read = timeout_at(deadline, next(&mut response)).await.map_err(|_| self.late("answer", patience))?;
            first = match read.map_err(|fault| self.failed(&fault, status))? {
                Some(first) if sse::begins(&first) => Some(first),
                Some(first) => return self.whole(response, Some(first), deadline, patience).await,
                None => return self.judge(status, response.headers(), Bytes::new()),
            };
        }
        timeout_at(began + first_token, self.open(response, first))
            .await
            .map_err(|_| self.late("content", first_token))?
    }

    /// Sends the request. A kept connection may turn out to have been closed by the provider; then nothing was
    /// processed, and a new connection is tried once. That shows at once: what is lost later was worked on.
    async fn send(&self) -> Result<ClientResponse, CallError> {
        let began = Instant::now();
        match noticing(self.send_by(Wire::Pooled)).await {
            (Err(fault), dialled) if fault.lost() && !dialled && began.elapsed() < AT_ONCE => {
                self.send_by(Wire::Fresh).await
            }
            (result, _) => result,
        }
    }

    async fn send_by(&self, wire: Wire) -> Result<ClientResponse, CallError> {
        let head = self.clients.head(self.entry(), self.key, self.endpoint, wire)?;
        let body = self.body.clone();
        Ok(match &self.trace {
            None => head.send_body(body).await?,
            Some(Context { parent, state: None }) => {
                head.extra_header((TRACEPARENT, parent.as_str())).send_body(body).await?
            }
            Some(Context { parent, state: Some(state) }) => {
                let head = head.extra_header((TRACEPARENT, parent.as_str())).extra_header((TRACESTATE, state.as_str()));
                head.send_body(body).await?
            }
        })
    }

    /// Reads a good answer to its end.
    async fn whole(
        &self,
        mut response: ClientResponse,
        begun: Option<Bytes>,
        deadline: Instant,
        patience: Duration,
    ) -> Result<Served, Box<Failed>> {
        let status = response.status().as_u16();
        let body = timeout_at(deadline, collect(&mut response, begun, self.settings.max_answer_bytes))
            .await
            .map_err(|_| self.late("end of the answer", patience))?
            .map_err(|fault| self.failed(&fault, status))?;
        self.judge(status, response.headers(), body)
    }

    /// Reads why a call was refused.
    async fn refused(&self, mut response: ClientResponse, deadline: Instant) -> Result<Served, Box<Failed>> {
        let status = response.status().as_u16();
        let body = match timeout_at(deadline, collect(&mut response, None, self.settings.max_answer_bytes)).await {
            Ok(Ok(body)) => body,
            // The status says it all, and how long to stay away stands in the head.
            _ if matches!(status, 400..=402 | 408 | 413 | 422 | 429 | 500..) => {
                return self
                    .judge(status, response.headers(), Bytes::new())
                    .map_err(|failed| Box::new(Failed { answer: None, ..*failed }));
            }
            Ok(Err(fault)) => return Err(self.failed(&fault, status)),
            Err(_) => return Err(self.late("end of the answer", ERROR_BODY)),
        };
        self.judge(status, response.headers(), body)
    }

    fn judge(&self, status: u16, headers: &HeaderMap, body: Bytes) -> Result<Served, Box<Failed>> {
        let lines: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let answer = Answer { status, headers: &lines, body: &body };
        let (dialect, wall) = (self.entry().provider.dialect, self.clock.now().wall);
        let mut verdict = classify(dialect, &answer, wall);
        let mut detail = None;
        if self.endpoint == Endpoint::Embeddings && matches!(status, 404 | 405 | 501) {
            // Many have no such route. They serve chats all the same.
            verdict = Verdict::skip(match verdict.reason {
                Some(Reason::ModelGone) => Reason::ModelGone,
                _ => Reason::ProviderRejected,
            });
            detail = Some("perhaps it has no embeddings".to_owned());
        }
        let evidence = evidence::read(dialect, &answer, &verdict, wall);
        let content_type = headers.get(CONTENT_TYPE).cloned();
        match verdict.action {
            Action::Ok if self.stream => Err(self.failed(&CallError::Unreadable("answered without a stream"), status)),
            Action::Ok => {
                let usage = usage::read(&body);
                let cost = usage.unwrap_or_else(|| self.estimate().usage(self.demand, chunk::text_of(&body)));
                let body = match self.settings.normalize_responses {
                    true => normalize::whole(&body).map_or(body, Bytes::from),
                    false => body,
                };
                let answer = Whole { status, content_type, body };
                Ok(Served::Whole(Box::new(Complete { answer, usage, cost, evidence })))
            }
            Action::NextEntry | Action::ReturnToClient => {
                let answer = match is_success(status) && chunk::read(&body).failed {
                    true => in_band_refusal(body),
                    false => Whole { status, content_type, body },
                };
                Err(Box::new(Failed { verdict, status, reached: true, evidence, detail, answer: Some(answer) }))
            }
        }
    }

    /// A watcher for the stream that this call has brought.
    pub(super) fn watch(&self) -> Watch {
        Watch::new(View {
            usage: self.shows_usage,
            normalize: self.settings.normalize_responses,
            most: u64::try_from(self.settings.max_answer_bytes).unwrap_or(u64::MAX),
            estimate: self.estimate(),
            demand: self.demand,
        })
    }

    fn estimate(&self) -> Estimate {
        self.entry().handle.as_ref().map_or(Estimate::NOTHING, |handle| handle.estimate.read())
    }

    /// What the head of a stream says about quota.
    pub(super) fn of_head(&self, response: &ClientResponse) -> Evidence {
        let headers = response.headers().iter();
        let lines: Vec<(&str, &[u8])> = headers.map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let answer = Answer { status: response.status().as_u16(), headers: &lines, body: b"" };
        evidence::read(self.entry().provider.dialect, &answer, &Verdict::OK, self.clock.now().wall)
    }

    pub(super) fn failed(&self, fault: &CallError, status: u16) -> Box<Failed> {
        let verdict = fault.verdict(self.entry().provider.dialect);
        let (reached, detail) = (fault.reached(), Some(fault.detail()));
        Box::new(Failed { verdict, status, reached, evidence: Evidence::default(), detail, answer: None })
    }

    /// A provider that refuses a long body before it has read it may close the connection so that its answer is lost. It
    /// is not known to be sick, so only this request is kept from it.
    fn unanswered(&self, fault: &CallError, after: Duration) -> Box<Failed> {
        let failed = self.failed(fault, 0);
        match fault.lost() && self.body.len() > LONG_BODY && after < SENDING {
            true => Box::new(Failed { verdict: Verdict::skip(Reason::Lost), ..*failed }),
            false => failed,
        }
    }

    fn late(&self, what: &'static str, limit: Duration) -> Box<Failed> {
        self.failed(&CallError::Timeout { what, limit }, 0)
    }

    pub(super) fn entry(&self) -> &Entry {
        &self.place.entry
    }
}

/// What goes to the client if the error inside a 200 is its own: never as a 200, which it would take for an answer.
pub(super) fn in_band_refusal(body: Bytes) -> Whole {
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
