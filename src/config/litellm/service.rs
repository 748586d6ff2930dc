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

/// Its address holds the id of an account: for LiteLLM in a variable, unless `api_base` is given.
const CLOUDFLARE: Service = Service {
    id: "cloudflare",
    dialect: Dialect::Cloudflare,
    base_url: Some("https://api.cloudflare.com/client/v4/accounts/${CLOUDFLARE_ACCOUNT_ID}/ai/v1"),
    variable: Some("CLOUDFLARE_API_KEY"),
};
/// The variable in that address.
pub(super) const ACCOUNT_ID: &str = "CLOUDFLARE_ACCOUNT_ID";

const SERVICES: [(&str, Service); 25] = [
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
    ("cloudflare", CLOUDFLARE),
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

/// What `model_info.mode` says of models that are asked for chat or embeddings.
const SPOKEN: [&str; 4] = ["chat", "completion", "embedding", "responses"];

/// How models are called that are for something else.
const BEGINNINGS: [&str; 14] = [
    "whisper",
    "tts-",
    "dall-e",
    "gpt-image",
    "chatgpt-image",
    "gpt-realtime",
    "sora",
    "imagen-",
    "flux.",
    "flux-",
    "stable-diffusion",
    "omni-moderation",
    "text-moderation",
    "rerank",
];

/// Whether a model is for something else than chat and embeddings: by what the file says, or by its name.
pub(super) fn is_other_kind(model: &str, mode: Option<&str>) -> bool {
    if let Some(mode) = mode {
        return !SPOKEN.contains(&mode);
    }
    let name = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
    BEGINNINGS.iter().any(|begin| name.starts_with(begin)) || name.ends_with("-tts") || name.ends_with("-transcribe")
}

impl Service {
    /// The variable that its usual address needs, if that is where it is asked.
    pub(super) fn place_variable(self, base_url: Option<&str>) -> Option<&'static str> {
        (self == CLOUDFLARE && base_url.is_none()).then_some(ACCOUNT_ID)
    }
}

/// The service, and the model as it is called there. Why not, for those that speak otherwise.
pub(super) fn find(model: &str, base_url: Option<&str>) -> Result<(Service, String), String> {
    let Some((prefix, rest)) = model.split_once('/') else {
        return match base_url {
            Some(_) => Ok((SERVER, model.to_owned())),
            None if is_of_openai(model) => Ok((OPENAI, model.to_owned())),
            // A key of somebody else must not go to OpenAI.
            None => Err("it names no service, and is no chat or embedding model of OpenAI's by its name".to_owned()),
        };
    };
    if OTHERS.contains(&prefix) {
        return Err(format!("`{prefix}` does not speak the OpenAI protocol"));
    }
    let known = SERVICES.iter().find(|(known, _)| *known == prefix).map(|(_, service)| *service);
    match known {
        Some(OPENAI) if base_url.is_some() => Ok((SERVER, rest.to_owned())),
        Some(service) if service == SERVER && base_url.is_none() => {
            Err("it has no `api_base`, and there is no usual one".to_owned())
        }
        Some(service) if service.dialect == Dialect::Huggingface => Ok((service, at_router(rest))),
        Some(service) => Ok((service, rest.to_owned())),
        None if base_url.is_some() => Ok((SERVER, rest.to_owned())),
        None => Err(format!("`{prefix}` does not speak the OpenAI protocol, or is not known here")),
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

/// The address as we take it: LiteLLM knows itself that Ollama's API is below `/v1`, and asks Cloudflare below `/run`.
pub(super) fn address(service: Service, base_url: Option<&str>) -> Option<String> {
    let url = base_url.map(|url| url.trim_end_matches('/'));
    match url {
        Some(url) if service == OLLAMA && !url.ends_with("/v1") => Some(format!("{url}/v1")),
        Some(url) if service == CLOUDFLARE && url.ends_with("/ai/run") => Some(url.replace("/ai/run", "/ai/v1")),
        Some(url) if Some(url) == service.dialect.default_base_url() => None,
        Some(url) => Some(url.to_owned()),
        None => service.base_url.map(str::to_owned),
    }
}
