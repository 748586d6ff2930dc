//! Whether a provider works: its list of models, and an answer of one token. What is shown is what was filled in, saved or
//! not.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::fault::Fault;
use super::super::fields::{Fields, Wrong};
use super::super::paper::Paper;
use super::super::shell::{answer, state, wants_part, worker};
use super::super::words;
use super::form::{self, FIELDS};
use super::{edit, unknown};
use crate::config::diff::same_server;
use crate::config::edit::{Change, Value};
use crate::config::model::{Config, Provider};
use crate::domain::evidence::{Dimension, Evidence, Stated, window_name};
use crate::domain::ids::{EntryId, ModelId};
use crate::domain::outcome::Reason;
use crate::upstream::waterfall::Worker;
use crate::web::admin::catalogue;
use crate::web::admin::editing::preview;
use crate::web::admin::trial::{self, Verdict};
use crate::web::error::ApiError;
use crate::web::state::State;

/// What came of it.
#[derive(Template)]
#[template(path = "provider_tried.html")]
pub(super) struct Tried {
    name: String,
    models: Result<String, String>,
    completion: Option<Completion>,
}

struct Completion {
    model: String,
    class: &'static str,
    text: String,
    limits: String,
}

/// `POST /ui/providers/test`: of one that is being added.
pub(super) async fn unsaved(request: HttpRequest, fields: Form<Fields>) -> HttpResponse {
    let Some(state) = state(&request) else { return Fault::from(&ApiError::ShuttingDown).page(&request) };
    let paper = Paper::read(state).await;
    let form = form::Provider::filled(&fields, "", String::new());
    filled(&request, &fields, paper, form).await
}

/// `POST /ui/providers/{id}/test`: as it is, or as the form has it.
pub(super) async fn saved(request: HttpRequest, id: Path<String>, fields: Form<Fields>) -> HttpResponse {
    let (Some(worker), Some(state)) = (worker(&request), state(&request)) else {
        return Fault::from(&ApiError::ShuttingDown).page(&request);
    };
    let paper = Paper::read(state).await;
    let Some(before) = edit::saved(&paper, &id) else { return unknown(&request, &id) };
    if fields.is_on("type") {
        let form = form::Provider::filled(&fields, &id, before.saved_key);
        return filled(&request, &fields, paper, form).await;
    }
    let provider = paper.config.providers.iter().find(|provider| provider.id.as_str() == *id).cloned();
    let Some(provider) = provider else { return unknown(&request, &id) };
    match Tried::run(worker, state, &provider, &paper.config, "").await {
        Ok(tried) if wants_part(&request) => answer(&request, StatusCode::OK, &tried),
        Ok(tried) => edit::show(&request, StatusCode::OK, paper, before, Some(tried)).await,
        Err(fault) => Fault::from(&fault).page(&request),
    }
}

/// Tries out what the form says, if the configuration could be like that.
async fn filled(request: &HttpRequest, fields: &Fields, paper: Paper, form: form::Provider) -> HttpResponse {
    let (Some(worker), Some(state)) = (worker(request), state(request)) else {
        return Fault::from(&ApiError::ShuttingDown).page(request);
    };
    let wrong = StatusCode::UNPROCESSABLE_ENTITY;
    let mut value = match form.value(fields, paper.provider(&form.saved)) {
        Ok(value) => value,
        Err(wrongs) => return edit::show(request, wrong, paper, form.with(wrongs), None).await,
    };
    // Whoever is switched off has no key, and is tried out all the same.
    value.set("enabled", Value::Null);
    let change = Change::PutProvider { id: form.id.clone(), provider: value };
    let config = match preview(state, vec![change]).await {
        Ok(config) => config,
        Err(fault @ ApiError::InvalidConfig { .. }) => {
            let wrongs = Wrong::all(&fault, &paper.place_of_provider(&form.id), &FIELDS);
            return edit::show(request, wrong, paper, form.with(wrongs), None).await;
        }
        Err(fault) => return Fault::from(&fault).page(request),
    };
    let Some(provider) = config.providers.iter().find(|provider| provider.id.as_str() == form.id).cloned() else {
        return unknown(request, &form.id);
    };
    match Tried::run(worker, state, &provider, &config, &form.model).await {
        Ok(tried) => edit::show(request, StatusCode::OK, paper, form, Some(tried)).await,
        Err(fault) => Fault::from(&fault).page(request),
    }
}

