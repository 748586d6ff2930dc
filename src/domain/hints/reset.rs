//! What rate-limit headers say about the bucket that is spent.
//!
//! A reset header belongs to one bucket. On a 429 it may be used only if that very bucket has nothing left: Groq sends
//! the reset of the day's requests along when a minute limit was hit, and waiting for it would lose hours.

use std::time::Duration;

use super::number;
use super::when;
use super::window::Window;
use crate::domain::answer::Headers;
use crate::domain::time::Wall;

/// Everything the spent buckets of one answer say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Until the last of them is back.
    pub wait: Option<Duration>,
    /// The longest window that one of them names.
    pub window: Option<Window>,
}

/// Reads all buckets with nothing left, in the families `x-ratelimit-remaining...` / `-reset...` (and all names built
/// alike) and in the IETF draft's `RateLimit: "default";r=0;t=30`.
#[must_use]
pub fn spent(headers: Headers<'_>, now: Wall) -> Spent {
    let mut spent = Spent::default();
    for (name, value) in headers.all().filter(|(name, _)| is_rate_header(name)) {
        let found = if name.eq_ignore_ascii_case("ratelimit") {
            draft(value, now)
        } else {
            family(headers, &name.to_ascii_lowercase(), value, now)
        };
        if let Some(found) = found {
            spent.wait = spent.wait.max(found.wait);
            spent.window = spent.window.max(found.window);
        }
    }
    spent
}

/// The bare `x-ratelimit-reset` of providers that send it for the limit that was hit.
#[must_use]
pub fn stated(headers: Headers<'_>, now: Wall) -> Option<Duration> {
    headers.lines("x-ratelimit-reset").filter_map(|value| when::wait(value, now)).max()
}

/// True when the headers announce limits and they are zero: the plan does not serve this model, ever. A limit on
/// tokens that is zero beside a real one on requests has no such meaning.
#[must_use]
pub fn no_allowance(headers: Headers<'_>) -> bool {
    let limits = headers
        .all()
        .map(|(name, value)| (name.to_ascii_lowercase(), number::count(value)))
        .filter(|(name, _)| is_rate_header(name) && has_word(name, "limit"));
    let (mut any, mut all) = (false, true);
    for (name, limit) in limits {
        match limit {
            Some(0) if has_word(&name, "requests") || has_word(&name, "req") => return true,
            Some(0) => any = true,
            Some(_) => all = false,
            None => {}
        }
    }
    any && all
}

fn family(headers: Headers<'_>, name: &str, value: &str, now: Wall) -> Option<Spent> {
    if !has_word(name, "remaining") || number::count(value) != Some(0) {
        return None;
    }
    let reset = name.replace("remaining", "reset");
    let lines = headers.all().filter(|(other, _)| other.eq_ignore_ascii_case(&reset));
    // Zero says that the window is over, which the 429 denies.
    let wait = lines.filter_map(|(_, value)| when::wait(value, now)).filter(|wait| !wait.is_zero()).max();
    Some(Spent { wait, window: Window::in_name(name) })
}

/// `"default";r=0;t=30`, or `limit=100, remaining=0, reset=30` of an earlier draft.
fn draft(value: &str, now: Wall) -> Option<Spent> {
    let (mut left, mut reset) = (None, None);
    for (key, value) in value.split([';', ',']).filter_map(|part| part.split_once('=')) {
        match key.trim() {
            "r" | "remaining" => left = number::count(value),
            "t" | "reset" => reset = when::wait(value, now),
            _ => {}
        }
    }
    (left == Some(0)).then_some(Spent { wait: reset.filter(|wait| !wait.is_zero()), window: None })
}

fn is_rate_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("ratelimit") || name.contains("rate-limit")
}

fn has_word(name: &str, word: &str) -> bool {
    name.split('-').any(|part| part == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-24T12:00:00Z
    const NOW: Wall = Wall(1_795_521_600_000);

    fn bytes<'a>(lines: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a [u8])> {
        lines.iter().map(|(name, value)| (*name, value.as_bytes())).collect()
    }

    fn read(lines: &[(&str, &str)]) -> (Option<u64>, Option<Window>) {
        let spent = spent(Headers(&bytes(lines)), NOW);
        (spent.wait.map(|wait| wait.as_secs()), spent.window)
    }

    #[test]
    fn only_the_spent_bucket_counts() {
        let headers = [
            ("X-RateLimit-Remaining-Requests-Day", "40"),
            ("X-RateLimit-Reset-Requests-Day", "43200"),
            ("x-ratelimit-remaining-tokens-minute", "0"),
            ("x-ratelimit-reset-tokens-minute", "11.5"),
        ];
        assert_eq!(read(&headers), (Some(11), Some(Window::Minute)));
        assert_eq!(read(&[("x-ratelimit-remaining", "5"), ("x-ratelimit-reset", "9")]), (None, None));
        assert_eq!(read(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "0")]), (None, None));
    }

    #[test]
    fn other_spellings() {
        assert_eq!(
            read(&[
                ("anthropic-ratelimit-requests-remaining", "0"),
                ("anthropic-ratelimit-requests-reset", "2026-11-24T12:00:30Z"),
            ]),
            (Some(30), None)
        );
        assert_eq!(read(&[("ratelimitbysize-remaining", "0"), ("ratelimitbysize-reset", "37")]), (Some(37), None));
        assert_eq!(read(&[("RateLimit", "\"default\";r=0;t=30")]), (Some(30), None));
        assert_eq!(read(&[("RateLimit", "limit=100, remaining=0, reset=30")]), (Some(30), None));
        assert_eq!(read(&[("RateLimit", "\"default\";r=5;t=30")]), (None, None));
        assert_eq!(read(&[("x-my-quota-remaining", "0"), ("x-my-quota-reset", "9")]), (None, None));
    }

    #[test]
    fn zero_limits_mean_that_the_plan_lacks_the_model() {
        let refused = |lines: &[(&str, &str)]| no_allowance(Headers(&bytes(lines)));
        assert!(refused(&[("x-ratelimit-limit-requests", "0")]));
        assert!(refused(&[("x-ratelimit-limit-req-minute", "0"), ("x-ratelimit-limit-tokens-minute", "50000")]));
        assert!(!refused(&[("x-ratelimit-limit-requests", "20"), ("x-ratelimit-limit-tokens", "0")]));
        assert!(!refused(&[("x-ratelimit-remaining-requests", "0")]));
        assert!(!refused(&[]));
    }
}
