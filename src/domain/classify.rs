//! What an upstream answer means: whether it is good, who is to blame, and how long to stay away.
//!
//! The order is always HTTP status, then machine code, then text. Texts are matched by whole phrases only, and never
//! decide against the status: a 500 that mentions a daily limit is a 500. Numbers in texts decide nothing. Earlier
//! proxies that searched whole bodies for "402" or "quota" benched healthy entries for a day.

mod denied;
mod dialects;
mod in_band;
mod limited;
mod missing;
mod refused;
mod ruling;
mod signs;
mod success;
mod unwell;

pub use super::answer::Answer;
use super::answer::Headers;
use super::dialect::Dialect;
use super::envelope::Envelope;
use super::outcome::{CooldownClass, Reason, Target, Verdict};
use super::time::Wall;
use ruling::Ruling;
use signs::Signs;

/// Reads a complete answer: one that is no success, whatever its status, or the 2xx body of a request without stream.
#[must_use]
pub fn classify(dialect: Dialect, answer: &Answer<'_>, now: Wall) -> Verdict {
    if (200..300).contains(&answer.status) {
        return success::read(dialect, answer.body, answer.is_whole(), now);
    }
    if answer.status == 0 {
        return broken(dialect, Reason::Transport);
    }
    let signs = Signs {
        dialect,
        status: answer.status,
        headers: Headers(answer.headers),
        envelope: Envelope::read(answer.body),
        now,
    };
    rule(&signs).settle(&signs)
}

/// The verdict on an answer that broke off or never came: `Empty`, `Truncated`, `Unreadable`, `Transport`, `Lost`
/// or `Timeout`.
#[must_use]
pub fn broken(dialect: Dialect, reason: Reason) -> Verdict {
    let class = match reason {
        Reason::Empty => CooldownClass::Empty,
        _ => CooldownClass::ServerError,
    };
    dialects::softened(dialect, Verdict::cool(reason, Target::Entry, class))
}

/// Classifies a failure reported inside a 200.
pub(super) fn in_band(dialect: Dialect, data: &[u8], now: Wall) -> Verdict {
    in_band::read(dialect, data, now)
}

/// The table, before any waiting time is looked at: the provider's own rules first, then those that hold everywhere.
fn rule(signs: &Signs<'_>) -> Ruling {
    dialects::rule(signs).unwrap_or_else(|| match signs.status {
        // Following a redirect would hand the key to another host.
        300..400 => Verdict::cool(Reason::ProviderRejected, Target::Provider, CooldownClass::ProviderRejected).into(),
        401..=403 => denied::rule(signs),
        404 | 410 => missing::rule(signs),
        413 => refused::too_large(signs),
        429 => limited::rule(signs),
        408 | 409 | 425 | 498 | 499 => unwell::rule(signs),
        405 | 415 => Verdict::return_to_client(Reason::BadRequest).into(),
        400..500 => refused::rule(signs),
        _ => unwell::rule(signs),
    })
}

#[cfg(test)]
mod tests;
