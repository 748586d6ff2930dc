//! The domain core: quota, cooldowns, classification, chains. Pure and synchronous; time is an argument.

pub mod dialect;
pub mod ids;
pub mod limits;
pub mod outcome;
pub mod sse;
pub mod time;
