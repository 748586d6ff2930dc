//! What is kept on disk.

pub mod admin_key;
