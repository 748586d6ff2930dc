//! What the same tokens would have cost: reference prices of models, for "money saved".
//!
//! Free tiers serve models that others sell. The built-in prices are list prices of pay-as-you-go offers for the same
//! models, in US dollars as published in 2025 by Groq (Llama, GPT-OSS, Qwen 3 32B, Kimi), Google (Gemini), OpenAI (GPT),
//! DeepSeek, Mistral, Cohere and Cerebras (Qwen 3 235B), rounded to cents. They age; `settings.referencePrices` lays others
//! over them, and whoever shows a figure shows the prices beside it.

/// US dollars per million tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// For tokens of prompts.
    pub input: f64,
    /// For tokens of answers.
    pub output: f64,
}

impl Price {
    /// US dollars for so many tokens.
    #[must_use]
    pub fn cost(self, prompt_tokens: u64, completion_tokens: u64) -> f64 {
        (prompt_tokens as f64 * self.input + completion_tokens as f64 * self.output) / 1_000_000.0
    }
}

/// A price, and the models that it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The model's name in lower case; `*` stands for anything. Without a `/` it means every model of that name, whatever
    /// stands before the last `/` of its own.
    pub models: String,
    /// What it costs.
    pub price: Price,
    /// Whether it is built in.
    pub built_in: bool,
}

/// Prices of all models: of several that fit the one whose name is closest counts, and the file's before a built-in one.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceList(Vec<Line>);

/// Models, input, output. The last is for whatever fits none.
const BUILT_IN: &[(&str, f64, f64)] = &[
    ("*llama-3.1-8b*", 0.05, 0.08),
    ("*llama3.1-8b*", 0.05, 0.08),
    ("*llama-3.3-70b*", 0.59, 0.79),
    ("*llama-4-scout*", 0.11, 0.34),
    ("*llama-4-maverick*", 0.20, 0.60),
    ("*gpt-oss-20b*", 0.10, 0.50),
    ("*gpt-oss-120b*", 0.15, 0.75),
    ("*qwen3-32b*", 0.29, 0.59),
    ("*qwen-3-32b*", 0.29, 0.59),
    ("*qwen3-235b*", 0.60, 1.20),
    ("*qwen-3-235b*", 0.60, 1.20),
    ("*kimi-k2*", 1.00, 3.00),
    ("*gemini-2.0-flash*", 0.10, 0.40),
    ("*gemini-2.5-flash-lite*", 0.10, 0.40),
    ("*gemini-2.5-flash*", 0.30, 2.50),
    ("*gemini-2.5-pro*", 1.25, 10.00),
    ("gpt-4o", 2.50, 10.00),
    ("gpt-4o-20*", 2.50, 10.00),
    ("gpt-4o-mini*", 0.15, 0.60),
    ("gpt-4.1", 2.00, 8.00),
    ("gpt-4.1-20*", 2.00, 8.00),
    ("gpt-4.1-mini*", 0.40, 1.60),
    ("gpt-4.1-nano*", 0.10, 0.40),
    ("gpt-5", 1.25, 10.00),
    ("gpt-5-20*", 1.25, 10.00),
    ("gpt-5-mini*", 0.25, 2.00),
    ("gpt-5-nano*", 0.05, 0.40),
    ("*deepseek-chat*", 0.27, 1.10),
    ("*deepseek-v3*", 0.27, 1.10),
    ("*deepseek-r1", 0.55, 2.19),
    ("*deepseek-r1:*", 0.55, 2.19),
    ("*deepseek-r1-0528", 0.55, 2.19),
    ("*deepseek-r1-0528:*", 0.55, 2.19),
    ("mistral-small*", 0.10, 0.30),
    ("mistral-medium*", 0.40, 2.00),
    ("mistral-large*", 2.00, 6.00),
    ("codestral*", 0.30, 0.90),
    ("command-r7b*", 0.04, 0.15),
    ("command-r-plus*", 2.50, 10.00),
    ("command-r-0*", 0.15, 0.60),
    ("command-a*", 2.50, 10.00),
    ("*embed*", 0.10, 0.00),
    ("*", 0.30, 0.60),
];

