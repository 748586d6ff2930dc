//! New chains: from a list of models, as a copy of another one, or from all providers at once.

use actix_web::http::StatusCode;
use actix_web::web::Form;
use actix_web::{HttpRequest, HttpResponse};

use super::desk::{Desk, refusal};
use super::edit::wrong_name;
use super::{Draft, list, picks};
use crate::config::edit::{Change, Value};
use crate::config::model::Provider;
use crate::config::presets::Preset;
use crate::web::admin::catalogue;
use crate::web::ui::did;
use crate::web::ui::fields::{Fields, Wrong};

const WRONG: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

/// `POST /ui/chains`
pub(super) async fn create(request: HttpRequest, fields: Form<Fields>) -> HttpResponse {
    let desk = match Desk::open(&request).await {
        Ok(desk) => desk,
        Err(fault) => return fault.page(&request),
    };
    let draft = Draft::of(&fields);
    let made = wrong_name(&desk, &draft.name).map_or_else(|| chain(&desk, &draft), Err);
    let chain = match made {
        Ok(chain) => chain,
        Err(wrong) => return list(&request, WRONG, Draft { wrongs: vec![wrong], ..draft }).await,
    };
    let change = Change::PutChain { name: draft.name.clone(), chain };
    match desk.change(fields.revision(), vec![change]).await {
        Ok(()) => did::done(&request, &format!("/ui/chains/{}", draft.name), "added"),
        Err(fault) if fault.status() == WRONG => {
            let wrongs = Wrong::all(
                &fault,
                &desk.paper.place_of_chain(&draft.name),
                &[("name", "name"), ("entries", "entries")],
            );
            list(&request, WRONG, Draft { wrongs, ..draft }).await
        }
        Err(fault) => {
            let (status, words) = refusal(&fault, "The chain was not made.");
            list(&request, status, Draft { wrongs: vec![Wrong::of("", words)], ..draft }).await
        }
    }
}

/// What the form comes to.
fn chain(desk: &Desk, draft: &Draft) -> Result<Value, Wrong> {
    if !draft.copy.is_empty() {
        let gone = || Wrong::of("", format!("There is no chain `{}` any more that could be copied.", draft.copy));
        let mut chain = desk.paper.chain(&draft.copy).cloned().ok_or_else(gone)?;
        chain.set("name", Value::Null);
        return Ok(chain);
    }
    let by_hand = (draft.provider.as_str(), draft.model.as_str());
    let ticked = draft.entries.iter().filter_map(|entry| entry.split_once('/'));
    let mut entries: Vec<(&str, &str)> = ticked.collect();
    entries.extend(Some(by_hand).filter(|(_, model)| !model.is_empty()).filter(|entry| !entries.contains(entry)));
    if entries.is_empty() {
        return Err(Wrong::of("entries", "Choose at least one model: a chain without any can serve nothing."));
    }
    if entries.iter().any(|(provider, _)| provider.is_empty()) {
        return Err(Wrong::of("provider", "Choose the provider of the model that you wrote."));
    }
    let entries = entries.into_iter().map(|(provider, model)| picks::entry(provider, model)).collect();
    Ok(Value::from([("entries", Value::List(entries))]))
}

/// `POST /ui/start/chain`: a chain `default` of one model of each provider that is switched on.
pub(super) async fn from_providers(request: HttpRequest, fields: Form<Fields>) -> HttpResponse {
    let desk = match Desk::open(&request).await {
        Ok(desk) => desk,
        Err(fault) => return fault.page(&request),
    };
    let refused = async |status, words: String| {
        let wrongs = vec![Wrong::of("", words)];
        list(&request, status, Draft { wrongs, ..Draft::default() }).await
    };
    if desk.chains.iter().any(|chain| chain.name == DEFAULT) {
        return refused(StatusCode::CONFLICT, format!("There is a chain `{DEFAULT}` already.")).await;
    }
    let mut entries = Vec::new();
    for provider in desk.paper.config.providers.iter().filter(|provider| provider.enabled) {
        let Some(model) = first_model(&desk, provider).await else {
            let words = format!(
                "No model of {0} is known, since it does not say which it has. Test it on the page Providers, switch it off, or \
                 make the chain by hand and write one of its models.",
                provider.id
            );
            return refused(WRONG, words).await;
        };
        entries.push(picks::entry(provider.id.as_str(), &model));
    }
    if entries.is_empty() {
        return refused(WRONG, "No provider is switched on. Add one on the page Providers first.".to_owned()).await;
    }
    let chain = Value::from([("entries", Value::List(entries))]);
    match desk.change(fields.revision(), vec![Change::PutChain { name: DEFAULT.to_owned(), chain }]).await {
        Ok(()) => did::done(&request, &format!("/ui/chains/{DEFAULT}"), "added"),
        Err(fault) => {
            let (status, words) = refusal(&fault, "The chain was not made.");
            refused(status, words).await
        }
    }
}

const DEFAULT: &str = "default";

/// The first that the configuration names, else one that is free there, else the first that the provider has and that
/// seems to be for chats. To ask for its list costs no quota.
async fn first_model(desk: &Desk, provider: &std::sync::Arc<Provider>) -> Option<String> {
    if let Some(model) = desk.paper.config.models_of(provider).first() {
        return Some(model.to_string());
    }
    let preset = Preset::of(provider.dialect).map(|preset| preset.models).unwrap_or_default();
    let listed = match desk.state.catalogue.get(provider) {
        Some(known) => Vec::clone(&known.models),
        None => catalogue::ask(&desk.worker, &desk.state, provider).await.models.unwrap_or_default(),
    };
    let known = preset.iter().find(|model| listed.is_empty() || listed.iter().any(|listed| listed == *model));
    known.map(|model| (*model).to_owned()).or_else(|| listed.into_iter().find(|model| is_for_chats(model)))
}

/// Whether nothing in the name of a model says that it is for something else. Lists do not tell.
fn is_for_chats(model: &str) -> bool {
    const OTHERS: [&str; 12] = [
        "embed",
        "whisper",
        "tts",
        "speech",
        "audio",
        "image",
        "guard",
        "rerank",
        "moderation",
        "ocr",
        "veo",
        "imagen",
    ];
    let name = model.to_lowercase();
    !name.is_empty() && !OTHERS.iter().any(|other| name.contains(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_chat_model_by_its_name_is_passed_over() {
        let models = ["text-embedding-3-small", "whisper-large-v3", "llama-guard-4-12b", "openai/gpt-oss-120b"];
        assert_eq!(models.map(is_for_chats), [false, false, false, true]);
    }
}
