//! Accounts: ids, keys, addresses, headers.

use std::collections::{BTreeMap, HashMap, HashSet};

use actix_http::Uri;
use actix_http::header::{HeaderName, HeaderValue};

use super::super::document::Document;
use super::super::model::Secret;
use super::super::path::YamlPath;
use super::super::raw::{Provider, Scope};
use super::super::report::Report;
use super::super::rules;
use super::super::wording::shown;
use super::check_rules;
use crate::config::reach::{Fence, Reach};
use crate::domain::dialect::Dialect;

pub(super) fn check(providers: &[Option<Provider>], fence: Fence, document: &Document, report: &mut Report) {
    let list = YamlPath::root().key("providers");
    let mut taken = BTreeMap::new();
    for (index, provider) in providers.iter().enumerate() {
        let path = list.index(index);
        let Some(provider) = provider else {
            report.add_with_help(&path, "this item is empty", "write a provider here, or remove the `-`");
            continue;
        };
        check_rules(provider, &path, report);
        check_id(provider, &path, &mut taken, document, report);
        check_type(provider, &path, report);
        check_account(provider, &path, report);
        check_reach(provider, fence, &path, report);
        check_keys(provider, &path, document, report);
        check_headers(&provider.headers, &path.key("headers"), report);
        check_limits(provider, &path, report);
    }
}

fn check_id<'a>(
    provider: &'a Provider,
    path: &YamlPath,
    taken: &mut BTreeMap<&'a str, YamlPath>,
    document: &Document,
    report: &mut Report,
) {
    let id_path = path.key("id");
    let Some(id) = &provider.id else {
        report.add_with_help(&id_path, "is missing", "a short name of your choice that chains refer to: `id: groq`");
        return;
    };
    match taken.get(id.as_str()) {
        Some(first) => {
            let line = document.place(first).line;
            let message = format!("the id {} is already taken by {first} in line {line}", shown(id));
            report.add_with_help(&id_path, message, "every provider needs an id of its own");
        }
        None => _ = taken.insert(id, path.clone()),
    }
}

/// What a name leads to is not known before it is resolved: then it is looked at again, each time.
fn check_reach(provider: &Provider, fence: Fence, path: &YamlPath, report: &mut Report) {
    let usual = provider.dialect.and_then(Dialect::default_base_url);
    // Who is never called may stay at home.
    let fence = Fence { private: fence.private || provider.is_disabled() };
    let Some(url) = provider.base_url.as_deref().or(usual) else { return };
    let uri: Option<Uri> = url.parse().ok();
    let reach = uri.as_ref().and_then(Uri::host).and_then(Reach::of_host);
    if let Some(Err(why)) = reach.map(|reach| fence.check(reach)) {
        let help = match reach {
            Some(Reach::Forbidden) => "write the address of a server that has models",
            _ => "set `allowPrivateUrls: true` if models run on this machine or in its network",
        };
        report.add_with_help(&path.key("baseUrl"), format!("this address {why}"), help);
    }
}

fn check_type(provider: &Provider, path: &YamlPath, report: &mut Report) {
    let Some(dialect) = provider.dialect else {
        let help = "groq, openrouter, google-ai ...; `generic-openai` for any other service that speaks the OpenAI API";
        report.add_with_help(&path.key("type"), "is missing", help);
        return;
    };
    if provider.base_url.is_none() && dialect.default_base_url().is_none() {
        let help = match dialect {
            Dialect::Cloudflare => "https://api.cloudflare.com/client/v4/accounts/ACCOUNT_ID/ai/v1",
            _ => "the address that /chat/completions is appended to, like https://api.example.com/v1",
        };
        report.add_with_help(&path.key("baseUrl"), "is missing: this type of provider has no default", help);
    }
}

/// `429chain init` and the documents write it so.
fn check_account(provider: &Provider, path: &YamlPath, report: &mut Report) {
    if !provider.is_disabled() && provider.base_url.as_deref().is_some_and(|url| url.contains("/ACCOUNT_ID/")) {
        let help = "put the id of your account there, or set `enabled: false`";
        report.add_with_help(&path.key("baseUrl"), "ACCOUNT_ID stands for something of your own", help);
    }
}

