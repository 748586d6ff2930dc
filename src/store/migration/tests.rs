use std::collections::BTreeMap;

use redb::{Builder, Durability, ReadableDatabase, ReadableTableMetadata, TableHandle};

use super::*;
use crate::domain::time::Wall;
use crate::domain::totals::Totals;
use crate::store::failing::Disk;
use crate::store::requests::Request;
use crate::store::tables::{REQUESTS, SCHEMA, SCHEMA_KEY, STATE, TOTALS};

const NOON: u64 = 1_795_521_600_000;

/// How a row was written by versions 1 and 2, with everything in it that one can hold.
fn json(at: u64) -> (String, String) {
    let id = format!("req_{at:011x}0000002a89abcdef");
    let time = Wall(at);
    let back = Wall(at + 42_000);
    let json = format!(
        r#"{{"id":"{id}","time":"{time}","chain":"default","client":"key-1","model":"gpt-4o","stream":true,"servedBy":"b/m",
        "trail":[{{"provider":"a","model":"m","outcome":"failed","key":2,"reason":"rate_limit","status":429,"message":"429, back in 42 s","retryAt":"{back}","ms":12}},
        {{"provider":"c","model":"m","outcome":"skipped","message":"switched off","ms":0}},
        {{"provider":"b","model":"m","outcome":"served","ms":80}}],
        "status":200,"code":"stream_interrupted","usage":{{"promptTokens":9,"completionTokens":{tokens},"totalTokens":30,"cachedTokens":4,"reasoningTokens":null,"estimated":true}},
        "waitedMs":5,"firstTokenMs":90,"ms":300,"bytesIn":120,"bytesOut":560}}"#,
        tokens = at % 10,
    );
    (id, json)
}

/// As little as a row of version 1 could say, and times that cannot be told.
fn short_json(at: u64) -> (String, String) {
    let id = format!("req_{at:011x}0000002b89abcdef");
    let json = format!(
        r#"{{"id":"{id}","time":"far future","chain":"","model":"","stream":false,
        "trail":[{{"provider":"a","model":"m","outcome":"able","retryAt":"far future","ms":0}}],"status":400,"ms":1}}"#
    );
    (id, json)
}

/// Seven rows in two minutes; each has as many tokens as its last digit says.
fn old_rows() -> Vec<(String, String)> {
    let mut rows: Vec<_> = (0..6).map(|count| json(NOON + count * 20_001)).collect();
    rows.push(short_json(NOON + 7));
    rows
}

fn commit(engine: &redb::Database, work: impl FnOnce(&WriteTransaction)) {
    let mut writing = engine.begin_write().unwrap();
    writing.set_durability(Durability::Immediate).unwrap();
    work(&writing);
    writing.commit().unwrap();
}

/// A database as version `schema` has left it.
fn old_database(schema: u64, rows: &[(String, String)]) -> Disk {
    let disk = Disk::default();
    let engine = Builder::new().create_with_backend(disk.clone()).unwrap();
    commit(&engine, |writing| {
        writing.open_table(META).unwrap().insert(SCHEMA_KEY, schema).unwrap();
        writing.open_table(STATE).unwrap().insert("ledger", b"what was learnt".as_slice()).unwrap();
        let mut table = writing.open_table(OLD_REQUESTS).unwrap();
        for (id, json) in rows {
            table.insert(id.as_str(), json.as_bytes()).unwrap();
        }
        if schema >= 2 {
            let kinds = [Kind::All, Kind::Chain, Kind::Provider, Kind::Entry, Kind::Client];
            totals::apply(writing, &encoded(rows), &kinds).unwrap();
        }
    });
    disk
}

fn encoded(rows: &[(String, String)]) -> Vec<requests::Encoded> {
    rows.iter().map(|(_, json)| old::read(json.as_bytes()).unwrap().encode()).collect()
}

/// All that is told of a database.
fn told(database: &Database) -> (Vec<Request>, Vec<BTreeMap<String, Totals>>) {
    let end = Wall(NOON + 3 * 60_000);
    let sums = Kind::ALL.map(|kind| database.totals(kind, Wall(NOON), end, end).unwrap().totals);
    (database.requests_after("", usize::MAX).unwrap(), sums.into())
}

/// The same rows written by this version.
fn expected(rows: &[(String, String)]) -> (Vec<Request>, Vec<BTreeMap<String, Totals>>) {
    let database = Database::in_memory().unwrap();
    database.write(&encoded(rows), &BTreeMap::new()).unwrap();
    told(&database)
}

