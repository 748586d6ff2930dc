//! The domain core: quota, cooldowns, classification, chains. Pure and synchronous; time is an argument.

pub mod answer;
pub mod chunk;
pub mod classify;
pub mod dialect;
pub mod envelope;
pub mod hints;
pub mod ids;
mod lenient;
pub mod limits;
pub mod outcome;
pub mod sse;
pub mod time;
pub mod usage;
