//! The three providers that are simulated, and what is fixed about each.

use std::fmt;
use std::time::Duration;

use crate::domain::dialect::Dialect;

/// A simulated provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Simulated {
    /// Always near its limit: a handful of requests, then 429 until its window has moved on.
    Groq,
    /// Slow, but it never fails.
    OpenRouter,
    /// Fast, but every third chat call fails.
    Gemini,
}

/// How fast an answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// From the request to the first token.
    pub(crate) first: Duration,
    /// From one token to the next.
    pub(crate) each: Duration,
}

impl Simulated {
    /// Every simulated provider, in the order in which a demo chain should try them.
    pub const ALL: [Self; 3] = [Self::Groq, Self::OpenRouter, Self::Gemini];

    /// The id that a configuration gives it.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Groq => "groq",
            Self::OpenRouter => "openrouter",
            Self::Gemini => "gemini",
        }
    }

    /// The name shown to people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Groq => "Simulated Groq",
            Self::OpenRouter => "Simulated OpenRouter",
            Self::Gemini => "Simulated Gemini",
        }
    }

    /// How it speaks.
    #[must_use]
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Groq => Dialect::Groq,
            Self::OpenRouter => Dialect::Openrouter,
            Self::Gemini => Dialect::GoogleAi,
        }
    }

    /// The only key it accepts. It opens nothing but the simulator.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Groq => "gsk_demo",
            Self::OpenRouter => "sk-or-demo",
            Self::Gemini => "AIza-demo",
        }
    }

    /// The path of its API, as on the real host.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Groq => "/groq/openai/v1",
            Self::OpenRouter => "/openrouter/api/v1",
            Self::Gemini => "/gemini/v1beta/openai",
        }
    }

    /// The models that chat, the first being the one to put into a chain.
    #[must_use]
    pub fn chat_models(self) -> &'static [&'static str] {
        match self {
            Self::Groq => &["openai/gpt-oss-120b", "openai/gpt-oss-20b"],
            Self::OpenRouter => &["qwen/qwen3-coder:free", "openai/gpt-oss-20b:free"],
            Self::Gemini => &["gemini-3.6-flash", "gemini-3.1-flash-lite"],
        }
    }

    /// The model that makes embeddings, where there is one.
    #[must_use]
    pub fn embedding_model(self) -> Option<&'static str> {
        match self {
            Self::Gemini => Some("gemini-embedding-001"),
            Self::Groq | Self::OpenRouter => None,
        }
    }

    /// The chat model that a request names; Google takes its ids with and without `models/`.
    pub(crate) fn chat_model(self, asked: &str) -> Option<&'static str> {
        let asked = self.bare(asked);
        self.chat_models().iter().copied().find(|model| *model == asked)
    }

    /// `asked` without the prefix that this provider puts before its own ids.
    pub(crate) fn bare(self, asked: &str) -> &str {
        match self {
            Self::Gemini => asked.strip_prefix("models/").unwrap_or(asked),
            Self::Groq | Self::OpenRouter => asked,
        }
    }

    /// How fast it answers.
    pub(crate) fn pace(self) -> Pace {
        let (first, each) = match self {
            Self::Groq => (40, 3),
            Self::OpenRouter => (700, 25),
            Self::Gemini => (80, 5),
        };
        Pace { first: Duration::from_millis(first), each: Duration::from_millis(each) }
    }
}

impl fmt::Display for Simulated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_ids_are_known_with_and_without_their_prefix() {
        assert_eq!(Simulated::Gemini.chat_model("models/gemini-3.6-flash"), Some("gemini-3.6-flash"));
        assert_eq!(Simulated::Gemini.chat_model("gemini-3.6-flash"), Some("gemini-3.6-flash"));
        assert_eq!(Simulated::Groq.chat_model("models/openai/gpt-oss-120b"), None);
    }

    #[test]
    fn each_path_is_the_one_of_the_real_host() {
        for simulated in Simulated::ALL {
            let real = simulated.dialect().default_base_url().unwrap();
            let path = simulated.path().strip_prefix(&format!("/{}", simulated.id())).unwrap();
            assert!(real.ends_with(path), "{real} does not end in {path}");
        }
    }

    #[test]
    fn openrouter_is_the_slow_one() {
        let slow = Simulated::OpenRouter.pace();
        assert!(slow.first >= Duration::from_millis(500));
        assert!([Simulated::Groq, Simulated::Gemini].iter().all(|fast| fast.pace().first * 5 < slow.first));
    }
}
