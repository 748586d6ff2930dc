//! The recorder: takes note of every request that has ended. It has a thread of its own, because writing may block.

use std::time::Duration;

use actix::{Actor, Addr, Arbiter, Context, Handler};
use tracing::info;

use super::msg::{Close, Record};
use crate::domain::ids::EntryId;
use crate::domain::trail::Trail;
use crate::domain::usage::Usage;

/// One request, as it ended.
#[derive(Debug, Default)]
pub struct Row {
    /// The id in the answer's `X-Request-Id`.
    pub id: String,
    /// Label of the route: a chain, or `provider/model`. Empty when the request selected none.
    pub chain: String,
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
    /// As reported by the provider.
    pub usage: Option<Usage>,
    /// From the request to the first content of a stream.
    pub first_token: Option<Duration>,
    /// From the request to the end of the answer.
    pub took: Duration,
}

/// The actor. Until there is a database it writes one log line per request.
#[derive(Debug)]
pub struct RecorderActor;

impl RecorderActor {
    /// Starts the recorder on a thread of its own.
    #[must_use]
    pub fn start_on(arbiter: &Arbiter) -> Addr<Self> {
        Self::start_in_arbiter(&arbiter.handle(), |_| Self)
    }
}

impl Row {
    fn log(&self) {
        let served_by = self.served_by.as_ref().map(tracing::field::display);
        let usage = self.usage.as_ref();
        let attempts = self.trail.attempts();
        info!(
            request.id = %self.id,
            chain = %self.chain,
            model = %self.model,
            stream = self.stream,
            served_by,
            attempts,
            skipped = self.trail.0.len() - attempts,
            status = self.status,
            code = self.code,
            prompt_tokens = usage.map(|usage| usage.prompt_tokens),
            completion_tokens = usage.map(|usage| usage.completion_tokens),
            first_token_ms = self.first_token.map(millis),
            ms = millis(self.took),
            "request"
        );
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

impl Actor for RecorderActor {
    type Context = Context<Self>;
}

impl Handler<Record> for RecorderActor {
    type Result = ();

    fn handle(&mut self, batch: Record, _: &mut Self::Context) {
        crate::telemetry::together(|| batch.0.iter().for_each(Row::log));
    }
}

impl Handler<Close> for RecorderActor {
    type Result = ();

    fn handle(&mut self, _: Close, _: &mut Self::Context) {}
}
