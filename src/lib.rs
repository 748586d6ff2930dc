//! 429chain: a self-hosted, OpenAI-compatible proxy that walks a chain of free LLM tiers.

pub mod config;
pub mod demo;
pub mod domain;