#[test]
fn rows_and_sums_of_earlier_versions_are_there_as_if_this_one_had_written_them() {
    for schema in [1, 2] {
        let disk = old_database(schema, &old_rows());
        let database = disk.open().unwrap();
        assert_eq!(told(&database), expected(&old_rows()), "version {schema}");
        assert_eq!(database.load_state().unwrap()["ledger"], b"what was learnt");
        let (rows, sums) = told(&database);
        assert_eq!((rows.len(), sums[0][""].requests), (7, 7));
        let at = rows.iter().position(|row| row.chain.is_empty()).unwrap();
        assert_eq!((rows[at].arrived, rows[at].trail[0].retry_at), (Wall(u64::MAX), Some(Wall(u64::MAX))));
        let trail = serde_json::to_string(&rows[0].trail).unwrap();
        assert!(json(NOON).1.replace("\n        ", "").contains(&trail), "{trail}");
        database.close().unwrap();

        // And nothing of the old is left.
        let engine = Builder::new().create_with_backend(disk.clone()).unwrap();
        let reading = engine.begin_read().unwrap();
        let mut tables: Vec<String> = reading.list_tables().unwrap().map(|table| table.name().to_owned()).collect();
        tables.sort();
        assert_eq!(tables, ["log", "meta", "state", "totals"]);
        let meta = reading.open_table(META).unwrap();
        assert_eq!((meta.len().unwrap(), meta.get(SCHEMA_KEY).unwrap().unwrap().value()), (1, SCHEMA));
    }
}

#[test]
fn an_empty_one_of_an_earlier_version_is_converted() {
    for schema in [1, 2] {
        let disk = old_database(schema, &[]);
        disk.open().unwrap().close().unwrap();
        assert_eq!(told(&disk.open().unwrap()), expected(&[]));
    }
}

/// Wherever it ends, the next start goes on: no row is lost, and none is counted twice.
#[test]
fn a_conversion_that_breaks_off_anywhere_is_finished_by_the_next_start() {
    let expected = expected(&old_rows());
    for schema in [1, 2] {
        let before = old_database(schema, &old_rows());
        let (mut broken, mut halves) = (0, 0);
        for writes in 0.. {
            let disk = before.copy();
            disk.fill_after(writes);
            let opened = disk.open();
            if opened.is_ok() {
                break;
            }
            broken += 1;
            disk.set_full(false);
            halves += usize::from(is_half_converted(&disk));
            assert_eq!(told(&disk.open().unwrap()), expected, "version {schema}, broken off after {writes} writes");
        }
        assert!(broken > 20 && halves > 5, "{broken}, of these {halves} in the middle");
    }
}

fn is_half_converted(disk: &Disk) -> bool {
    let engine = Builder::new().create_with_backend(disk.copy()).unwrap();
    let reading = engine.begin_read().unwrap();
    let (Ok(new), Ok(old)) = (reading.open_table(REQUESTS), reading.open_table(OLD_REQUESTS)) else { return false };
    !new.is_empty().unwrap() && !old.is_empty().unwrap()
}

/// An earlier version would take a half for the whole.
#[test]
fn one_that_is_half_converted_says_so_to_earlier_versions() {
    let disk = old_database(2, &old_rows());
    let engine = Builder::new().create_with_backend(disk).unwrap();
    commit(&engine, |writing| {
        crate::store::tables::prepare(writing).unwrap();
        assert_eq!(step(writing, 2).unwrap(), Some(Done { rows: 2, unreadable: 0 }));
    });
    let meta = engine.begin_read().unwrap().open_table(META).unwrap();
    assert_eq!(meta.get(SCHEMA_KEY).unwrap().unwrap().value(), SCHEMA);
}

#[test]
fn a_damaged_row_stops_no_conversion() {
    let mut rows = old_rows();
    rows[2].1.truncate(40);
    let disk = Disk::default();
    let engine = Builder::new().create_with_backend(disk.clone()).unwrap();
    commit(&engine, |writing| {
        writing.open_table(META).unwrap().insert(SCHEMA_KEY, 1).unwrap();
        let mut table = writing.open_table(OLD_REQUESTS).unwrap();
        for (id, json) in &rows {
            table.insert(id.as_str(), json.as_bytes()).unwrap();
        }
        writing.open_table(TOTALS).unwrap();
    });
    drop(engine);
    let database = disk.open().unwrap();
    let page = database.search_requests(None, "", 50, 50, |_| true).unwrap();
    assert_eq!((page.rows.len(), page.unreadable), (6, 1));
    database.request(&rows[2].0).unwrap_err();
}
