//! What stands in a file of LiteLLM's.

use super::super::edit::Value;
use super::super::rules;
use super::service::{self, address};
use super::{Account, Found};

pub(super) fn read(file: &Value) -> Found {
    let mut found = Found::default();
    let mut deployments: Vec<&Value> = file.get("model_list").map(Value::items).unwrap_or_default().iter().collect();
    // Those without one come last, as LiteLLM's router has it.
    deployments.sort_by_key(|one| order_of(one));
    for deployment in deployments {
        if let Err(note) = found.deployment(deployment) {
            found.notes.push(note);
        }
    }
    found.fallbacks(file);
    let settings = file.get("general_settings");
    found.master_key = settings.and_then(|settings| settings.text("master_key")).map(|key| reference(key).0);
    for (section, keys) in [
        ("general_settings", &["database_url", "alerting"][..]),
        ("litellm_settings", &["callbacks", "success_callback", "failure_callback", "cache", "guardrails"]),
        ("router_settings", &["routing_strategy"]),
    ] {
        let there = file.get(section).map(Value::members).unwrap_or_default();
        for (key, _) in there.iter().filter(|(key, _)| keys.contains(&key.as_str())) {
            found.notes.push(format!("{section}.{key} has no counterpart and was left out"));
        }
    }
    found
}

fn order_of(deployment: &Value) -> u64 {
    let params = deployment.get("litellm_params");
    params.and_then(|params| params.text("order")).and_then(|order| order.parse().ok()).unwrap_or(u64::MAX)
}

/// `os.environ/NAME` as `${NAME}`, and the name. Anything else is the key itself, in which a dollar sign is one.
fn reference(key: &str) -> (String, Option<String>) {
    match key.strip_prefix("os.environ/") {
        Some(name) => (format!("${{{name}}}"), Some(name.to_owned())),
        None => (key.replace("${", "$${"), None),
    }
}

impl Found {
    fn deployment(&mut self, deployment: &Value) -> Result<(), String> {
        let params = deployment.get("litellm_params").unwrap_or(&Value::Null);
        let name = deployment.text("model_name").unwrap_or_default();
        let model = params.text("model").unwrap_or_default();
        if model.is_empty() || name.is_empty() {
            return Err("a deployment without `model_name` or `litellm_params.model` was left out".to_owned());
        }
        if name.contains('*') || model.contains('*') {
            return Err(format!(
                "{name}: patterns have no counterpart; every entry `provider/model` can be asked for anyway"
            ));
        }
        let base_url = params.text("api_base");
        let (service, model) = service::find(model, base_url).map_err(|why| format!("{why}; it was left out"))?;
        let usual = service.variable.map(|name| (format!("${{{name}}}"), Some(name.to_owned())));
        let key = params.text("api_key").map(reference).or(usual);
        let (key, variable) = key.map_or((None, None), |(key, variable)| (Some(key), variable));
        let limits = limits(params);
        let at = self.account(service, address(service, base_url), key, variable);
        if let Some(account) = self.accounts.get_mut(at) {
            let entry = (account.id.clone(), model.clone());
            if !limits.is_empty() {
                account.limits.insert(model, limits);
            }
            self.add(name, entry);
        }
        Ok(())
    }

    /// Which account it is. Deployments with the same key at the same place are one.
    fn account(
        &mut self,
        service: service::Service,
        base_url: Option<String>,
        key: Option<String>,
        variable: Option<String>,
    ) -> usize {
        let is_it = |it: &Account| (it.service, &it.base_url, &it.key) == (service, &base_url, &key);
        if let Some(at) = self.accounts.iter().position(is_it) {
            return at;
        }
        let taken = self.accounts.iter().filter(|it| it.service.id == service.id).count();
        let id = if taken == 0 { service.id.to_owned() } else { format!("{}-{}", service.id, taken + 1) };
        let limits = std::collections::BTreeMap::new();
        self.accounts.push(Account { id, service, base_url, key, variable, limits });
        self.accounts.len() - 1
    }

    /// Adds an entry to a chain that may be new.
    fn add(&mut self, name: &str, entry: (String, String)) {
        let wanted = chain_name(name);
        match self.chains.iter_mut().find(|(known, _)| *known == wanted) {
            Some((_, entries)) if entries.contains(&entry) => {}
            Some((_, entries)) => entries.push(entry),
            None => {
                if wanted != name {
                    let message = "names of chains have no other signs than A-Z a-z 0-9 . _ -";
                    self.notes.push(format!("{name} is called {wanted} here: {message}"));
                }
                self.chains.push((wanted, vec![entry]));
            }
        }
    }

    /// What is asked when a group fails is asked after it.
    fn fallbacks(&mut self, file: &Value) {
        let sections = ["litellm_settings", "router_settings"].into_iter().filter_map(|section| file.get(section));
        let mut pairs: Vec<(String, String)> = Vec::new();
        for section in sections {
            for key in ["fallbacks", "context_window_fallbacks"] {
                let lists = section.get(key).map(Value::items).unwrap_or_default().iter().flat_map(Value::members);
                for (from, to) in lists {
                    pairs
                        .extend(to.items().iter().filter_map(|to| Some((chain_name(from), chain_name(to.as_text()?)))));
                }
            }
            let always = section.get("default_fallbacks").map(Value::items).unwrap_or_default();
            for to in always.iter().filter_map(Value::as_text) {
                pairs.extend(self.chains.iter().map(|(from, _)| (from.clone(), chain_name(to))));
            }
        }
        let before = self.chains.clone();
        let entries_of =
            |name: &str| before.iter().find(|(known, _)| known == name).map(|(_, entries)| entries.clone());
        for (from, to) in pairs {
            let (Some(more), Some((_, entries))) =
                (entries_of(&to), self.chains.iter_mut().find(|(name, _)| *name == from))
            else {
                self.notes.push(format!("the fallback from {from} to {to} was left out: one of them is not there"));
                continue;
            };
            for entry in more {
                if !entries.contains(&entry) {
                    entries.push(entry);
                }
            }
        }
    }
}

fn limits(params: &Value) -> Vec<(&'static str, String)> {
    let keys =
        [("rpm", "requestsPerMinute"), ("tpm", "tokensPerMinute"), ("max_parallel_requests", "concurrentRequests")];
    let found = keys.iter().filter_map(|(theirs, ours)| {
        let number = params.text(theirs)?.parse::<u64>().ok().filter(|number| *number > 0)?;
        Some((*ours, number.to_string()))
    });
    found.collect()
}

fn chain_name(name: &str) -> String {
    if rules::handle(name, &()).is_ok() {
        return name.to_owned();
    }
    let letters = |sign: char| if sign.is_ascii_alphanumeric() || matches!(sign, '.' | '_') { sign } else { '-' };
    name.chars().map(letters).take(64).collect()
}
