//! Numbers in the texts of refusals. A number counts only directly behind the words that give it its meaning: "limit
//! reached for model llama3" states no limit.
//!
//! All texts are in lower case.

use std::time::Duration;

use super::{DAY, Dimension, HOUR, MINUTE, MONTH, SECOND, WEEK};
use crate::domain::hints::number;

/// So many places of one text are looked at.
const MAX_PLACES: usize = 8;

/// A limit that a text names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) dimension: Dimension,
    pub(super) window: Duration,
    pub(super) limit: Option<u64>,
    /// `None` when the text does not tell.
    pub(super) remaining: Option<u64>,
}

/// All limits that a text names, in any of the forms below.
pub(super) fn read(text: &str) -> impl Iterator<Item = Named> {
    let per = [("requests per ", Dimension::Requests), ("tokens per ", Dimension::Tokens)];
    let per = per.into_iter().flat_map(move |(words, dimension)| behind(text, words).map(move |at| (dimension, at)));
    let spent = per.filter_map(|(dimension, (before, rest))| spent(dimension, before, rest));
    let azure = behind(text, "rate limit of ").filter_map(|(_, rest)| azure(rest));
    let cohere = behind(text, "limited to ").filter_map(|(_, rest)| cohere(rest));
    let neurons = behind(text, "allocation of ").filter_map(|(_, rest)| neurons(rest));
    spent.chain(azure).chain(cohere).chain(neurons)
}

/// What stands before and behind each place where `words` occur.
pub(super) fn behind<'a>(text: &'a str, words: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let places = text.match_indices(words).take(MAX_PLACES);
    places.filter_map(move |(at, _)| Some((text.get(..at)?, text.get(at + words.len()..)?)))
}

/// A count at the start of a text, `200,000` or `~12903`, and what follows it.
pub(super) fn leading(text: &str) -> Option<(u64, &str)> {
    let text = text.trim_start_matches(['~', ' ']);
    let mut end = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => end = at + 1,
            // A comma between digits separates thousands; one behind them ends the clause.
            b',' if at == end && at > 0 => {}
            _ => break,
        }
    }
    let (digits, rest) = text.split_at_checked(end)?;
    Some((number::count(digits)?, rest))
}

/// `tokens per day (TPD): Limit 200000, Used 197494, Requested 4035` (Groq, OpenAI; once with slashes for commas), and
/// `Requests per minute limit exceeded` (Cerebras).
fn spent(dimension: Dimension, before: &str, rest: &str) -> Option<Named> {
    // Input and output tokens have buckets of their own at some accounts.
    if before.ends_with("input ") || before.ends_with("output ") {
        return None;
    }
    let (window, rest) = window(rest)?;
    if rest.starts_with(" limit") {
        return Some(Named { dimension, window, limit: None, remaining: Some(0) });
    }
    let rest = rest.trim_start();
    let rest = match rest.strip_prefix('(') {
        Some(marked) => marked.split_once(')')?.1,
        None => rest,
    };
    let rest = rest.strip_prefix(':')?.trim_start().strip_prefix("limit")?;
    let (limit, rest) = leading(rest.trim_start_matches(':'))?;
    let rest = rest.trim_start_matches([',', '/', ';', ' ']);
    let used = rest.strip_prefix("used").and_then(|rest| leading(rest.trim_start_matches(':')));
    Some(Named { dimension, window, limit: Some(limit), remaining: used.map(|(used, _)| limit.saturating_sub(used)) })
}

/// `Rate limit of 50 per 86400s exceeded for UserByModelByDay` (GitHub, Azure).
fn azure(rest: &str) -> Option<Named> {
    let (limit, rest) = leading(rest)?;
    let (seconds, rest) = leading(rest.strip_prefix(" per ")?)?;
    let kind = rest.strip_prefix("s exceeded")?.strip_prefix(" for ").unwrap_or_default();
    let kind = kind.split(['.', ' ']).next().unwrap_or_default();
    let dimension = if kind.contains("token") { Dimension::Tokens } else { Dimension::Requests };
    let window = Duration::from_secs(seconds).min(MONTH);
    (!window.is_zero()).then_some(Named { dimension, window, limit: Some(limit), remaining: Some(0) })
}

/// `limited to 20 API calls / minute` (Cohere).
fn cohere(rest: &str) -> Option<Named> {
    let (limit, rest) = leading(rest)?;
    let (window, _) = window(rest.strip_prefix(" api calls / ")?)?;
    Some(Named { dimension: Dimension::Requests, window, limit: Some(limit), remaining: Some(0) })
}

/// `your daily free allocation of 10,000 neurons` (Cloudflare).
fn neurons(rest: &str) -> Option<Named> {
    let (limit, rest) = leading(rest)?;
    rest.starts_with(" neurons").then_some(Named {
        dimension: Dimension::Neurons,
        window: DAY,
        limit: Some(limit),
        remaining: Some(0),
    })
}

/// A window in one word.
fn window(text: &str) -> Option<(Duration, &str)> {
    let end = text.bytes().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end)?;
    let window = match word {
        "second" | "sec" => SECOND,
        "minute" | "min" => MINUTE,
        "hour" => HOUR,
        "day" => DAY,
        "week" => WEEK,
        "month" => MONTH,
        _ => return None,
    };
    Some((window, rest))
}
