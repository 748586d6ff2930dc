//! How far a proxy is set up, as far as the dashboard looks different by it.

use crate::config::model::Config;

/// How far. A page that shows another stage than there is has to be loaded anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::web::ui) enum Stage {
    /// No provider is switched on, and there is no chain.
    NoProvider,
    /// There are providers, but no chain.
    NoChain,
    /// There are chains, and nobody who could serve them.
    AllOff,
    /// Requests can be served.
    #[default]
    Running,
}

impl Stage {
    const ALL: [Self; 4] = [Self::NoProvider, Self::NoChain, Self::AllOff, Self::Running];

    pub(in crate::web::ui) fn of(config: &Config) -> Self {
        let on = config.providers.iter().any(|provider| provider.enabled);
        match (config.chains.is_empty(), on) {
            (true, false) => Self::NoProvider,
            (true, true) => Self::NoChain,
            (false, false) => Self::AllOff,
            (false, true) => Self::Running,
        }
    }

    /// In the address of a page's news.
    pub(in crate::web::ui) fn name(self) -> &'static str {
        match self {
            Self::NoProvider => "no-provider",
            Self::NoChain => "no-chain",
            Self::AllOff => "all-off",
            Self::Running => "running",
        }
    }

    pub(in crate::web::ui) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }

    /// Whether the page has anything that there is news of.
    pub(in crate::web::ui) fn has_news(self) -> bool {
        matches!(self, Self::AllOff | Self::Running)
    }
}
