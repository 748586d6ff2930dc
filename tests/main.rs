//! Whole-proxy tests: real sockets, scripted providers, steerable time. One file per behaviour.

#![allow(unreachable_pub, reason = "the support modules are shared by all tests")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and clippy knows only test functions, not what they call"
)]

mod admin;
mod admin_key;
mod chat;
mod cli;
mod concurrency;
mod efficiency;
mod errors;
mod explain;
mod faults;
mod first;
mod fuzzing;
mod history;
mod hostile;
mod interrupted;
mod keys;
mod lately;
mod layout;
mod lessons;
mod line;
mod memory;
mod metrics;
mod openapi;
mod oracle;
mod patience;
mod ratelimits;
mod reasoning;
mod recovery;
mod reload;
mod restart;
mod scenarios;
mod several_keys;
mod stats;
mod stopping;
mod streaming;
mod support;
mod tls;
mod tracing;
mod truth;
mod ui;
mod usage;
mod watching;
mod waterfall;
