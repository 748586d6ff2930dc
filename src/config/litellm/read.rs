//! What stands in a file of LiteLLM's.

use super::super::edit::Value;
use super::super::rules;
use super::service::{self, address};
use super::{Account, Found};

/// Answers that moderation has refused come back as they are here.
const POLICY: &str = "content_policy_fallbacks";

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
    found.aliases(file);
    found.fallbacks(file);
    let settings = file.get("general_settings");
    found.master_key = settings.and_then(|settings| settings.text("master_key")).map(reference);
    if file.get("environment_variables").is_some() {
        found.notes.push("environment_variables was left out: set them where 429chain is started".to_owned());
    }
    if file.get("include").is_some() {
        found.notes.push("include was left out: take over the other files one by one".to_owned());
    }
    for (section, keys) in [
        ("general_settings", &["database_url", "alerting"][..]),
        ("litellm_settings", &["callbacks", "success_callback", "failure_callback", "cache", "guardrails", POLICY]),
        ("router_settings", &["routing_strategy", POLICY]),
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
        if params.get("litellm_credential_name").is_some() {
            return Err(format!(
                "{name}: {model} takes its key from `credential_list`, which is not read; it was left out"
            ));
        }
        // Both are taken.
        let given = params.text("api_base").or(params.text("base_url")).map(reference);
        let (base_url, of_url) = given.map_or((None, None), |(url, variable)| (Some(url), variable));
        let base_url = base_url.as_deref();
        let (service, model) = service::find(model, base_url).map_err(|why| format!("{why}; it was left out"))?;
        let usual = service.variable.map(|name| (format!("${{{name}}}"), Some(name.to_owned())));
        let key = params.text("api_key").map(reference).or(usual);
        let (key, of_key) = key.map_or((None, None), |(key, variable)| (Some(key), variable));
        let variables = [of_url, of_key].into_iter().flatten().collect();
        let at = self.account(service, address(service, base_url), key, variables);
        if let Some(account) = self.accounts.get_mut(at) {
            let entry = (account.id.clone(), model.clone());
            for (limit, value) in limits(params) {
                let of_model = account.limits.entry(model.clone()).or_default();
                match of_model.iter_mut().find(|(known, _)| *known == limit) {
                    // One account has one limit.
                    Some((_, known)) => *known = value.min(*known),
                    None => of_model.push((limit, value)),
                }
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
        variables: Vec<String>,
    ) -> usize {
        let is_it = |it: &Account| (it.service, &it.base_url, &it.key) == (service, &base_url, &key);
        if let Some(at) = self.accounts.iter().position(is_it) {
            return at;
        }
        let taken = self.accounts.iter().filter(|it| it.service.id == service.id).count();
        let id = if taken == 0 { service.id.to_owned() } else { format!("{}-{}", service.id, taken + 1) };
        let limits = std::collections::BTreeMap::new();
        self.accounts.push(Account { id, service, base_url, key, variables, limits });
        self.accounts.len() - 1
    }

    /// Adds an entry to a chain that may be new.
    fn add(&mut self, name: &str, entry: (String, String)) {
        let chain = self.chain(name);
        match self.chains.iter_mut().find(|(known, _)| *known == chain) {
            Some((_, entries)) if entries.contains(&entry) => {}
            Some((_, entries)) => entries.push(entry),
            None => self.chains.push((chain, vec![entry])),
        }
    }

    /// What a group is called here. Two groups are never one chain.
    fn chain(&mut self, name: &str) -> String {
        if let Some(chain) = self.names.get(name) {
            return chain.clone();
        }
        let wanted = chain_name(name);
        let is_free = |chain: &String| !self.names.values().any(|known| known == chain);
        let numbered = (2..).map(|number| format!("{}-{number}", wanted.get(..60).unwrap_or(&wanted)));
        let chain = std::iter::once(wanted.clone()).chain(numbered).find(is_free).unwrap_or(wanted);
        if chain != name {
            let message = "names of chains have no other signs than A-Z a-z 0-9 . _ -";
            self.notes.push(format!("{name} is called {chain} here: {message}"));
        }
        self.names.insert(name.to_owned(), chain.clone());
        chain
    }

    /// The entries of a group, if there is one of that name.
    fn entries_of(&self, name: &str) -> Option<Vec<(String, String)>> {
        let chain = self.names.get(name)?;
        self.chains.iter().find(|(known, _)| known == chain).map(|(_, entries)| entries.clone())
    }

    /// Other names of groups are chains of their own.
    fn aliases(&mut self, file: &Value) {
        let aliases = file.get("router_settings").and_then(|settings| settings.get("model_group_alias"));
        for (alias, group) in aliases.map(Value::members).unwrap_or_default() {
            let target = group.as_text().or_else(|| group.text("model")).unwrap_or_default();
            match self.entries_of(target) {
                Some(entries) => entries.into_iter().for_each(|entry| self.add(alias, entry)),
                None => self.notes.push(format!("the alias {alias} was left out: there is no {target}")),
            }
        }
    }

    /// What is asked when a group fails is asked after it.
    fn fallbacks(&mut self, file: &Value) {
        let sections = ["litellm_settings", "router_settings"].into_iter().filter_map(|section| file.get(section));
        let all: Vec<String> = self.names.keys().cloned().collect();
        let mut pairs: Vec<(String, String)> = Vec::new();
        for section in sections {
            for key in ["fallbacks", "context_window_fallbacks"] {
                let lists = section.get(key).map(Value::items).unwrap_or_default().iter().flat_map(Value::members);
                for (from, to) in lists {
                    let from = if from == "*" { all.clone() } else { vec![from.clone()] };
                    for to in to.items().iter().filter_map(Value::as_text) {
                        pairs.extend(from.iter().map(|from| (from.clone(), to.to_owned())));
                    }
                }
            }
            let always = section.get("default_fallbacks").map(Value::items).unwrap_or_default();
            for to in always.iter().filter_map(Value::as_text) {
                pairs.extend(all.iter().map(|from| (from.clone(), to.to_owned())));
            }
        }
        let before: Vec<Option<Vec<(String, String)>>> = pairs.iter().map(|(_, to)| self.entries_of(to)).collect();
        for ((from, to), more) in pairs.into_iter().zip(before) {
            match more.filter(|_| self.names.contains_key(&from)) {
                Some(more) => more.into_iter().for_each(|entry| self.add(&from, entry)),
                None => {
                    self.notes.push(format!("the fallback from {from} to {to} was left out: one of them is not there"));
                }
            }
        }
    }
}

fn limits(params: &Value) -> Vec<(&'static str, u64)> {
    let keys =
        [("rpm", "requestsPerMinute"), ("tpm", "tokensPerMinute"), ("max_parallel_requests", "concurrentRequests")];
    let found = keys.iter().filter_map(|(theirs, ours)| {
        let number = params.text(theirs)?.parse::<u64>().ok().filter(|number| *number > 0)?;
        Some((*ours, number))
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
