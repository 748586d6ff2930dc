//! A row as versions 1 and 2 have written it.

use serde::Deserialize;

use crate::domain::ids::{ModelId, ProviderId};
use crate::domain::outcome::Reason;
use crate::domain::time::Wall;
use crate::domain::trail::{StepOutcome, StepView};
use crate::domain::usage::Usage;
use crate::store::requests::Request;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    id: String,
    time: String,
    chain: String,
    #[serde(default)]
    client: String,
    model: String,
    stream: bool,
    #[serde(default)]
    served_by: Option<String>,
    trail: Vec<Step>,
    status: u16,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    usage: Option<Usage>,
    #[serde(default)]
    waited_ms: u64,
    #[serde(default)]
    first_token_ms: Option<u64>,
    ms: u64,
    #[serde(default)]
    bytes_in: u64,
    #[serde(default)]
    bytes_out: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Step {
    provider: String,
    model: String,
    outcome: StepOutcome,
    #[serde(default)]
    key: Option<usize>,
    #[serde(default)]
    reason: Option<Reason>,
    #[serde(default)]
    status: u16,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    retry_at: Option<String>,
    #[serde(default)]
    ms: u64,
}

/// Reads one.
pub(super) fn read(json: &[u8]) -> serde_json::Result<Request> {
    let row: Row = serde_json::from_slice(json)?;
    let trail = row.trail.into_iter().map(|step| StepView {
        provider: ProviderId::new(step.provider),
        model: ModelId::new(step.model),
        outcome: step.outcome,
        key: step.key,
        reason: step.reason,
        status: step.status,
        message: step.message,
        retry_at: step.retry_at.as_deref().map(time),
        ms: Some(step.ms),
    });
    Ok(Request {
        arrived: time(&row.time),
        id: row.id,
        chain: row.chain,
        client: row.client,
        model: row.model,
        stream: row.stream,
        served_by: row.served_by,
        trail: trail.collect(),
        status: row.status,
        code: row.code.map(Into::into),
        usage: row.usage,
        waited_ms: row.waited_ms,
        first_token_ms: row.first_token_ms,
        ms: row.ms,
        bytes_in: row.bytes_in,
        bytes_out: row.bytes_out,
    })
}

/// What is no time was one that cannot be written as one: too far away.
fn time(text: &str) -> Wall {
    let stamp = text.parse::<jiff::Timestamp>().ok();
    Wall(stamp.and_then(|stamp| u64::try_from(stamp.as_millisecond()).ok()).unwrap_or(u64::MAX))
}
