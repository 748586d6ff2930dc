//! Chains: names, and entries that lead somewhere.

use std::collections::BTreeMap;

use super::super::document::Document;
use super::super::path::YamlPath;
use super::super::raw::{Chain, Entry, File};
use super::super::report::Report;
use super::super::rules;
use super::super::wording::{listed, nearest, shown};
use super::check_rules;

pub(super) fn check(file: &File, document: &Document, report: &mut Report) {
    let list = YamlPath::root().key("chains");
    let providers = Providers::of(file, report);
    let mut taken = BTreeMap::new();
    for (index, chain) in file.chains.iter().enumerate() {
        let path = list.index(index);
        let Some(chain) = chain else {
            report.add_with_help(&path, "this item is empty", "write a chain here, or remove the `-`");
            continue;
        };
        check_rules(chain, &path, report);
        check_name(chain, &path, &mut taken, document, report);
        check_entries(&chain.entries, &path.key("entries"), &providers, report);
    }
    check_default(file, report);
}

fn check_name<'a>(
    chain: &'a Chain,
    path: &YamlPath,
    taken: &mut BTreeMap<&'a str, YamlPath>,
    document: &Document,
    report: &mut Report,
) {
    let name_path = path.key("name");
    let Some(name) = &chain.name else {
        report.add_with_help(&name_path, "is missing", "the model name that clients ask for: `name: default`");
        return;
    };
    match taken.get(name.as_str()) {
        Some(first) => {
            let line = document.place(first).line;
            let message = format!("the name {} is already taken by {first} in line {line}", shown(name));
            report.add_with_help(&name_path, message, "every chain needs a name of its own");
        }
        None => _ = taken.insert(name, path.clone()),
    }
}

fn check_entries(entries: &[Option<Entry>], list: &YamlPath, providers: &Providers<'_>, report: &mut Report) {
    const EXAMPLE: &str = "`- { provider: groq, model: openai/gpt-oss-120b }`";
    if entries.is_empty() {
        report.add_with_help(list, "a chain needs at least one entry", EXAMPLE);
    }
    let mut seen = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let path = list.index(index);
        let Some(entry) = entry else {
            report.add_with_help(&path, "this item is empty", format!("write an entry, or remove the `-`: {EXAMPLE}"));
            continue;
        };
        check_rules(entry, &path, report);
        match &entry.provider {
            Some(provider) => providers.check(provider, &path.key("provider"), report),
            None => report.add_with_help(&path.key("provider"), "is missing", EXAMPLE),
        }
        if entry.model.is_none() {
            report.add_with_help(&path.key("model"), "is missing", EXAMPLE);
        }
        if let (Some(provider), Some(model)) = (&entry.provider, &entry.model)
            && let Some(first) = seen.insert((provider, model), index)
        {
            let message = format!("the same provider and model as {}, so it would never be reached", list.index(first));
            report.add_with_help(&path, message, "remove one of the two");
        }
    }
}

/// The names that are there and pass for one.
fn usable<'a>(names: impl Iterator<Item = Option<&'a str>>) -> Vec<&'a str> {
    names.flatten().filter(|name| rules::handle(name, &()).is_ok()).collect()
}

/// The providers that entries may name.
struct Providers<'a> {
    ids: Vec<&'a str>,
    /// A provider whose id could not be read may be the one that is meant.
    complete: bool,
}

impl<'a> Providers<'a> {
    fn of(file: &'a File, report: &Report) -> Self {
        let list = YamlPath::root().key("providers");
        let ids = usable(file.providers.iter().flatten().map(|provider| provider.id.as_deref()));
        Self { complete: ids.len() == file.providers.len() && !report.is_faulty(&list), ids }
    }

    fn check(&self, id: &str, path: &YamlPath, report: &mut Report) {
        if !self.complete || self.ids.contains(&id) {
            return;
        }
        let help = match nearest(id, self.ids.iter().copied()) {
            Some(meant) => format!("did you mean {}?", shown(meant)),
            None if self.ids.is_empty() => "no provider is configured yet: add it to `providers`".to_owned(),
            None => format!("configured: {}", listed(&self.ids)),
        };
        report.add_with_help(path, format!("no provider has the id {}", shown(id)), help);
    }
}

fn check_default(file: &File, report: &mut Report) {
    let path = YamlPath::root().key("settings").key("defaultChain");
    let names = usable(file.chains.iter().flatten().map(|chain| chain.name.as_deref()));
    let incomplete = names.len() < file.chains.len() || names.is_empty();
    let default = file.default_chain();
    if incomplete || names.contains(&default) {
        return;
    }
    let message = match file.settings.default_chain {
        Some(_) => format!("no chain has the name {}", shown(default)),
        None => "is missing, and no chain is called `default`".to_owned(),
    };
    let help = match nearest(default, names.iter().copied()).filter(|_| file.settings.default_chain.is_some()) {
        Some(meant) => format!("did you mean {}?", shown(meant)),
        None => format!("name one of: {}", listed(&names)),
    };
    report.add_with_help(&path, message, help);
}
