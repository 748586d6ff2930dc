use super::*;
use crate::domain::ids::{ModelId, ProviderId};
use crate::domain::outcome::Reason;
use crate::domain::totals::Scope;
use crate::domain::trail::{StepOutcome, StepView};
use crate::domain::usage::Usage;
use proptest::prelude::*;

const NOON: u64 = 1_795_521_600_000;

/// What a row of the tests is made of: when, which chain, who failed, who served.
type Row = (u64, u8, Option<u8>, Option<u8>);

fn request(count: usize, (at, chain, failed, served): Row) -> Request {
    let step = |entry: u8, outcome| StepView {
        provider: ProviderId::new(format!("p{entry}")),
        model: ModelId::new("m"),
        outcome,
        key: None,
        reason: (outcome == StepOutcome::Failed).then_some(Reason::Server),
        status: 0,
        message: None,
        retry_at: None,
        ms: Some(20),
    };
    let failed = failed.map(|it| step(it, StepOutcome::Failed));
    let usage = Usage {
        prompt_tokens: 10,
        completion_tokens: u64::from(chain),
        total_tokens: 10 + u64::from(chain),
        ..Usage::default()
    };
    Request {
        id: format!("req_{at:011x}{count:08x}00000001"),
        arrived: Wall(at),
        chain: format!("chain-{chain}"),
        client: "key-1".to_owned(),
        model: "default".to_owned(),
        stream: chain == 0,
        served_by: served.map(|it| format!("p{it}/m")),
        trail: failed.into_iter().chain(served.map(|it| step(it, StepOutcome::Served))).collect(),
        status: if served.is_some() { 200 } else { 503 },
        code: served.is_none().then_some("all_providers_exhausted".into()),
        usage: served.map(|_| usage),
        waited_ms: 0,
        first_token_ms: Some(30),
        ms: 100 + u64::from(chain),
        bytes_in: 1,
        bytes_out: 2,
    }
}

fn filled(rows: &[Row]) -> Database {
    let database = Database::in_memory().unwrap();
    let encoded: Vec<Encoded> = rows.iter().enumerate().map(|(count, row)| request(count, *row).encode()).collect();
    for batch in encoded.chunks(7) {
        database.write(batch, &std::collections::BTreeMap::new()).unwrap();
    }
    database
}

/// The same, from the rows alone.
fn expected(rows: &[Row], kind: Kind, from: u64, to: u64) -> BTreeMap<String, Totals> {
    let mut sums: BTreeMap<String, Totals> = BTreeMap::new();
    for (count, row) in rows.iter().enumerate().filter(|(_, row)| (from..to).contains(&row.0)) {
        fold(&request(count, *row).facts(), |scope, totals| {
            let (of, name) = name(scope);
            if of == kind {
                sums.entry(name.concat()).or_default().add(totals);
            }
        });
    }
    sums
}

/// As earlier versions have written them.
#[test]
fn names_in_keys_stay_as_they_are() {
    for (scope, kind, text) in [
        (Scope::All, Kind::All, ""),
        (Scope::Chain("fast/x"), Kind::Chain, "fast/x"),
        (Scope::Provider("groq"), Kind::Provider, "groq"),
        (Scope::Entry("groq", "a/b:free"), Kind::Entry, "groq/a/b:free"),
        (Scope::Client("laptop"), Kind::Client, "laptop"),
        (Scope::ChainEntry("fast", "groq", "a"), Kind::ChainEntry, "fast\tgroq/a"),
    ] {
        let (of, parts) = name(scope);
        assert_eq!((of, parts.concat().as_str()), (kind, text));
        let hour = encode(Unit::Hour, kind, 12, text);
        assert_eq!(around(&encode(Unit::Minute, kind, 12 * 60 + 59, text), Unit::Hour).unwrap(), hour);
        assert_eq!(
            around(&encode(Unit::Minute, kind, 1_440, text), Unit::Day).unwrap(),
            encode(Unit::Day, kind, 1, text)
        );
    }
}

