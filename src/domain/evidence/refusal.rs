//! Which bucket refused a request, and what it holds, where only the body tells.
//!
//! Headers of a refusal may look healthy: at Groq neither the minute's requests nor the day's tokens appear in any.

use std::time::Duration;

use super::tally::Tally;
use super::text::{self, Named};
use super::{DAY, Dimension, MINUTE, SECOND, Stated, google};
use crate::domain::answer::Headers;
use crate::domain::dialect::Dialect;
use crate::domain::envelope::Envelope;
use crate::domain::outcome::{Reason, Verdict};
use crate::domain::time::Wall;

/// A refusal, opened.
#[derive(Clone, Copy)]
pub(super) struct Refusal<'a> {
    pub(super) dialect: Dialect,
    pub(super) headers: Headers<'a>,
    pub(super) envelope: &'a Envelope,
    pub(super) verdict: &'a Verdict,
    pub(super) now: Wall,
}

impl Refusal<'_> {
    /// Reads everything but the buckets in the headers.
    pub(super) fn read(&self, tally: &mut Tally, stated: &mut Vec<Stated>) {
        if self.envelope.upstream {
            // What the provider behind an aggregator says is about the aggregator's account there.
            return;
        }
        google::read(self, tally, stated);
        if self.verdict.reason == Some(Reason::NotInPlan) {
            return;
        }
        for named in text::read(&self.envelope.text) {
            if let Some(remaining) = named.remaining {
                let bucket = tally.bucket(named.dimension, Some(named.window));
                bucket.left(remaining, false);
                bucket.refused();
                if let Some(limit) = named.limit {
                    bucket.limited(limit);
                }
            }
            state(named, stated);
        }
        if let Some((dimension, window)) = self.coded() {
            let bucket = tally.bucket(dimension, Some(window));
            bucket.left(0, false);
            bucket.refused();
            if self.dialect == Dialect::Openrouter {
                // Its headers name no window, and speak of the counter that refused.
                tally.has_period(dimension, window);
            }
        }
    }

    /// The bucket that a code or a fixed phrase stands for.
    fn coded(&self) -> Option<(Dimension, Duration)> {
        let envelope = self.envelope;
        match self.dialect {
            Dialect::Openrouter => {
                let day = envelope.has_code(&["openrouter_free_tier_daily"]) || envelope.says(&["free-models-per-day"]);
                let window = if day {
                    DAY
                } else if envelope.says(&["free-models-per-min"]) {
                    MINUTE
                } else {
                    return None;
                };
                Some((Dimension::Requests, window))
            }
            Dialect::Together if envelope.has_code(&["dynamic_token_limited"]) => Some((Dimension::Tokens, SECOND)),
            Dialect::Together if envelope.has_code(&["dynamic_request_limited"]) => Some((Dimension::Requests, SECOND)),
            _ => self.headers.lines("x-ratelimit-type").find_map(azure_type),
        }
    }
}

/// Azure's `x-ratelimit-type: UserByModelByDay`.
fn azure_type(kind: &str) -> Option<(Dimension, Duration)> {
    let kind = kind.to_ascii_lowercase();
    let dimension = if kind.contains("token") { Dimension::Tokens } else { Dimension::Requests };
    let window = if kind.contains("byday") {
        DAY
    } else if kind.contains("byminute") {
        MINUTE
    } else {
        return None;
    };
    Some((dimension, window))
}

/// Keeps a limit that a text states. Zero is no limit but a plan without the model; neurons are not counted here.
pub(super) fn state(named: Named, stated: &mut Vec<Stated>) {
    let Named { dimension, window, limit: Some(limit), .. } = named else { return };
    let said = Stated::Window { dimension, window, limit };
    if limit > 0 && dimension != Dimension::Neurons && !stated.contains(&said) {
        stated.push(said);
    }
}
