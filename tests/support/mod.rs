//! What the whole-proxy tests are made of: fake providers on real sockets, the proxy in process, steerable time.

pub mod app;
pub mod binary;
pub mod clock;
pub mod collector;
pub mod living;
pub mod oracle;
pub mod provider;
pub mod quota;
pub mod stepper;
pub mod wire;
