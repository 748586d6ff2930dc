//! Keys of sums: unit, kind, time, name, so that those of one kind and time lie side by side.

use super::Fault;
use crate::domain::time::Wall;

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
const BETWEEN: char = '\t';

/// The name of an entry within a chain.
pub(super) fn within(chain: &str, entry: &str) -> String {
    format!("{chain}{BETWEEN}{entry}")
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
    key.extend_from_slice(&[unit.byte(), kind.byte()]);
    key.extend_from_slice(&at.to_be_bytes());
    key.extend_from_slice(name.as_bytes());
    key
}

/// Time and name of a key.
pub(super) fn decode(key: &[u8]) -> Result<(u64, String), Fault> {
    let damaged = || Fault::Damaged("a sum has no name".to_owned());
    let at = key.get(2..HEAD).and_then(|at| at.try_into().ok()).map(u64::from_be_bytes).ok_or_else(damaged)?;
    let name = std::str::from_utf8(key.get(HEAD..).unwrap_or_default()).map_err(|_| damaged())?;
    Ok((at, name.to_owned()))
}

/// When a unit begins.
pub(super) fn start(unit: Unit, at: u64) -> Wall {
    Wall(at.saturating_mul(unit.ms()))
}
