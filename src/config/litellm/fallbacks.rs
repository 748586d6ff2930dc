//! Other names of groups, and who is asked when a group fails.

use std::collections::BTreeMap;

use super::super::edit::Value;
use super::{Entry, Found};

/// For every group that has no rule of its own.
const ANY: &str = "*";

/// Groups, and those that are asked after them.
type Rules = Vec<(String, Vec<String>)>;

impl Found {
    /// Other names of groups are chains of their own.
    pub(super) fn aliases(&mut self, file: &Value) {
        let aliases = file.get("router_settings").and_then(|settings| settings.get("model_group_alias"));
        for (alias, group) in aliases.map(Value::members).unwrap_or_default() {
            let target = group.as_text().or_else(|| group.text("model")).unwrap_or_default();
            match self.entries_of(target) {
                Some(entries) => entries.into_iter().for_each(|entry| self.add(alias, entry)),
                None => self.notes.say(format!("the alias {alias}"), format!("left out, as there is no {target}")),
            }
        }
    }

    /// What is asked when a group fails is asked after it. LiteLLM looks for a rule of the group first, and for one that
    /// is for all only when there is none; what is for prompts that are too long comes after what is for any failure.
    pub(super) fn fallbacks(&mut self, file: &Value) {
        let always = self.default_fallbacks(file);
        let mut general = self.rules(file, "fallbacks");
        // LiteLLM appends it, and of several rules for all the last one counts.
        if !always.is_empty() {
            general.retain(|(from, _)| from != ANY);
            general.push((ANY.to_owned(), always));
        }
        let too_long = self.rules(file, "context_window_fallbacks");
        let groups: Vec<String> = self.names.keys().cloned().collect();
        // As they are before anything is added: the fallbacks of a fallback are not asked.
        let before: BTreeMap<String, Vec<Entry>> =
            groups.iter().filter_map(|group| Some((group.clone(), self.entries_of(group)?))).collect();
        for group in &groups {
            for to in [&general, &too_long].into_iter().flat_map(|rules| targets(rules, group)) {
                for entry in before.get(to).into_iter().flatten() {
                    self.add(group, entry.clone());
                }
            }
        }
    }

    fn default_fallbacks(&mut self, file: &Value) -> Vec<String> {
        let value = sections(file).find_map(|(_, settings)| settings.get("default_fallbacks"));
        let always: Vec<String> =
            value.map(Value::items).unwrap_or_default().iter().filter_map(Value::as_text).map(str::to_owned).collect();
        for to in always.iter().filter(|to| !self.names.contains_key(*to)) {
            self.notes.say(format!("`default_fallbacks` to {to}"), GONE);
        }
        always
    }

    /// The rules of a list like `[{ group: [other, another] }]`. What stands at the router counts first.
    fn rules(&mut self, file: &Value, key: &str) -> Rules {
        let mut rules = Rules::new();
        for (section, settings) in sections(file) {
            let items = settings.get(key).map(Value::items).unwrap_or_default();
            for (from, to) in items.iter().flat_map(Value::members) {
                let texts = to.items().iter().filter_map(Value::as_text).map(str::to_owned);
                rules.push((from.clone(), texts.collect()));
            }
            let is_rule = |item: &Value| {
                let named = |to: &Value| matches!(to, Value::List(to) if to.iter().all(|to| to.as_text().is_some()));
                !item.members().is_empty() && item.members().iter().all(|(_, to)| named(to))
            };
            if !items.iter().all(is_rule) {
                let what = "what is not written like `{ group: [other] }`, with names of `model_list`, was left out";
                self.notes.say(format!("{section}.{key}"), what);
            }
        }
        for (at, (from, _)) in rules.iter().enumerate() {
            if rules.iter().take(at).any(|(earlier, _)| earlier == from) {
                let counts = if from == ANY { "last" } else { "first" };
                self.notes
                    .say(format!("{key} from {from}"), format!("there are several, of which the {counts} counts"));
            }
        }
        for (from, to) in rules.iter().flat_map(|(from, to)| to.iter().map(move |to| (from, to))) {
            if !self.names.contains_key(to) || !(from == ANY || self.names.contains_key(from)) {
                self.notes.say(format!("the fallback from {from} to {to}"), GONE);
            }
        }
        rules
    }
}

const GONE: &str = "left out, as one of them is not here";

fn sections(file: &Value) -> impl Iterator<Item = (&'static str, &Value)> {
    ["router_settings", "litellm_settings"].into_iter().filter_map(|section| Some((section, file.get(section)?)))
}

/// Of several rules for a group LiteLLM takes the first, of several for all the last. A rule without targets is one all
/// the same.
fn targets<'a>(rules: &'a Rules, group: &str) -> &'a [String] {
    let own = rules.iter().find(|(from, _)| from == group);
    own.or_else(|| rules.iter().rfind(|(from, _)| from == ANY)).map_or(&[], |(_, to)| to)
}
