//! Who rests and until when, and what is left of every limit.

use askama::Template;

use crate::config::model::Config;
use crate::domain::time::Wall;
use crate::web::ui::standing::{Bucket, Entry, Standing, Status};
use crate::web::ui::words::{self, Until};

#[derive(Template)]
#[template(path = "limits.html")]
pub(in crate::web::ui) struct Limits {
    rows: Vec<Row>,
    /// Which entries are looked for, in a word; `None` is all of them.
    show: Option<&'static str>,
}

struct Row {
    /// For the browser to find it again.
    id: String,
    provider: String,
    model: String,
    class: &'static str,
    word: &'static str,
    in_flight: u64,
    keys: usize,
    requests: Option<Gauge>,
    tokens: Option<Gauge>,
    long: Option<Gauge>,
    back: Option<Until>,
    /// Why it is not ready, where there is more to say than the state.
    reason: Option<String>,
    /// How that is known.
    basis: Option<String>,
    chains: String,
}

/// What is used of a limit.
struct Gauge {
    used: u64,
    limit: u64,
    text: String,
    window: String,
    low: bool,
    /// Where the limit is known from, when, and who shares it.
    source: String,
    /// Where from, in short.
    origin: &'static str,
    /// When all of it is back, for windows that are longer than a hour.
    resets: Option<Until>,
}

impl Limits {
    pub(in crate::web::ui) fn of(standing: &Standing, show: Option<Status>, config: &Config, now: Wall) -> Self {
        let wanted = |entry: &&Entry| show.is_none_or(|show| entry.status == show);
        let mut entries: Vec<&Entry> = standing.ratelimits.iter().filter(wanted).collect();
        entries.sort_by(|one, other| (one.status, &one.cooldown_until).cmp(&(other.status, &other.cooldown_until)));
        Self { rows: entries.into_iter().map(|entry| row(entry, config, now)).collect(), show: show.map(Status::word) }
    }
}

fn row(entry: &Entry, config: &Config, now: Wall) -> Row {
    // Of several keys the one that makes the entry what it is.
    let key = entry.keys.iter().find(|key| key.status == entry.status).or(entry.keys.first());
    let buckets = || key.into_iter().flat_map(|key| &key.buckets);
    let scarcest = |counts: Option<&str>, long: bool| {
        let fitting = buckets().filter(|bucket| is_long(bucket) == long);
        let fitting = fitting.filter(|bucket| counts.is_none_or(|counts| bucket.counts == counts));
        fitting.min_by_key(|bucket| left_of(bucket)).map(|bucket| gauge(bucket, now))
    };
    let places = |chain: &&crate::config::model::Chain| {
        let is_it = |place: &crate::config::model::ChainEntry| {
            place.provider.as_str() == entry.provider && place.model.as_str() == entry.model
        };
        chain.entries.iter().any(is_it)
    };
    let chains: Vec<&str> = config.chains.iter().filter(places).map(|chain| chain.name.as_str()).collect();
    let status = entry.cause.as_ref().map(|cause| cause.status).filter(|status| *status > 0);
    let reason = entry.reason.as_ref().map(|reason| match status {
        Some(status) => format!("{reason} ({status})"),
        None => reason.clone(),
    });
    Row {
        id: format!("limit-{}", words::anchor(&format!("{}/{}", entry.provider, entry.model))),
        provider: entry.provider.clone(),
        model: entry.model.clone(),
        class: entry.status.class(),
        word: entry.status.word(),
        in_flight: entry.in_flight,
        keys: entry.keys.len(),
        requests: scarcest(Some("requests"), false),
        tokens: scarcest(Some("tokens"), false),
        long: scarcest(None, true),
        back: Until::of(entry.cooldown_until.as_deref(), now),
        reason,
        basis: entry.cause.as_ref().map(|cause| basis(&cause.basis, &cause.target)),
        chains: chains.join(", "),
    }
}

fn gauge(bucket: &Bucket, now: Wall) -> Gauge {
    let origin = match bucket.source.as_str() {
        "configured" => "set by hand",
        "header" => "from headers",
        _ => "learned from a 429",
    };
    let shared = match bucket.of.as_str() {
        "entry" => String::new(),
        of => format!(", shared by all models of the {of}"),
    };
    let window = bucket.window.as_deref().map(|window| format!("per {window}")).unwrap_or_default();
    let limit = bucket.limit.unwrap_or_default();
    let (used, text) = match (bucket.limit, bucket.used) {
        (Some(limit), Some(used)) => (used.min(limit), format!("{} / {}", words::count(used), words::count(limit))),
        _ => (0, format!("{} left", words::count(bucket.remaining))),
    };
    Gauge {
        used,
        limit,
        text,
        // Short windows stand in a column of their own.
        window: if is_long(bucket) && bucket.counts != "requests" {
            format!("{} {window}", bucket.counts)
        } else {
            window
        },
        low: limit > 0 && bucket.remaining.saturating_mul(5) <= limit,
        source: format!("{origin}{}{shared}", ago(bucket.age_ms)),
        origin,
        resets: if is_long(bucket) { Until::of(bucket.resets_at.as_deref(), now) } else { None },
    }
}

fn ago(age: Option<u64>) -> String {
    age.map(|age| format!(", {} ago", words::age(age))).unwrap_or_default()
}

fn is_long(bucket: &Bucket) -> bool {
    let short = ["second", "minute", "hour"];
    bucket.window.as_deref().is_some_and(|window| !short.contains(&window) && !window.ends_with(" s"))
}

/// How much is left, in thousandths.
fn left_of(bucket: &Bucket) -> u64 {
    bucket.remaining.saturating_mul(1_000).checked_div(bucket.limit.unwrap_or(bucket.remaining)).unwrap_or(1_000)
}

fn basis(basis: &str, target: &str) -> String {
    let known = match basis {
        "retry_after_ms_header" | "retry_after_header" => "as its Retry-After says",
        "reset_header" => "as its reset header says",
        "body_field" | "body_hint" => "as its answer says",
        "calendar" | "window_length" => "until its window ends",
        "refill_rate" => "at the rate of its refill",
        "clamp" => "as long as is believed",
        _ => "a guess: it named no time",
    };
    match target {
        "entry" => known.to_owned(),
        target => format!("{known}; holds for the whole {target}"),
    }
}
