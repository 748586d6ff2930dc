//! `429chain health`: asks a running proxy whether it is well.

use super::Failure;
use super::args::Args;
use super::ask::Target;
use super::report::say;

/// Succeeds when the proxy says that it is well.
pub(super) fn health(args: &Args) -> Result<(), Failure> {
    let target = Target::of(args);
    let reply = target.get("/health")?;
    match reply.status {
        200 => {
            say(&reply.body);
            Ok(())
        }
        _ => Err(Failure::runtime(format!("{target} is not well: {}", reply.body))),
    }
}
