//! What the providers and chains of a file are called, with variables filled in: a page that shows a part of the file has to
//! find it by the name that it has in use.

use super::value::Value;

/// The names, in the order of the file; empty where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Ids of providers.
    pub providers: Vec<String>,
    /// Chains.
    pub chains: Vec<ChainNames>,
}

/// A chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainNames {
    /// Its name.
    pub name: String,
    /// Provider and model of its entries.
    pub entries: Vec<(String, String)>,
}

impl Names {
    /// Of a file with its variables filled in.
    pub(super) fn of(resolved: &Value) -> Self {
        let items = |list: &str| resolved.get(list).map(Value::items).unwrap_or_default();
        let text = |item: &Value, key: &str| item.text(key).unwrap_or_default().to_owned();
        let chains = items("chains").iter().map(|chain| {
            let entries = chain.get("entries").map(Value::items).unwrap_or_default();
            let entries = entries.iter().map(|entry| (text(entry, "provider"), text(entry, "model"))).collect();
            ChainNames { name: text(chain, "name"), entries }
        });
        Self { providers: items("providers").iter().map(|item| text(item, "id")).collect(), chains: chains.collect() }
    }

    /// Where the provider is.
    #[must_use]
    pub fn provider(&self, id: &str) -> Option<usize> {
        self.providers.iter().position(|known| known == id)
    }

    /// Where the chain is.
    #[must_use]
    pub fn chain(&self, name: &str) -> Option<usize> {
        self.chains.iter().position(|known| known.name == name)
    }
}
