//! Rows as a busy proxy leaves them: three chains over six providers, four clients, most requests served by the first
//! entry, some by a later one, and a few by nobody.

use std::time::Duration;

use chain429::actors::row::Row;
use chain429::clock::EPOCH;
use chain429::domain::cooldown::{Cooldown, Deadline};
use chain429::domain::ids::{EntryId, ModelId, ProviderId};
use chain429::domain::outcome::{Basis, Reason};
use chain429::domain::refusal::Refusal;
use chain429::domain::time::{Mono, Now, Wall};
use chain429::domain::trail::{Failure, Seen, Step};
use chain429::domain::usage::Usage;
use chain429::web::state::RequestIds;

/// The chains, and their entries in order.
const CHAINS: [(&str, &[(&str, &str)]); 3] = [
    (
        "default",
        &[
            ("groq", "llama-3.3-70b-versatile"),
            ("cerebras", "llama-3.3-70b"),
            ("openrouter", "meta-llama/llama-3.3-70b-instruct:free"),
            ("mistral", "mistral-small-latest"),
        ],
    ),
    ("fast", &[("groq", "llama-3.1-8b-instant"), ("cerebras", "llama3.1-8b"), ("google", "gemini-2.5-flash-lite")]),
    (
        "thorough",
        &[
            ("google", "gemini-2.5-pro"),
            ("openrouter", "deepseek/deepseek-r1-0528:free"),
            ("github", "openai/gpt-4.1"),
            ("mistral", "magistral-medium-latest"),
        ],
    ),
];

/// Rows, one after the other.
#[derive(Debug)]
pub(crate) struct Rows {
    dice: u64,
    ids: RequestIds,
}

impl Rows {
    /// The same ones in every run.
    pub(crate) fn new() -> Self {
        Self { dice: 0x429, ids: RequestIds::new(0x429c_4a19) }
    }

    /// A number below `end` (SplitMix64).
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.dice;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end.max(1)
    }

    /// A request that arrives at this time, as it has ended.
    pub(crate) fn next(&mut self, at: Wall) -> Row {
        let arrived = Now { mono: Mono(EPOCH + at.0 % (31 * 86_400_000)), wall: at };
        let chain = [0, 0, 0, 1, 1, 2].get(self.below(6) as usize).copied().unwrap_or(0);
        let (chain, entries) = CHAINS.get(chain).copied().unwrap_or(("default", &[]));
        let magnitude = 6 + self.below(8);
        let prompt = 60 + self.below(1 << magnitude);
        let mut row = Row {
            id: self.ids.next(arrived),
            arrived,
            chain: chain.to_owned(),
            client: format!("key-{}", 1 + self.below(4)),
            model: if self.below(10) == 0 { "gpt-4o-mini" } else { chain }.to_owned(),
            stream: self.below(3) > 0,
            bytes_in: prompt * 4 + 300,
            status: 200,
            ..Row::default()
        };
        // Of a hundred: 78 served by the first, 20 by a later one, 2 by nobody.
        let luck = self.below(100);
        let passed = match luck {
            0..78 => 0,
            78..92 => 1,
            92..96 => 2,
            96..98 => entries.len() - 1,
            _ => entries.len(),
        };
        let mut calls = 0;
        for entry in entries.iter().take(passed) {
            let (seen, took) = self.failed(arrived.mono);
            calls += took;
            row.trail.0.push(Step { entry: id(entry), seen, took: Duration::from_millis(took) });
        }
        match entries.get(passed) {
            Some(entry) => self.serve(&mut row, id(entry), calls, prompt),
            None => {
                (row.status, row.code) = (503, Some("all_providers_exhausted"));
                (row.took, row.bytes_out) = (Duration::from_millis(calls + 1), 900);
            }
        }
        row
    }

    fn serve(&mut self, row: &mut Row, entry: EntryId, calls: u64, prompt: u64) {
        let magnitude = 4 + self.below(7);
        let completion = 20 + self.below(1 << magnitude);
        let (first, each) = (150 + self.below(600), 4 + self.below(25));
        let whole = calls + first + completion * each;
        row.trail.0.push(Step {
            entry: entry.clone(),
            seen: Seen::Served,
            took: Duration::from_millis(if row.stream { first } else { whole - calls }),
        });
        row.served_by = Some(entry);
        row.first_token = row.stream.then(|| Duration::from_millis(calls + first));
        row.waited = Duration::from_millis(if self.below(50) == 0 { self.below(20_000) } else { 0 });
        row.took = Duration::from_millis(whole) + row.waited;
        row.bytes_out = completion * if row.stream { 160 } else { 5 } + 400;
        let cached = (self.below(4) == 0).then_some(prompt / 2);
        let reasoning = (row.chain == "thorough").then_some(completion / 2);
        row.usage = Some(Usage {
            prompt_tokens: prompt,
            completion_tokens: completion,
            total_tokens: prompt + completion,
            cached_tokens: cached,
            reasoning_tokens: reasoning,
            estimated: self.below(20) == 0,
        });
        if self.below(100) == 0 {
            row.code = Some(if row.stream { "stream_interrupted" } else { "client_closed" });
        }
    }

    /// Why an entry was of no use, and how long that took.
    fn failed(&mut self, now: Mono) -> (Seen, u64) {
        let wait = Duration::from_millis(1_000 + self.below(59_000));
        let cooldown =
            |reason, status| Cooldown { until: Deadline::At(now.after(wait)), reason, status, basis: Basis::Guess };
        let fails = |reason, status, detail: Option<&str>| {
            let cooldown = Some(cooldown(reason, status));
            Seen::Failed(Failure { key: None, reason, status, detail: detail.map(str::to_owned), cooldown })
        };
        match self.below(20) {
            0..13 => (Seen::Skipped(Refusal::Cooling(cooldown(Reason::RateLimit, 429))), 0),
            13..17 => (fails(Reason::RateLimit, 429, None), 40 + self.below(200)),
            17 => (fails(Reason::Server, 503, None), 300 + self.below(2_000)),
            18 => (fails(Reason::Timeout, 0, None), 10_000),
            _ => (fails(Reason::Transport, 0, Some("connection refused (os error 111)")), 3),
        }
    }
}

fn id((provider, model): &(&str, &str)) -> EntryId {
    EntryId { provider: ProviderId::new(*provider), model: ModelId::new(*model) }
}
