//! Can a request be served now? One line for each chain.

use askama::Template;

use crate::config::model::Config;
use crate::domain::time::Wall;
use crate::web::ui::standing::{Chain, Entry, Standing, Status};
use crate::web::ui::words::{self, Until};

#[derive(Template)]
#[template(path = "chains_now.html")]
pub(in crate::web::ui) struct Chains {
    lines: Vec<Line>,
}

struct Line {
    name: String,
    is_default: bool,
    /// Who would be asked.
    next: Option<String>,
    ready: u64,
    entries: u64,
    /// How many requests are left, now and until longer limits reset.
    left: Option<String>,
    waiting: u64,
    /// Who is back first, and when.
    back: Option<(String, Until)>,
    /// When nothing is left at the present rate.
    ends: Option<Until>,
    /// Entries for which waiting does not help, and why.
    broken: Vec<(String, String)>,
}

impl Chains {
    pub(in crate::web::ui) fn of(standing: &Standing, config: &Config, now: Wall) -> Self {
        Self { lines: standing.chains.iter().map(|chain| line(chain, standing, config, now)).collect() }
    }
}

fn line(chain: &Chain, standing: &Standing, config: &Config, now: Wall) -> Line {
    let entries = entries_of(&chain.chain, standing, config);
    let cooling = entries.iter().filter(|entry| entry.status == Status::Cooling);
    let first = cooling.filter_map(|entry| Some((entry, Until::of(entry.cooldown_until.as_deref(), now)?)));
    let first = first.min_by_key(|(_, until)| until.ms).map(|(entry, until)| (entry.provider.clone(), until));
    let back = first.or_else(|| Some(("first".to_owned(), Until::of(chain.first_recovery.as_deref(), now)?)));
    let broken = entries.iter().filter(|entry| entry.status == Status::AuthError);
    Line {
        name: chain.chain.clone(),
        is_default: config.settings.default_chain.as_str() == chain.chain,
        next: chain.next.as_ref().map(|next| next.replacen('/', " / ", 1)),
        ready: chain.ready,
        entries: chain.entries,
        left: left(chain),
        waiting: chain.waiting.depth,
        back,
        ends: Until::of(chain.exhausted_at.as_deref(), now).filter(|_| chain.requests_left != Some(0)),
        broken: broken.map(|entry| (entry.provider.clone(), why(entry))).collect(),
    }
}

/// `4 requests left, 120 within the day`
fn left(chain: &Chain) -> Option<String> {
    let now = chain.requests_left?;
    let later = chain.forecast.iter().filter_map(|ahead| Some((ahead.window.as_deref()?, ahead.requests_left?)));
    let later = later.filter(|(_, count)| *count > now);
    let later = later.map(|(window, count)| format!(", {} within the {window}", words::count(count)));
    Some(format!("{} requests left{}", words::count(now), later.collect::<String>()))
}

fn why(entry: &Entry) -> String {
    let status = entry.cause.as_ref().map(|cause| cause.status).filter(|status| *status > 0);
    let reason = entry.reason.as_deref().unwrap_or("key rejected");
    status.map_or_else(|| reason.to_owned(), |status| format!("{reason} ({status})"))
}

/// The entries of a chain, in its order.
fn entries_of<'a>(chain: &str, standing: &'a Standing, config: &Config) -> Vec<&'a Entry> {
    let places = config.chains.iter().filter(|known| known.name.as_str() == chain).flat_map(|known| &known.entries);
    let find = |provider: &str, model: &str| {
        standing.ratelimits.iter().find(|entry| entry.provider == provider && entry.model == model)
    };
    places.filter_map(|place| find(place.provider.as_str(), place.model.as_str())).collect()
}
