//! Every path of the API. A test holds them to those of `routes`, and asks the running proxy.

use utoipa::ToSchema;
use utoipa::openapi::Required;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::bodies::{answer, chat_request, embeddings_request, event, whatever};
use super::call::{Call, Form, count, text};
use super::schemas::Schemas;
use super::security::Who;
use crate::web::error::Code;
use crate::web::explain::{Answer, Question};
use crate::web::health::Health;
use crate::web::models::{List, Model};
use crate::web::ratelimits::{self, Snapshot};
use crate::web::reload::Reloaded;
use crate::web::stats::log::Page;
use crate::web::stats::ranged::{Chains, Clients, Entries, Providers, Ranged};
use crate::web::stats::row::Shown as Row;
use crate::web::stats::saved::Prices;
use crate::web::stats::series::Series;
use crate::web::stats::{self, Whole};

/// All operations there are.
pub(super) fn all(schemas: &mut Schemas) -> Vec<Call> {
    let mut calls = Vec::from(completions(schemas));
    calls.extend(models(schemas));
    calls.extend(sums(schemas));
    calls.extend(charts(schemas));
    calls.extend(log(schemas));
    calls.extend(state(schemas));
    calls.extend(super::admin::all(schemas));
    calls
}

fn completions(schemas: &mut Schemas) -> [Call; 2] {
    let chat = Call::post("/v1/chat/completions", "createChatCompletion", "models", "Answer a chat")
        .about(
            "Served by the first entry of the chain that can. With `stream` the answer is server-sent events that end \
             with `data: [DONE]`; one that breaks off ends with an event that holds an `error`.",
        )
        .takes(chat_request(schemas), Required::True);
    let embeddings = Call::post("/v1/embeddings", "createEmbeddings", "models", "Turn texts into vectors")
        .about("Served by the first entry of the chain that can.")
        .takes(embeddings_request(schemas), Required::True);
    let chunk = ObjectBuilder::new().description(Some("A chunk as the OpenAI API has it, or `[DONE]`."));
    let stream: Form = ("text/event-stream", event("One event of the answer.", None, chunk));
    let completion: Form = ("application/json", answer(schemas, "ChatCompletion").into());
    let vectors: Form = ("application/json", answer(schemas, "Embeddings").into());
    [walked(chat, vec![completion, stream]), walked(embeddings, vec![vectors])]
}

/// What walks a chain.
fn walked(call: Call, forms: Vec<Form>) -> Call {
    let headers = [
        ("X-429chain-Provider", text("`provider/model` of who has served it.")),
        ("X-429chain-Attempts", count("Upstream calls.")),
        ("X-429chain-Chain", text("Name of the chain, or `provider/model`.")),
    ];
    call.of(Who::Clients)
        .answers("200", "The provider's answer.", forms, &headers)
        .fails(&[
            Code::ContextLengthExceeded,
            Code::ModelNotFound,
            Code::RequestTooLarge,
            Code::AllProvidersExhausted,
            Code::NoChain,
            Code::ChainGone,
            Code::QueueFull,
            Code::QueueTimeout,
            Code::InternalError,
        ])
        .passes_refusals_on()
}

fn models(schemas: &mut Schemas) -> [Call; 2] {
    [
        Call::get("/v1/models", "listModels", "models", "Everything that `model` can name")
            .of(Who::Clients)
            .gives::<List<'_>>(schemas, "200", "Chains first, then entries."),
        Call::get("/v1/models/{id}", "getModel", "models", "One of them")
            .of(Who::Clients)
            .names("id", "Name of a chain, or `provider/model`.")
            .gives::<Model<'_>>(schemas, "200", "It exists.")
            .fails(&[Code::ModelNotFound]),
    ]
}

fn sums(schemas: &mut Schemas) -> Vec<Call> {
    let read = |call: Call| call.of(Who::Everybody).asks(&stats::PARAMETERS).fails(&[Code::RecordsUnavailable]);
    let list = |path, id, what: &str| read(Call::get(path, id, "stats", &format!("What requests add up to by {what}")));
    let one = |path, id, what: &str| {
        let call = Call::get(path, id, "stats", &format!("What the requests of one {what} add up to"));
        read(call).names("name", &format!("The {what}.")).fails(&[Code::NotFound])
    };
    vec![
        read(Call::get("/v1/stats/summary", "getSummary", "stats", "What all requests add up to")).answers(
            "200",
            "Sums of the time.",
            ranged::<Whole<'_>>(schemas),
            &[],
        ),
        list("/v1/stats/providers", "listProviderSums", "provider").answers(
            "200",
            "Those that were called.",
            ranged::<Providers<'_>>(schemas),
            &[],
        ),
        one("/v1/stats/providers/{name}", "getProviderSums", "provider").answers(
            "200",
            "Sums of the time.",
            ranged::<Whole<'_>>(schemas),
            &[],
        ),
        list("/v1/stats/chains", "listChainSums", "chain").answers(
            "200",
            "Those that were asked for.",
            ranged::<Chains<'_>>(schemas),
            &[],
        ),
        one("/v1/stats/chains/{name}", "getChainSums", "chain").answers(
            "200",
            "Sums of the time.",
            ranged::<Whole<'_>>(schemas),
            &[],
        ),
        list("/v1/stats/entries", "listEntrySums", "entry").answers(
            "200",
            "Those that were called.",
            ranged::<Entries<'_>>(schemas),
            &[],
        ),
        one("/v1/stats/entries/{name}", "getEntrySums", "entry").answers(
            "200",
            "Sums of the time.",
            ranged::<Whole<'_>>(schemas),
            &[],
        ),
        list("/v1/stats/clients", "listClientSums", "client key").answers(
            "200",
            "Those that have asked.",
            ranged::<Clients<'_>>(schemas),
            &[],
        ),
        one("/v1/stats/clients/{name}", "getClientSums", "client key").answers(
            "200",
            "Sums of the time.",
            ranged::<Whole<'_>>(schemas),
            &[],
        ),
    ]
}

