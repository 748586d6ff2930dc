use std::fs;

use redb::{ReadableDatabase, TableDefinition};

use super::*;
use crate::domain::ids::{ModelId, ProviderId};
use crate::domain::time::Wall;
use crate::domain::trail::{StepOutcome, StepView};
use crate::store::failing::Disk;
use crate::store::place::Place;
use crate::store::requests::{Request, first_id_at};
use crate::store::state::State;

fn request(ms: u64) -> Request {
    Request {
        id: format!("{}-{ms}", first_id_at(Wall(ms))),
        arrived: Wall(ms),
        chain: "default".into(),
        client: "key-1".into(),
        model: "default".into(),
        stream: true,
        served_by: Some("groq/m".into()),
        trail: vec![StepView {
            provider: ProviderId::new("groq"),
            model: ModelId::new("m"),
            outcome: StepOutcome::Served,
            key: None,
            reason: None,
            status: 0,
            message: None,
            retry_at: None,
            ms: Some(3),
        }],
        status: 200,
        code: None,
        usage: None,
        waited_ms: 0,
        first_token_ms: Some(2),
        ms: 3,
        bytes_in: 0,
        bytes_out: 0,
    }
}

fn rows(times: impl IntoIterator<Item = u64>) -> Vec<Encoded> {
    times.into_iter().map(|ms| request(ms).encode()).collect()
}

fn changes(entries: &[(&str, Option<&str>)]) -> Changes {
    entries.iter().map(|(key, value)| ((*key).to_owned(), value.map(|value| value.as_bytes().to_vec()))).collect()
}

fn state(entries: &[(&str, &str)]) -> State {
    entries.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec())).collect()
}

fn times(database: &Database) -> Vec<u64> {
    let newest = database.newest_requests(usize::MAX).unwrap();
    newest.iter().map(|row| row.id.rsplit('-').next().unwrap().parse().unwrap()).collect()
}

struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("usage.redb")
    }

    fn open(&self) -> Result<Database, StoreError> {
        Place::File(self.path()).open()
    }
}

#[test]
fn what_is_written_is_there_after_the_next_start() {
    let dir = Dir::new();
    let database = dir.open().unwrap();
    assert_eq!(database.load_state().unwrap(), State::new());
    assert!(database.newest_requests(5).unwrap().is_empty());
    database.write(&rows([1, 2, 3]), &changes(&[("a", Some("1")), ("b", Some("2"))])).unwrap();
    database.write(&rows([4]), &changes(&[("a", None), ("b", Some("3")), ("never", None)])).unwrap();
    database.close().unwrap();

    let database = dir.open().unwrap();
    assert_eq!(database.load_state().unwrap(), state(&[("b", "3")]));
    assert_eq!(times(&database), [4, 3, 2, 1], "newest first");
    assert_eq!(database.newest_requests(2).unwrap().len(), 2);
    let written = request(3);
    let read = database.request(&written.id).unwrap().unwrap();
    assert_eq!(read, written);
    assert!(database.request("req_unknown").unwrap().is_none());
}

#[test]
fn a_row_written_twice_is_there_once() {
    let database = Place::Memory.open().unwrap();
    database.write(&rows([1]), &Changes::new()).unwrap();
    database.write(&rows([1, 2]), &Changes::new()).unwrap();
    assert_eq!(times(&database), [2, 1]);
    let all = database.totals(Kind::All, Wall(0), Wall(100), Wall(100)).unwrap();
    assert_eq!(all.totals[""].requests, 2, "nor is it counted twice");
}

#[test]
fn rows_and_changes_of_a_batch_come_together_or_not_at_all() {
    let disk = Disk::default();
    let database = disk.open().unwrap();
    database.write(&rows([1]), &changes(&[("a", Some("1"))])).unwrap();
    disk.set_full(true);
    let fault = database.write(&rows(2..500), &changes(&[("a", Some("2"))])).unwrap_err();
    assert!(matches!(fault.fault, Fault::Io(_)), "{fault}");
    assert!(fault.to_string().contains("room"), "{fault}");
    drop(database);
    disk.set_full(false);
    let database = disk.open().unwrap();
    assert_eq!(times(&database), [1]);
    assert_eq!(database.load_state().unwrap(), state(&[("a", "1")]));
}