#[test]
fn a_range_is_split_into_the_largest_units() {
    let (day, hour, minute) = (86_400_000, 3_600_000, 60_000);
    let from = NOON - 1;
    let to = NOON + 2 * day + hour + 3 * minute + 5;
    let parts = parts(from, to);
    let total: u64 = parts
        .iter()
        .map(|part| match part {
            Part::Units { unit, first, end } => (end - first) * unit.ms(),
            Part::Rows { from, to } => to - from,
        })
        .sum();
    assert_eq!(total, to - from);
    assert_eq!(parts.first(), Some(&Part::Rows { from, to: NOON }));
    assert!(matches!(parts.get(2), Some(Part::Units { unit: Unit::Day, .. })), "{parts:?}");
    assert_eq!(super::parts(5, 5), []);
}

#[test]
fn old_minutes_and_hours_go_and_days_stay() {
    let old = NOON - 3 * 86_400_000;
    let database = filled(&[(old, 1, None, Some(1)), (NOON - 5_000, 1, None, Some(1))]);
    let now = Wall(NOON);
    while database.forget_totals(now, 2).unwrap() > 0 {}
    let sums = database.totals(Kind::All, Wall(old - 500), now, now).unwrap();
    assert_eq!(sums.from, Wall((old - 500) / 3_600_000 * 3_600_000), "to the hour");
    assert_eq!(sums.totals[""].requests, 2);
    assert!(database.series(Kind::All, "", Unit::Minute, Wall(0), now).unwrap().iter().all(|(at, _)| at.0 > old));
    let much_later = Wall(NOON + 200 * 86_400_000);
    while database.forget_totals(much_later, 100).unwrap() > 0 {}
    assert_eq!(database.totals(Kind::All, Wall(0), much_later, much_later).unwrap().totals[""].requests, 2);
}

/// A range may end where minutes, or hours, are about to go: what comes before its end within the hour is still there.
#[test]
fn ranges_that_end_where_smaller_units_end_miss_nothing() {
    let (minute, hour, day) = (60_000, 3_600_000, 86_400_000);
    let now = Wall(NOON + 30 * minute);
    for (kept, larger) in [(MINUTES_FOR, hour), (HOURS_FOR, day)] {
        let edge = now.0 - kept;
        let at = edge / larger * larger + 5 * minute;
        let database = filled(&[(at, 1, None, Some(1))]);
        while database.forget_totals(now, 100).unwrap() > 0 {}
        for (from, to) in [(at - larger, edge + 10 * minute), (at - larger, edge), (at - larger, now.0)] {
            let sums = database.totals(Kind::All, Wall(from), Wall(to), now).unwrap();
            assert_eq!(sums.totals.get("").map_or(0, |all| all.requests), 1, "{from} to {to}: {sums:?}");
        }
    }
}

/// Rows may be gone after a day: what is older begins and ends with minutes.
#[test]
fn o27_a_range_of_yesterday_needs_no_rows() {
    let at = NOON - 30 * 3_600_000 + 500;
    let database = filled(&[(at, 1, None, Some(1))]);
    let now = Wall(NOON);
    while database.forget_requests(&first_id_at(Wall(NOON - 86_400_000)), 10).unwrap() > 0 {}
    let sums = database.totals(Kind::All, Wall(at - 100), Wall(at + 100), now).unwrap();
    assert_eq!((sums.from.0, sums.to.0), (at / 60_000 * 60_000, at / 60_000 * 60_000 + 60_000));
    assert_eq!(sums.totals[""].requests, 1);
}

