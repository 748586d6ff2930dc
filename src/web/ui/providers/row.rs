//! One provider of the list.

use std::sync::Arc;

use super::super::paper::Paper;
use super::super::standing::{Standing, Status};
use crate::config::edit::{Value, mask};
use crate::config::model::Provider;
use crate::web::state::State;

/// Which providers are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Show {
    All,
    Ready,
    Issues,
    Off,
}

impl Show {
    pub(super) const ALL: [Self; 4] = [Self::All, Self::Ready, Self::Issues, Self::Off];

    pub(super) fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|show| show.word() == word).unwrap_or(Self::All)
    }

    /// In the address and, with a capital, for people.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Ready => "ready",
            Self::Issues => "issues",
            Self::Off => "off",
        }
    }
}

/// What is shown of a provider.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) key: String,
    pub(super) enabled: bool,
    pub(super) state: Sign,
    /// Models that chains use.
    pub(super) used: usize,
    /// Models that it lists, if it was asked.
    pub(super) listed: Option<usize>,
}

/// How all its entries are doing, in one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sign {
    pub(super) class: &'static str,
    pub(super) words: String,
}

impl Row {
    pub(super) fn of(provider: &Arc<Provider>, paper: &Paper, standing: &Standing, state: &State) -> Self {
        let id = provider.id.to_string();
        let entries = standing.ratelimits.iter().filter(|entry| entry.provider == id);
        let statuses: Vec<Status> = entries.map(|entry| entry.status).collect();
        Self {
            name: provider.name.clone(),
            kind: provider.dialect.word(),
            key: key(paper.provider(&id), provider),
            enabled: provider.enabled,
            state: Sign::of(&statuses, provider.enabled),
            used: statuses.len(),
            listed: state.catalogue.get(provider).map(|known| known.models.len()),
            id,
        }
    }

    pub(super) fn is_shown(&self, show: Show) -> bool {
        match show {
            Show::All => true,
            Show::Ready => self.state.class == "ready",
            Show::Issues => matches!(self.state.class, "cooling" | "low" | "auth"),
            Show::Off => !self.enabled,
        }
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        [&self.id, &self.name, &self.kind].iter().any(|known| known.to_lowercase().contains(&text))
    }
}

impl Sign {
    /// The state that needs somebody most, and how many entries are in it.
    pub(super) fn of(statuses: &[Status], enabled: bool) -> Self {
        if !enabled {
            return Self { class: "off", words: "off".to_owned() };
        }
        let worst = [Status::AuthError, Status::Cooling, Status::Low, Status::Ready, Status::Untried, Status::Off];
        let found = worst.into_iter().find(|status| statuses.contains(status));
        let Some(status) = found else { return Self { class: "untried", words: "in no chain".to_owned() } };
        let (count, all) = (statuses.iter().filter(|known| **known == status).count(), statuses.len());
        let words = match status {
            Status::AuthError => "key rejected",
            other => other.word(),
        };
        let words = if all == 1 || count == all { words.to_owned() } else { format!("{count} of {all} {words}") };
        Self { class: status.class(), words }
    }
}

/// Where its key comes from: masked, or a reference.
pub(super) fn key(written: Option<&Value>, provider: &Provider) -> String {
    let text = |key: &str| written.and_then(|written| written.text(key));
    let several = written.and_then(|written| written.get("apiKeys")).map(Value::items).unwrap_or_default();
    let shown: Vec<&str> = several.iter().filter_map(Value::as_text).collect();
    match (text("apiKey"), text("apiKeyFile"), shown.as_slice()) {
        (Some(key), ..) => key.to_owned(),
        (_, Some(file), _) => format!("in {file}"),
        (.., [_, ..]) => shown.join(", "),
        // Without a file there is only what is in use.
        _ => provider.keys.iter().map(|key| mask(key.expose())).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_that_needs_somebody_most_is_told() {
        for (statuses, class, words) in [
            (&[][..], "untried", "in no chain"),
            (&[Status::Ready], "ready", "ready"),
            (&[Status::Ready, Status::Cooling, Status::Cooling], "cooling", "2 of 3 cooling"),
            (&[Status::Untried, Status::AuthError], "auth", "1 of 2 key rejected"),
            (&[Status::Untried, Status::Untried], "untried", "untried"),
        ] {
            assert_eq!(Sign::of(statuses, true), Sign { class, words: words.to_owned() });
        }
        assert_eq!(Sign::of(&[Status::Off], false).class, "off");
    }
}
