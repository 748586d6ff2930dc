//! A row of the log, as the API shows it: under the names of earlier versions, and more.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::trail::StepView;
use crate::store::requests::Request;

/// The columns of the CSV.
pub(super) const COLUMNS: &str = "id,timestamp,chainName,client,requestedModel,stream,providerId,model,promptTokens,\
completionTokens,totalTokens,cachedTokens,reasoningTokens,estimated,latencyMs,firstTokenMs,queueMs,httpStatus,attempts,\
errorCode,errorMessage,bytesIn,bytesOut\n";

/// One request, as it ended.
#[derive(Serialize, ToSchema)]
#[schema(as = LoggedRequest)]
#[serde(rename_all = "camelCase")]
pub(in crate::web) struct Shown<'a> {
    /// As in the answer's `X-Request-Id`; ids sort by time.
    id: &'a str,
    /// When it arrived.
    #[schema(format = DateTime)]
    timestamp: String,
    chain_name: &'a str,
    client: &'a str,
    requested_model: &'a str,
    stream: bool,
    provider_id: Option<&'a str>,
    model: Option<&'a str>,
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    total_tokens: Option<u64>,
    cached_tokens: Option<u64>,
    reasoning_tokens: Option<u64>,
    /// The tokens are estimated.
    estimated: bool,
    latency_ms: u64,
    first_token_ms: Option<u64>,
    queue_ms: u64,
    http_status: u16,
    /// Upstream calls.
    attempts: usize,
    error_code: Option<&'a str>,
    error_message: Option<String>,
    bytes_in: u64,
    bytes_out: u64,
    trail: &'a [StepView],
}

impl<'a> Shown<'a> {
    pub(super) fn of(row: &'a Request) -> Self {
        let served_by = row.served_by.as_deref().and_then(|entry| entry.split_once('/'));
        let usage = row.usage.as_ref();
        Self {
            id: &row.id,
            timestamp: row.arrived.to_string(),
            chain_name: &row.chain,
            client: &row.client,
            requested_model: &row.model,
            stream: row.stream,
            provider_id: served_by.map(|(provider, _)| provider),
            model: served_by.map(|(_, model)| model),
            prompt_tokens: usage.map(|usage| usage.prompt_tokens),
            completion_tokens: usage.map(|usage| usage.completion_tokens),
            total_tokens: usage.map(|usage| usage.total_tokens),
            cached_tokens: usage.and_then(|usage| usage.cached_tokens),
            reasoning_tokens: usage.and_then(|usage| usage.reasoning_tokens),
            estimated: usage.is_some_and(|usage| usage.estimated),
            latency_ms: row.ms,
            first_token_ms: row.first_token_ms,
            queue_ms: row.waited_ms,
            http_status: row.status,
            attempts: row.trail.iter().filter(|step| step.outcome.is_call()).count(),
            error_code: row.code.as_deref(),
            error_message: row.code.as_deref().map(|code| message(code, &row.trail)),
            bytes_in: row.bytes_in,
            bytes_out: row.bytes_out,
            trail: &row.trail,
        }
    }

    /// One line of CSV.
    pub(super) fn csv(&self) -> String {
        let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        let cells = [
            quoted(self.id),
            quoted(&self.timestamp),
            quoted(self.chain_name),
            quoted(self.client),
            quoted(self.requested_model),
            self.stream.to_string(),
            quoted(self.provider_id.unwrap_or_default()),
            quoted(self.model.unwrap_or_default()),
            number(self.prompt_tokens),
            number(self.completion_tokens),
            number(self.total_tokens),
            number(self.cached_tokens),
            number(self.reasoning_tokens),
            self.estimated.to_string(),
            self.latency_ms.to_string(),
            number(self.first_token_ms),
            self.queue_ms.to_string(),
            self.http_status.to_string(),
            self.attempts.to_string(),
            quoted(self.error_code.unwrap_or_default()),
            quoted(self.error_message.as_deref().unwrap_or_default()),
            self.bytes_in.to_string(),
            self.bytes_out.to_string(),
        ];
        cells.join(",") + "\n"
    }
}

/// The code, and what each entry said that did not serve.
fn message(code: &str, steps: &[StepView]) -> String {
    let said = steps.iter().filter_map(|step| {
        let message = step.message.as_deref()?;
        Some(format!("{}/{} ({message})", step.provider, step.model))
    });
    let said: Vec<String> = said.collect();
    if said.is_empty() { code.to_owned() } else { format!("{code}: {}", said.join(", ")) }
}

/// A cell; names come from clients, and a spreadsheet must not take one for a formula.
fn quoted(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    match text.contains([',', '"', '\n', '\r']) || !guard.is_empty() {
        true => format!("\"{guard}{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_it_matters() {
        assert_eq!(quoted("default"), "default");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("=SUM(A1)"), "\"'=SUM(A1)\"");
    }
}
