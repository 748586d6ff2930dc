//! What is told of a range of time: the ends of it, and what lies between them.

use serde::Serialize;
use utoipa::ToSchema;

use super::sums::Shown;
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
pub(in crate::web) struct Providers<'a> {
    providers: Vec<Shown<'a>>,
}

/// By chain.
#[derive(Serialize, ToSchema)]
pub(in crate::web) struct Chains<'a> {
    chains: Vec<Shown<'a>>,
}

/// By entry.
#[derive(Serialize, ToSchema)]
pub(in crate::web) struct Entries<'a> {
    entries: Vec<Shown<'a>>,
}

/// By client key.
#[derive(Serialize, ToSchema)]
pub(in crate::web) struct Clients<'a> {
    clients: Vec<Shown<'a>>,
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
    pub(super) fn of(kind: Kind, sums: &'a Sums) -> Self {
        let list = sums.totals.iter().map(|(name, totals)| Shown::of(kind, name, totals)).collect();
        match kind {
            Kind::Provider => Self::Providers(Providers { providers: list }),
            Kind::Chain => Self::Chains(Chains { chains: list }),
            Kind::Entry | Kind::All => Self::Entries(Entries { entries: list }),
            Kind::Client => Self::Clients(Clients { clients: list }),
        }
    }
}
