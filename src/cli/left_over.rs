//! What is said of a write of the configuration file that was cut short, by a crash or a loss of power.

use std::path::Path;

use super::Failure;
use crate::config::error::ConfigErrors;
use crate::config::source::{Loaded, Source};

/// Loads the file. When it cannot be used, the failure also says where its old contents are, if they are somewhere.
pub(super) fn load(source: &Source) -> Result<Loaded, Failure> {
    source.load().map_err(|errors| Failure::usage(broken(&errors, source.path(), source.left_over().as_deref())))
}

/// What to do about old contents beside a file that can be used.
pub(super) fn notice(source: &Source) -> Option<String> {
    let (path, copy) = (source.path().display(), source.left_over()?);
    let copy = copy.display();
    Some(format!(
        "a write of {path} was cut short at some time. What it held before is in {copy}: compare the two. If {path} is as \
         it should be, delete {copy}; if not, put that in its place"
    ))
}

fn broken(errors: &ConfigErrors, path: &Path, copy: Option<&Path>) -> String {
    match copy {
        None => errors.to_string(),
        Some(copy) => {
            let (path, copy) = (path.display(), copy.display());
            format!(
                "{errors}\nA write of {path} was cut short. What it held before is in {copy}: put that in its place"
            )
        }
    }
}
