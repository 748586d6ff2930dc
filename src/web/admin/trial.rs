//! `POST /v1/admin/providers/{id}/test` and `POST /v1/test/chain/{name}`: whether it works, told by one token. All of it
//! goes through the ledgers: what cools down or is used up is not called.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::catalogue;
use super::read;
use crate::config::model::{Config, Provider, UI_CLIENT};
use crate::domain::ids::{EntryId, ModelId};
use crate::domain::outcome::Reason;
use crate::domain::trail::{StepOutcome, Trail};
use crate::upstream::listing::Listed;
use crate::upstream::probe::Probed;
use crate::upstream::waterfall::Worker;
use crate::web::error::ApiError;
use crate::web::state::State;

/// How a provider is to be tested.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = ProviderTestRequest)]
#[serde(default, deny_unknown_fields)]
pub(in crate::web) struct Request {
    /// One of its models; the first that a chain uses if it is absent.
    model: Option<String>,
}

/// What the two halves of a test came to.
#[derive(Serialize, ToSchema)]
#[schema(as = ProviderTest)]
pub(in crate::web) struct Answer {
    #[schema(value_type = String)]
    provider: String,
    models: ListView,
    /// Null when no chain uses a model of it.
    completion: Option<TrialView>,
}

/// Whether it lists its models.
#[derive(Serialize, ToSchema)]
#[schema(as = ModelListTest)]
struct ListView {
    ok: bool,
    /// How many it has.
    count: Option<usize>,
    ms: u64,
    error: Option<String>,
}

/// What every entry of a chain came to.
#[derive(Serialize, ToSchema)]
#[schema(as = ChainTest)]
pub(in crate::web) struct ChainAnswer {
    chain: String,
    /// In the order of the chain.
    entries: Vec<TrialView>,
}

/// What one entry came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EntryTest)]
#[serde(rename_all = "camelCase")]
pub(in crate::web) struct TrialView {
    pub(in crate::web) provider: String,
    pub(in crate::web) model: String,
    /// It has answered.
    pub(in crate::web) ok: bool,
    /// `skipped` when it cannot be called now; then it was not called.
    pub(in crate::web) outcome: StepOutcome,
    reason: Option<Reason>,
    /// HTTP status of the answer that this is due to; 0 when there was none.
    pub(in crate::web) status: u16,
    /// Null when it was not called.
    pub(in crate::web) ms: Option<u64>,
    /// What the answer cost, prompt and answer; null when there was none.
    pub(in crate::web) tokens: Option<u64>,
    /// Why it did not answer, or why it was not called.
    pub(in crate::web) message: Option<String>,
    /// When it may be called again, where waiting helps.
    #[schema(format = DateTime)]
    pub(in crate::web) retry_at: Option<String>,
    /// Its row in the log; null when it was not called.
    pub(in crate::web) request: Option<String>,
}

/// The same in short.
pub(in crate::web) enum Verdict {
    /// It has answered, after so many milliseconds.
    Ok(Option<u64>),
    /// It was called, and this came of it.
    Failed(String),
    /// It was not called, and this is why.
    Skipped(String),
}

impl TrialView {
    /// What came of it, for people.
    pub(in crate::web) fn verdict(&self) -> Verdict {
        let why = || self.message.clone().unwrap_or_else(|| "no reason is known".to_owned());
        match (self.ok, self.outcome.is_call()) {
            (true, _) => Verdict::Ok(self.ms),
            (false, true) if self.reason == Some(Reason::Auth) => Verdict::Failed(format!("auth error: {}", why())),
            (false, true) => Verdict::Failed(why()),
            (false, false) => Verdict::Skipped(why()),
        }
    }

