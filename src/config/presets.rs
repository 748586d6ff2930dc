//! Services that most users have an account with: where to get a key, and what the free plan allows.
//!
//! Numbers are those of `PROVIDERS.md` (collected 2026-11-24). They change every few months, so they are proposals for the
//! file and never in force by themselves.

use crate::domain::dialect::Dialect;

/// A service that can be added with a key and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// What the provider is called in the file, unless somebody wants it otherwise.
    pub id: &'static str,
    /// For people.
    pub name: &'static str,
    /// How it speaks.
    pub dialect: Dialect,
    /// Where it is, for types that have no usual address. What is in capitals is for the user to fill in.
    pub base_url: Option<&'static str>,
    /// The usual environment variable of its key; `None` when none is needed.
    pub variable: Option<&'static str>,
    /// Where to get a key.
    pub key_page: Option<&'static str>,
    /// Its `rateLimits`, as keys and values of the file.
    pub limits: &'static [(&'static str, &'static str)],
    /// Models that were free at the time, the most useful first.
    pub models: &'static [&'static str],
    /// What is free, in one sentence, and who said so when.
    pub plan: &'static str,
}

/// All of them: free plans without a card first.
pub const PRESETS: [Preset; 14] = [
    Preset {
        id: "groq",
        name: "Groq",
        dialect: Dialect::Groq,
        base_url: None,
        variable: Some("GROQ_API_KEY"),
        key_page: Some("https://console.groq.com/keys"),
        limits: &[
            ("requestsPerMinute", "30"),
            ("requestsPerDay", "1000"),
            ("tokensPerMinute", "8000"),
            ("tokensPerDay", "200000"),
        ],
        models: &["openai/gpt-oss-120b", "openai/gpt-oss-20b"],
        plan: "Free, per model: 30 requests a minute, 1,000 a day; 8,000 tokens a minute (lists of users, August 2026).",
    },
    Preset {
        id: "google",
        name: "Google AI Studio",
        dialect: Dialect::GoogleAi,
        base_url: None,
        variable: Some("GEMINI_API_KEY"),
        key_page: Some("https://aistudio.google.com/apikey"),
        limits: &[
            ("requestsPerMinute", "15"),
            ("requestsPerDay", "500"),
            ("tokensPerMinute", "250000"),
            ("dayResetsAt", "00:00 America/Los_Angeles"),
        ],
        models: &["gemini-3.1-flash-lite"],
        plan: "Free: 3.1 Flash-Lite 15 requests a minute, 500 a day; other Flash models only 20 a day (lists of users, July 2026).",
    },
    Preset {
        id: "openrouter",
        name: "OpenRouter",
        dialect: Dialect::Openrouter,
        base_url: None,
        variable: Some("OPENROUTER_API_KEY"),
        key_page: Some("https://openrouter.ai/settings/keys"),
        limits: &[
            ("scope", "provider"),
            ("requestsPerMinute", "20"),
            ("requestsPerDay", "50"),
            ("dayResetsAt", "00:00 UTC"),
        ],
        models: &["openrouter/free"],
        plan: "All free models together: 20 requests a minute, 50 a day; 1,000 once $10 were ever bought (its documentation, autumn 2026).",
    },
    Preset {
        id: "mistral",
        name: "Mistral",
        dialect: Dialect::Mistral,
        base_url: None,
        variable: Some("MISTRAL_API_KEY"),
        key_page: Some("https://console.mistral.ai/api-keys"),
        limits: &[],
        models: &["ministral-8b-latest"],
        plan: "Free mode without published numbers; Mistral announces them in its answers (reports of users, autumn 2026).",
    },
    Preset {
        id: "cerebras",
        name: "Cerebras",
        dialect: Dialect::Cerebras,
        base_url: None,
        variable: Some("CEREBRAS_API_KEY"),
        key_page: Some("https://cloud.cerebras.ai"),
        limits: &[
            ("requestsPerMinute", "5"),
            ("requestsPerHour", "150"),
            ("requestsPerDay", "2400"),
            ("tokensPerMinute", "30000"),
            ("tokensPerDay", "1000000"),
        ],
        models: &["gpt-oss-120b"],
        plan: "Trial keys, per model: 5 requests a minute, 2,400 a day; 1 million tokens a day (its documentation, October 2026).",
    },
    Preset {
        id: "nvidia",
        name: "NVIDIA NIM",
        dialect: Dialect::Nvidia,
        base_url: None,
        variable: Some("NVIDIA_API_KEY"),
        key_page: Some("https://build.nvidia.com"),
        limits: &[("scope", "provider"), ("requestsPerMinute", "40")],
        models: &["openai/gpt-oss-120b"],
        plan: "For trying out: 40 requests a minute over all models of an account (reports of users, August 2026).",
    },
    Preset {
        id: "cohere",
        name: "Cohere",
        dialect: Dialect::Cohere,
        base_url: None,
        variable: Some("COHERE_API_KEY"),
        key_page: Some("https://dashboard.cohere.com/api-keys"),
        limits: &[("requestsPerMinute", "20"), ("tokensPerMinute", "100000")],
        models: &[],
        plan: "Trial keys, not for commercial use: 20 requests a minute per model, 1,000 calls a month in all (its documentation, 2026).",
    },
    Preset {
        id: "cloudflare",
        name: "Cloudflare Workers AI",
        dialect: Dialect::Cloudflare,
        base_url: Some("https://api.cloudflare.com/client/v4/accounts/ACCOUNT_ID/ai/v1"),
        variable: Some("CLOUDFLARE_API_TOKEN"),
        key_page: Some("https://dash.cloudflare.com/profile/api-tokens"),
        limits: &[],
        models: &[],
        plan: "Free: 10,000 neurons a day over all models, until midnight UTC (its documentation, autumn 2026).",
    },
    Preset {
        id: "sambanova",
        name: "SambaNova",
        dialect: Dialect::Sambanova,
        base_url: None,
        variable: Some("SAMBANOVA_API_KEY"),
        key_page: Some("https://cloud.sambanova.ai/apis"),
        limits: &[("requestsPerMinute", "20"), ("requestsPerDay", "20"), ("tokensPerDay", "200000")],
        models: &[],
        plan: "In effect $5 of credit for three months (reports of users, July 2026).",
    },
    Preset {
        id: "huggingface",
        name: "Hugging Face",
        dialect: Dialect::Huggingface,
        base_url: None,
        variable: Some("HF_TOKEN"),
        key_page: Some("https://huggingface.co/settings/tokens"),
        limits: &[],
        models: &[],
        plan: "$0.10 of credit a month; the token needs the permission for Inference Providers (measured, July 2026).",
    },
    Preset {
        id: "zai",
        name: "Z.ai",
        dialect: Dialect::Zai,
        base_url: None,
        variable: Some("ZAI_API_KEY"),
        key_page: Some("https://z.ai/manage-apikey/apikey-list"),
        limits: &[("concurrentRequests", "1")],
        models: &["glm-4.7-flash"],
        plan: "Free Flash models, one request at a time (reports of users, August 2026).",
    },
    Preset {
        id: "openai",
        name: "OpenAI",
        dialect: Dialect::Openai,
        base_url: None,
        variable: Some("OPENAI_API_KEY"),
        key_page: Some("https://platform.openai.com/api-keys"),
        limits: &[],
        models: &[],
        plan: "Paid; useful as the last entry of a chain. It announces its limits in its answers.",
    },
    Preset {
        id: "local",
        name: "A server of your own",
        dialect: Dialect::Local,
        base_url: Some("http://127.0.0.1:11434/v1"),
        variable: None,
        key_page: None,
        limits: &[],
        models: &[],
        plan: "Ollama, llama.cpp, vLLM, LM Studio: no key, no limits.",
    },
    Preset {
        id: "other",
        name: "Other OpenAI-compatible",
        dialect: Dialect::GenericOpenai,
        base_url: None,
        variable: None,
        key_page: None,
        limits: &[],
        models: &[],
        plan: "Anything else that answers POST /chat/completions.",
    },
];

