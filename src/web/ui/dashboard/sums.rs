//! What requests of a span of time add up to.

use askama::Template;

use super::charts;
use crate::domain::prices::PriceList;
use crate::domain::time::Wall;
use crate::domain::totals::Totals;
use crate::store::database::Database;
use crate::store::error::StoreError;
use crate::store::totals::Kind;
use crate::web::error::ApiError;
use crate::web::query::{self, Query};
use crate::web::state::State;
use crate::web::stats;
use crate::web::stats::saved::Shares;
use crate::web::ui::chart::{self, Chart};
use crate::web::ui::live::view::Range;
use crate::web::ui::words;

/// Classes of failed calls that a limit is behind.
const LIMITED: [&str; 3] = ["rate_limit", "quota", "concurrency"];

/// Sums, charts, and tables.
#[derive(Template)]
#[template(path = "figures.html")]
pub(in crate::web::ui) struct Figures {
    range: Range,
    /// Whether there were any requests at all.
    any: bool,
    cards: Vec<Card>,
    charts: Vec<Chart>,
    limited: Vec<Bar>,
    providers: Vec<Provider>,
    chains: Vec<Chain>,
}

/// One sum.
struct Card {
    name: &'static str,
    value: String,
    note: String,
    class: &'static str,
}

struct Bar {
    name: String,
    count: u64,
    shown: String,
    most: u64,
}

struct Provider {
    name: String,
    served: String,
    calls: String,
    limited: String,
    others: String,
    tokens: String,
    typical: String,
    slow: String,
    spark: Vec<(String, String, String, String)>,
}

struct Chain {
    name: String,
    requests: String,
    waterfalled: String,
    failed: String,
    tokens: String,
    typical: String,
}

impl Figures {
    /// Reads them.
    pub(super) async fn read(state: &State, range: Range) -> Result<Self, ApiError> {
        let (now, config) = (state.clock.now().wall, state.config());
        stats::read(state, move |database| Self::of(database, range, now, &config.settings.reference_prices)).await
    }

    fn of(database: &Database, range: Range, now: Wall, prices: &PriceList) -> Result<Self, StoreError> {
        let from = query_range(range, now).from;
        let sums = |kind| database.totals(kind, from, now, now).map(|sums| sums.totals);
        let all = sums(Kind::All)?.remove("").unwrap_or_default();
        let (providers, chains) = (sums(Kind::Provider)?, sums(Kind::Chain)?);
        let saved =
            Shares::read(database, Kind::All, query_range(range, now), now)?.map(|shares| shares.all(prices).usd());
        let mut shown = Vec::new();
        for (name, totals) in &providers {
            let spark = charts::calls(database, name, range, now)?;
            shown.push(provider(name, totals, chart::spark(&spark)));
        }
        let most = providers.values().map(limited).max().unwrap_or_default();
        let bars = providers.iter().map(|(name, totals)| (name, limited(totals))).filter(|(_, count)| *count > 0);
        let mut bars: Vec<Bar> =
            bars.map(|(name, count)| Bar { name: name.clone(), count, shown: words::count(count), most }).collect();
        bars.sort_by_key(|bar| std::cmp::Reverse(bar.count));
        let any = all.requests > 0;
        Ok(Self {
            range,
            any,
            cards: cards(&all, saved.unwrap_or_default()),
            charts: if any { charts::over_time(database, range, now)? } else { Vec::new() },
            limited: bars,
            providers: shown,
            chains: chains.iter().map(|(name, totals)| chain(name, totals)).collect(),
        })
    }
}

/// As the API has it, so that the sums are the same.
fn query_range(range: Range, now: Wall) -> query::Range {
    let query = Query::parse(&format!("range={}", range.name()), &["range"]);
    query.and_then(|query| query.range(now)).unwrap_or(query::Range { from: now, to: now, name: None })
}

fn cards(all: &Totals, saved: f64) -> Vec<Card> {
    let any = all.requests > 0;
    let count = |number: u64| if any { words::count(number) } else { words::NONE.to_owned() };
    let part =
        |number: u64| if number > 0 { words::percent(number, all.requests).unwrap_or_default() } else { String::new() };
    let failed = all.failed();
    let tokens = match all.total_tokens > 0 {
        true => format!("{} in, {} out", words::count(all.prompt_tokens), words::count(all.completion_tokens)),
        false => String::new(),
    };
    let first = all.first_token.quantile(0.5).map(|ms| format!("first token {}", words::span(ms)));
    let slow = all.latency.quantile(0.95).map(|ms| format!("p95 {}", words::span(ms)));
    let calls = if any { format!("{} upstream calls", words::count(all.attempts)) } else { String::new() };
    let card = |name, value, note, class| Card { name, value, note, class };
    vec![
        card("Requests", count(all.requests), calls, ""),
        card(
            "Waterfalled",
            count(all.waterfalled),
            part(all.waterfalled),
            if all.waterfalled > 0 { "warn" } else { "" },
        ),
        card("Failed", count(failed), part(failed), if failed > 0 { "bad" } else { "" }),
        card("Tokens", if any { words::count(all.total_tokens) } else { words::NONE.to_owned() }, tokens, ""),
        card(
            "Latency p50",
            words::known_span(all.latency.quantile(0.5)),
            [slow, first].into_iter().flatten().collect::<Vec<_>>().join(" \u{b7} "),
            "",
        ),
        card("Money saved", words::dollars(saved), "by reference prices".to_owned(), ""),
    ]
}

fn limited(totals: &Totals) -> u64 {
    LIMITED.iter().filter_map(|class| totals.failures.get(*class)).sum()
}

fn provider(name: &str, totals: &Totals, spark: Vec<(String, String, String, String)>) -> Provider {
    let limits = limited(totals);
    Provider {
        name: name.to_owned(),
        served: words::count(totals.requests),
        calls: words::count(totals.attempts),
        limited: words::count(limits),
        others: words::count(totals.failed().saturating_sub(limits)),
        tokens: words::count(totals.total_tokens),
        typical: words::known_span(totals.latency.quantile(0.5)),
        slow: words::known_span(totals.latency.quantile(0.95)),
        spark,
    }
}

fn chain(name: &str, totals: &Totals) -> Chain {
    Chain {
        name: if name.is_empty() { "(none)".to_owned() } else { name.to_owned() },
        requests: words::count(totals.requests),
        waterfalled: words::count(totals.waterfalled),
        failed: words::count(totals.failed()),
        tokens: words::count(totals.total_tokens),
        typical: words::known_span(totals.latency.quantile(0.5)),
    }
}
