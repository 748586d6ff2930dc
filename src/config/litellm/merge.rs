//! The values of a file with its merge keys carried out: `<<: *defaults`, as YAML 1.1 and LiteLLM have them.
//!
//! Our own files know no merge keys. Passed over in a foreign one they would take `api_base` with them, and prompts for a
//! private server would go to the public one.

use super::super::document::{Content, Entry, Node, Place};
use super::super::edit::Value;
use super::super::error::Problem;
use super::super::path::{Step, YamlPath};

const MERGE: &str = "<<";

/// The values of `node`. What merging adds was counted with its alias, so it stays within the bounds of a document.
pub(super) fn merged(node: &Node) -> Result<Value, Problem> {
    Ok(match &node.content {
        Content::Null => Value::Null,
        Content::Text(text) => Value::Text(text.value.clone()),
        Content::List(items) => Value::List(items.iter().map(merged).collect::<Result<_, _>>()?),
        Content::Map(entries) => Value::Map(mapping(entries)?),
    })
}

/// Own keys count more than merged ones, and of those the ones that are named first.
fn mapping(entries: &[Entry]) -> Result<Vec<(String, Value)>, Problem> {
    let mut members = Vec::with_capacity(entries.len());
    for entry in entries.iter().filter(|entry| entry.key != MERGE) {
        members.push((entry.key.clone(), merged(&entry.value)?));
    }
    for entry in entries.iter().filter(|entry| entry.key == MERGE) {
        for (key, value) in sources(&entry.value, entry.key_place)?.into_iter().flatten() {
            if members.iter().all(|(known, _)| *known != key) {
                members.push((key, value));
            }
        }
    }
    Ok(members)
}

fn sources(node: &Node, place: Place) -> Result<Vec<Vec<(String, Value)>>, Problem> {
    let source = |node: &Node| match &node.content {
        Content::Map(entries) => mapping(entries),
        _ => Err(Problem::new(YamlPath::root(), Some(place), "`<<` takes a mapping, or a list of mappings").with_help(
            "write it like `<<: *defaults` or `<<: [*first, *second]`; the anchors have to stand at mappings",
        )),
    };
    match &node.content {
        Content::List(items) => items.iter().map(source).collect(),
        _ => Ok(vec![source(node)?]),
    }
}

/// What to do about a key that is written twice, where that key is `<<`.
pub(super) fn advise(problem: Problem) -> Problem {
    let is_merge = matches!(problem.path.steps().last(), Some(Step::Key(key)) if key == MERGE);
    match is_merge {
        true => problem.with_help("write one `<<: [*first, *second]`: of a key that both have, the first counts"),
        false => problem.with_help("keep one of the two and remove the other: LiteLLM uses the last"),
    }
}
