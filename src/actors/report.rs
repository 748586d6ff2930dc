//! What is known about an entry, for people and programs that look from outside.

use std::time::Duration;

use super::posted::Owner;
use crate::domain::bucket::Source;
use crate::domain::cooldown::Cooldown;
use crate::domain::demand::Need;
use crate::domain::evidence::Dimension;
use crate::domain::ids::EntryId;
use crate::domain::refusal::Refusal;
use crate::domain::time::Mono;
use crate::domain::trail::Trail;

/// One entry.
#[derive(Clone, Debug)]
pub struct EntryReport {
    /// Which.
    pub id: EntryId,
    /// False when its provider is switched off.
    pub enabled: bool,
    /// Tokens per byte of its prompts, once learnt.
    pub tokens_per_byte: Option<f32>,
    /// One for each key.
    pub lanes: Vec<LaneReport>,
}

/// What was ended by hand.
#[derive(Clone, Debug)]
pub struct Thawed {
    /// Each once, with the first entry that it was met at.
    pub ended: Vec<Ended>,
    /// How the entries stand now.
    pub entries: Vec<EntryReport>,
}

/// A cooldown that was ended by hand.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Of which entry.
    pub entry: EntryId,
    /// Through which of the provider's keys, counted from 0.
    pub key: usize,
    /// Whose it was.
    pub owner: Owner,
    /// As it would have been.
    pub cooldown: Cooldown,
}

/// One entry through one key.
#[derive(Clone, Debug)]
pub struct LaneReport {
    /// The key, masked; `None` where the provider needs none.
    pub key: Option<String>,
    /// Whether any attempt has ended here since the start.
    pub tried: bool,
    /// Calls under way.
    pub in_flight: u32,
    /// Calls that may be under way at the same time, and how many of them are free.
    pub slots: Option<(u32, u32)>,
    /// The last to end of the cooldowns in force, and whose it is.
    pub cooldown: Option<(Owner, Cooldown)>,
    /// Why the smallest of requests would be refused now.
    pub refusal: Option<Refusal>,
    /// Everything that is counted.
    pub buckets: Vec<BucketReport>,
}

/// One bucket.
#[derive(Clone, Debug)]
pub struct BucketReport {
    /// Who shares it.
    pub owner: Owner,
    /// What it counts.
    pub dimension: Dimension,
    /// Length of its window, where it is known.
    pub window: Option<Duration>,
    /// How much fits in, where it is known.
    pub limit: Option<u64>,
    /// How much was used, where the limit is known.
    pub used: Option<u64>,
    /// How much is held for calls under way.
    pub reserved: u64,
    /// How much can be had.
    pub remaining: u64,
    /// When all of it is back, if nothing more is used.
    pub resets_at: Option<Mono>,
    /// Where the limit is known from.
    pub source: Source,
    /// When it was told last; `None` for what is configured.
    pub told: Option<Mono>,
}

/// Who would serve a request, and why the others would not.
#[derive(Clone, Debug)]
pub struct Explained {
    /// Label of the route.
    pub route: String,
    /// What each entry of it would do.
    pub trail: Trail,
    /// What each entry of it would reserve, in the same order.
    pub needs: Vec<Need>,
}

/// What a route has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supply {
    /// Label of the route.
    pub route: String,
    /// At this moment.
    pub now: Left,
    /// Until each next reset, the first one first: by the length of the window that ends then.
    pub ahead: Vec<Ahead>,
}

/// What can be had until a limit resets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// The window that ends; `None` where its length is not known.
    pub window: Option<Duration>,
    /// When the first limit of such a window resets.
    pub until: Mono,
    /// How much there is until then.
    pub left: Left,
}

/// An amount of quota; `None` where an entry that can be asked has no known limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// Requests.
    pub requests: Option<u64>,
    /// Tokens.
    pub tokens: Option<u64>,
}