    fn of(probed: Probed, worker: &Worker) -> Option<Self> {
        let step = Trail(vec![probed.step]).view(worker.clock.now()).pop()?;
        let (ok, called) = (step.outcome == StepOutcome::Served, step.outcome.is_call());
        Some(Self {
            provider: step.provider.to_string(),
            model: step.model.to_string(),
            ok,
            outcome: step.outcome,
            reason: step.reason,
            status: if ok { 200 } else { step.status },
            ms: step.ms.filter(|_| called),
            tokens: probed.usage.map(|usage| usage.total_tokens),
            message: step.message,
            retry_at: step.retry_at.map(|at| at.to_string()).filter(|_| !ok),
            request: probed.request,
        })
    }
}

impl ListView {
    fn of(listed: &Listed) -> Self {
        let ms = u64::try_from(listed.took.as_millis()).unwrap_or(u64::MAX);
        let count = listed.models.as_ref().ok().map(Vec::len);
        Self { ok: count.is_some(), count, ms, error: listed.models.as_ref().err().cloned() }
    }
}

/// Tests a provider.
pub async fn provider(request: HttpRequest, id: Path<String>, mut payload: Payload) -> HttpResponse {
    let (Some(worker), Some(state)) = (request.app_data::<Rc<Worker>>(), request.app_data::<Arc<State>>()) else {
        return ApiError::ShuttingDown.response();
    };
    let tested = async {
        let wanted: Request = read(request.headers(), &mut payload, r#"{"model":"some-model"}"#).await?;
        let config = state.config();
        let provider = catalogue::find(&config, &id)?;
        let model = model(&config, provider, wanted.model)?;
        let listed = catalogue::ask(worker, state, provider).await;
        let completion = match model {
            Some(model) => try_out(worker, state, &config, EntryId { provider: provider.id.clone(), model }).await?,
            None => None,
        };
        Ok(Answer { provider: provider.id.to_string(), models: ListView::of(&listed), completion })
    };
    respond(tested.await)
}

/// Tests every entry of a chain, one after the other.
pub async fn chain(request: HttpRequest, name: Path<String>) -> HttpResponse {
    let (Some(worker), Some(state)) = (request.app_data::<Rc<Worker>>(), request.app_data::<Arc<State>>()) else {
        return ApiError::ShuttingDown.response();
    };
    let tested = async {
        let config = state.config();
        let chain = config.chains.iter().find(|chain| chain.name.as_str() == *name);
        let chain = chain.ok_or_else(|| ApiError::Unknown(format!("There is no chain `{name}`.")))?;
        let mut entries = Vec::new();
        for entry in &chain.entries {
            let id = EntryId { provider: entry.provider.clone(), model: entry.model.clone() };
            entries.extend(try_out(worker, state, &config, id).await?);
        }
        Ok(ChainAnswer { chain: chain.name.to_string(), entries })
    };
    respond(tested.await)
}

fn respond<T: Serialize>(tested: Result<T, ApiError>) -> HttpResponse {
    tested.map_or_else(|fault| fault.response(), |answer| HttpResponse::Ok().json(answer))
}

/// The model to test with. Only what is an entry has a ledger that the call could be charged to.
fn model(config: &Config, provider: &Provider, wanted: Option<String>) -> Result<Option<ModelId>, ApiError> {
    let models = config.models_of(provider);
    match wanted {
        None => Ok(models.into_iter().next()),
        Some(name) => match models.into_iter().find(|model| model.as_str() == name) {
            Some(model) => Ok(Some(model)),
            None => Err(ApiError::ModelNotFound { model: format!("{}/{name}", provider.id) }),
        },
    }
}

/// `None` when a new configuration has taken the entry away meanwhile.
pub(in crate::web) async fn try_out(
    worker: &Worker,
    state: &State,
    config: &Arc<Config>,
    entry: EntryId,
) -> Result<Option<TrialView>, ApiError> {
    let open = || {
        let mut note = worker.journal.open(state.ids.next(state.clock.now()));
        note.row.client = UI_CLIENT.to_owned();
        note
    };
    if !worker.keeper.connected() {
        return Err(ApiError::ShuttingDown);
    }
    Ok(worker.probe(&entry, config, open).await.and_then(|probed| TrialView::of(probed, worker)))
}
