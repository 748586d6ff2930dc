//! What a request will take of an entry's quota, estimated before it is known.
//!
//! A reservation that is too small overshoots a limit, so it takes the dear end of what has been seen; what is not used
//! comes back when the call ends. Whether a request can fit at all is judged by the cheap end: an entry that could have
//! served it must not be passed over for a guess.

use serde::{Deserialize, Serialize};

use super::usage::Usage;

/// The size of a request, as far as it shows in the document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// Bytes of the document, without what is no text.
    pub prompt_bytes: u64,
    /// The most tokens that the client lets the answer have, all choices together. `None`: it did not say.
    pub most_output: Option<u64>,
    /// Whether there will be an answer in tokens at all: an embedding has none.
    pub generates: bool,
    /// Whether it may be several inputs in one: the context of a model holds for each of them, not for all together.
    pub batch: bool,
    /// Whether images, audio or documents are in it: what they cost does not show in bytes.
    pub attachments: bool,
}

/// What an entry reserves for a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// Tokens reserved, prompt and answer.
    pub tokens: u64,
    /// Tokens that it takes at the very least.
    pub least: u64,
    /// Tokens that such a request typically takes, where `tokens` is the most that it may take.
    pub typical: u64,
    /// See [`Demand::batch`].
    pub batch: bool,
}

impl Need {
    /// What has to be free in a window of so many tokens. A guess that is larger than the window would have to wait until
    /// nothing is in it, and starve behind smaller ones, though it is most likely not that large: then what is typical has
    /// to be free. All of it is held nevertheless, so that nothing else starts before it has ended.
    #[must_use]
    pub fn within(&self, limit: u64) -> u64 {
        if self.tokens > limit { self.typical.max(self.least).min(limit) } else { self.tokens }
    }
}

/// Tokens per byte before anything is known. English and code have about one for four bytes, other scripts more.
const RATIO: f32 = 1.0 / 3.0;
/// Tokens per byte of an ordinary English text.
const USUAL_RATIO: f32 = 0.25;
/// The fewest tokens per byte that are thought possible before anything is known.
const LEAST_RATIO: f32 = 0.15;
/// An answer whose length nobody has limited, before anything is known.
const ANSWER: f32 = 500.0;
/// How much a new observation counts.
const WEIGHT: f32 = 0.2;
/// How fast the highest observation is forgotten: by half after some 140 others.
const FADE: f32 = 0.005;
/// A prompt is judged by no fewer bytes: of a short one the frame is most.
const SHORT: u64 = 64;
/// The ratio is learnt from prompts of so many bytes and more. A chat template adds some 10 to 70 tokens whatever the
/// prompt: beside the 64 tokens and more of such a prompt that is a part of it, beside those of a short one it is most, and
/// a long prompt would be judged to be several times as long as it is.
const TELLING: u64 = 256;

/// What an entry has learnt from the usage that answers report. Copied as a whole onto gauges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    ratio: Trend,
    answer: Trend,
}

/// A mean, and how far observations lie from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Trend {
    mean: f32,
    spread: f32,
    /// The highest of late; it fades.
    #[serde(default)]
    top: f32,
    /// Observations, up to a few.
    seen: u8,
}

impl Trend {
    const NOTHING: Self = Self { mean: 0.0, spread: 0.0, top: 0.0, seen: 0 };

    fn learn(&mut self, value: f32) {
        if !value.is_finite() {
            return;
        }
        match self.seen {
            0 => (self.mean, self.spread) = (value, value / 2.0),
            _ => {
                let off = (value - self.mean).abs();
                self.mean += WEIGHT * (value - self.mean);
                self.spread += WEIGHT * (off - self.spread);
            }
        }
        self.top = value.max(self.top + FADE * (self.mean - self.top));
        self.seen = self.seen.saturating_add(1);
    }

    fn high(self) -> f32 {
        self.mean + 2.0 * self.spread
    }

    /// What hardly any observation exceeds. A few small ones in a row narrow the spread, and say nothing about the next.
    fn far(self) -> f32 {
        (self.mean + 4.0 * self.spread).max(self.top)
    }

    fn low(self) -> f32 {
        (self.mean - 2.0 * self.spread).max(0.0)
    }
}

impl Estimate {
    /// Nothing has been learnt.
    pub const NOTHING: Self = Self { ratio: Trend::NOTHING, answer: Trend::NOTHING };

    /// What a request of this size takes. `reserves_output` says that the provider counts the most output before it is
    /// produced (Groq, Cerebras, OpenAI).
    #[must_use]
    pub fn need(&self, demand: Demand, reserves_output: bool) -> Need {
        let (high, low) = match self.ratio.seen {
            0 => (RATIO, LEAST_RATIO),
            _ => (self.ratio.high(), self.ratio.low().min(LEAST_RATIO)),
        };
        let bytes = demand.prompt_bytes;
        let prompt =
            Need { tokens: tokens(bytes, high).ceil() as u64, least: tokens(bytes, low) as u64, ..Need::default() };
        self.with_output(prompt, demand, reserves_output)
    }

