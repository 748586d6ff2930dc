//! Chains as the file has them, and how their entries stand.

use crate::config::edit::Value;
use crate::config::model::Config;
use crate::domain::time::Wall;
use crate::web::ui::paper::Paper;
use crate::web::ui::standing::{Entry, Standing};
use crate::web::ui::words::{self, Until};

/// One chain.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    /// For the browser to find it again.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_default: bool,
    /// In the order of trying.
    pub(super) places: Vec<Place>,
    /// `1 of 3 ready`; `None` when it is not in use.
    pub(super) ready: Option<String>,
}

/// One entry.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// For the browser to find it again, wherever it has moved.
    pub(super) id: String,
    pub(super) provider: String,
    pub(super) model: String,
    /// As the file has it; null without a file.
    pub(super) written: Value,
    pub(super) sign: Sign,
}

/// How an entry stands.
#[derive(Clone, Debug)]
pub(super) struct Sign {
    pub(super) class: &'static str,
    pub(super) word: &'static str,
    pub(super) back: Option<Until>,
    /// Why, where there is more to say than the word.
    pub(super) why: Option<String>,
}

impl Listed {
    /// All of them, in the order of the file.
    pub(super) fn all(paper: &Paper, standing: &Standing, now: Wall) -> Vec<Self> {
        let mut chains = match &paper.document {
            Value::Null => in_use(&paper.config),
            _ => in_file(paper),
        };
        for chain in &mut chains {
            chain.is_default = paper.config.settings.default_chain.as_str() == chain.name;
            let known = standing.chains.iter().find(|known| known.chain == chain.name);
            chain.ready = known.map(|known| format!("{} of {} ready", known.ready, known.entries));
            for place in &mut chain.places {
                let known = |entry: &&Entry| entry.provider == place.provider && entry.model == place.model;
                if let Some(entry) = standing.ratelimits.iter().find(known) {
                    place.sign = Sign::of(entry, now);
                }
            }
        }
        chains
    }

    /// Where an entry is, counted from 0.
    pub(super) fn find(&self, provider: &str, model: &str) -> Option<usize> {
        self.places.iter().position(|place| place.provider == provider && place.model == model)
    }

    fn of(name: String, places: Vec<Place>) -> Self {
        Self { id: words::anchor(&name), name, is_default: false, places, ready: None }
    }
}

impl Place {
    fn of(provider: String, model: String, written: Value) -> Self {
        let id = words::anchor(&format!("{provider}/{model}"));
        let sign = Sign { class: "off", word: "not in use", back: None, why: None };
        Self { id, provider, model, written, sign }
    }

    /// `groq / llama-3.3-70b`
    pub(super) fn label(&self) -> String {
        format!("{} / {}", self.provider, self.model)
    }
}

impl Sign {
    fn of(entry: &Entry, now: Wall) -> Self {
        let status = entry.cause.as_ref().map(|cause| cause.status).filter(|status| *status > 0);
        let why = entry.reason.as_ref().map(|reason| match status {
            Some(status) => format!("{reason} ({status})"),
            None => reason.clone(),
        });
        let back = Until::of(entry.cooldown_until.as_deref(), now);
        Self { class: entry.status.class(), word: entry.status.word(), back, why }
    }
}

fn in_use(config: &Config) -> Vec<Listed> {
    let chains = config.chains.iter().map(|chain| {
        let places = chain.entries.iter();
        let places = places.map(|it| Place::of(it.provider.to_string(), it.model.to_string(), Value::Null)).collect();
        Listed::of(chain.name.to_string(), places)
    });
    chains.collect()
}

/// What it is called, the names tell: the document has masks and references in their places.
fn in_file(paper: &Paper) -> Vec<Listed> {
    let items = paper.document.get("chains").map(Value::items).unwrap_or_default();
    let chains = items.iter().zip(&paper.names.chains).map(|(item, names)| {
        let entries = item.get("entries").map(Value::items).unwrap_or_default();
        let places = entries.iter().zip(&names.entries);
        let places = places.map(|(entry, (provider, model))| Place::of(provider.clone(), model.clone(), entry.clone()));
        Listed::of(names.name.clone(), places.collect())
    });
    chains.collect()
}
