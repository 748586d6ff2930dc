//! `429chain health`: asks a running proxy whether it is well.

use serde::Deserialize;

use super::Failure;
use super::args::Args;
use super::ask::Target;
use super::report::say;

/// What a proxy says of itself, well or not.
#[derive(Deserialize)]
struct Known {
    #[serde(rename = "status")]
    _status: String,
    #[serde(rename = "version")]
    _version: String,
    #[serde(rename = "uptime")]
    _uptime: u64,
}

/// Succeeds when the proxy says that it is well.
pub(super) fn health(args: &Args) -> Result<(), Failure> {
    let target = Target::of(args);
    let reply = target.get("/health")?;
    // Many a server answers every path.
    serde_json::from_str::<Known>(&reply.body).map_err(|_| target.is_foreign())?;
    match reply.status {
        200 => {
            say(&reply.body);
            Ok(())
        }
        _ => Err(Failure::runtime(format!("{target} is not well: {}", reply.body))),
    }
}