    /// The same for a prompt whose length in tokens is known.
    #[must_use]
    pub fn need_of(&self, prompt_tokens: u64, demand: Demand, reserves_output: bool) -> Need {
        self.with_output(
            Need { tokens: prompt_tokens, least: prompt_tokens, ..Need::default() },
            demand,
            reserves_output,
        )
    }

    fn with_output(&self, prompt: Need, demand: Demand, reserves_output: bool) -> Need {
        let typical = match self.answer.seen {
            0 => ANSWER as u64,
            _ => self.answer.high().ceil() as u64,
        };
        // What the client allows is seldom what it gets: clients send thousands by default. A provider that counts what is
        // allowed counts all of it; with another, what hardly any answer exceeds counts as soon as there were any: with
        // less of a margin, the last call before a window is full overshoots it now and then. Before the first answer the
        // bound is all that is known.
        let (most, likely, surely) = match (demand.generates, demand.most_output) {
            (false, _) => (0, 0, 0),
            (true, None) => (typical, typical, 0),
            (true, Some(most)) if reserves_output => (most, most, most),
            (true, Some(most)) if self.answer.seen == 0 => (most, most.min(typical), 0),
            (true, Some(most)) => {
                let most = most.min(self.answer.far().ceil() as u64);
                (most, most.min(typical), 0)
            }
        };
        Need {
            tokens: prompt.tokens.saturating_add(most).max(1),
            least: prompt.least.saturating_add(surely),
            typical: prompt.tokens.saturating_add(likely),
            batch: demand.batch,
        }
    }

    /// Learns from an answer that tells what it cost.
    pub fn learn(&mut self, demand: Demand, prompt_tokens: u64, completion_tokens: u64) {
        // One picture or scanned book would teach a ratio that no text has.
        if prompt_tokens > 0 && demand.prompt_bytes >= TELLING && !demand.attachments {
            self.ratio.learn(prompt_tokens as f32 / demand.prompt_bytes as f32);
        }
        if demand.generates && completion_tokens > 0 {
            self.answer.learn(completion_tokens as f32);
        }
    }

    /// What a call has cost whose provider does not say so: `text_bytes` are those of the answer's texts.
    #[must_use]
    pub fn usage(&self, demand: Demand, text_bytes: u64) -> Usage {
        let ratio = self.ratio().unwrap_or(USUAL_RATIO);
        let prompt_tokens = (demand.prompt_bytes as f32 * ratio).ceil() as u64;
        let completion_tokens = (text_bytes as f32 * USUAL_RATIO).ceil() as u64;
        let total_tokens = prompt_tokens.saturating_add(completion_tokens);
        Usage { prompt_tokens, completion_tokens, total_tokens, estimated: true, ..Usage::default() }
    }

    /// Tokens per byte of a prompt; `None` before the first answer that tells.
    #[must_use]
    pub fn ratio(&self) -> Option<f32> {
        (self.ratio.seen > 0).then_some(self.ratio.mean)
    }

    /// False for numbers that no learning produces: of a file that is not what it should be.
    #[must_use]
    pub fn is_sane(&self) -> bool {
        [self.ratio, self.answer]
            .iter()
            .all(|trend| [trend.mean, trend.spread, trend.top].iter().all(|value| value.is_finite() && *value >= 0.0))
    }
}

