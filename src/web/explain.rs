//! `POST /v1/admin/explain`: who would serve a request of this kind now, and why the others would not. Calls nobody.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::http::header::HeaderMap;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Number;
use utoipa::ToSchema;

use super::admit;
use super::error::ApiError;
use super::state::State;
use crate::actors::msg::{Explain, Lines};
use crate::actors::report::Explained;
use crate::domain::demand::Demand;
use crate::domain::ids::EntryId;
use crate::domain::request::Malformed;
use crate::domain::time::Now;
use crate::domain::trail::{Seen, StepView};
use crate::upstream::waterfall::Worker;

/// A question of this kind is short.
const MOST_BYTES: usize = 64 << 10;

/// A request that nobody sends. What is not told is taken to be as small as can be.
#[derive(Deserialize, ToSchema)]
#[schema(as = Question)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Question {
    /// A chain, or `provider/model`, or anything that a client may send; the default chain if it is absent. May also be
    /// called `chain`.
    #[serde(alias = "chain")]
    model: Option<String>,
    /// Bytes of the prompt.
    #[serde(default, deserialize_with = "whole")]
    #[schema(format = "uint64", maximum = 18_446_744_073_709_551_615_usize)]
    prompt_bytes: Option<u64>,
    /// Tokens of the prompt, where they are known.
    #[serde(default, deserialize_with = "whole")]
    #[schema(format = "uint64", maximum = 18_446_744_073_709_551_615_usize)]
    prompt_tokens: Option<u64>,
    /// As a client would send it.
    #[serde(default, deserialize_with = "whole")]
    #[schema(format = "uint64", maximum = 18_446_744_073_709_551_615_usize)]
    max_tokens: Option<u64>,
}

/// The trail that a request would leave.
#[derive(Serialize, ToSchema)]
#[schema(as = Explanation)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer<'a> {
    /// Name of the chain, or `provider/model`.
    chain: &'a str,
    /// `provider/model` of who would be called.
    #[schema(value_type = Option<String>)]
    next: Option<&'a EntryId>,
    /// Requests that wait for this chain.
    waiting: usize,
    /// When the first entry is back, if none can be called now.
    #[schema(format = DateTime)]
    first_recovery: Option<String>,
    /// The same in milliseconds from now.
    first_recovery_ms: Option<u64>,
    trail: Vec<ExplainedStep>,
}

#[derive(Serialize, ToSchema)]
struct ExplainedStep {
    #[serde(flatten)]
    step: StepView,
    reserves: Reserved,
}

/// What the entry would set aside for the request.
#[derive(Serialize, ToSchema)]
struct Reserved {
    requests: u64,
    tokens: u64,
}

/// Answers with the trail that such a request would leave.
pub async fn explain(request: HttpRequest, mut payload: Payload) -> HttpResponse {
    let (Some(worker), Some(state)) = (request.app_data::<Rc<Worker>>(), request.app_data::<Arc<State>>()) else {
        return ApiError::ShuttingDown.response();
    };
    let question = match read(request.headers(), &mut payload).await {
        Ok(question) => question,
        Err(fault) => return fault.response(),
    };
    let model = question.model.clone().unwrap_or_else(|| state.config().settings.default_chain.to_string());
    let prompt_bytes = question.prompt_bytes.unwrap_or_default();
    let demand = Demand { prompt_bytes, most_output: question.max_tokens, generates: true, ..Demand::default() };
    let asked = Explain { model: model.clone(), demand, prompt_tokens: question.prompt_tokens };
    let explained = worker.keeper.send(asked).await;
    let lines = worker.router.send(Lines).await;
    match (explained, lines) {
        (Ok(Ok(explained)), Ok(lines)) => {
            let depth = lines.iter().find(|line| line.label == explained.route).map_or(0, |line| line.depth);
            HttpResponse::Ok().json(view(&explained, depth, worker.clock.now()))
        }
        (Ok(Err(why)), _) => ApiError::nowhere(why, model).response(),
        _ => ApiError::ShuttingDown.response(),
    }
}

async fn read(headers: &HeaderMap, payload: &mut Payload) -> Result<Question, ApiError> {
    let body = admit::body(headers, payload, MOST_BYTES).await?;
    let body = if body.trim_ascii().is_empty() { "{}".into() } else { body };
    let question = match body.trim_ascii_start().first() {
        Some(b'{') => serde_json::from_slice(&body).map_err(|fault| fault.to_string()),
        // An array would be read as the members in their order.
        _ => Err("it must be an object".to_owned()),
    };
    question.map_err(|fault| {
        let example = r#"{"chain":"default","promptTokens":1000,"maxTokens":500}"#;
        let message = format!("this is no question like {example}: {fault}");
        ApiError::Malformed(Malformed { message, param: None })
    })
}

/// A whole number, be it written as 81 or as 81.0: to JSON they are the same.
fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(deserializer)? else { return Ok(None) };
    // As a float the largest is one too large.
    let exact = |float: f64| (float.fract() == 0.0 && (0.0..u64::MAX as f64).contains(&float)).then_some(float as u64);
    let whole = number.as_u64().or_else(|| number.as_f64().and_then(exact));
    let fault = || D::Error::custom(format_args!("{number} is no whole number from 0 to {}", u64::MAX));
    whole.map(Some).ok_or_else(fault)
}

fn view(explained: &Explained, depth: usize, now: Now) -> Answer<'_> {
    let able = explained.trail.0.iter().find(|step| step.seen == Seen::Able);
    let soonest = explained.trail.soonest(now.mono).filter(|_| able.is_none());
    let steps = explained.trail.view(now).into_iter().zip(&explained.needs);
    Answer {
        chain: &explained.route,
        next: able.map(|step| &step.entry),
        waiting: depth,
        first_recovery: soonest.map(|wait| now.wall.after(wait).to_string()),
        first_recovery_ms: soonest.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
        trail: steps
            .map(|(step, need)| ExplainedStep {
                step: step.without_time(),
                reserves: Reserved { requests: 1, tokens: need.tokens },
            })
            .collect(),
    }
}
