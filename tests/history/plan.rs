//! What happens in a history: plain data that proptest makes up and shrinks, and that can be kept as JSON.

use std::time::Duration;

use chain429::domain::dialect::Dialect;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::support::quota::announce::Style;
use crate::support::quota::truth::{Kind, Rule, Unit};

/// A history.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// When it begins, in milliseconds before (negative) or after midnight UTC.
    pub start: i64,
    pub hosts: Vec<Host>,
    pub steps: Vec<Step>,
}

/// A provider.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Host {
    pub voice: Voice,
    /// How its limits per minute recover; the voice may allow only one way.
    pub kind: Window,
    pub keys: usize,
    pub models: usize,
    /// All models of a key share one quota, and the configuration says so.
    pub pool: bool,
    pub requests: u64,
    pub tokens: Option<u64>,
    /// Requests per day, from midnight to midnight; only where limits are configured.
    pub day: Option<u64>,
    pub slots: Option<usize>,
    /// Headers show the state at admission, however long the answer takes.
    pub early: bool,
}

/// What a provider says about its quota, and in which dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Voice {
    /// Nothing: the limits are configured.
    Configured,
    /// All of it on every answer, with the end of the window in milliseconds.
    Window,
    /// The same in whole seconds, rounded up.
    Seconds,
    /// The same with the time until the bucket is full (OpenAI).
    Full,
    /// What is left of the minute (Mistral).
    Remaining,
    /// What is left of the minute and the hour (Cerebras).
    Rungs,
    /// `Retry-After` on a refusal.
    RetryAfter,
    Silent,
    /// The limit in the text of a refusal (Groq).
    Stated,
    /// Limit and delay in the details of a refusal (Google).
    Details,
    /// All of it on a refusal, of a counter that all free models share (OpenRouter).
    Epoch,
}

/// [`Kind`], to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Window {
    Fixed,
    Rolling,
    Refilling,
}

/// Something that happens `gap` milliseconds after the last thing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step {
    pub gap: u64,
    pub what: What,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum What {
    Ask(Ask),
    /// The proxy is stopped, and starts again so many milliseconds later.
    Restart {
        down: u64,
    },
    /// The wall clock of the proxy jumps, in milliseconds.
    Jump {
        by: i64,
    },
}

/// A request, and how its first call goes; those that follow are served if they are admitted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ask {
    pub bytes: u64,
    pub most: Option<u64>,
    pub answer: u64,
    pub stream: bool,
    /// Milliseconds to the provider and back.
    pub up: u64,
    pub down: u64,
    /// Until the answer is complete, in milliseconds.
    pub service: u64,
    /// When the head of a stream comes, or the call goes wrong: in hundredths of the service time.
    pub part: u64,
    pub fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    Served,
    NoConnection,
    ServerError,
    TimeOut,
    Broken,
    ClientLeaves,
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

impl Voice {
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Configured | Self::Window | Self::Seconds | Self::RetryAfter => Dialect::GenericOpenai,
            Self::Full => Dialect::Openai,
            Self::Remaining => Dialect::Mistral,
            Self::Rungs => Dialect::Cerebras,
            Self::Silent => Dialect::Nvidia,
            Self::Stated => Dialect::Groq,
            Self::Details => Dialect::GoogleAi,
            Self::Epoch => Dialect::Openrouter,
        }
    }

    pub fn style(self) -> Style {
        match self {
            Self::Configured | Self::Silent => Style::Silent,
            Self::Window | Self::Seconds => Style::Window,
            Self::Full => Style::Full,
            Self::Remaining => Style::Remaining,
            Self::Rungs => Style::Rungs,
            Self::RetryAfter => Style::RetryAfter,
            Self::Stated => Style::Stated,
            Self::Details => Style::Details,
            Self::Epoch => Style::Epoch,
        }
    }
}

impl Host {
    fn kind(&self) -> Kind {
        match (self.voice, self.kind) {
            (Voice::Window | Voice::Seconds | Voice::Remaining | Voice::Details | Voice::Epoch, _) => Kind::Fixed,
            (Voice::Full | Voice::Stated, _) => Kind::Refilling,
            (Voice::Rungs, _) => Kind::Rolling,
            (_, Window::Fixed) => Kind::Fixed,
            (_, Window::Rolling) => Kind::Rolling,
            (_, Window::Refilling) => Kind::Refilling,
        }
    }

    /// Tokens count where all answers tell them, or the configuration does.
    fn tokens(&self) -> Option<u64> {
        use Voice::{Configured, Full, Remaining, Rungs, Seconds, Window};
        self.tokens.filter(|_| matches!(self.voice, Configured | Window | Seconds | Full | Remaining | Rungs))
    }

    pub fn configured(&self) -> bool {
        self.voice == Voice::Configured
    }