/// Why the recorder gives up a database after its first error.
#[test]
fn after_an_error_only_a_new_start_helps() {
    let disk = Disk::default();
    let database = disk.open().unwrap();
    disk.set_full(true);
    database.write(&rows([1]), &Changes::new()).unwrap_err();
    disk.set_full(false);
    database.write(&rows([1]), &Changes::new()).unwrap_err();
    drop(database);
    let database = disk.open().unwrap();
    database.write(&rows([1]), &Changes::new()).unwrap();
    assert_eq!(times(&database), [1]);
}

#[test]
fn a_database_is_open_once() {
    let dir = Dir::new();
    let first = dir.open().unwrap();
    let fault = dir.open().unwrap_err();
    assert!(matches!(fault.fault, Fault::Locked), "{fault}");
    assert!(fault.to_string().contains("usage.redb: another process"), "{fault}");
    drop(first);
    dir.open().unwrap();
}

#[test]
fn rows_are_forgotten_oldest_first_and_a_few_at_a_time() {
    let database = Place::Memory.open().unwrap();
    database.write(&rows(0..10), &Changes::new()).unwrap();
    let first_kept = first_id_at(Wall(7));
    assert_eq!(database.forget_requests(&first_kept, 4).unwrap(), 4);
    assert_eq!(times(&database), [9, 8, 7, 6, 5, 4]);
    assert_eq!(database.forget_requests(&first_kept, 4).unwrap(), 3);
    assert_eq!(database.forget_requests(&first_kept, 4).unwrap(), 0);
    assert_eq!(times(&database), [9, 8, 7]);
}

#[test]
fn all_rows_can_be_read_part_by_part() {
    let database = Place::Memory.open().unwrap();
    database.write(&rows(1..=5), &Changes::new()).unwrap();
    let (mut read, mut last) = (Vec::new(), String::new());
    loop {
        let part = database.requests_after(&last, 2).unwrap();
        let Some(row) = part.last() else { break };
        assert!(part.len() <= 2);
        last = row.id.clone();
        read.extend(part.into_iter().map(|row| row.id));
    }
    assert_eq!(read, (1..=5).map(|ms| request(ms).id).collect::<Vec<_>>(), "oldest first, none left out");
}

/// A page of the log, with rows in it that nobody can read.
#[test]
fn rows_that_cannot_be_read_are_counted_and_hide_no_others() {
    let dir = Dir::new();
    let database = dir.open().unwrap();
    database.write(&rows(1..=5), &Changes::new()).unwrap();
    database.close().unwrap();
    let damaged = [first_id_at(Wall(2)) + "-2", first_id_at(Wall(3)) + "-damaged"];
    with_engine(&dir, |writing| {
        for id in &damaged {
            requests::keep_as_it_is(writing, id, b"{").unwrap();
        }
    });

    let database = dir.open().unwrap();
    let page = database.search_requests(None, "", 50, 50, |_| true).unwrap();
    let ids: Vec<&str> = page.rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, [5, 4, 3, 1].map(|ms| request(ms).id));
    assert_eq!((page.unreadable, page.next), (2, None));
    let fault = database.request(&damaged[0]).unwrap_err();
    assert!(matches!(&fault.fault, Fault::Damaged(what) if what.contains(&damaged[0])), "{fault}");

    // Page by page none is left out, and none comes twice.
    let (mut read, mut unreadable, mut before) = (Vec::new(), 0, None);
    loop {
        let page = database.search_requests(before.as_deref(), "", 1, 50, |_| true).unwrap();
        assert!(page.rows.len() <= 1);
        read.extend(page.rows.into_iter().map(|row| row.id));
        unreadable += page.unreadable;
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!((read, unreadable), (ids.iter().map(|id| (*id).to_owned()).collect(), 2));
    // They go when they are old.
    assert_eq!(database.forget_requests(&first_id_at(Wall(6)), 50).unwrap(), 6);
}

