//! The configuration file: read, checked, resolved. Every mistake is reported at once, with its place in the file.

pub mod model;
