//! Changes of the properties, drawn from what is in a file.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;

use super::plain::{Place, Plain};
use super::*;

/// A change of a file, drawn from what is in it.
#[derive(Clone, Debug)]
pub(super) enum Draw {
    Set(usize, u32),
    Unset(usize),
    Provider(Index, u8),
    NewProvider(u8),
    DeleteProvider(Index),
    TurnProviders(usize),
    Chain(Index, Vec<(Index, u8)>),
    NewChain(Index),
    RenameChain(Index),
    DeleteChain(Index),
    TurnChains(usize),
    Default(Index),
    Insert(Index, Index, Index),
    Timeout(Index, Index, Option<u32>),
    Remove(Index, Index),
    Move(Index, Index, Index),
}

pub(super) const NUMBERS: [&str; 3] = ["requestTimeoutMs", "queueMaxSize", "retentionDays"];

impl Draw {
    /// The change, the owners of lines that it may touch, and what the file says afterwards. `None` where there is
    /// nothing to change.
    pub(super) fn on(&self, plain: &Plain) -> Option<(Change, Vec<String>, Plain)> {
        let mut after = plain.clone();
        let entry_owner = |chain: &str, at: usize| vec![format!("entry-{chain}-{at}"), format!("chain-{chain}")];
        let json = |provider: usize, model: &str, timeout: Option<u32>| {
            let timeout = timeout.map_or(Value::Null, |timeout| u64::from(timeout).into());
            Value::from([
                ("provider", plain.providers[provider].0.as_str().into()),
                ("model", model.into()),
                ("timeout", timeout),
            ])
        };
        Some(match self {
            Self::Set(which, number) => {
                let key = NUMBERS[which % NUMBERS.len()];
                match after.settings.iter_mut().find(|(name, _)| *name == key) {
                    Some(setting) => setting.1 = number.to_string(),
                    None => after.settings.push((key, number.to_string())),
                }
                (Change::Set { key: key.into(), value: u64::from(*number).into() }, vec![key.into()], after)
            }
            Self::Unset(which) => {
                let key = NUMBERS[which % NUMBERS.len()];
                after.settings.retain(|(name, _)| *name != key);
                (unset(key), vec![key.into()], after)
            }
            Self::Provider(which, what) => {
                let (id, members) = which.get(&after.providers).clone();
                let mut members = members;
                match what % 4 {
                    0 => members.retain(|(key, _)| *key != "timeout"),
                    1 => members.push(("name", "N: #1".into())),
                    2 => members.iter_mut().filter(|(key, _)| *key == "timeout").for_each(|it| it.1 = "7".into()),
                    _ => members.iter_mut().filter(|(key, _)| *key == "apiKey").for_each(|it| it.1 = "${OTHER}".into()),
                }
                let mut seen = BTreeSet::new();
                members.reverse();
                members.retain(|(key, _)| seen.insert(*key));
                let provider =
                    Value::Map(members.iter().map(|(key, text)| ((*key).into(), text.as_str().into())).collect());
                let at = after.providers.iter().position(|it| it.0 == id)?;
                after.providers[at].1 = members;
                (Change::PutProvider { id: id.clone(), provider }, vec![format!("provider-{id}")], after)
            }
            Self::NewProvider(number) => {
                let id = format!("new{number}");
                after.providers.push((id.clone(), vec![("type", "local".into())]));
                (put_provider(&id, r#"{"type":"local"}"#), vec![], after)
            }
            Self::DeleteProvider(which) => {
                let gone = which.index(after.providers.len());
                let (id, _) = after.providers.remove(gone);
                let mut touched = vec![format!("provider-{id}")];
                for (name, entries) in &mut after.chains {
                    let mut at = 0;
                    entries.retain(|(provider, ..)| {
                        at += 1;
                        if *provider == gone {
                            touched.extend(entry_owner(name, at - 1));
                        }
                        *provider != gone
                    });
                    entries.iter_mut().filter(|it| it.0 > gone).for_each(|it| it.0 -= 1);
                }
                (delete_provider(&id), touched, after)
            }
            Self::TurnProviders(by) => {
                let ids = plain.providers.iter().map(|it| it.0.clone());
                let mut ids: Vec<String> = ids.collect();
                ids.rotate_left(by % plain.providers.len());
                let mut order: Vec<usize> = (0..plain.providers.len()).collect();
                order.rotate_left(by % plain.providers.len());
                after.providers = order.iter().map(|at| plain.providers[*at].clone()).collect();
                for entry in after.chains.iter_mut().flat_map(|chain| &mut chain.1) {
                    entry.0 = order.iter().position(|at| *at == entry.0)?;
                }
                (Change::OrderProviders { ids }, vec!["*".into()], after)
            }
            Self::Chain(which, entries) => {
                let at = which.index(plain.chains.len());
                let name = plain.chains[at].0.clone();
                let mut seen = BTreeSet::new();
                let entries: Vec<Place> = entries
                    .iter()
                    .map(|(provider, model)| (provider.index(plain.providers.len()), format!("m{}", model % 5), None))
                    .filter(|(provider, model, _)| seen.insert((*provider, model.clone())))
                    .collect();
                let items = entries.iter().map(|(provider, model, timeout)| json(*provider, model, *timeout)).collect();
                let mut touched = vec![format!("chain-{name}"), format!("within-{name}")];
                touched.extend((0..plain.chains[at].1.len()).map(|entry| format!("entry-{name}-{entry}")));
                after.chains[at].1 = entries;
                (Change::PutChain { name, chain: Value::from([("entries", Value::List(items))]) }, touched, after)
            }
            Self::NewChain(provider) => {
                let provider = provider.index(plain.providers.len());
                let chain = Value::from([("entries", Value::List(vec![json(provider, "m: 1", None)]))]);
                after.keep_default();
                after.chains.push(("fresh".into(), vec![(provider, "m: 1".into(), None)]));
                (Change::PutChain { name: "fresh".into(), chain }, vec![], after)
            }
            Self::RenameChain(which) => {
                let at = which.index(plain.chains.len());
                let from = std::mem::replace(&mut after.chains[at].0, "renamed".into());
                let default = plain.default_chain();
                if default == from {
                    let single = plain.chains.len() == 1;
                    match after.settings.iter_mut().find(|(key, _)| *key == "defaultChain") {
                        Some(setting) => setting.1 = "renamed".into(),
                        None if single => {}
                        None => after.settings.push(("defaultChain", "renamed".into())),
                    }
                }
                let touched = vec![format!("chain-{from}"), "defaultChain".into()];
                (Change::RenameChain { from, to: "renamed".into() }, touched, after)
            }
            Self::DeleteChain(which) => {
                let (name, entries) = after.chains.remove(which.index(plain.chains.len()));
                let mut touched = vec![format!("chain-{name}"), format!("within-{name}")];
                touched.extend((0..entries.len()).map(|at| format!("entry-{name}-{at}")));
                if after.chains.is_empty() {
                    touched.push("chains".into());
                } else if name == plain.default_chain() {
                    // No file at all.
                    after.settings.clear();
                }
                (Change::DeleteChain { name }, touched, after)
            }
            Self::TurnChains(by) => {
                after.chains.rotate_left(by % plain.chains.len());
                let names = after.chains.iter().map(|it| it.0.clone()).collect();
                (Change::OrderChains { names }, vec!["*".into()], after)
            }
            Self::Default(which) => {
                let name = which.get(&plain.chains).0.clone();
                if name != plain.default_chain() {
                    after.settings.retain(|(key, _)| *key != "defaultChain");
                    after.settings.push(("defaultChain", name.clone()));
                }
                (Change::SetDefaultChain { name }, vec!["defaultChain".into()], after)
            }
            Self::Insert(which, place, provider) => {
                let (chain, entries) = &mut after.chains[which.index(plain.chains.len())];
                let (at, provider) = (place.index(entries.len() + 1), provider.index(plain.providers.len()));
                entries.insert(at, (provider, "inserted".into(), Some(9)));
                let entry = json(provider, "inserted", Some(9));
                let touched = vec![format!("chain-{chain}")];
                (Change::InsertEntry { chain: chain.clone(), at: Some(at), entry }, touched, after)
            }
            Self::Timeout(which, place, timeout) => {
                let (chain, entries) = &mut after.chains[which.index(plain.chains.len())];
                let at = place.index(entries.len());
                entries[at].2 = *timeout;
                let entry = json(entries[at].0, &entries[at].1.clone(), *timeout);
                let touched = entry_owner(chain, at);
                (Change::PutEntry { chain: chain.clone(), at, entry }, touched, after)
            }
            Self::Remove(which, place) => {
                let (chain, entries) = &mut after.chains[which.index(plain.chains.len())];
                let at = place.index(entries.len());
                entries.remove(at);
                let touched = entry_owner(chain, at);
                (remove(&chain.clone(), at), touched, after)
            }
            Self::Move(which, from, to) => {
                let (chain, entries) = &mut after.chains[which.index(plain.chains.len())];
                let (from, to) = (from.index(entries.len()), to.index(entries.len()));
                let entry = entries.remove(from);
                entries.insert(to, entry);
                (shift(&chain.clone(), from, to), vec!["*".into()], after)
            }
        })
    }
}

pub(super) fn draw() -> impl Strategy<Value = Draw> {
    let index = any::<Index>;
    prop_oneof![
        (any::<usize>(), 1_u32..3000).prop_map(|(which, number)| Draw::Set(which, number)),
        any::<usize>().prop_map(Draw::Unset),
        (index(), any::<u8>()).prop_map(|(which, what)| Draw::Provider(which, what)),
        any::<u8>().prop_map(Draw::NewProvider),
        index().prop_map(Draw::DeleteProvider),
        any::<usize>().prop_map(Draw::TurnProviders),
        (index(), prop::collection::vec((index(), any::<u8>()), 1..6))
            .prop_map(|(which, entries)| Draw::Chain(which, entries)),
        index().prop_map(Draw::NewChain),
        index().prop_map(Draw::RenameChain),
        index().prop_map(Draw::DeleteChain),
        any::<usize>().prop_map(Draw::TurnChains),
        index().prop_map(Draw::Default),
        (index(), index(), index()).prop_map(|(which, place, provider)| Draw::Insert(which, place, provider)),
        (index(), index(), prop::option::of(1_u32..9000))
            .prop_map(|(which, place, timeout)| Draw::Timeout(which, place, timeout)),
        (index(), index()).prop_map(|(which, place)| Draw::Remove(which, place)),
        (index(), index(), index()).prop_map(|(which, from, to)| Draw::Move(which, from, to)),
    ]
}
