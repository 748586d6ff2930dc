//! `429chain classify`: says how an answer of a provider would be understood.

use std::io::{self, BufRead, IsTerminal};

use super::Failure;
use super::report::{explain, say};
use crate::clock::Clock;
use crate::domain::case::Case;
use crate::domain::time::Wall;

/// A line that a person may paste.
const EXAMPLE: &str = r#"{"provider":"groq","status":429,"headers":{"retry-after":"7"},"body":{"error":{"message":"Rate limit reached on tokens per day (TPD): Limit 200000, Used 197494, Requested 4035."}}}"#;

/// Reads cases from stdin, one JSON object a line, and prints what each comes to.
pub(super) fn classify() -> Result<(), Failure> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        explain(&explanation());
    }
    let (mut lines, mut wrong) = (0_usize, 0_usize);
    for (at, line) in stdin.lock().split(b'\n').enumerate() {
        let line = line.map_err(|fault| Failure::runtime(format!("stdin cannot be read: {fault}")))?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        lines += 1;
        match answer(&line, Clock::system().now().wall) {
            Ok(expectation) => say(&expectation),
            Err(fault) => {
                wrong += 1;
                say(&serde_json::json!({ "error": format!("line {}: {fault}", at + 1) }).to_string());
            }
        }
    }
    match wrong {
        0 => Ok(()),
        _ => Err(Failure::usage(format!("{wrong} of {lines} lines were not understood"))),
    }
}

fn answer(line: &[u8], now: Wall) -> Result<String, String> {
    let line = std::str::from_utf8(line).map_err(|fault| format!("not UTF-8 behind byte {}", fault.valid_up_to()))?;
    let case = Case::read(line, now).map_err(|fault| fault.to_string())?;
    serde_json::to_string(&case.expectation()).map_err(|fault| fault.to_string())
}

fn explanation() -> String {
    format!(
        "Paste one answer of a provider as JSON on one line, then Enter; Ctrl-D ends. For example

{EXAMPLE}

provider  a provider type of the configuration, such as groq, google-ai or local
status    the HTTP status; 0 when no answer came
headers   names and values; a list of values for a header that came in several lines
body      JSON as it was sent, or a string for anything else
stream    true when the body is an event stream
now       when it came, such as 2026-11-24T12:00:00Z; left out, it is now
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_explanation_shows_a_line_that_works() {
        let explanation = explanation();
        let line = explanation.lines().find(|line| line.starts_with('{')).unwrap();
        let json: serde_json::Value = serde_json::from_str(&answer(line.as_bytes(), Wall(0)).unwrap()).unwrap();
        assert_eq!((&json["reason"], &json["cooldown_s"]), (&"quota".into(), &7.into()));
        assert_eq!(json["learn"][0]["limit"], 200_000);
    }

    #[test]
    fn bytes_that_are_no_text_are_a_mistake_like_any_other() {
        assert_eq!(answer(b"{\"provider\":\"\xff\"}", Wall(0)), Err("not UTF-8 behind byte 13".to_owned()));
    }
}