#[test]
fn a_series_has_one_sum_for_each_unit_with_requests() {
    let hour = 3_600_000;
    let database =
        filled(&[(NOON, 1, None, Some(1)), (NOON + 1, 1, None, Some(2)), (NOON + 2 * hour, 2, None, Some(1))]);
    let series = database.series(Kind::Chain, "chain-1", Unit::Hour, Wall(NOON), Wall(NOON + 3 * hour)).unwrap();
    let seen: Vec<(u64, u64)> = series.iter().map(|(at, totals)| (at.0, totals.requests)).collect();
    assert_eq!(seen, [(NOON, 2)]);
    let all = database.series(Kind::All, "", Unit::Hour, Wall(NOON), Wall(NOON + 3 * hour)).unwrap();
    assert_eq!(all.iter().map(|(at, _)| at.0).collect::<Vec<_>>(), [NOON, NOON + 2 * hour]);
}

/// A chain may be called as a provider is, and a single entry is a route, too.
#[test]
fn what_an_entry_did_within_each_chain_can_be_told_apart() {
    let database = Database::in_memory().unwrap();
    let mut rows: Vec<Request> = [(0, Some(2), Some(1)), (0, None, Some(1)), (1, None, Some(1))]
        .into_iter()
        .enumerate()
        .map(|(count, (chain, failed, served))| request(count, (NOON, chain, failed, served)))
        .collect();
    rows[2].chain = "p1/m".to_owned();
    let encoded: Vec<Encoded> = rows.iter().cloned().map(Request::encode).collect();
    database.write(&encoded, &std::collections::BTreeMap::new()).unwrap();
    let sums = database.totals(Kind::ChainEntry, Wall(NOON), Wall(NOON + 60_000), Wall(NOON)).unwrap().totals;
    let seen: Vec<_> = sums
        .iter()
        .map(|(name, totals)| (chain_and_entry(name).unwrap(), totals.requests, totals.attempts, totals.total_tokens))
        .collect();
    assert_eq!(seen, [(("chain-0", "p1/m"), 2, 2, 20), (("chain-0", "p2/m"), 0, 1, 0), (("p1/m", "p1/m"), 1, 1, 11)]);
    assert_eq!(chain_and_entry("p1/m"), None);
}

/// LESSONS O27: the summary was a full scan of the rows, every five seconds; F17: so was the list of providers.
#[test]
fn o27_f17_sums_are_read_and_not_the_rows() {
    let database = filled(&[(NOON, 0, Some(2), Some(1)), (NOON + 1, 1, None, Some(1))]);
    let read =
        || Kind::ALL.map(|kind| database.totals(kind, Wall(NOON), Wall(NOON + 60_000), Wall(NOON + 1)).unwrap().totals);
    let with_rows = read();
    assert_eq!(with_rows[0][""].requests, 2);
    assert_eq!(database.forget_requests(&first_id_at(Wall(NOON + 60_000)), 10).unwrap(), 2);
    assert_eq!(read(), with_rows);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the range, the sums are those of its rows.
    #[test]
    fn sums_equal_the_sum_of_the_rows_for_any_range(
        rows in prop::collection::vec((0_u64..3 * 86_400_000, 0_u8..3, prop::option::of(0_u8..3), prop::option::of(0_u8..3)), 0..60),
        from in 0_u64..3 * 86_400_000, length in 0_u64..3 * 86_400_000, kind in 0_usize..Kind::ALL.len(),
    ) {
        // All of it lies within the two days for which minutes are kept, or is asked for by the hour.
        let rows: Vec<Row> = rows.into_iter().map(|(at, a, b, c)| (NOON + at, a, b, c)).collect();
        let database = filled(&rows);
        let now = Wall(NOON + 3 * 86_400_000);
        let kind = Kind::ALL[kind];
        let sums = database.totals(kind, Wall(NOON + from), Wall(NOON + from + length), now).unwrap();
        prop_assert!(sums.from.0 <= NOON + from && sums.to.0 >= NOON + from + length);
        prop_assert!(NOON + from - sums.from.0 < 3_600_000 && sums.to.0 - (NOON + from + length) < 3_600_000);
        prop_assert_eq!(&sums.totals, &expected(&rows, kind, sums.from.0, sums.to.0));
    }
}
