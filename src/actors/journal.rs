//! The worker's side of the recorder: requests in progress, and a buffer of those that have ended.
//!
//! A row per message would wake the recorder's thread for every request (5 us of CPU each); a buffer that is handed
//! over every 50 ms costs a third of that.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use actix::prelude::SendError;
use tokio::sync::mpsc::UnboundedSender;
use tracing::warn;

use super::drain::Drain;
use super::metrics::Metrics;
use super::msg::Record;
use super::recorder::RecorderActor;
use super::route::Entry;
use super::row::Row;
use super::traced::{Context, Traced};
use crate::clock::Clock;
use crate::domain::endpoint::Endpoint;
use crate::domain::ids::EntryId;
use crate::domain::outcome::Reason;
use crate::domain::time::Mono;
use crate::domain::trace::Parent;
use crate::domain::trail::Trail;
use crate::telemetry::tracer::Tracer;

/// How long a row may wait in the buffer.
pub const FLUSH_EVERY: Duration = Duration::from_millis(50);

/// Rows in the buffer while the recorder does not take them, because its disk hangs. More are dropped, and counted.
pub const MAX_ROWS: usize = 4_096;

/// Status of a request whose client left before there was an answer.
pub const CLIENT_CLOSED: u16 = 499;

/// The buffer of one worker thread.
#[derive(Debug)]
pub struct Journal {
    rows: RefCell<Vec<Row>>,
    dropped: Cell<usize>,
    recorder: Addr<RecorderActor>,
    drain: Arc<Drain>,
    metrics: Arc<Metrics>,
    clock: Clock,
    tracer: Option<Arc<Tracer>>,
}

/// A request in progress. Its row is written when this is dropped, on whatever path that happens.
#[derive(Debug)]
pub struct Note {
    /// What is known so far.
    pub row: Row,
    /// When the request arrived.
    pub began: Mono,
    /// For its spans; `None` when nothing is traced.
    traced: Option<Box<Traced>>,
    /// Somebody looks on.
    watcher: Option<UnboundedSender<Progress>>,
    journal: Rc<Journal>,
}

/// What whoever watches a request is told: a few times for each of its calls.
#[derive(Debug)]
pub enum Progress {
    /// This entry is called now; the trail until then.
    Calls(EntryId, Trail),
    /// It waits for quota; the trail until then.
    Waits(Trail),
    /// It is over.
    Ended(Box<Row>),
}

impl Journal {
    /// An empty buffer that is handed to `recorder` from time to time, from a task on the current thread. Spans go to
    /// `tracer`.
    #[must_use]
    pub fn start(
        recorder: Addr<RecorderActor>,
        drain: Arc<Drain>,
        metrics: Arc<Metrics>,
        clock: Clock,
        tracer: Option<Arc<Tracer>>,
    ) -> Rc<Self> {
        let (rows, dropped) = (RefCell::default(), Cell::default());
        let journal = Rc::new(Self { rows, dropped, recorder, drain, metrics, clock, tracer });
        let weak = Rc::downgrade(&journal);
        actix_rt::spawn(async move {
            let mut tick = tokio::time::interval(FLUSH_EVERY);
            loop {
                tick.tick().await;
                match weak.upgrade() {
                    Some(journal) => journal.flush(),
                    None => return,
                }
            }
        });
        journal
    }

    /// Opens the note of a request that has just arrived. Until it is told otherwise it says that the client left.
    #[must_use]
    pub fn open(self: &Rc<Self>, id: String) -> Note {
        self.drain.enter();
        let arrived = self.clock.now();
        let row = Row { id, arrived, status: CLIENT_CLOSED, code: Some("client_closed"), ..Row::default() };
        Note { row, began: arrived.mono, traced: None, watcher: None, journal: Rc::clone(self) }
    }

    fn add(&self, row: Row) {
        let mut rows = self.rows.borrow_mut();
        self.metrics.backlog().add_noted();
        if rows.len() < MAX_ROWS {
            rows.push(row);
        } else {
            self.dropped.set(self.dropped.get() + 1);
            self.metrics.backlog().add_dropped(1);
        }
    }

    /// Hands over what there is, or keeps it while the recorder has enough to do.
    fn flush(&self) {
        let rows = self.rows.take();
        if rows.is_empty() {
            return;
        }
        if let Err(SendError::Full(Record(rows))) = self.recorder.try_send(Record(rows)) {
            self.rows.replace(rows);
        } else if let dropped @ 1.. = self.dropped.take() {
            warn!(dropped, "the recorder did not keep up: requests are missing from the log");
        }
    }

    /// Hands over what there is, for there may be no other time.
    fn flush_all(&self) {
        let rows = self.rows.take();
        if !rows.is_empty() {
            self.recorder.do_send(Record(rows));
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.flush_all();
    }
}

impl Note {
    /// How the request ended: the status that the client got, and the code of the error in it.
    pub fn answered(&mut self, status: u16, code: Option<&'static str>) {
        self.row.status = status;
        self.row.code = code;
    }

    /// Makes the request a part of a trace, when there are traces: of the client's, if `context` finds one.
    pub fn follow(&mut self, endpoint: Endpoint, context: impl FnOnce() -> Option<Parent>) {
        let Some(tracer) = &self.journal.tracer else { return };
        let parent = tracer.traces.propagates.then(context).flatten();
        self.traced = tracer.begin(parent).map(|trace| Box::new(Traced::new(trace, endpoint)));
    }

