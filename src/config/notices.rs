//! What is not wrong with a file and still to be known: what is missing before a request can be served, and keys that are
//! accepted and checked but change nothing in this version. The log says so at start.

use super::document::{Content, Document, Node};
use super::path::{Step, YamlPath};
use super::raw::{Chain, File, Provider};

/// The one list of them; a version that brings a feature removes its lines here. `*` stands for any step, and
/// `key=value` means that only this value is without effect.
pub(super) const NOT_YET: &[&str] = &["chains.*.strategy=latency"];

/// What is missing before a request can be served. A file without it is no mistake: a proxy that has just been installed
/// starts with it, and is set up in the UI.
pub(super) fn unfinished(file: &File) -> Vec<String> {
    let mut sentences = Vec::new();
    if file.providers.is_empty() {
        sentences
            .push("no provider is configured yet: add one in the UI at /ui or in the configuration file".to_owned());
    } else if file.providers.iter().flatten().all(Provider::is_disabled) {
        let sentence = "all providers are disabled, so no request can be served: give one of them its key and `enabled: true`, in \
                        the UI at /ui or in the configuration file";
        sentences.push(sentence.to_owned());
    } else {
        sentences.extend(unserved(file));
    }
    if file.chains.is_empty() {
        sentences.push("no chain is configured yet: make one in the UI at /ui or in the configuration file".to_owned());
    }
    sentences
}

/// Chains that nobody can serve, and who could serve and stands in no chain.
fn unserved(file: &File) -> Vec<String> {
    let enabled: Vec<&str> =
        file.providers.iter().flatten().filter(|it| !it.is_disabled()).filter_map(|it| it.id.as_deref()).collect();
    let users = |chain: &Chain| chain.entries.iter().flatten().filter_map(|entry| entry.provider.clone()).collect();
    let chains: Vec<(&Chain, Vec<String>)> = file.chains.iter().flatten().map(|chain| (chain, users(chain))).collect();
    let mut sentences = Vec::new();
    for (chain, users) in &chains {
        if !users.is_empty() && !users.iter().any(|user| enabled.contains(&user.as_str())) {
            let name = chain.name.as_deref().unwrap_or_default();
            sentences.push(format!(
                "no request to the chain {name} can be served: the providers of all its entries are disabled"
            ));
        }
    }
    if !chains.is_empty() {
        for id in enabled {
            if !chains.iter().any(|(_, users)| users.iter().any(|user| user == id)) {
                sentences.push(format!("{id} is enabled and stands in no chain: add an entry with one of its models"));
            }
        }
    }
    sentences
}

impl Document {
    /// One sentence per key, however often it is used.
    pub(super) fn notices(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        for pattern in NOT_YET {
            let (steps, value) =
                pattern.split_once('=').map_or((*pattern, None), |(steps, value)| (steps, Some(value)));
            let steps: Vec<&str> = steps.split('.').collect();
            let mut found = Vec::new();
            find(&self.root, &YamlPath::root(), &steps, value, &mut found);
            let mut users: Vec<String> = found.iter().filter_map(|path| self.owner(path)).collect();
            users.dedup();
            if !found.is_empty() {
                sentences.push(sentence(pattern, &users));
            }
        }
        sentences
    }

    /// The id or name of the provider or chain that `path` leads into.
    fn owner(&self, path: &YamlPath) -> Option<String> {
        let item = path.ancestry().find(|path| path.steps().len() == 2)?;
        ["id", "name"].into_iter().find_map(|key| match &self.get(&item.key(key))?.content {
            Content::Text(text) => Some(text.value.clone()),
            _ => None,
        })
    }
}

/// Collects the paths of all values below `node` that the pattern means.
fn find(node: &Node, path: &YamlPath, pattern: &[&str], value: Option<&str>, found: &mut Vec<YamlPath>) {
    let Some((wanted, rest)) = pattern.split_first() else {
        let means = |value: &str| matches!(&node.content, Content::Text(text) if text.value == value);
        if !matches!(node.content, Content::Null) && value.is_none_or(means) {
            found.push(path.clone());
        }
        return;
    };
    for (step, child) in children(node) {
        let path = path.then(step);
        if *wanted == "*" || path.steps().last().is_some_and(|step| is(step, wanted)) {
            find(child, &path, rest, value, found);
        }
    }
}

fn children(node: &Node) -> Vec<(Step, &Node)> {
    match &node.content {
        Content::Null | Content::Text(_) => Vec::new(),
        Content::List(items) => items.iter().enumerate().map(|(index, item)| (Step::Index(index), item)).collect(),
        Content::Map(entries) => entries.iter().map(|entry| (Step::Key(entry.key.clone()), &entry.value)).collect(),
    }
}

fn is(step: &Step, wanted: &str) -> bool {
    match step {
        Step::Key(key) => key == wanted,
        Step::Index(index) => wanted.parse() == Ok(*index),
    }
}

fn sentence(pattern: &str, users: &[String]) -> String {
    let users = users.join(", ");
    match pattern.split_once(".*.") {
        None => format!("{pattern} has no effect yet"),
        Some((list, key)) => format!("{} has no effect yet ({list}: {users})", key.replace('=', ": ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notices(text: &str) -> Vec<String> {
        let (document, problems) = Document::parse(text).unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!(problems, []);
        document.notices()
    }

    #[test]
    fn each_key_without_effect_is_named_once_with_its_users() {
        let text = "
            settings: { port: 1, normalizeResponses: true, dbPath: }
            chains:
              - { name: fast, strategy: latency }
              - { name: slow, strategy: ordered }
              - { name: faster, strategy: latency }";
        assert_eq!(notices(text), ["strategy: latency has no effect yet (chains: fast, faster)",]);
    }

    #[test]
    fn a_file_that_uses_none_of_them_gets_no_notices() {
        assert_eq!(
            notices("settings: { port: 1 }\nproviders: [{ id: a, rateLimits: { concurrentRequests: 1 } }]"),
            [""; 0]
        );
        assert_eq!(notices(""), [""; 0]);
    }
}
