use std::sync::{Arc, Mutex};

use tokio::sync::watch;
use tracing::Level;
use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::{Layer, SubscriberExt};

use super::*;
use crate::actors::row::Row;
use crate::domain::time::{Mono, Now};
use crate::store::failing::Disk;

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// When the tests begin.
const START: u64 = 1_795_521_600_000;

/// Time that moves when a test says so.
#[derive(Clone)]
struct Time(Arc<watch::Sender<u64>>);

impl Time {
    fn new() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }

    fn clock(&self) -> Clock {
        let (reading, waiting) = (Arc::clone(&self.0), Arc::clone(&self.0));
        Clock::from_fn(move || {
            let passed = *reading.borrow();
            Now { mono: Mono(passed), wall: Wall(START + passed) }
        })
        .with_alarm(move |at| {
            let mut time = waiting.subscribe();
            Box::pin(async move {
                let _ = time.wait_for(|passed| *passed >= at.0).await;
            })
        })
    }

    fn pass(&self, span: Duration) {
        self.0.send_modify(|passed| *passed += u64::try_from(span.as_millis()).unwrap());
    }
}

/// A recorder on this thread, and the disk that it writes to.
struct Rig {
    disk: Disk,
    time: Time,
    recorder: Addr<RecorderActor>,
    remembered: State,
}

impl Rig {
    fn start(disk: Disk) -> Self {
        let time = Time::new();
        let opened = disk.clone();
        let (recorder, remembered) = RecorderActor::open(Box::new(move || opened.open()), 30 * DAY, time.clock());
        Self { disk, time, recorder: recorder.start(), remembered }
    }

    /// Whatever the passing of time has set off has happened when this returns.
    async fn settle(&self) {
        for _ in 0..10 {
            self.recorder.send(Remember(Vec::new())).await.unwrap();
        }
    }

    async fn pass(&self, span: Duration) {
        self.time.pass(span);
        self.settle().await;
    }

    async fn record(&self, ids: impl IntoIterator<Item = u64>) {
        self.recorder.send(Record(ids.into_iter().map(row).collect())).await.unwrap();
    }

    async fn remember(&self, key: &str, value: Option<&str>) {
        let value = value.map(|value| value.as_bytes().to_vec());
        self.recorder.send(Remember(vec![(key.to_owned(), value)])).await.unwrap();
    }

    async fn close(self) -> Disk {
        self.recorder.send(Close).await.unwrap();
        self.disk
    }
}

fn row(at: u64) -> Row {
    let arrived = Now { wall: Wall(at), ..Now::default() };
    Row { id: format!("{}-{at}", first_id_at(Wall(at))), arrived, ..Row::default() }
}

/// When the rows on the disk arrived, oldest first.
fn arrivals(disk: &Disk) -> Vec<u64> {
    let rows = disk.open().unwrap().newest_requests(usize::MAX).unwrap();
    rows.iter().rev().map(|row| row.id.rsplit('-').next().unwrap().parse().unwrap()).collect()
}

fn state(disk: &Disk) -> Vec<(String, String)> {
    let state = disk.open().unwrap().load_state().unwrap();
    state.into_iter().map(|(key, value)| (key, String::from_utf8(value).unwrap())).collect()
}

/// Warnings and errors of this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn listen(&self) -> DefaultGuard {
        tracing::subscriber::set_default(tracing_subscriber::registry().with(self.clone()))
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl<S: tracing::Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        if *event.metadata().level() <= Level::WARN {
            let mut line = Line(String::new());
            event.record(&mut line);
            self.0.lock().unwrap().push(line.0);
        }
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0 += &format!("{field}={value:?} ");
    }
}

#[actix_rt::test]
async fn o26_what_came_before_the_end_is_on_disk_after_it() {
    let rig = Rig::start(Disk::default());
    assert!(rig.remembered.is_empty());
    rig.record([START, START + 1]).await;
    rig.remember("a", Some("1")).await;
    rig.remember("b", Some("2")).await;
    rig.remember("a", None).await;
    let recorder = rig.recorder.clone();
    let disk = rig.close().await;
    assert_eq!(arrivals(&disk), [START, START + 1]);
    assert_eq!(state(&disk), [("b".into(), "2".into())]);

    // What comes later is not written: the database may have another owner by now.
    recorder.send(Record(vec![row(START + 2)])).await.unwrap();
    recorder.send(Close).await.unwrap();
    assert_eq!(arrivals(&disk), [START, START + 1]);
    let again = Rig::start(disk);
    assert_eq!(again.remembered.get("b").map(Vec::as_slice), Some(&b"2"[..]));
}

#[actix_rt::test]
async fn a_full_batch_is_written_at_once() {
    let rig = Rig::start(Disk::default());
    rig.remember("a", Some("1")).await;
    rig.record(START..START + 2 * BATCH as u64).await;
    // Nothing more can be written, so it was by then.
    rig.disk.set_full(true);
    let disk = rig.close().await;
    disk.set_full(false);
    assert_eq!(arrivals(&disk).len(), 2 * BATCH);
    assert_eq!(state(&disk).len(), 1);
}

#[actix_rt::test]
async fn a_batch_that_does_not_fill_is_written_after_a_moment() {
    let rig = Rig::start(Disk::default());
    let mut syncs = rig.disk.syncs();
    rig.record([START]).await;
    syncs.changed().await.unwrap();
    // The recorder is on this thread: its commit is over.
    rig.disk.set_full(true);
    let disk = rig.close().await;
    disk.set_full(false);
    assert_eq!(arrivals(&disk), [START]);
}

