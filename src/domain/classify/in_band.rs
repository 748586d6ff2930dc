//! A failure inside a 200: an error object in a body or in a chunk, or the data of an `event: error`.
//!
//! A numeric `error.code` goes through the table as if it were the status. Without one the machine codes must do.

use super::signs::Signs;
use crate::domain::answer::Headers;
use crate::domain::dialect::Dialect;
use crate::domain::envelope::{Envelope, Shape};
use crate::domain::outcome::{Reason, Verdict};
use crate::domain::time::Wall;

/// What to assume when nothing says more.
const SERVER_ERROR: u16 = 500;

/// Reads the body or the payload that holds the failure.
pub(super) fn read(dialect: Dialect, data: &[u8], now: Wall) -> Verdict {
    // The rules read a document that is not JSON as the answer of an edge server or of a wrong address. Inside a 200
    // it is the failure itself.
    let envelope = Envelope { shape: Shape::Json, ..Envelope::read(data) };
    let stated = envelope.status;
    let status = stated.or_else(|| implied(&envelope)).unwrap_or(SERVER_ERROR);
    let signs = Signs { dialect, status, headers: Headers(&[]), envelope, now };
    let verdict = super::rule(&signs).settle(&signs);
    match verdict.reason {
        // The table's words for a status that nobody sent.
        Some(Reason::Server) => Verdict { reason: Some(Reason::InBandError), ..verdict },
        Some(Reason::Overload) if stated.is_none() => Verdict { reason: Some(Reason::InBandError), ..verdict },
        _ => verdict,
    }
}

/// The status that the machine codes stand for.
fn implied(envelope: &Envelope) -> Option<u16> {
    let table: [(u16, &[&str]); 6] = [
        (
            429,
            &[
                "rate_limit_exceeded",
                "rate_limit_error",
                "rate_limited",
                "rate_limit",
                "too_many_requests",
                "too_many_requests_error",
                "too_many_tokens_error",
                "resource_exhausted",
                "insufficient_quota",
                "quota_exceeded",
                "request_quota_exceeded",
                "token_quota_exceeded",
            ],
        ),
        (401, &["authentication_error", "invalid_api_key", "unauthenticated", "unauthorized"]),
        (402, &["payment_required"]),
        (403, &["permission_denied", "permission_error", "content_policy_violation"]),
        (404, &["model_not_found", "not_found_error", "not_found"]),
        (
            400,
            &[
                "invalid_request_error",
                "invalid_argument",
                "badrequesterror",
                "context_length_exceeded",
                "exceed_context_size_error",
            ],
        ),
    ];
    table.into_iter().find(|(_, names)| envelope.has_code(names)).map(|(status, _)| status)
}
