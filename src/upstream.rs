//! Calls to providers: one attempt, the walk from attempt to attempt, and the relay of a stream.

pub mod apart;
pub mod attempt;
pub mod body;
pub mod channel;
pub mod client;
pub mod collector;
pub mod dial;
pub mod error;
pub mod head;
mod idle;
pub mod listing;
mod opening;
pub mod probe;
pub mod relay;
pub mod tls;
pub mod wait;
pub mod waterfall;