#[actix_rt::test]
async fn a_full_disk_is_said_once_and_nothing_that_fits_in_memory_is_lost() {
    let log = Log::default();
    let _listening = log.listen();
    let rig = Rig::start(Disk::default());
    rig.disk.set_full(true);
    for at in 0..3 {
        rig.record(START + at * 300..START + (at + 1) * 300).await;
        rig.remember("a", Some(&at.to_string())).await;
        rig.pass(REOPEN_EVERY).await;
    }
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("nothing is recorded for now") && lines[0].contains("room"), "{lines:?}");

    rig.disk.set_full(false);
    rig.pass(REOPEN_EVERY).await;
    let lines = log.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].contains("recorded again") && lines[1].contains("dropped=0"), "{lines:?}");
    // Written by then, and not by the end.
    rig.disk.set_full(true);
    let disk = rig.close().await;
    disk.set_full(false);
    assert_eq!(arrivals(&disk).len(), 900);
    assert_eq!(state(&disk), [("a".into(), "2".into())]);
}

#[actix_rt::test]
async fn what_memory_cannot_hold_is_counted() {
    let log = Log::default();
    let _listening = log.listen();
    let rig = Rig::start(Disk::default());
    rig.disk.set_full(true);
    let large = |at| Row { chain: "x".repeat(1 << 20), ..row(at) };
    rig.record(START - BATCH as u64..START).await;
    rig.recorder.send(Record((0..20).map(|at| large(START + at)).collect())).await.unwrap();
    rig.disk.set_full(false);
    rig.pass(REOPEN_EVERY).await;
    let lines = log.lines();
    assert!(lines.last().unwrap().contains("dropped=273"), "{lines:?}");
    let disk = rig.close().await;
    assert_eq!(arrivals(&disk), (START + 17..START + 20).collect::<Vec<_>>(), "the newest are kept");
}

#[actix_rt::test]
async fn rows_that_are_lost_in_the_end_are_told() {
    let log = Log::default();
    let _listening = log.listen();
    let rig = Rig::start(Disk::default());
    rig.record([START]).await;
    rig.disk.set_full(true);
    rig.close().await;
    let lines = log.lines();
    assert!(lines.iter().any(|line| line.contains("before the end") && line.contains("missing=1")), "{lines:?}");
}

/// The database of a proxy that is still going down, for example.
#[actix_rt::test]
async fn a_database_that_cannot_be_opened_at_first_is_opened_later() {
    let disk = Disk::default();
    let before = Rig::start(disk.clone());
    before.remember("a", Some("1")).await;
    let disk = before.close().await;
    disk.set_full(true);
    let rig = Rig::start(disk);
    assert!(rig.remembered.is_empty());
    rig.record([START]).await;
    rig.remember("b", Some("2")).await;
    rig.disk.set_full(false);
    rig.pass(REOPEN_EVERY).await;
    rig.disk.set_full(true);
    let disk = rig.close().await;
    disk.set_full(false);
    assert_eq!(arrivals(&disk), [START]);
    assert_eq!(state(&disk), [("a".into(), "1".into()), ("b".into(), "2".into())]);
}

#[actix_rt::test]
async fn old_rows_are_forgotten_a_few_at_a_time() {
    let day = u64::try_from(DAY.as_millis()).unwrap();
    let oldest = START - 30 * day;
    let disk = Disk::default();
    let database = disk.open().unwrap();
    let rows: Vec<_> = (oldest - 300..oldest + 2).map(|at| row(at).encode()).collect();
    database.write(&rows, &Default::default()).unwrap();
    database.close().unwrap();

    let rig = Rig::start(disk);
    rig.settle().await;
    let disk = rig.close().await;
    assert_eq!(arrivals(&disk).len(), rows.len() - BATCH);

    let rig = Rig::start(disk);
    rig.settle().await;
    let disk = rig.close().await;
    assert_eq!(arrivals(&disk), [oldest, oldest + 1]);

    let rig = Rig::start(disk);
    rig.settle().await;
    rig.pass(SWEEP_EVERY).await;
    let disk = rig.close().await;
    assert!(arrivals(&disk).is_empty());
}

#[actix_rt::test]
async fn a_backlog_of_old_rows_is_worked_off() {
    let disk = Disk::default();
    let database = disk.open().unwrap();
    let rows: Vec<_> = (0..3 * BATCH as u64).map(|at| row(at).encode()).collect();
    database.write(&rows, &Default::default()).unwrap();
    database.close().unwrap();
    let rig = Rig::start(disk);
    rig.settle().await;
    for _ in 0..2 {
        rig.pass(COMMIT_EVERY).await;
    }
    let disk = rig.close().await;
    assert!(arrivals(&disk).is_empty());
}

#[actix_rt::test]
async fn how_long_rows_are_kept_can_be_changed() {
    let ago = |days: u64| START - days * u64::try_from(DAY.as_millis()).unwrap();
    let disk = Disk::default();
    let database = disk.open().unwrap();
    let rows: Vec<_> = [29, 20, 5].map(|days| row(ago(days)).encode()).into();
    database.write(&rows, &Default::default()).unwrap();
    database.close().unwrap();

    let rig = Rig::start(disk);
    rig.recorder.send(Retain(40 * DAY)).await.unwrap();
    rig.pass(3 * DAY).await;
    let disk = rig.close().await;
    assert_eq!(arrivals(&disk), [ago(29), ago(20), ago(5)], "no longer thirty days");

    let rig = Rig::start(disk);
    rig.recorder.send(Retain(10 * DAY)).await.unwrap();
    rig.settle().await;
    let disk = rig.close().await;
    assert_eq!(arrivals(&disk), [ago(5)], "at once, and not with the next search");
}
