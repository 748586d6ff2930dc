//! `POST /v1/admin/explain`: who would serve a request of this kind now, and why the others would not. Calls nobody.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::http::header::HeaderMap;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::json;

use super::admit;
use super::error::ApiError;
use super::state::State;
use crate::actors::msg::{Explain, Lines};
use crate::actors::report::Explained;
use crate::domain::demand::Demand;
use crate::domain::request::Malformed;
use crate::domain::time::Now;
use crate::domain::trail::Seen;
use crate::upstream::waterfall::Worker;

/// A question of this kind is short.
const MOST_BYTES: usize = 64 << 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Question {
    /// A chain, or `provider/model`, or anything that a client may send.
    #[serde(alias = "chain")]
    model: Option<String>,
    prompt_bytes: Option<u64>,
    prompt_tokens: Option<u64>,
    max_tokens: Option<u64>,
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
        (Ok(Some(explained)), Ok(lines)) => {
            let depth = lines.iter().find(|line| line.label == explained.route).map_or(0, |line| line.depth);
            HttpResponse::Ok().json(view(&explained, depth, worker.clock.now()))
        }
        (Ok(None), _) => ApiError::ModelNotFound { model }.response(),
        _ => ApiError::ShuttingDown.response(),
    }
}

async fn read(headers: &HeaderMap, payload: &mut Payload) -> Result<Question, ApiError> {
    let body = admit::body(headers, payload, MOST_BYTES).await?;
    let body = if body.trim_ascii().is_empty() { "{}".into() } else { body };
    serde_json::from_slice(&body).map_err(|fault| {
        let example = r#"{"chain":"default","promptTokens":1000,"maxTokens":500}"#;
        let message = format!("this is no question like {example}: {fault}");
        ApiError::Malformed(Malformed { message, param: None })
    })
}

fn view(explained: &Explained, depth: usize, now: Now) -> serde_json::Value {
    let steps = explained.trail.view(now);
    let able = explained.trail.0.iter().find(|step| step.seen == Seen::Able);
    let soonest = explained.trail.soonest(now.mono).filter(|_| able.is_none());
    let trail = steps.iter().zip(&explained.needs).map(|(step, need)| {
        let mut step = serde_json::to_value(step).unwrap_or_default();
        if let Some(map) = step.as_object_mut() {
            map.remove("ms");
            map.insert("reserves".into(), json!({ "requests": 1, "tokens": need.tokens }));
        }
        step
    });
    json!({
        "chain": explained.route,
        "next": able.map(|step| &step.entry),
        "waiting": depth,
        "firstRecovery": soonest.map(|wait| now.wall.after(wait).to_string()),
        "firstRecoveryMs": soonest.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
        "trail": trail.collect::<Vec<_>>(),
    })
}