impl Tried {
    async fn run(
        worker: &Rc<Worker>,
        state: &Arc<State>,
        provider: &Arc<Provider>,
        config: &Config,
        wanted: &str,
    ) -> Result<Self, ApiError> {
        let live = state.config();
        let known = live.providers.iter().find(|known| known.id == provider.id);
        let known = known.filter(|known| same_server(known, provider) && known.keys == provider.keys && known.enabled);
        let listed = match known {
            Some(known) => catalogue::ask(worker, state, known).await,
            None => worker.list_models(provider).await,
        };
        let ms = words::span(u64::try_from(listed.took.as_millis()).unwrap_or(u64::MAX));
        let first = listed.models.as_ref().ok().and_then(|models| models.first().cloned());
        let model = match wanted {
            "" => config.models_of(provider).into_iter().next().or(first.map(ModelId::new)),
            wanted => Some(ModelId::new(wanted)),
        };
        let completion = match model {
            Some(model) => Some(complete(worker, state, known.unwrap_or(provider), model).await?),
            None => None,
        };
        let models = listed.models.map(|models| format!("{} models listed ({ms})", words::count(models.len() as u64)));
        let models = models.map_err(|fault| format!("no list of models: {fault} ({ms})"));
        Ok(Self { name: provider.name.clone(), models, completion })
    }
}

/// An entry is called through its ledger; what is none yet, as it is.
async fn complete(
    worker: &Rc<Worker>,
    state: &Arc<State>,
    provider: &Arc<Provider>,
    model: ModelId,
) -> Result<Completion, ApiError> {
    let live = state.config();
    let id = EntryId { provider: provider.id.clone(), model: model.clone() };
    let is_known = live.providers.iter().any(|known| Arc::ptr_eq(known, provider));
    if is_known && live.models_of(provider).contains(&model) {
        let trial = trial::try_out(worker, state, &live, id).await?;
        let trial = trial.ok_or_else(|| ApiError::ModelNotFound { model: format!("{}/{model}", provider.id) })?;
        let (class, text) = match trial.verdict() {
            Verdict::Ok(ms) => ("ready", format!("answered ({})", words::known_span(ms))),
            Verdict::Failed(why) => ("auth", why),
            Verdict::Skipped(why) => ("skipped", format!("not called: {why}")),
        };
        return Ok(Completion { model: model.to_string(), class, text, limits: String::new() });
    }
    let knocked = worker.knock(provider, &model, &live.settings).await;
    let ms = words::span(u64::try_from(knocked.took.as_millis()).unwrap_or(u64::MAX));
    let (class, text) = match &knocked.fault {
        None => ("ready", format!("answered ({ms})")),
        Some(fault) => {
            let status = if fault.status > 0 { format!("{}, ", fault.status) } else { String::new() };
            let detail = fault.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
            let word = if fault.reason == Reason::Auth { "auth error: " } else { "" };
            ("auth", format!("{word}{}{detail} ({status}{ms})", fault.reason.words()))
        }
    };
    Ok(Completion { model: model.to_string(), class, text, limits: limits(&knocked.evidence) })
}

/// `30 requests per minute, 6,000 tokens per day`
fn limits(evidence: &Evidence) -> String {
    let told = evidence.readings.iter().filter_map(|it| Some((it.dimension, it.window?, it.limit?)));
    let stated = evidence.stated.iter().filter_map(|stated| match stated {
        Stated::Window { dimension, window, limit } => Some((*dimension, *window, *limit)),
        Stated::Context(_) => None,
    });
    let all = told.chain(stated).filter_map(|(dimension, window, limit)| {
        let what = match dimension {
            Dimension::Requests => "requests",
            Dimension::Tokens => "tokens",
            Dimension::Neurons => "neurons",
        };
        Some(format!("{} {what} per {}", words::count(limit), window_name(window)?))
    });
    all.collect::<Vec<_>>().join(", ")
}
