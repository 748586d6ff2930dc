//! The domain core: quota, cooldowns, classification, chains. Pure and synchronous; time is an argument.

pub mod answer;
pub mod bucket;
pub mod case;
pub mod chunk;
pub mod classify;
pub mod cooldown;
pub mod demand;
pub mod dialect;
pub mod endpoint;
pub mod envelope;
pub mod evidence;
pub mod forecast;
pub mod hints;
pub mod ids;
pub mod ledger;
mod lenient;
pub mod limits;
pub mod normalize;
pub mod outcome;
pub mod pace;
pub mod refusal;
pub mod request;
pub mod sse;
pub mod stream;
pub mod time;
pub mod trail;
pub mod usage;
