//! Where a waiting time comes from, as precisely as the fixtures say it.
//!
//! A verdict names the kind of source, which is all that the proxy needs. How a header was written, or which clock a
//! calendar follows, is worked out here from the answer, for people.

use std::time::Duration;

use super::{Case, Outcome};
use crate::domain::answer::Headers;
use crate::domain::dialect::Dialect;
use crate::domain::envelope::Envelope;
use crate::domain::evidence;
use crate::domain::outcome::{Basis, Hint};

/// The fixtures' name of the source.
pub(super) fn name(case: &Case, outcome: &Outcome, hint: Hint) -> String {
    let name = match hint.basis {
        Basis::RetryAfterMsHeader => "retry_after_ms_header",
        Basis::RetryAfterHeader => "retry_after_header",
        Basis::ResetHeader => return reset(case, hint.wait),
        Basis::BodyField => field(case.dialect, outcome.failure.as_deref().unwrap_or(&case.body)),
        Basis::BodyHint => "body_hint",
        Basis::Calendar => calendar(case.dialect),
        Basis::WindowLength => "window_length",
        Basis::RefillRate => "refill_rate",
        Basis::Clamp => "clamp",
        Basis::Guess => "guess",
    };
    name.to_owned()
}

fn reset(case: &Case, wait: Duration) -> String {
    let lines = case.lines();
    match evidence::reset_form(Headers(&lines), wait, case.now) {
        Some(form) => format!("reset_header_{}", form.name()),
        None => "reset_header".to_owned(),
    }
}

fn field(dialect: Dialect, body: &[u8]) -> &'static str {
    match dialect {
        Dialect::GoogleAi => "body_retry_info",
        _ if Envelope::read(body).delays.is_empty() => "body_metadata_headers",
        _ => "body_field",
    }
}

fn calendar(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Mistral => "minute_boundary",
        Dialect::GoogleAi => "pacific_midnight",
        _ => "utc_midnight",
    }
}
