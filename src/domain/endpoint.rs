//! Which kind of completion a request asks for.

/// The endpoints that walk a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `/chat/completions`
    Chat,
    /// `/embeddings`
    Embeddings,
}

impl Endpoint {
    /// Path behind a provider's base URL.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Chat => "/chat/completions",
            Self::Embeddings => "/embeddings",
        }
    }
    /// Its name in OpenTelemetry's conventions for generative AI.
    #[must_use]
    pub fn operation(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Embeddings => "embeddings",
        }
    }
}
