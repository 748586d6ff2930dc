//! `GET /v1/admin/providers/{id}/models`: what a provider says that it has, remembered until somebody asks again.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use crate::config::diff::same_server;
use crate::config::model::{Config, Provider};
use crate::domain::ids::ProviderId;
use crate::domain::time::Now;
use crate::upstream::listing::Listed;
use crate::upstream::waterfall::Worker;
use crate::web::error::ApiError;
use crate::web::query::Query;
use crate::web::state::State;

/// Parameters of it.
pub(in crate::web) const PARAMETERS: [&str; 1] = ["refresh"];

/// The latest list of every provider of the configuration.
#[derive(Debug, Default)]
pub struct Catalogue(Mutex<BTreeMap<ProviderId, Known>>);

/// What a provider has said.
#[derive(Clone, Debug)]
pub(in crate::web) struct Known {
    /// As it was when it was asked.
    provider: Arc<Provider>,
    /// In its order.
    pub(in crate::web) models: Arc<Vec<String>>,
    /// When that was.
    pub(in crate::web) at: Now,
}

/// The models of a provider.
#[derive(Serialize, ToSchema)]
#[schema(as = ProviderModels)]
#[serde(rename_all = "camelCase")]
pub(in crate::web) struct Answer {
    provider: String,
    /// Ids, in the order of the provider; null when it does not tell.
    models: Option<Vec<String>>,
    /// When it was asked.
    #[schema(format = DateTime)]
    asked_at: String,
    /// How long ago that was.
    age_ms: u64,
    /// It was asked for this answer.
    fresh: bool,
    /// Why it does not tell.
    error: Option<String>,
}

impl Catalogue {
    /// What the provider has said, as long as it is the same account at the same place.
    pub(in crate::web) fn get(&self, provider: &Provider) -> Option<Known> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&provider.id).cloned()?;
        let same = same_server(&known.provider, provider) && known.provider.keys == provider.keys;
        same.then_some(known)
    }

    fn put(&self, known: Known, config: &Config) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|id, _| config.providers.iter().any(|provider| provider.id == *id));
        all.insert(known.provider.id.clone(), known);
    }
}

/// What the provider has.
pub async fn models(request: HttpRequest, id: Path<String>) -> HttpResponse {
    let (Some(worker), Some(state)) = (request.app_data::<Rc<Worker>>(), request.app_data::<Arc<State>>()) else {
        return ApiError::ShuttingDown.response();
    };
    let told = async {
        let query = Query::parse(request.query_string(), &PARAMETERS)?;
        let refresh = query.number("refresh", 0..=1)? == Some(1);
        let config = state.config();
        let provider = find(&config, &id)?;
        let now = state.clock.now();
        let known = state.catalogue.get(provider).filter(|_| !refresh);
        let (models, at, fresh) = match known {
            Some(known) => (Ok(Vec::clone(&known.models)), known.at, false),
            None => (ask(worker, state, provider).await.models, now, true),
        };
        let (models, error) = match models {
            Ok(models) => (Some(models), None),
            Err(error) => (None, Some(error)),
        };
        let age_ms = now.mono.0.saturating_sub(at.mono.0);
        let provider = provider.id.to_string();
        Ok::<_, ApiError>(Answer { provider, models, asked_at: at.wall.to_string(), age_ms, fresh, error })
    };
    told.await.map_or_else(|fault| fault.response(), |answer| HttpResponse::Ok().json(answer))
}

/// The provider of this id.
pub(super) fn find<'a>(config: &'a Config, id: &str) -> Result<&'a Arc<Provider>, ApiError> {
    let found = config.providers.iter().find(|provider| provider.id.as_str() == id);
    found.ok_or_else(|| ApiError::Unknown(format!("There is no provider `{id}`.")))
}

/// Asks the provider, and remembers what it says.
pub(in crate::web) async fn ask(worker: &Worker, state: &State, provider: &Arc<Provider>) -> Listed {
    let listed = worker.list_models(provider).await;
    if let Ok(models) = &listed.models {
        let models = Arc::new(models.clone());
        let known = Known { provider: Arc::clone(provider), models, at: state.clock.now() };
        state.catalogue.put(known, &state.config());
    }
    listed
}
