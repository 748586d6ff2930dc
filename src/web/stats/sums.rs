//! Sums, as the API shows them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::saved::Saved;
use crate::domain::time::Wall;
use crate::domain::totals::Totals;
use crate::store::totals::Kind;
use crate::web::quantiles::Quantiles;

/// The sums of one name.
#[derive(Serialize, ToSchema)]
#[schema(as = Sums)]
#[serde(rename_all = "camelCase")]
pub(in crate::web) struct Shown<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    provider_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    chain_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    client: Option<&'a str>,
    total_requests: u64,
    /// Upstream calls.
    attempts: u64,
    failed_requests: u64,
    /// By error code, of attempts by reason.
    #[schema(value_type = BTreeMap<String, u64>)]
    failures: &'a BTreeMap<Cow<'static, str>, u64>,
    waterfalled_requests: u64,
    total_tokens: u64,
    total_prompt_tokens: u64,
    total_completion_tokens: u64,
    cached_tokens: u64,
    reasoning_tokens: u64,
    /// Requests whose tokens are estimated.
    estimated_requests: u64,
    latency_ms: Option<Quantiles>,
    first_token_ms: Option<Quantiles>,
    #[schema(format = DateTime)]
    last_request_timestamp: Option<String>,
    /// By the reference prices; null where nobody counts it.
    saved_usd: Option<f64>,
}

impl<'a> Shown<'a> {
    /// The sums of `name`, which is one of `kind`.
    pub(super) fn of(kind: Kind, name: &'a str, totals: &'a Totals) -> Self {
        let is = |wanted: Kind| (kind == wanted).then_some(name);
        let entry = is(Kind::Entry).and_then(|name| name.split_once('/'));
        Self {
            provider_id: is(Kind::Provider).or(entry.map(|(provider, _)| provider)),
            model: entry.map(|(_, model)| model),
            chain_name: is(Kind::Chain),
            client: is(Kind::Client),
            total_requests: totals.requests,
            attempts: totals.attempts,
            failed_requests: totals.failed(),
            failures: &totals.failures,
            waterfalled_requests: totals.waterfalled,
            total_tokens: totals.total_tokens,
            total_prompt_tokens: totals.prompt_tokens,
            total_completion_tokens: totals.completion_tokens,
            cached_tokens: totals.cached_tokens,
            reasoning_tokens: totals.reasoning_tokens,
            estimated_requests: totals.estimated,
            latency_ms: Quantiles::of(&totals.latency),
            first_token_ms: Quantiles::of(&totals.first_token),
            saved_usd: None,
            last_request_timestamp: (totals.last > 0).then(|| Wall(totals.last).to_string()),
        }
    }

    /// With what it has saved.
    pub(super) fn saving(mut self, saved: Option<&Saved>) -> Self {
        self.saved_usd = saved.map(Saved::usd);
        self
    }
}
