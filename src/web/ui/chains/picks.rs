//! Models that can be taken into a chain: those of the configuration, and those that providers say they have.

use crate::config::edit::Value;
use crate::config::model::Config;
use crate::web::state::State;

/// Of one provider.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) provider: String,
    pub(super) enabled: bool,
    /// Those of the configuration first.
    pub(super) models: Vec<String>,
    /// How many it has said that it has; `None` when it was not asked.
    pub(super) listed: Option<usize>,
}

/// Of all providers, in the order of the file.
pub(super) fn all(state: &State, config: &Config) -> Vec<Known> {
    let providers = config.providers.iter().map(|provider| {
        let mut models: Vec<String> = config.models_of(provider).iter().map(ToString::to_string).collect();
        let listed = state.catalogue.get(provider).map(|known| known.models);
        if let Some(listed) = &listed {
            let new: Vec<String> = listed.iter().filter(|model| !models.contains(model)).cloned().collect();
            models.extend(new);
        }
        let (provider, enabled) = (provider.id.to_string(), provider.enabled);
        Known { provider, enabled, models, listed: listed.map(|models| models.len()) }
    });
    providers.collect()
}

/// An entry that somebody has chosen or written. Whatever a provider calls its models, none of it refers to the environment.
pub(in crate::web::ui) fn entry(provider: &str, model: &str) -> Value {
    Value::from([("provider", provider.into()), ("model", model.replace("${", "$${").into())])
}
