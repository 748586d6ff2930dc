//! `GET /v1/stats/series`: sums by the minute, the hour or the day, for charts.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::sums::Shown;
use super::{answer, read, state};
use crate::domain::time::Wall;
use crate::domain::totals::Totals;
use crate::store::totals::{HOURS_FOR, Kind, MINUTES_FOR, Unit};
use crate::web::error::ApiError;
use crate::web::query::{Query, Range};

/// More points than a chart can show.
const MOST_POINTS: u64 = 1_500;

const HOUR: u64 = 3_600_000;

/// Whose series, by the name of a parameter.
const OF: [(&str, Kind); 4] =
    [("chain", Kind::Chain), ("provider", Kind::Provider), ("entry", Kind::Entry), ("client", Kind::Client)];

/// Parameters of a series.
pub(in crate::web) const PARAMETERS: [&str; 8] =
    ["from", "to", "range", "step", "chain", "provider", "entry", "client"];

/// Names of steps.
pub(in crate::web) const STEPS: [&str; 3] = ["minute", "hour", "day"];

/// Sums step by step.
#[derive(Serialize, ToSchema)]
pub(in crate::web) struct Series<'a> {
    #[schema(format = DateTime)]
    from: String,
    #[schema(format = DateTime)]
    to: String,
    /// As it was asked for; null when by its ends.
    range: Option<&'static str>,
    /// minute, hour or day; a larger one than was asked for where that is not kept for so long.
    step: &'static str,
    /// One for each step, also where nothing happened.
    points: Vec<Point<'a>>,
}

/// The sums of one step.
#[derive(Serialize, ToSchema)]
#[schema(as = SeriesPoint)]
struct Point<'a> {
    /// When it begins.
    #[schema(format = DateTime)]
    at: String,
    #[serde(flatten)]
    sums: Shown<'a>,
}

/// The series of one chain, provider, entry or client, or of everything.
pub async fn series(request: HttpRequest) -> HttpResponse {
    answer(async {
        let state = state(&request)?;
        let now = state.clock.now().wall;
        let query = Query::parse(request.query_string(), &PARAMETERS)?;
        let range = query.range(now)?;
        let unit = unit(&query, range, now)?;
        let (first, end) = steps(range, unit);
        let (kind, name) = of(&query)?;
        let wanted = name.clone();
        let found =
            read(state, move |database| database.series(kind, &wanted, unit, Wall(first * unit.ms()), range.to))
                .await?;
        let found: BTreeMap<u64, Totals> = found.into_iter().map(|(at, totals)| (at.0, totals)).collect();
        let nothing = Totals::default();
        let points = (first..end).map(|step| {
            let at = step * unit.ms();
            Point { at: Wall(at).to_string(), sums: Shown::of(kind, &name, found.get(&at).unwrap_or(&nothing)) }
        });
        Ok(HttpResponse::Ok().json(Series {
            from: range.from.max(Wall(first * unit.ms())).to_string(),
            to: range.to.to_string(),
            range: range.name,
            step: step_name(unit),
            points: points.collect(),
        }))
    })
    .await
}

fn of(query: &Query) -> Result<(Kind, String), ApiError> {
    let mut given = OF.into_iter().filter_map(|(name, kind)| Some((name, kind, query.text(name)?)));
    match (given.next(), given.next()) {
        (None, _) => Ok((Kind::All, String::new())),
        (Some((_, kind, name)), None) => Ok((kind, name.to_owned())),
        (Some(_), Some((param, ..))) => {
            let message = "give one of chain, provider, entry and client, or none".to_owned();
            Err(ApiError::Query { param, message })
        }
    }
}

/// What was asked for, or what suits the range; a larger one where that is not kept for so long, or has too many points.
fn unit(query: &Query, range: Range, now: Wall) -> Result<Unit, ApiError> {
    let (length, age) = (range.to.0.saturating_sub(range.from.0), now.0.saturating_sub(range.from.0));
    let wanted = match query.text("step") {
        Some("minute") => Unit::Minute,
        Some("hour") => Unit::Hour,
        Some("day") => Unit::Day,
        Some(_) => {
            let message = format!("`step` must be {}", STEPS.join(", "));
            return Err(ApiError::Query { param: "step", message });
        }
        None if length <= 2 * HOUR => Unit::Minute,
        None if length <= 7 * 24 * HOUR => Unit::Hour,
        None => Unit::Day,
    };
    let fits = |unit: Unit, kept: u64| age <= kept && length / unit.ms() < MOST_POINTS;
    Ok(match wanted {
        Unit::Minute if fits(Unit::Minute, MINUTES_FOR) => Unit::Minute,
        Unit::Minute | Unit::Hour if fits(Unit::Hour, HOURS_FOR) => Unit::Hour,
        _ => Unit::Day,
    })
}

/// The first step of a range, and the one behind its last, counted from the epoch; of too many the last ones.
fn steps(range: Range, unit: Unit) -> (u64, u64) {
    let (first, end) = (range.from.0 / unit.ms(), range.to.0.div_ceil(unit.ms()));
    (first.max(end.saturating_sub(MOST_POINTS)), end.max(first))
}

/// As in [`STEPS`].
fn step_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Minute => "minute",
        Unit::Hour => "hour",
        Unit::Day => "day",
    }
}