fn check_keys(provider: &Provider, path: &YamlPath, document: &Document, report: &mut Report) {
    let keys = ["apiKey", "apiKeys", "apiKeyFile"].map(|key| path.key(key));
    let given: Vec<&YamlPath> = keys.iter().filter(|path| document.get(path).is_some()).collect();
    if let [_, second, ..] = given.as_slice() {
        let help = "keep one: apiKey for one key, apiKeys for several, apiKeyFile for a file that holds it";
        report.add_with_help(second, "a provider takes its key from one place only", help);
    }
    if provider.is_disabled() || keys.iter().any(|path| report.is_faulty(path)) {
        return;
    }
    for (index, _) in provider.api_keys.iter().flatten().enumerate().filter(|(_, key)| key.is_none()) {
        let path = path.key("apiKeys").index(index);
        report.add_with_help(&path, "this key is empty", "put the key here, or remove the item");
    }
    check_twins(provider.api_keys.as_deref().unwrap_or_default(), &path.key("apiKeys"), document, report);
    let keyless = matches!(provider.dialect, None | Some(Dialect::Local | Dialect::GenericOpenai));
    let has_key = provider.api_key.is_some()
        || provider.api_key_file.is_some()
        || provider.api_keys.as_ref().is_some_and(|keys| !keys.is_empty());
    if !keyless && !has_key {
        let help =
            "write `apiKey: ${NAME_OF_A_VARIABLE}` and set that variable, use apiKeyFile, or set `enabled: false`";
        let at = given.first().copied().cloned().unwrap_or_else(|| path.key("apiKey"));
        let message = match (document.get(&at), document.written(&at)) {
            (None, _) => "is missing: this type of provider needs a key".to_owned(),
            (Some(_), None) => "is empty: this type of provider needs a key".to_owned(),
            (Some(_), Some(written)) => format!("{written} is empty: this type of provider needs a key"),
        };
        report.add_with_help(&at, message, help);
    }
}

/// Each key is taken to have a quota of its own, so the same one twice would be called twice as often as it may.
fn check_twins(keys: &[Option<Secret>], path: &YamlPath, document: &Document, report: &mut Report) {
    let mut taken = HashMap::new();
    let keys = keys.iter().enumerate().filter_map(|(index, key)| Some((path.index(index), key.as_ref()?.expose())));
    for (path, key) in keys.filter(|(_, key)| !key.is_empty()) {
        match taken.get(key) {
            Some(first) => {
                let line = document.place(first).line;
                let message = format!("this is the same key as {first} in line {line}");
                let help = "its quota would be counted twice: remove it, or put another key here";
                report.add_with_help(&path, message, help);
            }
            None => _ = taken.insert(key, path),
        }
    }
}

fn check_headers(headers: &BTreeMap<String, Option<Secret>>, path: &YamlPath, report: &mut Report) {
    let mut taken = HashSet::new();
    for (name, value) in headers {
        let path = path.key(name.as_str());
        let Ok(parsed) = HeaderName::try_from(name.as_str()) else {
            report.add_at_key(&path, "is not the name of a header", "write it like X-Title");
            continue;
        };
        if let Some(reason) = reserved(parsed.as_str()) {
            report.add_at_key(&path, "this header cannot be set here", reason);
        }
        if !taken.insert(parsed) {
            report.add_at_key(&path, "this header is set twice", "upper and lower case make no difference");
        }
        match value {
            Some(value) if HeaderValue::from_str(value.expose()).is_ok() => {}
            Some(_) => report.add(&path, "a header holds visible ASCII in one line"),
            None => report.add_with_help(&path, "is empty", "give the header a value, or remove it"),
        }
    }
}

/// Why a header is not the user's to set.
fn reserved(name: &str) -> Option<&'static str> {
    match name {
        "authorization" => Some("it is made of the provider's key: use apiKey, apiKeys or apiKeyFile"),
        "content-type" | "content-length" | "content-encoding" | "transfer-encoding" | "expect" => {
            Some("it describes the body, which 429chain makes")
        }
        "accept-encoding" => Some("answers must come uncompressed, or their streams could not be watched"),
        "host" => Some("it follows from baseUrl"),
        "connection" | "keep-alive" | "te" | "trailer" | "upgrade" | "proxy-authorization" | "proxy-connection" => {
            Some("it is about the connection, which 429chain keeps")
        }
        _ => None,
    }
}

fn check_limits(provider: &Provider, path: &YamlPath, report: &mut Report) {
    check_rules(&provider.rate_limits, &path.key("rateLimits"), report);
    for (model, overrides) in &provider.models {
        let path = path.key("models").key(model.as_str());
        if let Err(error) = rules::model_name(model, &()) {
            report.add_at_key(&path, error.message(), "the name of the model, as the provider spells it");
        }
        check_rules(overrides, &path, report);
        if let Some(limits) = &overrides.rate_limits {
            let path = path.key("rateLimits");
            check_rules(limits, &path, report);
            check_scope(limits.scope, provider.rate_limits.scope, &path.key("scope"), report);
        }
    }
}

/// One model cannot say that all others share its limits.
fn check_scope(own: Option<Scope>, of_provider: Option<Scope>, path: &YamlPath, report: &mut Report) {
    if matches!((own, of_provider), (Some(Scope::Provider), None | Some(Scope::Model))) {
        report.add_with_help(
            path,
            "limits of one model cannot be shared by all models",
            "put `scope: provider` with the limits that all models of a key share into the provider's own rateLimits",
        );
    }
}
