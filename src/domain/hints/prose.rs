//! The wait that an error text states: `Please try again in 7m12s`.
//!
//! Only a duration with a unit directly behind one of the phrases counts. Numbers elsewhere in a text are model names,
//! token counts and request ids.

use std::time::Duration;

use super::duration;

const PHRASES: [&str; 5] = ["try again in ", "retry in ", "retry after ", "try again after ", "please wait "];

/// Reads lower-case text.
#[must_use]
pub fn wait(text: &str) -> Option<Duration> {
    PHRASES.iter().find_map(|phrase| {
        let mut rest = text;
        while let Some(at) = rest.find(phrase) {
            rest = rest.get(at + phrase.len()..)?;
            if let Some((wait, _)) = duration::leading(rest.trim_start_matches([' ', '~'])) {
                return Some(wait);
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<f64> {
        wait(text).map(|wait| wait.as_secs_f64())
    }

    #[test]
    fn reads_the_duration_behind_the_phrase() {
        for (text, expected) in [
            ("limit 200, used 200. please try again in 7m12s.", 432.0),
            ("please try again in 11m0.528s. need more tokens? upgrade.", 660.528),
            ("please try again in 6m 11.52s.", 371.52),
            ("model: x\nplease retry in 44.26781542s.", 44.267_815_42),
            ("please retry after 86400 seconds.", 86_400.0),
            ("please wait 5631 seconds before retrying.", 5_631.0),
            ("try again in 3 days 4 hours.", 273_600.0),
            ("retry after 5 sessions, or retry in 2h13m", 7_980.0),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_number_without_phrase_or_unit_is_no_wait() {
        for text in [
            "",
            "rate limit reached for llama3-70b-8192",
            "retry after 5 sessions",
            "please try again in 30",
            "please try again later. request id 60 seconds",
            "your limit will reset at 2026-11-24 15:30:00",
            "try again in ",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