    /// Tells `watcher` how the request goes on.
    pub fn watch(&mut self, watcher: UnboundedSender<Progress>) {
        self.watcher = Some(watcher);
    }

    /// It waits from now on.
    pub fn waiting(&self) {
        self.tell(|| Progress::Waits(self.row.trail.clone()));
    }

    fn tell(&self, progress: impl FnOnce() -> Progress) {
        if let Some(watcher) = &self.watcher {
            // Nobody has to look on to the end.
            let _ = watcher.send(progress());
        }
    }

    /// A call of `entry` begins; the headers to send along.
    pub fn calling(&mut self, entry: &Arc<Entry>, began: Mono) -> Option<Context> {
        self.tell(|| Progress::Calls(entry.id.clone(), self.row.trail.clone()));
        let (traced, tracer) = (self.traced.as_mut()?, self.journal.tracer.as_ref()?);
        let context = traced.call(tracer.span_id()?, entry, began);
        tracer.traces.propagates.then_some(context)
    }

    /// The stream broke off because of this.
    pub fn broke(&mut self, reason: Option<Reason>) {
        if let Some(traced) = &mut self.traced {
            traced.broken = Some(reason.unwrap_or(Reason::Unknown));
        }
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        let journal = &self.journal;
        self.row.took = journal.clock.mono().since(self.began);
        journal.metrics.count(&self.row);
        self.tell(|| Progress::Ended(Box::new(self.row.clone())));
        if let (Some(traced), Some(tracer)) = (self.traced.take(), &journal.tracer) {
            tracer.add(traced.spans(&self.row));
        }
        journal.add(std::mem::take(&mut self.row));
        if journal.drain.draining() {
            journal.flush_all();
        }
        journal.drain.leave();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use actix::Arbiter;

    use super::*;
    use crate::actors::msg::Close;
    use crate::domain::time::Now;
    use crate::store::failing::Disk;

    /// LESSONS F16: six to eight synchronous write transactions for each success; O27: one insert and two triggers. Whoever
    /// serves requests touches no database, and hundreds of rows share a commit.
    #[actix_rt::test]
    async fn f16_o27_requests_touch_no_database_and_hundreds_share_a_commit() {
        const REQUESTS: usize = 1_000;
        let (disk, clock) = (Disk::default(), Clock::from_fn(Now::default));
        let opened = disk.clone();
        let (recorder, _) = RecorderActor::open(Box::new(move || opened.open()), Duration::MAX, clock.clone());
        let metrics = Arc::new(Metrics::new(recorder.backlog()));
        let arbiter = Arbiter::new();
        let recorder = recorder.start_on(&arbiter);
        let (ready, is_ready) = mpsc::channel();
        arbiter.spawn_fn(move || ready.send(std::thread::current().id()).unwrap());
        let recording = is_ready.recv().unwrap();
        disk.take_users();
        let before = *disk.syncs().borrow();

        let journal = Journal::start(recorder.clone(), Arc::default(), metrics, clock, None);
        for count in 0..REQUESTS {
            drop(journal.open(format!("req_{count:05}")));
        }
        assert!(disk.take_users().iter().all(|user| *user == recording));
        drop(journal);
        recorder.send(Close).await.unwrap();
        assert_eq!(disk.take_users().into_iter().collect::<Vec<_>>(), [recording]);
        // A commit has two, a file that grows one more, and the end some of its own.
        let syncs = *disk.syncs().borrow() - before;
        assert!((2..=REQUESTS / 25).contains(&syncs), "{syncs}");
        assert_eq!(disk.open().unwrap().newest_requests(usize::MAX).unwrap().len(), REQUESTS);
        arbiter.stop();
    }

    /// Writing may take forever; requests are served meanwhile, and memory is bounded.
    #[actix_rt::test]
    async fn a_recorder_that_hangs_costs_rows_and_no_memory() {
        let (disk, clock) = (Disk::default(), Clock::from_fn(Now::default));
        let opened = disk.clone();
        let (recorder, _) = RecorderActor::open(Box::new(move || opened.open()), Duration::MAX, clock.clone());
        let metrics = Arc::new(Metrics::new(recorder.backlog()));
        let arbiter = Arbiter::new();
        let recorder = recorder.start_on(&arbiter);
        let (hanging, hangs) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        arbiter.spawn_fn(move || {
            hanging.send(()).unwrap();
            let _ = released.recv();
        });
        hangs.recv().unwrap();

        let journal = Journal::start(recorder.clone(), Arc::default(), Arc::clone(&metrics), clock, None);
        let requests = 2 * MAX_ROWS;
        for count in 0..requests {
            drop(journal.open(format!("req_{count:05}")));
            if count % 32 == 0 {
                journal.flush();
            }
        }
        let dropped = journal.dropped.get();
        assert_eq!(journal.rows.borrow().len(), MAX_ROWS);
        assert!((1..MAX_ROWS).contains(&dropped), "{dropped}");
        let backlog = metrics.backlog();
        assert_eq!((backlog.waiting(), backlog.dropped()), ((requests - dropped) as u64, dropped as u64));

        drop(release);
        drop(journal);
        recorder.send(Close).await.unwrap();
        assert_eq!(disk.open().unwrap().newest_requests(usize::MAX).unwrap().len(), requests - dropped);
        assert_eq!((backlog.waiting(), backlog.written()), (0, (requests - dropped) as u64));
        arbiter.stop();
    }
}
