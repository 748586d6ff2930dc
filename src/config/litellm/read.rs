//! What stands in a file of LiteLLM's: its deployments first, then what is said about all of them.

use std::collections::BTreeMap;

use super::super::edit::Value;
use super::super::rules;
use super::notes::NO_COUNTERPART;
use super::number::{AN_HOUR, millis, whole};
use super::service::{self, Service, address};
use super::settings::left;
use super::{Account, Entry, Found};
use crate::domain::dialect::Dialect;

const LIMITS: [(&str, &str); 3] =
    [("rpm", "requestsPerMinute"), ("tpm", "tokensPerMinute"), ("max_parallel_requests", "concurrentRequests")];

/// What of `litellm_params` is carried over, or said elsewhere.
const PARAMS: [&str; 10] = [
    "model",
    "api_key",
    "api_base",
    "base_url",
    "order",
    "rpm",
    "tpm",
    "max_parallel_requests",
    "timeout",
    "stream_timeout",
];

pub(super) fn read(file: &Value) -> Found {
    let mut found = Found::default();
    let mut deployments: Vec<&Value> = file.get("model_list").map(Value::items).unwrap_or_default().iter().collect();
    found.deployments = deployments.iter().filter(|one| !one.members().is_empty()).count();
    // Those without one come last, as LiteLLM's router has it.
    deployments.sort_by_key(|one| order_of(one));
    for deployment in deployments {
        found.deployment(deployment);
    }
    // Then there is no file, and nothing else to say about it.
    if found.chains.is_empty() {
        return found;
    }
    found.aliases(file);
    found.fallbacks(file);
    found.settings(file);
    let master_key = file.get("general_settings").and_then(|settings| settings.text("master_key"));
    if master_key.is_some_and(names_nothing) {
        found.notes.say("general_settings.master_key", "it names no variable; left out");
    }
    found.master_key = master_key.filter(|key| !names_nothing(key)).map(reference);
    found
}

fn order_of(deployment: &Value) -> i64 {
    let order = deployment.get("litellm_params").and_then(|params| params.text("order"));
    order.and_then(|order| order.parse().ok()).unwrap_or(i64::MAX)
}

/// `os.environ/NAME` as `${NAME}`, and the name. Anything else is the key itself, in which a dollar sign is one.
fn reference(key: &str) -> (String, Option<String>) {
    match key.strip_prefix("os.environ/") {
        Some(name) => (format!("${{{name}}}"), Some(name.to_owned())),
        None => (key.replace("${", "$${"), None),
    }
}

/// Whether a text is a reference to something that no variable can be called.
fn names_nothing(text: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty()
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    text.strip_prefix("os.environ/").is_some_and(|name| !is_name(name))
}

/// The text of the first of these keys that has one. An empty one is as none, as it is for LiteLLM.
fn text<'a>(params: &'a Value, keys: &[&str]) -> Option<&'a str> {
    keys.iter().find_map(|key| params.text(key).filter(|text| !text.is_empty()))
}

impl Found {
    fn deployment(&mut self, deployment: &Value) {
        let params = deployment.get("litellm_params").unwrap_or(&Value::Null);
        let info = deployment.get("model_info").unwrap_or(&Value::Null);
        let name = deployment.text("model_name").unwrap_or_default();
        let model = params.text("model").unwrap_or_default();
        if model.is_empty() || name.is_empty() {
            return self.notes.say("a deployment", "it has no `model_name` or no `litellm_params.model`; left out");
        }
        let label = format!("{name} ({model})");
        if name.contains('*') || model.contains('*') {
            let what =
                "wildcards are not carried over: write the models that you use as entries of a chain, one by one";
            return self.notes.say(if model.contains('*') { model } else { name }, what);
        }
        if service::is_other_kind(model, info.text("mode")) {
            let what =
                "models for audio, images and the like are not carried over: only chat and embeddings are spoken here";
            return self.notes.say(model, what);
        }
        if params.get("litellm_credential_name").is_some() {
            return self.notes.say(label, "its key is in `credential_list`, which is not read; left out");
        }
        // Without it, prompts would go to the usual place.
        let is_odd = |key: &&str| matches!(params.get(key), Some(Value::List(_) | Value::Map(_)));
        if let Some(key) = ["api_base", "base_url", "api_key"].iter().find(|key| is_odd(key)) {
            return self.notes.say(label, format!("`{key}` is no text; left out"));
        }
        let is_unnamed = |key: &&str| text(params, &[*key]).is_some_and(names_nothing);
        if let Some(key) = ["api_base", "base_url", "api_key"].iter().find(|key| is_unnamed(key)) {
            return self.notes.say(label, format!("`{key}: os.environ/...` names no variable; left out"));
        }
        let given = text(params, &["api_base", "base_url"]).map(reference);
        let (base_url, of_url) = given.map_or((None, None), |(url, variable)| (Some(url), variable));
        let base_url = base_url.as_deref();
        let (service, model) = match service::find(model, base_url) {
            Ok(found) => found,
            Err(why) => return self.notes.say(model, format!("{why}; left out")),
        };
        let of_url = of_url.or(service.place_variable(base_url).map(str::to_owned));
        let usual = service.variable.map(|name| (format!("${{{name}}}"), Some(name.to_owned())));
        let key = text(params, &["api_key"]).map(reference).or(usual);
        let (key, of_key) = key.map_or((None, None), |(key, variable)| (Some(key), variable));
        let variables = [of_url, of_key].into_iter().flatten().collect();
        if params.text("order").is_some_and(|order| order.parse::<i64>().is_err()) {
            self.notes.say(label.as_str(), "`order` is no whole number, so it comes last");
        }
        let base_url = address(service, base_url);
        if service.dialect == Dialect::Cloudflare && !base_url.as_ref().is_some_and(|url| url.ends_with("/v1")) {
            self.notes.say(label.as_str(), "look at its `baseUrl`: at Cloudflare it has to end with /ai/v1 here");
        }
        let at = self.account(service, base_url, key, variables);
        let timeout = millis(params, "timeout", &label, AN_HOUR, &mut self.notes);
        self.terms(at, &model, deployment, &label);
        self.leftovers(deployment, params, info);
        if let Some(account) = self.accounts.get(at) {
            let entry = Entry { account: account.id.clone(), model, timeout };
            self.add(name, entry);
        }
    }

