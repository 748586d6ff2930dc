//! One request, as it ended: for the log, and for the database.

use std::borrow::Cow;
use std::time::Duration;

use tracing::info;

use crate::domain::ids::EntryId;
use crate::domain::time::Now;
use crate::domain::trail::Trail;
use crate::domain::usage::Usage;
use crate::store::requests::{Encoded, Request};

/// A client may send a `model` as long as a body; of one that is kept, so many bytes are.
pub(super) const MAX_MODEL: usize = 256;

/// One request, as it ended.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// The id in the answer's `X-Request-Id`.
    pub id: String,
    /// When it arrived.
    pub arrived: Now,
    /// Label of the route: a chain, or `provider/model`. Empty when the request selected none.
    pub chain: String,
    /// Label of the client's key.
    pub client: String,
    /// What the client asked for.
    pub model: String,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// Who served it.
    pub served_by: Option<EntryId>,
    /// Every entry that was looked at.
    pub trail: Trail,
    /// HTTP status of the answer; 499 when the client left first.
    pub status: u16,
    /// Machine code of the error, when there was one.
    pub code: Option<&'static str>,
    /// As reported by the provider, or as estimated.
    pub usage: Option<Usage>,
    /// How long it has waited for quota.
    pub waited: Duration,
    /// From the request to the first content of a stream.
    pub first_token: Option<Duration>,
    /// From the request to the end of the answer.
    pub took: Duration,
    /// Bytes of the request's body.
    pub bytes_in: u64,
    /// Bytes of the answer's body.
    pub bytes_out: u64,
}

impl Row {
    pub(super) fn log(&self) {
        let served_by = self.served_by.as_ref().map(tracing::field::display);
        let usage = self.usage.as_ref();
        let attempts = self.trail.attempts();
        info!(
            request.id = %self.id,
            chain = %self.chain,
            client = %self.client,
            model = %self.model,
            stream = self.stream,
            served_by,
            attempts,
            skipped = self.trail.0.len() - attempts,
            status = self.status,
            code = self.code,
            prompt_tokens = usage.map(|usage| usage.prompt_tokens),
            completion_tokens = usage.map(|usage| usage.completion_tokens),
            waited_ms = Some(self.waited).filter(|waited| !waited.is_zero()).map(millis),
            first_token_ms = self.first_token.map(millis),
            ms = millis(self.took),
            "request"
        );
    }

    /// Ready for the database. Deadlines in the trail are told as of the end of the request.
    pub(super) fn encode(mut self) -> Encoded {
        let Now { mono, wall } = self.arrived;
        let ended = Now { mono: mono.after(self.took), wall: wall.after(self.took) };
        self.model.truncate(self.model.floor_char_boundary(MAX_MODEL));
        let row = Request {
            id: self.id,
            arrived: wall,
            chain: self.chain,
            client: self.client,
            model: self.model,
            stream: self.stream,
            served_by: self.served_by.map(|entry| entry.label()),
            trail: self.trail.view(ended),
            status: self.status,
            code: self.code.map(Cow::Borrowed),
            usage: self.usage,
            waited_ms: millis(self.waited),
            first_token_ms: self.first_token.map(millis),
            ms: millis(self.took),
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
        };
        row.encode()
    }
}

pub(super) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
