//! `GET /v1/stats/series`: sums by the minute, the hour or the day, for charts.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

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

#[derive(Serialize)]
struct Series<'a> {
    from: String,
    to: String,
    range: Option<&'static str>,
    /// minute, hour or day.
    step: &'static str,
    /// One for each step, also where nothing happened.
    points: Vec<Point<'a>>,
}

#[derive(Serialize)]
struct Point<'a> {
    /// When it begins.
    at: String,
    #[serde(flatten)]
    sums: Shown<'a>,
}

/// The series of one chain, provider, entry or client, or of everything.
pub async fn series(request: HttpRequest) -> HttpResponse {
    answer(async {
        let state = state(&request)?;
        let now = state.clock.now().wall;
        let parameters = ["from", "to", "range", "step", "chain", "provider", "entry", "client"];
        let query = Query::parse(request.query_string(), &parameters)?;
        let range = query.range(now)?;
        let unit = unit(&query, range, now)?;
        let (kind, name) = of(&query)?;
        let wanted = name.clone();
        let found = read(state, move |database| database.series(kind, &wanted, unit, range.from, range.to)).await?;
        let found: BTreeMap<u64, Totals> = found.into_iter().map(|(at, totals)| (at.0, totals)).collect();
        let nothing = Totals::default();
        let (first, end) = steps(range, unit);
        let points = (first..end).map(|step| {
            let at = step * unit.ms();
            Point { at: Wall(at).to_string(), sums: Shown::of(kind, &name, found.get(&at).unwrap_or(&nothing)) }
        });
        Ok(HttpResponse::Ok().json(Series {
            from: range.from.to_string(),
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

/// What was asked for, or what suits the range; small units are not kept for long.
fn unit(query: &Query, range: Range, now: Wall) -> Result<Unit, ApiError> {
    let (length, age) = (range.to.0.saturating_sub(range.from.0), now.0.saturating_sub(range.from.0));
    let unit = match query.text("step") {
        Some("minute") => Unit::Minute,
        Some("hour") => Unit::Hour,
        Some("day") => Unit::Day,
        Some(_) => return Err(wrong("`step` must be minute, hour or day")),
        None if length <= 2 * HOUR && age <= MINUTES_FOR => Unit::Minute,
        None if length <= 7 * 24 * HOUR && age <= HOURS_FOR => Unit::Hour,
        None => Unit::Day,
    };
    // A named range begins within the unit that is just kept.
    match unit {
        Unit::Minute if age > MINUTES_FOR + HOUR => {
            Err(wrong("minutes are kept for two days: use step=hour, or a later `from`"))
        }
        Unit::Hour if age > HOURS_FOR + 24 * HOUR => {
            Err(wrong("hours are kept for 100 days: use step=day, or a later `from`"))
        }
        _ => {
            let (first, end) = steps(range, unit);
            let fits = end - first <= MOST_POINTS;
            if fits { Ok(unit) } else { Err(wrong("that are over 1500 points: use a larger step or a shorter range")) }
        }
    }
}

fn wrong(message: &str) -> ApiError {
    ApiError::Query { param: "step", message: message.to_owned() }
}

/// The first step of a range, and the one behind its last, counted from the epoch.
fn steps(range: Range, unit: Unit) -> (u64, u64) {
    let first = range.from.0 / unit.ms();
    (first, range.to.0.div_ceil(unit.ms()).max(first))
}

fn step_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Minute => "minute",
        Unit::Hour => "hour",
        Unit::Day => "day",
    }
}
