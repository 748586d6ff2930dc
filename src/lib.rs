//! 429chain: a self-hosted, OpenAI-compatible proxy that walks a chain of free LLM tiers.
//!
//! The modules depend on each other in one direction: `domain` (pure) <- `config` <- `store` <- `actors` <- `upstream` <-
//! `web` <- `app` <- `cli`. A test reads the `use` lines and holds them to it.

pub mod actors;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod domain;
pub mod store;
pub mod telemetry;
pub mod upstream;
pub mod web;
