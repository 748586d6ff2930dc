//! What the fuzz targets check. Each module has a `check` that takes any bytes and panics where a promise is broken.
//!
//! The ordinary tests include this file as a module of theirs (`tests/fuzzing.rs`), so that every change runs a little of
//! it. It therefore uses nothing but what they have as well, and names its own modules by `super`.

pub mod classify;
pub mod config;
pub mod corpus;
pub mod edit;
pub mod request;
pub mod sse;

/// A target: the name of its folder of seeds, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 5] = [
    ("classify", classify::check),
    ("config", config::check),
    ("edit", edit::check),
    ("request", request::check),
    ("sse", sse::check),
];

/// The first line, which steers a check, and what it is made on. Text, so that a seed can be read and written by hand.
pub fn steered(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (&[], bytes),
    }
}