fn charts(schemas: &mut Schemas) -> [Call; 2] {
    [
        Call::get("/v1/stats/series", "getSeries", "stats", "Sums step by step, for charts")
            .about("Of one chain, provider, entry or client, or of everything. Of too many steps the last 1500.")
            .of(Who::Everybody)
            .asks(&stats::series::PARAMETERS)
            .gives::<Series<'_>>(schemas, "200", "One point for each step.")
            .fails(&[Code::RecordsUnavailable]),
        Call::get("/v1/stats/prices", "getPrices", "stats", "What money saved is counted by")
            .of(Who::Everybody)
            .gives::<Prices>(schemas, "200", "The price list in force."),
    ]
}

/// An answer that tells of which time it is.
fn ranged<T: ToSchema>(schemas: &mut Schemas) -> Vec<Form> {
    schemas.given::<T>();
    vec![("application/json", schemas.given_as::<Ranged<T>>(&format!("Ranged{}", T::name())).into())]
}

fn log(schemas: &mut Schemas) -> [Call; 2] {
    let forms: Vec<Form> = vec![
        ("application/json", schemas.given::<Page<'_>>().into()),
        ("application/jsonl", string()),
        ("text/csv", string()),
    ];
    [
        Call::get("/v1/stats/requests", "listRequests", "stats", "The log of requests, the newest first")
            .about("By pages, which newcomers do not shift; as JSON lines or CSV all of it.")
            .of(Who::Everybody)
            .asks(&stats::log::PARAMETERS)
            .answers("200", "Requests.", forms, &[])
            .fails(&[Code::RecordsUnavailable]),
        Call::get("/v1/stats/requests/{id}", "getRequest", "stats", "One request, with its whole trail")
            .of(Who::Everybody)
            .names("id", "As in `X-Request-Id`.")
            .gives::<Row<'_>>(schemas, "200", "It is in the log.")
            .fails(&[Code::NotFound, Code::RecordsUnavailable]),
    ]
}

fn state(schemas: &mut Schemas) -> [Call; 7] {
    let snapshot = schemas.given::<Snapshot<'_>>();
    let data = ObjectBuilder::new().content_media_type("application/json").content_schema(Some(snapshot.clone()));
    let limits: Vec<Form> = vec![
        ("application/json", snapshot.into()),
        ("text/event-stream", event("The state once more.", Some("ratelimits"), data)),
    ];
    let question = schemas.sent::<Question>();
    [
        Call::get("/v1/ratelimits", "getRateLimits", "state", "What is known of every entry and chain right now")
            .about("With `watch=1` events named `ratelimits`, each with the whole state as JSON in `data`.")
            .of(Who::Everybody)
            .asks(&ratelimits::PARAMETERS)
            .answers("200", "The state.", limits, &[])
            .fails(&[Code::InternalError]),
        Call::post("/v1/admin/explain", "explain", "admin", "Who would serve a request of this kind now")
            .about("And why the others would not. Calls nobody. No body asks about the default chain.")
            .of(Who::Admins)
            .takes(question, Required::False)
            .gives::<Answer<'_>>(schemas, "200", "The trail that it would leave.")
            .fails(&[Code::ModelNotFound, Code::NoChain]),
        Call::post("/v1/admin/reload", "reload", "admin", "Read the configuration file again, and use it")
            .about(
                "All or nothing: what is wrong changes nothing. Requests in progress finish on what they began with.",
            )
            .of(Who::Admins)
            .gives::<Reloaded>(schemas, "200", "It is in use.")
            .fails(&[Code::InvalidConfig, Code::NoConfigFile]),
        Call::get("/health", "getHealth", "state", "Whether requests are taken")
            .of(Who::Anyone)
            .gives::<Health>(schemas, "200", "They are.")
            .gives::<Health>(schemas, "503", "The process is on its way out."),
        Call::head("/health", "headHealth", "state", "The same without a body")
            .of(Who::Anyone)
            .answers("200", "They are.", Vec::new(), &[])
            .answers("503", "The process is on its way out.", Vec::new(), &[]),
        Call::get("/metrics", "getMetrics", "state", "Figures for Prometheus")
            .about("From the machine that the proxy runs on it needs no key.")
            .of(Who::AnyoneHere)
            .answers("200", "The text format of Prometheus.", vec![("text/plain", string())], &[])
            .fails(&[Code::InternalError, Code::ShuttingDown]),
        Call::get("/v1/openapi.json", "getOpenApi", "meta", "This document").of(Who::Anyone).answers(
            "200",
            "OpenAPI 3.1.",
            vec![("application/json", whatever("An OpenAPI document.").into())],
            &[],
        ),
    ]
}

fn string() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
    utoipa::openapi::RefOr::T(ObjectBuilder::new().schema_type(Type::String).into())
}
