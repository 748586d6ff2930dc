//! Words to the person at the terminal.

use std::io::{self, Write};

/// Prints to stdout. A reader that has gone away is no reason to fail.
pub(super) fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Prints to stderr.
pub(super) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "429chain: {text}");
}

/// Prints to stderr what a person at the terminal may do next.
pub(super) fn explain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// So many of them, in words.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
