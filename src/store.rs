//! What is kept on disk: the log of requests, what entries have learnt, and the hash of the generated admin key.

pub mod admin_key;
pub mod database;
pub mod error;
mod migration;
pub mod place;
pub mod requests;
pub mod shelf;
pub mod state;
mod tables;
pub mod totals;
mod wire;

#[cfg(test)]
pub(crate) mod failing;
#[cfg(test)]
mod growth;
