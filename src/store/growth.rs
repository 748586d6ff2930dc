//! That what is kept does not grow without end.

use std::collections::BTreeMap;

use redb::{ReadableDatabase, ReadableTable, ReadableTableMetadata};

use super::database::Database;
use super::failing::Disk;
use super::requests::{Encoded, Request, first_id_at};
use super::tables::{REQUESTS, TOTALS};
use super::totals::{HOURS_FOR, MINUTES_FOR};
use crate::domain::time::Wall;

const NOON: u64 = 1_795_521_600_000;
const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

/// How long rows are kept here.
const RETENTION: u64 = 4 * DAY;

/// What is removed in one commit.
const AT_MOST: usize = 64;

/// From one lot of rows to the next.
const STEP: u64 = 6 * HOUR;

/// Rows in a lot.
const LOT: u64 = 100;

fn lot(at: u64) -> Vec<Encoded> {
    let row = |count: u64| Request {
        id: format!("req_{:011x}{count:08x}89abcdef", at + count * 1_000),
        arrived: Wall(at + count * 1_000),
        chain: "default".to_owned(),
        client: "key-1".to_owned(),
        status: 503,
        code: Some("all_providers_exhausted".into()),
        ..Request::default()
    };
    (0..LOT).map(|count| row(count).encode()).collect()
}

/// Removes what is too old, as the recorder does; returns how many commits that took.
fn sweep(database: &Database, now: u64) -> usize {
    let oldest = first_id_at(Wall(now - RETENTION));
    let mut commits = 0;
    loop {
        let rows = database.forget_requests(&oldest, AT_MOST).unwrap();
        let sums = database.forget_totals(Wall(now), AT_MOST).unwrap();
        assert!(rows <= AT_MOST && sums <= AT_MOST);
        commits += usize::from(rows > 0) + usize::from(sums > 0);
        if rows.max(sums) < AT_MOST {
            return commits;
        }
    }
}

/// Rows, and the oldest minute and hour of which there are sums, in milliseconds.
fn left(database: &Database) -> (u64, u64, u64) {
    let left = database.with(|engine| {
        let reading = engine.begin_read()?;
        let rows = reading.open_table(REQUESTS)?.len()?;
        let mut oldest: BTreeMap<u8, u64> = BTreeMap::new();
        for entry in reading.open_table(TOTALS)?.iter()? {
            let key = entry?.0.value().to_vec();
            let at = u64::from_be_bytes(key[2..10].try_into().unwrap());
            let known = oldest.entry(key[0]).or_insert(at);
            *known = at.min(*known);
        }
        Ok((rows, oldest[&b'm'] * 60_000, oldest[&b'h'] * HOUR))
    });
    left.unwrap()
}

/// LESSONS F17: a table grew forever, for nothing was ever deleted from it. Under a constant load the file stops growing
/// once as much goes as comes.
#[test]
fn f17_nothing_grows_forever() {
    let disk = Disk::default();
    let database = disk.open().unwrap();
    // Hours stay for a hundred days: from then on it is as large as it gets, but for the days.
    let (settled, end) = (104 * DAY, 130 * DAY);
    let (mut early, mut late) = (0, 0);
    for passed in (0..end).step_by(usize::try_from(STEP).unwrap()) {
        let now = NOON + passed;
        database.write(&lot(now), &BTreeMap::new()).unwrap();
        let commits = sweep(&database, now);
        assert!(commits < 20, "{commits} commits after {} days", passed / DAY);
        let most = if passed < settled { &mut early } else { &mut late };
        *most = disk.size().max(*most);
    }
    assert!(late <= early, "it was at most {early} bytes, and then {late}");

    let now = NOON + end - STEP;
    let (rows, minute, hour) = left(&database);
    assert_eq!(rows, (RETENTION / STEP + 1) * LOT);
    assert!(minute + MINUTES_FOR + HOUR + 3 * 60_000 >= now, "{minute}");
    assert!(hour + HOURS_FOR + 27 * HOUR >= now, "{hour}");
}