fn tokens(bytes: u64, ratio: f32) -> f32 {
    bytes.max(SHORT) as f32 * ratio
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(prompt_bytes: u64, most_output: Option<u64>) -> Demand {
        Demand { prompt_bytes, most_output, generates: true, ..Demand::default() }
    }

    #[test]
    fn before_anything_is_known_a_guess_errs_upwards() {
        let fresh = Estimate::default();
        let need = |tokens, typical| Need { tokens, least: 450, typical, batch: false };
        assert_eq!(fresh.need(chat(3_000, None), false), need(1_500, 1_500));
        assert_eq!(fresh.need(chat(3_000, Some(100)), false), need(1_100, 1_100));
        assert_eq!(fresh.need(chat(3_000, Some(8_000)), false), need(9_000, 1_500));
        assert_eq!(fresh.need(chat(3_000, Some(100)), true).least, 550, "a provider that counts it before");
        let embedding = Demand { prompt_bytes: 3_000, ..Demand::default() };
        assert_eq!(fresh.need(embedding, true).tokens, 1_000);
    }

    #[test]
    fn usage_teaches_the_ratio_and_the_typical_answer() {
        let mut estimate = Estimate::default();
        for _ in 0..40 {
            estimate.learn(chat(4_000, None), 1_000, 200);
        }
        let need = estimate.need(chat(8_000, None), false);
        assert!((2_190..2_300).contains(&need.tokens), "{need:?}");
        assert_eq!(estimate.ratio(), Some(0.25));
        let known = estimate.need_of(8_000, chat(0, Some(100)), true);
        assert_eq!(
            known,
            Need { tokens: 8_100, least: 8_100, typical: 8_100, batch: false },
            "what is known is not estimated"
        );
    }

    /// LESSONS F8: the reservation for output was capped at 2,000 tokens. Where the provider counts what is asked for,
    /// all of it is reserved, always; elsewhere until answers tell better.
    #[test]
    fn f8_all_the_output_that_is_asked_for_is_reserved() {
        let mut estimate = Estimate::default();
        let asked = chat(100, Some(64_000));
        assert!(estimate.need(asked, false).tokens > 64_000);
        for _ in 0..40 {
            estimate.learn(asked, 25, 200);
            let need = estimate.need(asked, true);
            assert!(need.tokens > 64_000 && need.least >= 64_000, "{need:?}");
        }
    }

    #[test]
    fn a_bound_that_nobody_counts_is_reserved_as_far_as_answers_reach() {
        let mut estimate = Estimate::default();
        for _ in 0..40 {
            estimate.learn(chat(4_000, Some(8_000)), 1_000, 200);
        }
        let need = estimate.need(chat(4_000, Some(8_000)), false);
        assert!((1_200..1_300).contains(&need.tokens), "{need:?}");
        let short = estimate.need(chat(4_000, Some(50)), false);
        assert!((1_050..1_100).contains(&short.tokens), "{short:?}");
        for _ in 0..40 {
            estimate.learn(chat(4_000, Some(8_000)), 1_000, 6_000);
        }
        assert!(estimate.need(chat(4_000, Some(8_000)), false).tokens > 6_500, "long answers are reserved for");
    }

    /// A row of short answers is no sign that the next will be short.
    #[test]
    fn the_longest_answer_of_late_is_not_forgotten_at_once() {
        let mut estimate = Estimate::default();
        estimate.learn(chat(4_000, Some(300)), 1_000, 290);
        for _ in 0..20 {
            estimate.learn(chat(4_000, Some(300)), 1_000, 40);
        }
        let need = |estimate: &Estimate| estimate.need(chat(4_000, Some(300)), false).tokens;
        assert!(need(&estimate) > 1_250, "{}", need(&estimate));
        for _ in 0..1_000 {
            estimate.learn(chat(4_000, Some(300)), 1_000, 40);
        }
        assert!(need(&estimate) < 1_100, "{}", need(&estimate));
    }

    #[test]
    fn a_guess_larger_than_the_window_needs_what_is_typical_of_it() {
        let need = Need { tokens: 9_000, least: 450, typical: 1_500, batch: false };
        assert_eq!([1_000, 6_000, 9_000, 10_000].map(|limit| need.within(limit)), [1_000, 1_500, 9_000, 9_000]);
        let certain = Need { tokens: 9_000, least: 9_000, typical: 0, batch: false };
        assert_eq!(certain.within(6_000), 6_000);
    }

    #[test]
    fn attachments_teach_no_ratio_but_the_typical_answer() {
        let mut estimate = Estimate::default();
        for _ in 0..40 {
            estimate.learn(chat(4_000, None), 1_000, 200);
        }
        let before = estimate;
        // A document counts as 4,000 bytes, and costs what its pages hold.
        estimate.learn(Demand { attachments: true, ..chat(4_200, None) }, 50_000, 200);
        assert_eq!(estimate.need(chat(3_000, None), false), before.need(chat(3_000, None), false));
        estimate.learn(Demand { attachments: true, ..chat(4_200, None) }, 50_000, 900);
        assert_eq!(estimate.ratio(), Some(0.25));
        assert!(estimate.need(chat(3_000, None), false).tokens > before.need(chat(3_000, None), false).tokens);
    }

    #[test]
    fn short_prompts_with_a_frame_say_little_of_long_ones() {
        let mut estimate = Estimate::default();
        for _ in 0..20 {
            estimate.learn(chat(90, None), 72, 30);
        }
        let need = estimate.need(chat(9_000, None), false);
        assert!(need.tokens < 4_000, "{need:?}");
        estimate.learn(chat(TELLING - 1, None), 100, 30);
        assert_eq!(estimate.ratio(), None);
        estimate.learn(chat(TELLING, None), 64, 30);
        assert_eq!(estimate.ratio(), Some(0.25));
    }

    #[test]
    fn what_is_not_told_is_estimated_and_says_so() {
        let mut estimate = Estimate::default();
        let usage = estimate.usage(chat(400, None), 80);
        assert_eq!((usage.prompt_tokens, usage.completion_tokens, usage.total_tokens), (100, 20, 120));
        assert!(usage.estimated);
        estimate.learn(chat(1_000, None), 500, 10);
        assert_eq!(estimate.usage(chat(400, None), 80).prompt_tokens, 200);
    }

    #[test]
    fn absurd_sizes_saturate() {
        let mut estimate = Estimate::default();
        estimate.learn(chat(TELLING, None), u64::MAX, u64::MAX);
        assert_eq!(estimate.need(chat(u64::MAX, Some(u64::MAX)), true).tokens, u64::MAX);
        assert_eq!(estimate.usage(chat(u64::MAX, None), u64::MAX).total_tokens, u64::MAX);
        assert!(estimate.is_sane());
    }
}
