//! Actors: thin shells that own the state of the core and answer one message at a time.
//!
//! They decide; workers move the bytes. No body ever passes through a mailbox. With one worker thread all of them but
//! the recorder live on that thread, so that a request crosses no thread boundary.

pub mod backlog;
pub mod books;
pub mod desk;
pub mod drain;
pub mod ending;
pub mod entry;
pub mod estimate;
pub mod fleet;
pub mod gauge;
pub mod journal;
pub mod keeper;
pub mod lane;
pub mod lease;
pub mod line;
pub mod metrics;
pub mod msg;
pub mod pending;
pub mod posted;
pub mod recorder;
pub mod reload;
pub mod report;
mod round;
pub mod route;
pub mod router;
pub mod row;
pub mod traced;
mod walk;
