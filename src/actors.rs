//! Actors: thin shells that own the state of the core and answer one message at a time.
//!
//! They decide; workers move the bytes. No body ever passes through a mailbox. With one worker thread all of them but
//! the recorder live on that thread, so that a request crosses no thread boundary.

pub mod drain;
pub mod entry;
pub mod fleet;
pub mod gauge;
pub mod journal;
pub mod keeper;
pub mod lease;
pub mod msg;
pub mod pending;
pub mod recorder;
pub mod route;
pub mod router;
pub mod row;
