//! Fake providers that know the truth about their quota, clients that ask for more than there is, and the figures that
//! come of it. Used by the tests, which move time themselves, and by `benches/efficiency`, where time moves on its own.

#![allow(dead_code, reason = "the bench and the tests each use a part of this")]
#![allow(unreachable_pub, reason = "shared by the bench and the tests")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong here is a fault of the measuring side, and ends it"
)]

pub mod announce;
pub mod catalogue;
pub mod client;
pub mod figures;
pub mod host;
pub mod scenario;
pub mod stage;
pub mod truth;
pub mod waits;
pub mod wire;
