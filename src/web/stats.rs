//! `GET /v1/stats/...`: what requests add up to, and the log of them.

pub mod log;
pub(super) mod ranged;
pub(super) mod row;
pub mod saved;
pub mod series;
pub(super) mod sums;

use std::sync::Arc;

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
use super::query::{Query, Range};
use super::ratelimits::lately::{HealthView, HourView, Lately};
use super::state::State;
use crate::config::model::Config;
use crate::domain::prices::PriceList;
use crate::domain::totals::Totals;
use crate::store::database::Database;
use crate::store::error::StoreError;
use crate::store::totals::{Kind, Sums};
use ranged::{List, Ranged};
use saved::{Saved, Shares};
use sums::Shown;

/// Parameters of everything that is told of a range.
pub(super) const PARAMETERS: [&str; 3] = ["from", "to", "range"];

/// `GET /v1/stats/summary`
pub async fn summary(request: HttpRequest) -> HttpResponse {
    answer(async {
        let asked = ask(&request, Kind::All).await?;
        let all = asked.sums.totals.get("").cloned().unwrap_or_default();
        Ok(asked.answer(asked.one("", &all)))
    })
    .await
}

/// `GET /v1/stats/providers` and its kin
pub async fn all(request: HttpRequest) -> HttpResponse {
    answer(async {
        let kind = kind(&request)?;
        let asked = ask(&request, kind).await?;
        let totals = asked.sums.totals.iter();
        let list = totals.map(|(name, totals)| asked.item(name, totals)).collect();
        let money_saved = asked.shares.as_ref().map(|shares| shares.all(asked.prices()));
        Ok(asked.answer(List::of(kind, list, money_saved)))
    })
    .await
}

/// `GET /v1/stats/providers/{id}` and its kin
pub async fn one(request: HttpRequest, path: Path<(String, String)>) -> HttpResponse {
    answer(async {
        let kind = kind(&request)?;
        let asked = ask(&request, kind).await?;
        // With what was escaped in it: the name of an entry has a slash.
        let (_, name) = path.into_inner();
        match asked.sums.totals.get(&name) {
            Some(totals) => Ok(asked.answer(asked.one(&name, totals))),
            None => Err(ApiError::NotRecorded { what: singular(kind), name }),
        }
    })
    .await
}

/// What was asked for, and what was found.
struct Asked {
    config: Arc<Config>,
    kind: Kind,
    range: Range,
    sums: Sums,
    shares: Option<Shares>,
    lately: Arc<Lately>,
}

/// The sums of one name in a list.
#[derive(Serialize, ToSchema)]
#[schema(as = NamedSums)]
pub(in crate::web) struct Item<'a> {
    #[serde(flatten)]
    shown: Shown<'a>,
    /// How an entry has done lately; only of entries, and absent when nothing is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    health: Option<HealthView>,
    /// By the hour, of the last day; only of entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    trend: Option<Vec<HourView>>,
}

/// The sums of one name, and the prices that its money is counted by.
#[derive(Serialize, ToSchema)]
#[schema(as = SumsWithPrices)]
#[serde(rename_all = "camelCase")]
pub(in crate::web) struct Whole<'a> {
    #[serde(flatten)]
    item: Item<'a>,
    money_saved: Option<Saved>,
}

impl Asked {
    fn prices(&self) -> &PriceList {
        &self.config.settings.reference_prices
    }

    fn item<'a>(&self, name: &'a str, totals: &'a Totals) -> Item<'a> {
        let saved = self.shares.as_ref().map(|shares| shares.one(name, self.prices()));
        let shown = Shown::of(self.kind, name, totals).saving(saved.as_ref());
        let entry = self.kind == Kind::Entry;
        let health = self.lately.health(name).filter(|_| entry);
        Item { shown, health, trend: entry.then(|| self.lately.trend(name)) }
    }

    fn one<'a>(&self, name: &'a str, totals: &'a Totals) -> Whole<'a> {
        let mut item = self.item(name, totals);
        let money_saved = match (&self.shares, self.kind) {
            (Some(shares), Kind::All) => Some(shares.all(self.prices())),
            (Some(shares), _) => Some(shares.one(name, self.prices())),
            (None, _) => None,
        };
        item.shown = item.shown.saving(money_saved.as_ref());
        Whole { item, money_saved }
    }

    fn answer(&self, what: impl Serialize) -> HttpResponse {
        HttpResponse::Ok().json(Ranged::of(self.range, &self.sums, what))
    }
}

async fn answer(work: impl Future<Output = Result<HttpResponse, ApiError>>) -> HttpResponse {
    work.await.unwrap_or_else(|fault| fault.response())
}

async fn ask(request: &HttpRequest, kind: Kind) -> Result<Asked, ApiError> {
    let state = state(request)?;
    let now = state.clock.now().wall;
    let range = Query::parse(request.query_string(), &PARAMETERS)?.range(now)?;
    let (sums, shares) = read(state, move |database| {
        let sums = database.totals(kind, range.from, range.to, now)?;
        Ok((sums, Shares::read(database, kind, range, now)?))
    })
    .await?;
    let lately = match kind {
        Kind::Entry => state.lately.get(&state.shelf, now).await,
        _ => Arc::default(),
    };
    Ok(Asked { config: state.config(), kind, range, sums, shares, lately })
}

fn state(request: &HttpRequest) -> Result<&Arc<State>, ApiError> {
    request.app_data::<Arc<State>>().ok_or(ApiError::ShuttingDown)
}

/// Asks the database in a thread that may block.
pub(in crate::web) async fn read<T: Send + 'static>(
    state: &State,
    ask: impl FnOnce(&Database) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, ApiError> {
    let Some(database) = state.shelf.get() else {
        return Err(ApiError::NoRecords("its database is not open; the log of the proxy says why".to_owned()));
    };
    match web::block(move || ask(&database)).await {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(fault)) => Err(ApiError::NoRecords(fault.to_string())),
        Err(_) => Err(ApiError::ShuttingDown),
    }
}

fn kind(request: &HttpRequest) -> Result<Kind, ApiError> {
    match request.match_info().query("kind") {
        "providers" => Ok(Kind::Provider),
        "chains" => Ok(Kind::Chain),
        "entries" => Ok(Kind::Entry),
        "clients" => Ok(Kind::Client),
        _ => Err(ApiError::UnknownPath { method: request.method().to_string(), path: request.path().to_owned() }),
    }
}

fn singular(kind: Kind) -> &'static str {
    match kind {
        Kind::All => "anything",
        Kind::Chain => "the chain",
        Kind::Provider => "the provider",
        Kind::Entry => "the entry",
        Kind::Client => "the client",
        Kind::ChainEntry => "the entry of a chain",
    }
}
