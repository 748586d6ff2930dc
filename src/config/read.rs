//! From the tree to the shapes of `raw`, with every misfit reported and not only the first.
//!
//! serde stops at the first error. So what it stumbled over is reported, taken out of the tree, and the tree is read
//! again, until nothing is left to stumble over.

use super::document::{Content, Document};
use super::layers::{Overrides, merge};
use super::path::YamlPath;
use super::raw::File;
use super::report::Report;
use super::strict::{MAPPING, Misfit, Strict};
use super::wording::{alternatives, nearest, shown};

impl Document {
    /// What remains of the file once everything that does not fit is left out.
    pub(super) fn read(&mut self, overrides: &Overrides, report: &mut Report) -> File {
        let root = YamlPath::root();
        if matches!(self.root.content, Content::Text(_) | Content::List(_)) && !self.root.dropped {
            tell(&root, &Misfit::Expected(MAPPING), self, report);
            self.root.dropped = true;
        }
        // The command line is laid over a file that is known to fit, or it would hide a misfit.
        while let Err((path, misfit)) = attempt(self, &Overrides::default()) {
            tell(&path, &misfit, self, report);
            if !self.drop_at(&path) || report.is_full() {
                return File::default();
            }
        }
        attempt(self, overrides).unwrap_or_else(|(path, misfit)| {
            tell(&path, &misfit, self, report);
            File::default()
        })
    }
}

fn attempt(document: &Document, overrides: &Overrides) -> Result<File, (YamlPath, Misfit)> {
    let merged = merge(document, overrides).map_err(|_| (YamlPath::root(), Misfit::Other))?;
    serde_path_to_error::deserialize(Strict(&merged)).map_err(|error| (error.path().into(), error.into_inner()))
}

fn tell(path: &YamlPath, misfit: &Misfit, document: &Document, report: &mut Report) {
    match misfit {
        Misfit::Expected(what) => {
            report.add(path, format!("expected {what}, found {}", document.describe(path)));
        }
        Misfit::UnknownKey { key, known } => {
            let meant = nearest(key, known.iter().copied());
            let help = match meant {
                Some(meant) => format!("did you mean `{meant}`?"),
                None if key == "<<" => {
                    "merge keys are not supported: repeat the keys, or alias the mapping as a whole".into()
                }
                None => format!("known here: {}", known.join(", ")),
            };
            report.add_at_key(path, format!("unknown key {}", shown(key)), help);
            // It is not missing. Where it stands there as well, what is wrong with it still has to be said.
            let meant = meant.and_then(|meant| Some(path.parent()?.key(meant)));
            if let Some(meant) = meant.filter(|meant| document.get(meant).is_none()) {
                report.excuse(meant);
            }
        }
        Misfit::UnknownWord { word, known } => {
            let key = path.last_key().unwrap_or("value");
            let list = alternatives(known.iter().copied());
            let help = match nearest(word, known.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`? possible: {list}"),
                None => format!("possible: {list}"),
            };
            report.add_with_help(path, format!("unknown {key}: {}", document.describe(path)), help);
        }
        Misfit::Other => report.add(path, "this value cannot be used here"),
    }
}