impl PriceList {
    /// These prices before the built-in ones.
    #[must_use]
    pub fn new(own: impl IntoIterator<Item = (String, Price)>) -> Self {
        let own =
            own.into_iter().map(|(models, price)| Line { models: models.to_ascii_lowercase(), price, built_in: false });
        let built_in = BUILT_IN.iter().map(|(models, input, output)| Line {
            models: (*models).to_owned(),
            price: Price { input: *input, output: *output },
            built_in: true,
        });
        Self(own.chain(built_in).collect())
    }

    /// All prices, those of the file first.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.0
    }

    /// The price of a model, by whatever name a provider gives it.
    #[must_use]
    pub fn of(&self, model: &str) -> Option<&Line> {
        let model = model.to_ascii_lowercase();
        let name = bare(&model);
        let fits = |line: &&Line| fits(&line.models, if line.models.contains('/') { &model } else { name });
        // A price of the file that says something beats a built-in one; what is for any model comes last.
        let rank = |line: &&Line| {
            let letters = line.models.bytes().filter(|byte| *byte != b'*').count();
            (letters > 0, !line.built_in, !line.models.contains('*'), letters)
        };
        self.0.iter().rev().filter(fits).max_by_key(rank)
    }
}

impl Default for PriceList {
    fn default() -> Self {
        Self::new([])
    }
}

/// Without the name of whoever made it.
fn bare(model: &str) -> &str {
    model.rsplit_once('/').map_or(model, |(_, name)| name)
}

/// Whether the pattern means this name as a whole.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, name) in
            [("*", ""), ("*", "x"), ("a*", "a"), ("*a", "ba"), ("a*b*c", "a-b-b-c"), ("*70b*", "llama-70b"), ("x", "x")]
        {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("a", "ab"), ("a*a", "a"), ("*b*b", "ab"), ("a*b*c", "ac"), ("", "x")] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn the_closest_name_counts_and_the_files_before_the_built_in_one() {
        let price = |input| Price { input, output: 2.0 * input };
        let list = PriceList::new([
            ("meta-llama/Llama-3.3-70B*".to_owned(), price(7.0)),
            ("qwen/*".to_owned(), price(3.0)),
            ("azure/gpt-4o".to_owned(), price(4.0)),
            ("llama*".to_owned(), price(5.0)),
            ("*".to_owned(), price(9.0)),
        ]);
        let of = |model| list.of(model).unwrap().price.input;
        assert_eq!(of("meta-llama/llama-3.3-70b-instruct:free"), 7.0);
        assert_eq!(of("llama-3.1-8b-instant"), 5.0, "the file's before the built-in one");
        assert_eq!(of("gemini-2.5-flash"), 0.30);
        assert_eq!(of("models/gemini-2.5-flash-lite"), 0.10);
        assert_eq!(of("qwen/whatever"), 3.0);
        assert_eq!((of("azure/gpt-4o"), of("openai/gpt-4o")), (4.0, 2.5), "whose it is counts where it is told");
        assert_eq!(of("nobody-knows-it"), 9.0, "the file's fallback");
        assert_eq!(PriceList::default().of("nobody-knows-it").unwrap().price.input, 0.30);
        assert_eq!(PriceList::default().of("openai/gpt-4o").unwrap().price.output, 10.0);
        assert_eq!(PriceList::default().of("openai/gpt-4o-mini").unwrap().price.output, 0.60);
    }

    #[test]
    fn tokens_cost_what_the_list_says() {
        let price = Price { input: 0.59, output: 0.79 };
        assert!((price.cost(1_000_000, 2_000_000) - 2.17).abs() < 1e-9);
        assert_eq!(price.cost(0, 0), 0.0);
    }

    #[test]
    fn every_built_in_price_is_meant_for_something_of_its_own() {
        let list = PriceList::default();
        for (models, ..) in BUILT_IN {
            let name = models.replace('*', "");
            let name = if name.is_empty() { "nobody-knows-it" } else { &name };
            assert_eq!(list.of(name).unwrap().models, *models, "{name}");
        }
    }
}
