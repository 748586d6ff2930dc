//! Money saved: what the tokens that were served would have cost by the reference prices.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::{answer, state};
use crate::domain::prices::{Line, PriceList};
use crate::domain::totals::Totals;

/// A figure, and what it was made of.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Saved {
    /// US dollars.
    usd: f64,
    /// What each entry has to do with it.
    entries: Vec<Priced>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Priced {
    entry: String,
    prompt_tokens: u64,
    completion_tokens: u64,
    usd: f64,
    /// The line of the price list.
    price: PriceView,
}

/// A line of the price list, in US dollars per million tokens.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PriceView {
    models: String,
    input: f64,
    output: f64,
    built_in: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Prices {
    currency: &'static str,
    /// Tokens that the prices are for.
    per_tokens: u64,
    prices: Vec<PriceView>,
}

impl Saved {
    /// By the sums of entries.
    pub(super) fn of(entries: &BTreeMap<String, Totals>, prices: &PriceList) -> Self {
        let priced = entries.iter().filter_map(|(entry, totals)| {
            let model = entry.split_once('/').map_or(entry.as_str(), |(_, model)| model);
            let line = prices.of(model)?;
            let served = totals.prompt_tokens > 0 || totals.completion_tokens > 0;
            served.then(|| Priced {
                entry: entry.clone(),
                prompt_tokens: totals.prompt_tokens,
                completion_tokens: totals.completion_tokens,
                usd: rounded(line.price.cost(totals.prompt_tokens, totals.completion_tokens)),
                price: line.into(),
            })
        });
        let mut entries: Vec<Priced> = priced.collect();
        entries.sort_by(|one, other| other.usd.total_cmp(&one.usd));
        Self { usd: rounded(entries.iter().map(|priced| priced.usd).sum()), entries }
    }
}

/// The dollars that one entry has saved.
pub(super) fn usd(entry: &str, totals: &Totals, prices: &PriceList) -> f64 {
    let model = entry.split_once('/').map_or(entry, |(_, model)| model);
    let cost = |line: &Line| line.price.cost(totals.prompt_tokens, totals.completion_tokens);
    prices.of(model).map_or(0.0, |line| rounded(cost(line)))
}

/// To a millionth of a dollar: a figure that is an estimate needs no sixteen digits.
pub(super) fn rounded(usd: f64) -> f64 {
    (usd * 1e6).round() / 1e6
}

impl From<&Line> for PriceView {
    fn from(line: &Line) -> Self {
        Self {
            models: line.models.clone(),
            input: line.price.input,
            output: line.price.output,
            built_in: line.built_in,
        }
    }
}

/// `GET /v1/stats/prices`: the price list in force.
pub async fn prices(request: HttpRequest) -> HttpResponse {
    answer(async {
        let lines = state(&request)?.config.settings.reference_prices.lines().iter().map(PriceView::from);
        Ok(HttpResponse::Ok().json(Prices { currency: "USD", per_tokens: 1_000_000, prices: lines.collect() }))
    })
    .await
}
