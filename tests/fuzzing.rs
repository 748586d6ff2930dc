//! A short run of every fuzz target: its seeds, and mutations of them that are the same every time.
//!
//! What the targets check and how long runs are started is in `tests/fuzz`.

#[path = "fuzz/src/lib.rs"]
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use targets::corpus::Seed;
use targets::{TARGETS, Target};

/// As the long runs allow.
const LONGEST: usize = 6_000;

/// A generator of numbers that look random, the same ones every time (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// Below `bound`, which is more than 0.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.roll() % bound as u64).unwrap()
    }

    /// A place behind a sign that separates something in JSON, YAML or an event stream: pieces of text that are cut
    /// there still fit together now and then.
    fn seam(&mut self, bytes: &[u8]) -> usize {
        let from = self.below(bytes.len() + 1);
        let sign = bytes[from..].iter().position(|byte| b"\n \r,:{}[]\"".contains(byte));
        sign.map_or(bytes.len(), |sign| from + sign + 1)
    }

    fn piece<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (one, other) = (self.seam(bytes), self.seam(bytes));
        &bytes[one.min(other)..one.max(other)]
    }
}

fn mutate(seed: &Seed, seeds: &[Seed], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seed.bytes.clone();
    for _ in 0..=dice.below(2) * dice.below(4) {
        let other = &seeds[dice.below(seeds.len())].bytes;
        let at = dice.below(bytes.len() + 1);
        match dice.below(10) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 => bytes.insert(at, u8::try_from(dice.below(256)).unwrap()),
            2 => drop(bytes.drain(at..(at + dice.below(9)).min(bytes.len()))),
            3 => bytes.truncate(at),
            // The head of one and the tail of another.
            4 => {
                bytes.truncate(dice.seam(&bytes));
                bytes.extend_from_slice(&other[dice.seam(other)..]);
            }
            // A piece of its own or of another, put in or in place of as much.
            kind => {
                let piece = dice.piece(if kind % 2 == 0 { &bytes } else { other }).to_vec();
                let start = dice.seam(&bytes);
                let end = if kind < 8 { start } else { (start + piece.len()).min(bytes.len()) };
                bytes.splice(start..end, piece);
            }
        }
    }
    bytes.truncate(LONGEST);
    bytes
}

fn run((name, check): Target, mutations: usize) {
    let seeds = targets::corpus::seeds(Path::new("tests"), name).unwrap();
    assert!(!seeds.is_empty(), "{name} has no seeds");
    let mut dice = Dice(429);
    let of_seeds = seeds.iter().map(|seed| (seed, seed.bytes.clone())).collect::<Vec<_>>();
    let mutated = seeds.iter().cycle().take(mutations).map(|seed| (seed, mutate(seed, &seeds, &mut dice)));
    for (seed, bytes) in of_seeds.into_iter().chain(mutated) {
        // The promise that was broken has been printed when it panicked.
        let kept = catch_unwind(AssertUnwindSafe(|| check(&bytes))).is_ok();
        assert!(kept, "{name}, from {}: b\"{}\"", seed.name, bytes.escape_ascii());
    }
}

fn target(name: &str) -> Target {
    *TARGETS.iter().find(|(known, _)| *known == name).unwrap()
}

#[test]
fn answers_of_any_kind_get_a_verdict() {
    run(target("classify"), 6_000);
}

#[test]
fn configurations_of_any_kind_are_read_or_refused_in_words() {
    run(target("config"), 2_000);
}

#[test]
fn edits_of_any_kind_are_made_as_meant_or_refused_in_words() {
    run(target("edit"), 3_000);
}

#[test]
fn requests_of_any_kind_are_rewritten_or_refused_in_words() {
    run(target("request"), 50_000);
}

#[test]
fn streams_of_any_kind_read_the_same_wherever_they_are_cut() {
    run(target("sse"), 1_500);
}

#[test]
fn seeds_are_small_and_few() {
    for (name, _) in TARGETS {
        let folder = Path::new("tests/fuzz/seeds").join(name);
        let sizes: Vec<u64> = std::fs::read_dir(&folder)
            .into_iter()
            .flatten()
            .map(|file| file.unwrap().metadata().unwrap().len())
            .collect();
        assert!(sizes.len() <= 50 && sizes.iter().all(|size| *size < 4_096), "{name}: {sizes:?}");
    }
}
