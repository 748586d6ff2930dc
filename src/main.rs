//! The `429chain` binary.
fn main() {}
