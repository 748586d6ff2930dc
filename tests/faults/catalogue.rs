//! All faults, in the order of the table.

use super::fault::Fault;
use super::{body, status, stream, wire};

pub fn all() -> Vec<Fault> {
    [status::refusals(), status::limits(), wire::connections(), wire::heads(), body::bodies(), stream::streams()]
        .into_iter()
        .flatten()
        .collect()
}
