//! `POST /v1/chat/completions` and `POST /v1/embeddings`: what walks a chain.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use actix_web::web::{Bytes, Payload};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder};

use super::admit;
use super::error::ApiError;
use super::gate::Admitted;
use super::state::State;
use crate::actors::journal::Note;
use crate::actors::lease::{Lease, Outcome};
use crate::actors::route::Entry;
use crate::config::model::{Config, Settings};
use crate::domain::endpoint::Endpoint;
use crate::domain::ids::EntryId;
use crate::domain::request::Document;
use crate::domain::trace::Parent;
use crate::upstream::apart::apart;
use crate::upstream::attempt::{Complete, Opened, Served, TRACEPARENT, TRACESTATE, Whole};
use crate::upstream::relay::Relay;
use crate::upstream::wait::Unserved;
use crate::upstream::waterfall::{Asked, Walked, Worker};

const PROVIDER: HeaderName = HeaderName::from_static("x-429chain-provider");
const ATTEMPTS: HeaderName = HeaderName::from_static("x-429chain-attempts");
const CHAIN: HeaderName = HeaderName::from_static("x-429chain-chain");

/// `POST /v1/chat/completions`
pub async fn chat(request: HttpRequest, payload: Payload) -> HttpResponse {
    complete(Endpoint::Chat, request, payload).await
}

/// `POST /v1/embeddings`
pub async fn embeddings(request: HttpRequest, payload: Payload) -> HttpResponse {
    complete(Endpoint::Embeddings, request, payload).await
}

/// Serves a request from the first entry of its chain that can.
async fn complete(endpoint: Endpoint, request: HttpRequest, mut payload: Payload) -> HttpResponse {
    let (Some(worker), Some(state)) = (request.app_data::<Rc<Worker>>(), request.app_data::<Arc<State>>()) else {
        return ApiError::ShuttingDown.response();
    };
    let Admitted { id, client } = request.extensions().get::<Admitted>().cloned().unwrap_or_default();
    let mut note = worker.journal.open(id);
    note.row.client = client;
    note.follow(endpoint, || trace_of(request.headers()));
    let config = state.config();
    match admit::body(request.headers(), &mut payload, config.settings.max_body_bytes).await {
        Ok(body) => answer(worker, config, endpoint, body, note).await,
        Err(fault) => refuse(&fault, &mut note),
    }
}

/// The answer to a body that has arrived.
pub(in crate::web) async fn answer(
    worker: &Rc<Worker>,
    config: Arc<Config>,
    endpoint: Endpoint,
    body: Bytes,
    mut note: Note,
) -> HttpResponse {
    let document = match Document::parse(endpoint, &body) {
        Ok(document) => document,
        Err(malformed) => return refuse(&malformed.into(), &mut note),
    };
    note.row.bytes_in = body.len() as u64;
    note.row.model.clone_from(&document.model);
    note.row.stream = document.stream;
    let (walker, by) = (Rc::clone(worker), Arc::clone(&config));
    let walking = apart(async move {
        let asked = Asked { settings: &by.settings, endpoint, document: &document, body: &body };
        let walked = walker.walk(&asked, &mut note).await;
        (walked, note)
    });
    let Ok((walked, mut note)) = walking.await else { return ApiError::Internal.response() };
    match walked {
        Walked::Served { entry, answer: Served::Whole(complete), lease } => {
            let Complete { answer, usage, cost, evidence } = *complete;
            note.row.bytes_out = answer.body.len() as u64;
            lease.settle(Outcome::Served { usage, evidence });
            note.row.usage = Some(cost);
            note.answered(answer.status, None);
            pass_on(answer, &entry.id, &note)
        }
        Walked::Served { entry, answer: Served::Stream(opened), lease } => {
            stream(worker, &config.settings, *opened, entry, lease, note)
        }
        Walked::Refused { entry, answer } => {
            note.answered(answer.status, Some("refused_upstream"));
            pass_on(answer, &entry, &note)
        }
        Walked::Exhausted { why: Unserved::ChainGone, .. } => {
            refuse(&ApiError::ChainGone { chain: note.row.chain.clone() }, &mut note)
        }
        Walked::Exhausted { why, eta } => {
            refuse(&ApiError::exhausted(&note.row.trail, why, eta, worker.clock.now()), &mut note)
        }
        Walked::Nowhere(why) => refuse(&ApiError::nowhere(why, note.row.model.clone()), &mut note),
        Walked::Unavailable => refuse(&ApiError::ShuttingDown, &mut note),
    }
}

/// The trace that the client says its request belongs to.
fn trace_of(headers: &HeaderMap) -> Option<Parent> {
    let mut parents = headers.get_all(TRACEPARENT);
    // Of two nobody knows which one is meant.
    let parent = parents.next().filter(|_| parents.next().is_none())?;
    let states: Option<Vec<&str>> = headers.get_all(TRACESTATE).map(|state| state.to_str().ok()).collect();
    Parent::read(parent.as_bytes(), states.map(|states| states.join(",")))
}

/// The provider's own bytes.
fn pass_on(whole: Whole, entry: &EntryId, note: &Note) -> HttpResponse {
    let status = StatusCode::from_u16(whole.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut builder = HttpResponse::build(status);
    let content_type = whole.content_type.unwrap_or(HeaderValue::from_static("application/json"));
    builder.insert_header((CONTENT_TYPE, content_type));
    name_the_way(&mut builder, Some(entry), note);
    builder.body(whole.body)
}

fn stream(
    worker: &Worker,
    settings: &Settings,
    mut opened: Opened,
    entry: Arc<Entry>,
    mut lease: Lease,
    mut note: Note,
) -> HttpResponse {
    lease.heard(std::mem::take(&mut opened.evidence));
    note.row.first_token = Some(worker.clock.mono().since(note.began));
    let mut builder = HttpResponse::Ok();
    builder.insert_header((CONTENT_TYPE, "text/event-stream"));
    builder.insert_header((CACHE_CONTROL, "no-cache"));
    // Tells nginx and its kin not to collect the stream before they pass it on.
    builder.insert_header(("x-accel-buffering", "no"));
    name_the_way(&mut builder, Some(&entry.id), &note);
    builder.body(Relay::new(opened, settings, entry, worker.clock.clone(), lease, note))
}

fn refuse(fault: &ApiError, note: &mut Note) -> HttpResponse {
    note.answered(fault.status().as_u16(), Some(fault.code().name()));
    let mut response = fault.response();
    let mut builder = HttpResponseBuilder::new(fault.status());
    name_the_way(&mut builder, None, note);
    for (name, value) in builder.finish().headers() {
        response.headers_mut().insert(name.clone(), value.clone());
    }
    response
}

/// Says which way the request went.
fn name_the_way(builder: &mut HttpResponseBuilder, entry: Option<&EntryId>, note: &Note) {
    if let Some(value) = entry.and_then(|entry| HeaderValue::from_maybe_shared(Bytes::from(entry.label())).ok()) {
        builder.insert_header((PROVIDER, value));
    }
    builder.insert_header((ATTEMPTS, note.row.trail.attempts()));
    if let Ok(value) = HeaderValue::from_str(&note.row.chain)
        && !value.is_empty()
    {
        builder.insert_header((CHAIN, value));
    }
}
