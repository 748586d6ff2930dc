//! What is told of a range of time: the ends of it, and what lies between them.

use serde::Serialize;
use utoipa::ToSchema;

use super::Item;
use super::saved::Saved;
use crate::store::totals::{Kind, Sums};
use crate::web::query::Range;

/// Something of a range of time. Of what is long gone it may be more than was asked for.
#[derive(Serialize, ToSchema)]
pub(in crate::web) struct Ranged<T> {
    #[schema(format = DateTime)]
    from: String,
    #[schema(format = DateTime)]
    to: String,
    /// As it was asked for; null when by its ends.
    range: Option<&'static str>,
    #[serde(flatten)]
    what: T,
}

impl<T> Ranged<T> {
    pub(super) fn of(range: Range, sums: &Sums, what: T) -> Self {
        Self { from: sums.from.to_string(), to: sums.to.to_string(), range: range.name, what }
    }
}

/// By provider.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::web) struct Providers<'a> {
    providers: Vec<Item<'a>>,
    money_saved: Option<Saved>,
}

/// By chain.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::web) struct Chains<'a> {
    chains: Vec<Item<'a>>,
    money_saved: Option<Saved>,
}

/// By entry.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::web) struct Entries<'a> {
    entries: Vec<Item<'a>>,
    money_saved: Option<Saved>,
}

/// By client key.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::web) struct Clients<'a> {
    clients: Vec<Item<'a>>,
    money_saved: Option<Saved>,
}

/// One of them.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum List<'a> {
    Providers(Providers<'a>),
    Chains(Chains<'a>),
    Entries(Entries<'a>),
    Clients(Clients<'a>),
}

impl<'a> List<'a> {
    pub(super) fn of(kind: Kind, list: Vec<Item<'a>>, money_saved: Option<Saved>) -> Self {
        match kind {
            Kind::Provider => Self::Providers(Providers { providers: list, money_saved }),
            Kind::Chain => Self::Chains(Chains { chains: list, money_saved }),
            Kind::Entry | Kind::All | Kind::ChainEntry => Self::Entries(Entries { entries: list, money_saved }),
            Kind::Client => Self::Clients(Clients { clients: list, money_saved }),
        }
    }
}