    /// Which account it is. Deployments with the same key at the same place are one.
    fn account(
        &mut self,
        service: Service,
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
        self.accounts.push(Account { id, service, base_url, key, variables, terms: BTreeMap::new() });
        self.accounts.len() - 1
    }

    /// What is known of a model at an account. It has one limit of a kind there: of several the smallest.
    fn terms(&mut self, at: usize, model: &str, deployment: &Value, label: &str) {
        let mut found = Vec::new();
        // In old files limits stand beside `litellm_params`.
        for settings in [deployment.get("litellm_params"), Some(deployment)].into_iter().flatten() {
            for (theirs, ours) in LIMITS {
                found.extend(whole(settings, theirs, label, &mut self.notes).map(|value| (ours, value)));
            }
        }
        let info = deployment.get("model_info").unwrap_or(&Value::Null);
        let window = whole(info, "max_input_tokens", label, &mut self.notes);
        if found.is_empty() && window.is_none() {
            return;
        }
        let Some(account) = self.accounts.get_mut(at) else { return };
        let terms = account.terms.entry(model.to_owned()).or_default();
        terms.window = [terms.window, window].into_iter().flatten().min();
        for (limit, value) in found {
            match terms.limits.iter_mut().find(|(known, _)| *known == limit) {
                Some((_, known)) => *known = value.min(*known),
                None => terms.limits.push((limit, value)),
            }
        }
    }

    fn leftovers(&mut self, deployment: &Value, params: &Value, info: &Value) {
        for key in left(Some(params), &PARAMS) {
            self.notes.say(format!("litellm_params.{key}"), NO_COUNTERPART);
        }
        if params.get("stream_timeout").is_some() {
            let what = "there is none per model here, only `firstTokenTimeoutMs` in `settings` for all; left out";
            self.notes.say("litellm_params.stream_timeout", what);
        }
        for key in left(Some(info), &["max_input_tokens", "mode"]) {
            self.notes.say(format!("model_info.{key}"), NO_COUNTERPART);
        }
        let known = ["model_name", "litellm_params", "model_info", "rpm", "tpm", "max_parallel_requests"];
        for key in left(Some(deployment), &known) {
            self.notes.say(format!("model_list[].{key}"), NO_COUNTERPART);
        }
    }

    /// Adds an entry to a chain that may be new.
    pub(super) fn add(&mut self, name: &str, entry: Entry) {
        let chain = self.chain(name);
        let is_same = |it: &Entry| (&it.account, &it.model) == (&entry.account, &entry.model);
        match self.chains.iter_mut().find(|(known, _)| *known == chain) {
            Some((_, entries)) => match entries.iter_mut().find(|it| is_same(it)) {
                // Who gives one of them more time can wait that long.
                Some(known) => known.timeout = known.timeout.max(entry.timeout),
                None => entries.push(entry),
            },
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
            let what = "names of chains have no other signs than A-Z a-z 0-9 . _ -";
            self.notes.say(format!("{name} is called {chain} here"), what);
        }
        self.names.insert(name.to_owned(), chain.clone());
        chain
    }

    /// The entries of a group, if there is one of that name.
    pub(super) fn entries_of(&self, name: &str) -> Option<Vec<Entry>> {
        let chain = self.names.get(name)?;
        self.chains.iter().find(|(known, _)| known == chain).map(|(_, entries)| entries.clone())
    }
}

fn chain_name(name: &str) -> String {
    if rules::handle(name, &()).is_ok() {
        return name.to_owned();
    }
    let letters = |sign: char| if sign.is_ascii_alphanumeric() || matches!(sign, '.' | '_') { sign } else { '-' };
    name.chars().map(letters).take(64).collect()
}
