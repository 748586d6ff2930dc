//! The models of a provider: those that chains use, and those that it lists.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Form, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use super::super::chains::picks;
use super::super::did::done;
use super::super::fault::Fault;
use super::super::fields::Fields;
use super::super::paper::{self, Paper};
use super::super::shell::{Shell, answer, state, worker};
use super::super::standing::{Entry, Standing, standing};
use super::super::words;
use super::{HERE, unknown};
use crate::config::edit::{Change, Value};
use crate::config::model::Provider;
use crate::domain::ids::ModelId;
use crate::web::admin::catalogue;
use crate::web::error::ApiError;
use crate::web::state::State;

/// Rows that are shown at most; the filter finds the others.
const MOST: usize = 100;

#[derive(Template)]
#[template(path = "provider_models.html")]
pub(super) struct Models {
    csrf: String,
    revision: String,
    locked: bool,
    id: String,
    chains: Vec<String>,
    rows: Vec<Row>,
    /// How many fit the filter and are not shown.
    more: usize,
    /// How long ago it was asked for its list, and how many it has.
    listed: Option<(String, usize)>,
    q: String,
    fault: Option<String>,
}

struct Row {
    model: String,
    class: &'static str,
    word: &'static str,
    limits: String,
    context: String,
    /// `default #1, coding #2`
    chains: String,
}

/// What is to be seen of it.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Wanted {
    q: String,
}

impl Models {
    pub(super) fn of(
        request: &HttpRequest,
        provider: &Arc<Provider>,
        paper: &Paper,
        standing: &Standing,
        state: &State,
        q: &str,
    ) -> Self {
        let known = state.catalogue.get(provider);
        let now = state.clock.now();
        let used = paper.config.models_of(provider);
        let used: Vec<&str> = used.iter().map(ModelId::as_str).collect();
        let listed = known.iter().flat_map(|known| known.models.iter()).map(String::as_str);
        let others = listed.filter(|model| !used.contains(model));
        let wanted = q.to_lowercase();
        let fits = |model: &&str| wanted.split_whitespace().all(|word| model.to_lowercase().contains(word));
        let fitting: Vec<&str> = used.iter().copied().chain(others).filter(fits).collect();
        let places = places(paper, provider.id.as_str());
        let entry = |model: &str| {
            standing.ratelimits.iter().find(|it| it.provider == provider.id.as_str() && it.model == model)
        };
        let rows = fitting.iter().take(MOST).map(|model| Row::of(model, entry(model), provider, &places));
        Self {
            csrf: Shell::of(request, "", "").csrf,
            revision: paper.revision.clone(),
            locked: paper.locked.is_some(),
            id: provider.id.to_string(),
            chains: paper.config.chains.iter().map(|chain| chain.name.to_string()).collect(),
            rows: rows.collect(),
            more: fitting.len().saturating_sub(MOST),
            listed: known.map(|known| (words::age(now.mono.0.saturating_sub(known.at.mono.0)), known.models.len())),
            q: q.to_owned(),
            fault: None,
        }
    }
}

impl Row {
    fn of(model: &str, entry: Option<&Entry>, provider: &Provider, places: &BTreeMap<String, String>) -> Self {
        let key = ModelId::new(model);
        let context = provider.models.get(&key).and_then(|own| own.context_window);
        let buckets = entry.and_then(|entry| entry.keys.first()).map(|key| key.buckets.as_slice()).unwrap_or_default();
        let limits = buckets.iter().filter_map(|bucket| {
            let window = bucket.window.as_deref().map(|window| format!(" per {window}")).unwrap_or_default();
            Some(format!("{} {}{window}", words::count(bucket.limit?), bucket.counts))
        });
        Self {
            model: model.to_owned(),
            class: entry.map_or("", |entry| entry.status.class()),
            word: entry.map_or("", |entry| entry.status.word()),
            limits: limits.collect::<Vec<_>>().join(", "),
            context: words::known(context),
            chains: places.get(model).cloned().unwrap_or_default(),
        }
    }
}

/// Where chains have the models of a provider.
fn places(paper: &Paper, id: &str) -> BTreeMap<String, String> {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for chain in &paper.config.chains {
        for (entry, place) in chain.entries.iter().zip(1..).filter(|(entry, _)| entry.provider.as_str() == id) {
            places.entry(entry.model.to_string()).or_default().push(format!("{} #{place}", chain.name));
        }
    }
    places.into_iter().map(|(model, places)| (model, places.join(", "))).collect()
}

/// `GET /ui/providers/{id}/models`: those that fit what is looked for.
pub(super) async fn list(request: HttpRequest, id: Path<String>, wanted: Query<Wanted>) -> HttpResponse {
    part(&request, &id, wanted.q.trim(), None).await
}

/// `POST /ui/providers/{id}/models/refresh`: asks it again.
pub(super) async fn refresh(request: HttpRequest, id: Path<String>) -> HttpResponse {
    let (Some(worker), Some(state)) = (worker(&request), state(&request)) else {
        return Fault::from(&ApiError::ShuttingDown).page(&request);
    };
    let config = state.config();
    let Some(provider) = config.providers.iter().find(|provider| provider.id.as_str() == *id) else {
        return unknown(&request, &id);
    };
    let fault = catalogue::ask(worker, state, provider).await.models.err();
    match (super::super::shell::wants_part(&request), fault) {
        (true, fault) => part(&request, &id, "", fault).await,
        (false, None) => done(&request, &format!("{HERE}/{id}"), "asked"),
        (false, Some(fault)) => {
            Fault::of(502, "The provider did not tell its models", format!("{fault}.")).page(&request)
        }
    }
}

async fn part(request: &HttpRequest, id: &str, q: &str, fault: Option<String>) -> HttpResponse {
    let (Some(worker), Some(state)) = (worker(request), state(request)) else {
        return Fault::from(&ApiError::ShuttingDown).page(request);
    };
    let paper = Paper::read(state).await;
    let Some(provider) = paper.config.providers.iter().find(|provider| provider.id.as_str() == id) else {
        return unknown(request, id);
    };
    match standing(worker, state).await {
        Ok(standing) => {
            let models = Models::of(request, provider, &paper, &standing, state, q);
            answer(request, StatusCode::OK, &Models { fault, ..models })
        }
        Err(fault) => Fault::from(&fault).page(request),
    }
}

/// `POST /ui/providers/{id}/add`: one of its models, at the end of a chain.
pub(super) async fn add(request: HttpRequest, id: Path<String>, fields: Form<Fields>) -> HttpResponse {
    let Some(state) = state(&request) else { return Fault::from(&ApiError::ShuttingDown).page(&request) };
    let (chain, model) = (fields.text("chain").to_owned(), fields.text("model"));
    let entry = picks::entry(&id, model);
    let chains = Paper::read(state).await.names.chains;
    let change = match chain.is_empty() {
        true if !chains.is_empty() => {
            let fault = ApiError::Query { param: "chain", message: "the form names no chain".to_owned() };
            return Fault::from(&fault).page(&request);
        }
        // The first chain is the one that requests take which name none.
        true => {
            Change::PutChain { name: "default".to_owned(), chain: Value::from([("entries", Value::List(vec![entry]))]) }
        }
        false => Change::InsertEntry { chain, at: None, entry },
    };
    match paper::changes(state, fields.revision(), vec![change]).await {
        Ok(_) => done(&request, &format!("{HERE}/{id}"), "added"),
        Err(fault) => Fault::from(&fault).page(&request),
    }
}
