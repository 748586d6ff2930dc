//! Money saved: what the tokens that were served would have cost by the reference prices.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::{answer, state};
use crate::domain::prices::{Line, PriceList};
use crate::domain::time::Wall;
use crate::domain::totals::Totals;
use crate::store::database::Database;
use crate::store::error::StoreError;
use crate::store::totals::{Kind, chain_and_entry};
use crate::web::query::Range;

/// What the tokens would have cost elsewhere, and the prices that it is counted by.
#[derive(Serialize, ToSchema)]
#[schema(as = MoneySaved)]
#[serde(rename_all = "camelCase")]
pub(in crate::web) struct Saved {
    /// US dollars.
    usd: f64,
    /// What each entry has to do with it.
    entries: Vec<Priced>,
}

/// What an entry has to do with it.
#[derive(Serialize, ToSchema)]
#[schema(as = PricedEntry)]
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
#[derive(Serialize, ToSchema)]
#[schema(as = Price)]
#[serde(rename_all = "camelCase")]
struct PriceView {
    models: String,
    input: f64,
    output: f64,
    built_in: bool,
}

/// The price list in force.
#[derive(Serialize, ToSchema)]
#[schema(as = PriceList)]
#[serde(rename_all = "camelCase")]
pub(in crate::web) struct Prices {
    currency: &'static str,
    /// Tokens that the prices are for.
    per_tokens: u64,
    prices: Vec<PriceView>,
}

impl Saved {
    /// By the sums of entries.
    fn of(entries: &BTreeMap<String, Totals>, prices: &PriceList) -> Self {
        let priced = entries.iter().filter_map(|(entry, totals)| {
            let (prompt_tokens, completion_tokens) = (totals.prompt_tokens, totals.completion_tokens);
            let model = entry.split_once('/').map_or(entry.as_str(), |(_, model)| model);
            let line = prices.of(model).filter(|_| prompt_tokens > 0 || completion_tokens > 0)?;
            let usd = rounded(line.price.cost(prompt_tokens, completion_tokens));
            Some(Priced { entry: entry.clone(), prompt_tokens, completion_tokens, usd, price: line.into() })
        });
        let mut entries: Vec<Priced> = priced.collect();
        entries.sort_by(|one, other| other.usd.total_cmp(&one.usd));
        Self { usd: rounded(entries.iter().fold(0.0, |sum, priced| sum + priced.usd)), entries }
    }
}

/// To a millionth of a dollar: what is an estimate needs no sixteen digits.
fn rounded(usd: f64) -> f64 {
    (usd * 1e6).round() / 1e6
}

/// What each entry has served within each chain, provider and so on.
pub(in crate::web) struct Shares(BTreeMap<String, BTreeMap<String, Totals>>);

impl Shares {
    /// Those of a kind; `None` for clients, whose entries nobody counts.
    pub(in crate::web) fn read(
        database: &Database,
        kind: Kind,
        range: Range,
        now: Wall,
    ) -> Result<Option<Self>, StoreError> {
        let of = match kind {
            Kind::Client => return Ok(None),
            Kind::Chain | Kind::ChainEntry => Kind::ChainEntry,
            Kind::All | Kind::Provider | Kind::Entry => Kind::Entry,
        };
        let mut shares: BTreeMap<String, BTreeMap<String, Totals>> = BTreeMap::new();
        for (name, totals) in database.totals(of, range.from, range.to, now)?.totals {
            let (whose, entry) = match kind {
                Kind::Chain | Kind::ChainEntry => chain_and_entry(&name).unwrap_or_default(),
                Kind::Provider => (name.split_once('/').map_or("", |(provider, _)| provider), name.as_str()),
                Kind::Entry => (name.as_str(), name.as_str()),
                Kind::All | Kind::Client => ("", name.as_str()),
            };
            shares.entry(whose.to_owned()).or_default().insert(entry.to_owned(), totals);
        }
        Ok(Some(Self(shares)))
    }

    /// What one of them has saved.
    pub(super) fn one(&self, name: &str, prices: &PriceList) -> Saved {
        let nothing = BTreeMap::new();
        Saved::of(self.0.get(name).unwrap_or(&nothing), prices)
    }

    /// What all of them have saved.
    pub(in crate::web) fn all(&self, prices: &PriceList) -> Saved {
        let mut entries: BTreeMap<String, Totals> = BTreeMap::new();
        for (entry, totals) in self.0.values().flatten() {
            entries.entry(entry.clone()).or_default().add(totals);
        }
        Saved::of(&entries, prices)
    }
}

impl Saved {
    /// US dollars.
    pub(in crate::web) fn usd(&self) -> f64 {
        self.usd
    }
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
        let config = state(&request)?.config();
        let lines = config.settings.reference_prices.lines().iter().map(PriceView::from);
        Ok(HttpResponse::Ok().json(Prices { currency: "USD", per_tokens: 1_000_000, prices: lines.collect() }))
    })
    .await
}
