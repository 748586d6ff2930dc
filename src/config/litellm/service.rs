//! Which service a deployment is at: the part of `model` before the first slash.

use crate::domain::dialect::Dialect;

/// A service that is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Service {
    /// What the account is called.
    pub(super) id: &'static str,
    pub(super) dialect: Dialect,
    /// Where it is, if that is not usual for its type.
    pub(super) base_url: Option<&'static str>,
    /// Where LiteLLM looks for its key when the deployment names none.
    pub(super) variable: Option<&'static str>,
}

const fn service(id: &'static str, dialect: Dialect, variable: &'static str) -> Service {
    Service { id, dialect, base_url: None, variable: Some(variable) }
}

const fn at(id: &'static str, base_url: &'static str, variable: &'static str) -> Service {
    Service { id, dialect: Dialect::GenericOpenai, base_url: Some(base_url), variable: Some(variable) }
}

/// On the user's own machine; its address has no `/v1` in LiteLLM.
const OLLAMA: Service = Service { id: "ollama", dialect: Dialect::Local, base_url: None, variable: None };
const SERVER: Service = Service { id: "server", dialect: Dialect::GenericOpenai, base_url: None, variable: None };
const OPENAI: Service = service("openai", Dialect::Openai, "OPENAI_API_KEY");

const SERVICES: [(&str, Service); 24] = [
    ("groq", service("groq", Dialect::Groq, "GROQ_API_KEY")),
    ("gemini", service("google", Dialect::GoogleAi, "GEMINI_API_KEY")),
    ("openrouter", service("openrouter", Dialect::Openrouter, "OPENROUTER_API_KEY")),
    ("mistral", service("mistral", Dialect::Mistral, "MISTRAL_API_KEY")),
    ("cerebras", service("cerebras", Dialect::Cerebras, "CEREBRAS_API_KEY")),
    ("nvidia_nim", service("nvidia", Dialect::Nvidia, "NVIDIA_NIM_API_KEY")),
    ("cohere", service("cohere", Dialect::Cohere, "COHERE_API_KEY")),
    ("cohere_chat", service("cohere", Dialect::Cohere, "COHERE_API_KEY")),
    ("sambanova", service("sambanova", Dialect::Sambanova, "SAMBANOVA_API_KEY")),
    ("huggingface", service("huggingface", Dialect::Huggingface, "HF_TOKEN")),
    ("together_ai", service("together", Dialect::Together, "TOGETHERAI_API_KEY")),
    ("zai", service("zai", Dialect::Zai, "ZAI_API_KEY")),
    ("openai", OPENAI),
    ("deepseek", at("deepseek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY")),
    ("fireworks_ai", at("fireworks", "https://api.fireworks.ai/inference/v1", "FIREWORKS_AI_API_KEY")),
    ("xai", at("xai", "https://api.x.ai/v1", "XAI_API_KEY")),
    ("perplexity", at("perplexity", "https://api.perplexity.ai", "PERPLEXITYAI_API_KEY")),
    ("ollama", OLLAMA),
    ("ollama_chat", OLLAMA),
    ("hosted_vllm", SERVER),
    ("lm_studio", SERVER),
    ("openai_like", SERVER),
    ("llamafile", SERVER),
    ("custom_openai", SERVER),
];

/// Those that speak another protocol, whatever address is given.
const OTHERS: [&str; 14] = [
    "anthropic",
    "azure",
    "azure_ai",
    "azure_text",
    "bedrock",
    "bedrock_converse",
    "vertex_ai",
    "vertex_ai_beta",
    "sagemaker",
    "sagemaker_chat",
    "watsonx",
    "replicate",
    "palm",
    "triton",
];

/// The service, and the model as it is called there. Why not, for those that speak otherwise.
pub(super) fn find(model: &str, base_url: Option<&str>) -> Result<(Service, String), String> {
    let Some((prefix, rest)) = model.split_once('/') else {
        return match base_url {
            Some(_) => Ok((SERVER, model.to_owned())),
            None if is_of_openai(model) => Ok((OPENAI, model.to_owned())),
            // A key of somebody else must not go to OpenAI.
            None => Err(format!("{model}: it names no service, and is no model of OpenAI's by its name")),
        };
    };
    if OTHERS.contains(&prefix) {
        return Err(format!("{model}: `{prefix}` does not speak the OpenAI protocol"));
    }
    let known = SERVICES.iter().find(|(known, _)| *known == prefix).map(|(_, service)| *service);
    match known {
        Some(OPENAI) if base_url.is_some() => Ok((SERVER, rest.to_owned())),
        Some(service) if service == SERVER && base_url.is_none() => {
            Err(format!("{model}: it has no `api_base`, and there is no usual one"))
        }
        Some(service) if service.dialect == Dialect::Huggingface => Ok((service, at_router(rest))),
        Some(service) => Ok((service, rest.to_owned())),
        None if base_url.is_some() => Ok((SERVER, rest.to_owned())),
        None => Err(format!("{model}: `{prefix}` does not speak the OpenAI protocol, or is not known here")),
    }
}

/// LiteLLM takes these for OpenAI's when they come without a service.
fn is_of_openai(model: &str) -> bool {
    ["gpt-", "o1", "o3", "o4", "chatgpt-", "text-embedding-", "ft:gpt-"].iter().any(|begin| model.starts_with(begin))
}

/// `together/owner/model` is `owner/model:together` for the router itself.
fn at_router(model: &str) -> String {
    match model.split_once('/') {
        Some((provider, rest)) if rest.contains('/') => format!("{rest}:{provider}"),
        _ => model.to_owned(),
    }
}

/// The address as we take it: LiteLLM knows itself that Ollama's API is below `/v1`.
pub(super) fn address(service: Service, base_url: Option<&str>) -> Option<String> {
    let url = base_url.map(|url| url.trim_end_matches('/'));
    match url {
        Some(url) if service == OLLAMA && !url.ends_with("/v1") => Some(format!("{url}/v1")),
        Some(url) if Some(url) == service.dialect.default_base_url() => None,
        Some(url) => Some(url.to_owned()),
        None => service.base_url.map(str::to_owned),
    }
}
