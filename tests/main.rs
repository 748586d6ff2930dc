//! Whole-proxy tests.
