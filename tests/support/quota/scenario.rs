//! What a run is made of.

use std::time::Duration;

use super::host::Spec;
use super::truth::Which;

/// Providers, demand, and what is expected of the proxy between them.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: &'static str,
    pub hosts: Vec<Spec>,
    /// Lines of `settings:`, indented.
    pub settings: String,
    pub demand: Demand,
    /// How much faster than real time the bench runs it.
    pub pace: u32,
    /// When it begins, after noon: not where windows begin, or a proxy could be right by accident.
    pub start: Duration,
    /// The longest window: periods of it are measured.
    pub window: Duration,
    /// How many of them are measured when nothing else is asked for.
    pub windows: u32,
    /// Which limit of every provider runs out.
    pub binding: Which,
    pub targets: Targets,
}

impl Scenario {
    /// Whether there is a waiting line.
    #[must_use]
    pub fn may_wait(&self) -> bool {
        self.settings.contains("queueMode: true")
    }
}

/// What the figures should be. Of false exhaustion and overshoot there should be none, always.
#[derive(Clone, Copy, Debug)]
pub struct Targets {
    /// At most.
    pub waste: f64,
    /// At least; `None` where what the provider says does not allow to be good at it.
    pub utilisation: Option<f64>,
}

/// What clients ask for.
#[derive(Clone, Debug)]
pub struct Demand {
    pub clients: usize,
    pub stream: bool,
    /// Prompts, in tokens: least and most.
    pub prompt: (u64, u64),
    /// `max_tokens`: least and most.
    pub most: (u64, u64),
    /// Answers are as long as they may be; else somewhere from a quarter of it.
    pub full_answers: bool,
}

/// Of one request, in tokens.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub prompt: u64,
    pub most: u64,
}

impl Demand {
    /// Requests of one size.
    #[must_use]
    pub fn plain(clients: usize) -> Self {
        Self { clients, stream: false, prompt: (200, 200), most: (100, 100), full_answers: true }
    }

    /// The requests of one client, in every run the same.
    pub fn sizes(&self, client: usize) -> impl Iterator<Item = Size> + use<> {
        let (prompt, most) = (self.prompt, self.most);
        (0usize..).map(move |at| {
            let seed = client * 1_000_003 + at;
            Size { prompt: within(prompt, seed), most: within(most, seed + 500_000) }
        })
    }

    /// Length of the answer to call `number` of a provider.
    #[must_use]
    pub fn answer_tokens(&self, most: u64, number: usize) -> u64 {
        if self.full_answers { most } else { within((most.div_ceil(4), most), number) }
    }
}

/// Something between the two ends, by chance that is always the same (the mixing of SplitMix64).
fn within((least, most): (u64, u64), seed: usize) -> u64 {
    let mut bits = (seed as u64).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    least + (bits ^ (bits >> 31)) % (most - least + 1)
}