    /// What it allows in truth.
    pub fn rules(&self) -> Vec<Rule> {
        let kind = self.kind();
        let rule = |unit, limit, window, kind| Rule { unit, limit, window, kind };
        let mut rules = vec![rule(Unit::Requests, self.requests, MINUTE, kind)];
        rules.extend(self.tokens().map(|limit| rule(Unit::Tokens, limit, MINUTE, kind)));
        if self.voice == Voice::Rungs {
            rules.push(rule(Unit::Requests, self.requests * 4, HOUR, Kind::Rolling));
        }
        let day = self.day.filter(|_| self.configured());
        rules.extend(day.map(|limit| rule(Unit::Requests, limit, DAY, Kind::Fixed)));
        rules
    }

    /// Calls at the same time; always configured, or nobody could know.
    pub fn slots(&self) -> Option<usize> {
        self.slots.filter(|_| self.configured())
    }

    /// One quota for all models of a key.
    pub fn pooled(&self) -> bool {
        self.pool || self.voice == Voice::Epoch
    }

    /// `rateLimits:` in the configuration.
    pub fn limits(&self) -> String {
        let mut limits = Vec::new();
        if self.pool && self.voice != Voice::Epoch {
            limits.push("scope: provider".to_owned());
        }
        if self.configured() {
            limits.push(format!("requestsPerMinute: {}", self.requests));
            limits.extend(self.tokens().map(|limit| format!("tokensPerMinute: {limit}")));
            limits.extend(self.day.map(|limit| format!("requestsPerDay: {limit}, dayResetsAt: \"00:00 UTC\"")));
            limits.extend(self.slots.map(|limit| format!("concurrentRequests: {limit}")));
        }
        format!("{{ {} }}", limits.join(", "))
    }

    pub fn model(&self, at: usize) -> String {
        format!("m{at}:free")
    }

    /// Whether absolute times matter, which nobody reads right from a clock that is wrong.
    pub fn reads_wall(&self) -> bool {
        matches!(self.voice, Voice::Remaining | Voice::Details | Voice::Epoch)
            || (self.configured() && self.day.is_some())
    }
}

fn hosts() -> impl Strategy<Value = Host> {
    use Voice::{
        Configured, Details, Epoch, Full, Remaining, RetryAfter, Rungs, Seconds, Silent, Stated, Window as Ends,
    };
    let voice = prop_oneof![
        4 => Just(Configured),
        2 => Just(Ends),
        2 => Just(Seconds),
        2 => Just(Full),
        1 => prop::sample::select(vec![Remaining, Rungs, RetryAfter, Silent, Stated, Details, Epoch]),
    ];
    let kind = prop::sample::select(vec![Window::Fixed, Window::Rolling, Window::Refilling]);
    let size = (1usize..=3, 1usize..=2, any::<bool>());
    let limits = (
        1u64..12,
        prop::option::weighted(0.4, 400u64..6_000),
        prop::option::weighted(0.2, 2u64..30),
        prop::option::weighted(0.3, 1usize..4),
    );
    (voice, kind, size, limits, any::<bool>()).prop_map(|(voice, kind, (keys, models, pool), limits, early)| {
        let (requests, tokens, day, slots) = limits;
        Host { voice, kind, keys, models, pool, requests, tokens, day, slots, early }
    })
}

fn asks() -> impl Strategy<Value = Ask> {
    let size = (64u64..2_400, prop::option::weighted(0.7, 1u64..400), 0u64..400, any::<bool>());
    let service = prop_oneof![3 => 5u64..400, 2 => 400u64..5_000, 1 => 5_000u64..30_000];
    let fate = prop_oneof![
        12 => Just(Fate::Served),
        1 => Just(Fate::NoConnection),
        1 => Just(Fate::ServerError),
        1 => Just(Fate::TimeOut),
        1 => Just(Fate::Broken),
        1 => Just(Fate::ClientLeaves),
    ];
    (size, 0u64..=200, 0u64..=200, service, 0u64..100, fate).prop_map(|(size, up, down, service, part, fate)| {
        let (bytes, most, answer, stream) = size;
        // An answer is no longer than it may be.
        let answer = answer.min(most.unwrap_or(u64::MAX));
        Ask { bytes, most, answer, stream, up, down, service, part, fate }
    })
}

fn steps() -> impl Strategy<Value = Step> {
    let gap = prop_oneof![4 => Just(0u64), 4 => 1u64..300, 4 => 300u64..4_000, 1 => 4_000u64..90_000];
    let what = prop_oneof![
        40 => asks().prop_map(What::Ask),
        1 => (0u64..20_000).prop_map(|down| What::Restart { down }),
    ];
    (gap, what).prop_map(|(gap, what)| Step { gap, what })
}

/// Histories of all kinds.
pub fn plans() -> impl Strategy<Value = Plan> {
    let start = prop_oneof![1 => -180_000i64..0, 2 => 3_600_000i64..7_200_000];
    let jump = (any::<prop::sample::Index>(), -3_600_000i64..3_600_000);
    let jumps = prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(jump, 1..3)];
    (start, prop::collection::vec(hosts(), 1..=2), prop::collection::vec(steps(), 1..70), jumps).prop_map(
        |(start, hosts, mut steps, jumps)| {
            for (at, by) in jumps {
                let step = Step { gap: 10, what: What::Jump { by } };
                steps.insert(at.index(steps.len()), step);
            }
            Plan { start, hosts, steps }
        },
    )
}