/// LESSONS O27: a limit of -1 dumped the table. Whatever is asked for, so much is read and no more.
#[test]
fn o27_a_search_for_what_hardly_occurs_ends_and_can_go_on() {
    let database = Place::Memory.open().unwrap();
    database.write(&rows(1..=100), &Changes::new()).unwrap();
    let looked = std::cell::Cell::new(0);
    let search = |before: Option<&str>| {
        database.search_requests(before, "", 50, 30, |row| {
            looked.set(looked.get() + 1);
            row.arrived == Wall(1)
        })
    };
    let (mut before, mut found) = (None, Vec::new());
    for asked in 1..=4 {
        let page = search(before.as_deref()).unwrap();
        assert_eq!(looked.get(), (asked * 30).min(100));
        found.extend(page.rows);
        before = page.next;
    }
    assert_eq!((found, before), (vec![request(1)], None));
}

fn with_engine(dir: &Dir, work: impl FnOnce(&WriteTransaction)) {
    let engine = redb::Database::create(dir.path()).unwrap();
    let writing = engine.begin_write().unwrap();
    work(&writing);
    writing.commit().unwrap();
}

#[test]
fn a_newer_schema_is_refused_and_left_as_it_is() {
    let dir = Dir::new();
    dir.open().unwrap().close().unwrap();
    with_engine(&dir, |writing| {
        writing.open_table(tables::META).unwrap().insert(tables::SCHEMA_KEY, tables::SCHEMA + 1).unwrap();
    });
    let fault = dir.open().unwrap_err();
    assert!(matches!(fault.fault, Fault::Newer { found } if found == tables::SCHEMA + 1), "{fault}");
    assert!(fault.to_string().contains("newer version of 429chain"), "{fault}");
    let engine = redb::Database::open(dir.path()).unwrap();
    let meta = engine.begin_read().unwrap().open_table(tables::META).unwrap();
    assert_eq!(meta.get(tables::SCHEMA_KEY).unwrap().unwrap().value(), tables::SCHEMA + 1);
}

#[test]
fn a_database_of_another_program_is_refused_and_left_as_it_is() {
    const OTHER: TableDefinition<'_, u64, u64> = TableDefinition::new("bookmarks");
    const META: TableDefinition<'_, u64, u64> = TableDefinition::new("meta");
    for table in [OTHER, META] {
        let dir = Dir::new();
        with_engine(&dir, |writing| {
            writing.open_table(table).unwrap().insert(1, 2).unwrap();
        });
        let fault = dir.open().unwrap_err();
        assert!(matches!(fault.fault, Fault::Foreign), "{fault}");
        let engine = redb::Database::open(dir.path()).unwrap();
        assert_eq!(engine.begin_read().unwrap().list_tables().unwrap().count(), 1);
    }
}

/// Whatever is wrong with a file, it is an error and not the end of the recorder.
#[test]
fn a_damaged_file_is_an_error() {
    let dir = Dir::new();
    let database = dir.open().unwrap();
    database.write(&rows(0..300), &changes(&[("a", Some("1"))])).unwrap();
    database.close().unwrap();
    let sound = fs::read(dir.path()).unwrap();
    let try_out = |bytes: &[u8]| -> Result<(), StoreError> {
        fs::write(dir.path(), bytes).unwrap();
        let database = dir.open()?;
        database.load_state()?;
        database.newest_requests(usize::MAX)?;
        database.write(&rows([1_000]), &changes(&[("b", Some("1"))]))?;
        database.close()
    };
    try_out(&sound).unwrap();
    let mut noticed = 0;
    for start in (MAGIC_ENDS..sound.len()).step_by(4_096) {
        let mut damaged = sound.clone();
        let end = damaged.len().min(start + 4_096);
        damaged[start..end].fill(0x5a);
        noticed += usize::from(try_out(&damaged).is_err());
    }
    assert!(noticed > 5, "{noticed}");
    for length in [10, 100, 4_096, sound.len() / 2] {
        let fault = try_out(&sound[..length]).unwrap_err();
        assert!(matches!(fault.fault, Fault::Damaged(_)), "{length}: {fault}");
        assert!(fault.to_string().contains("Move the file away"), "{length}: {fault}");
    }
}

/// A file that does not begin like one of the engine is taken for somebody else's.
const MAGIC_ENDS: usize = 9;
