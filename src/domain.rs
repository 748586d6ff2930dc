//! The domain core: quota, cooldowns, classification, chains. Pure and synchronous; time is an argument.

pub mod cooldown;
pub mod dialect;
pub mod ids;
pub mod ledger;
pub mod limits;
pub mod outcome;
pub mod request;
pub mod sse;
pub mod time;
pub mod trail;
