//! How a provider speaks: which wire conventions its answers follow.

use serde::{Deserialize, Serialize};

/// The provider type of the configuration. It selects the rules by which answers are read (`PROVIDERS.md` section 2 of
/// the project's research notes; the facts stand at the code that uses them).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// groq.com
    Groq,
    /// openrouter.ai
    Openrouter,
    /// cerebras.ai
    Cerebras,
    /// openai.com
    Openai,
    /// Gemini through Google's OpenAI-compatible endpoint
    GoogleAi,
    /// mistral.ai
    Mistral,
    /// NVIDIA NIM
    Nvidia,
    /// cohere.com, compatibility endpoint
    Cohere,
    /// Cloudflare Workers AI
    Cloudflare,
    /// SambaNova Cloud
    Sambanova,
    /// Hugging Face inference router
    Huggingface,
    /// together.ai
    Together,
    /// Z.ai and bigmodel.cn
    Zai,
    /// Ollama Cloud
    OllamaCloud,
    /// A server on the user's own machine: Ollama, llama.cpp, vLLM, LM Studio
    Local,
    /// Anything else that speaks the OpenAI protocol
    GenericOpenai,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Groq,
        Self::Openrouter,
        Self::Cerebras,
        Self::Openai,
        Self::GoogleAi,
        Self::Mistral,
        Self::Nvidia,
        Self::Cohere,
        Self::Cloudflare,
        Self::Sambanova,
        Self::Huggingface,
        Self::Together,
        Self::Zai,
        Self::OllamaCloud,
        Self::Local,
        Self::GenericOpenai,
    ];

    /// As the configuration spells it.
    #[must_use]
    pub fn word(self) -> String {
        let word = serde_json::to_value(self).ok();
        word.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// The address to call when the configuration names none; `None` where only the user can know it.
    ///
    /// Source: the providers' public API documentation, collected 2026-11-24.
    #[must_use]
    pub fn default_base_url(self) -> Option<&'static str> {
        Some(match self {
            Self::Groq => "https://api.groq.com/openai/v1",
            Self::Openrouter => "https://openrouter.ai/api/v1",
            Self::Cerebras => "https://api.cerebras.ai/v1",
            Self::Openai => "https://api.openai.com/v1",
            Self::GoogleAi => "https://generativelanguage.googleapis.com/v1beta/openai",
            Self::Mistral => "https://api.mistral.ai/v1",
            Self::Nvidia => "https://integrate.api.nvidia.com/v1",
            Self::Cohere => "https://api.cohere.ai/compatibility/v1",
            Self::Sambanova => "https://api.sambanova.ai/v1",
            Self::Huggingface => "https://router.huggingface.co/v1",
            Self::Together => "https://api.together.xyz/v1",
            Self::Zai => "https://api.z.ai/api/paas/v4",
            Self::OllamaCloud => "https://ollama.com/v1",
            Self::Local => "http://127.0.0.1:11434/v1",
            // The account id is part of Cloudflare's URL.
            Self::Cloudflare | Self::GenericOpenai => return None,
        })
    }

    /// Whether `stream_options.include_usage` may be added to a request of a client that did not ask for usage.
    ///
    /// Mistral has answered 422 to it and reports usage anyway; it is not listed for Cerebras, NVIDIA, Cohere and
    /// unknown servers. Source: `PROVIDERS.md` 1.6.
    #[must_use]
    pub fn accepts_stream_usage(self) -> bool {
        matches!(
            self,
            Self::Groq | Self::Openrouter | Self::Openai | Self::GoogleAi | Self::Together | Self::Zai | Self::Local
        )
    }

    /// Whether buckets refill all the time, and not at the end of a window. Source: `PROVIDERS.md` 1.1 and 1.7.
    #[must_use]
    pub fn refills_steadily(self) -> bool {
        matches!(self, Self::Groq | Self::Openai)
    }

    /// Whether all output that is asked for counts before it is produced. Source: `PROVIDERS.md` 1.8.
    #[must_use]
    pub fn reserves_output(self) -> bool {
        matches!(self, Self::Groq | Self::Cerebras | Self::Openai)
    }

    /// The counter that `model` shares with other models of the account, beyond key and provider.
    ///
    /// OpenRouter counts all `:free` models of an account together, and all others against its credit. Source:
    /// `PROVIDERS.md` 2, openrouter.
    #[must_use]
    pub fn pool_of(self, model: &str) -> Option<&'static str> {
        match self {
            Self::Openrouter if model.ends_with(":free") => Some("openrouter-free"),
            Self::Openrouter => Some("openrouter-paid"),
            _ => None,
        }
    }
}