impl Preset {
    /// The preset with this id.
    #[must_use]
    pub fn find(id: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.id == id)
    }

    /// The type of provider that it is, as the file spells it.
    #[must_use]
    pub fn kind(&self) -> String {
        self.dialect.word()
    }

    /// Whether something of it costs nothing.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.variable.is_some() && self.dialect != Dialect::Openai
    }

    /// Whether it is called at an address that is known before anybody has an account.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.base_url.is_none_or(|url| !url.contains("ACCOUNT_ID"))
    }

    /// What is known of a type of provider.
    #[must_use]
    pub fn of(dialect: Dialect) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.dialect == dialect)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::layers::Overrides;
    use crate::config::parse;

    /// Whatever a preset proposes can be used as it stands.
    #[test]
    fn every_preset_makes_a_configuration() {
        for preset in PRESETS {
            let dialect = serde_json::to_value(preset.dialect).unwrap();
            let url = preset.base_url.or(preset.dialect.default_base_url()).unwrap_or("https://a.example/v1");
            let url = url.replace("ACCOUNT_ID", "of-mine");
            let limits = preset.limits.iter().map(|(key, value)| format!("      {key}: {value}\n"));
            let limits: String = limits.collect();
            let limits = if limits.is_empty() { String::new() } else { format!("    rateLimits:\n{limits}") };
            let model = preset.models.first().unwrap_or(&"m");
            let yaml = format!(
                "version: 1\nsettings:\n  apiKeys: [a-client-key]\nproviders:\n  - id: {}\n    type: {}\n    name: {}\n    \
                 baseUrl: {url}\n    apiKey: key\n{limits}chains:\n  - name: default\n    entries: [{{ provider: {}, model: {model} }}]\n",
                preset.id,
                dialect.as_str().unwrap(),
                preset.name,
                preset.id,
            );
            let nothing = std::collections::BTreeMap::<String, String>::new();
            let config = parse(&yaml, "c.yaml", Path::new("."), &nothing, &Overrides::default()).unwrap();
            assert_eq!(
                config.providers[0].limits == crate::domain::limits::Limits::default(),
                preset.limits.is_empty()
            );
            assert_eq!(Preset::find(preset.id), Some(&preset));
        }
    }
}
