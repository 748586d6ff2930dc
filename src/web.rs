//! The HTTP API.

pub mod admin;
pub mod admit;
pub mod completions;
pub mod error;
pub mod explain;
pub mod gate;
pub mod health;
pub mod keys;
pub mod metrics;
pub mod models;
pub mod openapi;
mod quantiles;
mod query;
pub mod ratelimits;
pub mod reload;
pub mod routes;
pub mod state;
pub mod stats;
pub mod strangers;
pub mod ui;
pub mod unread;
