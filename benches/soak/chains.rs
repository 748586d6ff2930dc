//! The chains of the proxy, and what can be expected of each.

use crate::cast::{GOOD, all};
use crate::dice::Dice;
use crate::manner::{Manner, When};

/// Models of each provider. Each is an entry with a cooldown of its own, so that faults stay frequent.
const MODELS: usize = 5;

/// Faults in front of a provider that does nothing wrong.
const IN_FRONT: usize = 5;

/// One chain.
#[derive(Debug)]
pub(crate) struct Chain {
    /// Its name, which clients ask for.
    pub(crate) name: String,
    /// Provider and model.
    pub(crate) entries: Vec<(&'static Manner, String)>,
    /// Its last entry serves everything, so every request has to be served.
    pub(crate) guarded: bool,
}

/// All chains, by what they are for.
#[derive(Debug)]
pub(crate) struct Chains {
    /// Faults in front of a good entry.
    pub(crate) mixed: Vec<Chain>,
    /// A fault and nothing else.
    pub(crate) alone: Vec<Chain>,
    /// Takes its time.
    pub(crate) slow: Chain,
    /// Sends long streams.
    pub(crate) long: Chain,
    /// Takes a few at a time: others have to wait.
    pub(crate) busy: Chain,
}

impl Chains {
    /// Deals these faults to chains.
    pub(crate) fn deal(all_faults: &[&'static Manner], seed: u64) -> Self {
        let mut dice = Dice::new(seed, u64::MAX);
        let mut mixed = Vec::new();
        for model in 0..MODELS {
            let met = |manner: &Manner| model == 0 || manner.when != When::Always || manner.absent;
            let mut faults: Vec<&'static Manner> = all_faults.iter().copied().filter(|manner| met(manner)).collect();
            dice.shuffle(&mut faults);
            for (at, together) in faults.chunks(IN_FRONT).enumerate() {
                let mut together = together.to_vec();
                // Whoever comes behind a sure refusal has the last word.
                together.sort_by_key(|manner| manner.sure);
                together.extend(GOOD.get(at % 2));
                mixed.push(Chain::new(format!("mixed-{model}-{at}"), &together, model, true));
            }
        }
        let of = |name: &str| -> Vec<&'static Manner> { all().filter(|manner| manner.name == name).collect() };
        Self {
            mixed,
            alone: all_faults
                .iter()
                .map(|manner| Chain::new(format!("alone-{}", manner.name), &[manner], MODELS, false))
                .collect(),
            slow: Chain::new("slow".to_owned(), &of("slow"), 0, true),
            long: Chain::new("long".to_owned(), &of("long"), 0, true),
            busy: Chain::new("busy".to_owned(), &of("busy"), 0, false),
        }
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Chain> {
        self.mixed.iter().chain(&self.alone).chain([&self.slow, &self.long, &self.busy])
    }
}

impl Chain {
    fn new(name: String, manners: &[&'static Manner], model: usize, guarded: bool) -> Self {
        let entries = manners.iter().map(|manner| (*manner, format!("m{model}"))).collect();
        Self { name, entries, guarded }
    }
}
