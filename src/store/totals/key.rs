//! Keys of sums: unit, kind, time, name, so that those of one kind and time lie side by side.

use super::Fault;
use crate::domain::time::Wall;
use crate::domain::totals::Scope;

/// How long a sum's span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A day of UTC.
    Day,
    /// An hour.
    Hour,
    /// A minute.
    Minute,
}

impl Unit {
    /// The largest first.
    pub const ALL: [Self; 3] = [Self::Day, Self::Hour, Self::Minute];

    /// Milliseconds.
    #[must_use]
    pub fn ms(self) -> u64 {
        match self {
            Self::Day => 86_400_000,
            Self::Hour => 3_600_000,
            Self::Minute => 60_000,
        }
    }

    fn byte(self) -> u8 {
        match self {
            Self::Day => b'd',
            Self::Hour => b'h',
            Self::Minute => b'm',
        }
    }
}

/// Whose sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Everybody's.
    All,
    /// By chain.
    Chain,
    /// By provider.
    Provider,
    /// By entry.
    Entry,
    /// By client key.
    Client,
    /// By chain and entry together: what each entry has done within each chain. [`chain_and_entry`] takes the names apart.
    ChainEntry,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::All, Self::Chain, Self::Provider, Self::Entry, Self::Client, Self::ChainEntry];

    fn byte(self) -> u8 {
        match self {
            Self::All => b'*',
            Self::Chain => b'c',
            Self::Provider => b'p',
            Self::Entry => b'e',
            Self::Client => b'k',
            Self::ChainEntry => b'x',
        }
    }
}

/// Between chain and entry in a name. Labels of routes may hold a `/`, as entries do; no name may hold a control
/// character.
const BETWEEN: &str = "\t";

/// The name of a sum, in parts that follow each other.
pub(super) type Name<'a> = [&'a str; 5];

/// Which sums a scope means: their kind and name.
pub(super) fn name(scope: Scope<'_>) -> (Kind, Name<'_>) {
    match scope {
        Scope::All => (Kind::All, Name::default()),
        Scope::Chain(name) => (Kind::Chain, [name, "", "", "", ""]),
        Scope::Provider(name) => (Kind::Provider, [name, "", "", "", ""]),
        Scope::Entry(provider, model) => (Kind::Entry, [provider, "/", model, "", ""]),
        Scope::Client(name) => (Kind::Client, [name, "", "", "", ""]),
        Scope::ChainEntry(chain, provider, model) => (Kind::ChainEntry, [chain, BETWEEN, provider, "/", model]),
    }
}

/// The label of the route and `provider/model`, from a name of [`Kind::ChainEntry`]; `None` if it is another name.
#[must_use]
pub fn chain_and_entry(name: &str) -> Option<(&str, &str)> {
    name.split_once(BETWEEN)
}

/// Bytes before the name.
const HEAD: usize = 10;

/// The key of a sum; `at` counts units from the epoch.
pub(super) fn encode(unit: Unit, kind: Kind, at: u64, name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(HEAD + name.len());
    write(&mut key, unit, kind, at, [name, "", "", "", ""]);
    key
}

/// Makes `key` that of a sum.
pub(super) fn write(key: &mut Vec<u8>, unit: Unit, kind: Kind, at: u64, name: Name<'_>) {
    key.clear();
    key.extend_from_slice(&[unit.byte(), kind.byte()]);
    key.extend_from_slice(&at.to_be_bytes());
    name.iter().for_each(|part| key.extend_from_slice(part.as_bytes()));
}

/// The key of the sum of a larger unit that a key of minutes is part of.
///
/// # Errors
/// When it is no key.
pub(super) fn around(minutes: &[u8], unit: Unit) -> Result<Vec<u8>, Fault> {
    let ([_, kind, at @ ..], name) = minutes.split_first_chunk::<HEAD>().ok_or_else(damaged)?;
    let at = u64::from_be_bytes(*at) / (unit.ms() / Unit::Minute.ms());
    Ok([&[unit.byte(), *kind], at.to_be_bytes().as_slice(), name].concat())
}

fn damaged() -> Fault {
    Fault::Damaged("a sum has no name".to_owned())
}

/// Time and name of a key.
pub(super) fn decode(key: &[u8]) -> Result<(u64, String), Fault> {
    let at = key.get(2..HEAD).and_then(|at| at.try_into().ok()).map(u64::from_be_bytes).ok_or_else(damaged)?;
    let name = std::str::from_utf8(key.get(HEAD..).unwrap_or_default()).map_err(|_| damaged())?;
    Ok((at, name.to_owned()))
}

/// When a unit begins.
pub(super) fn start(unit: Unit, at: u64) -> Wall {
    Wall(at.saturating_mul(unit.ms()))
}
