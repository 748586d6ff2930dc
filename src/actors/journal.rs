//! The worker's side of the recorder: requests in progress, and a buffer of those that have ended.
//!
//! A row per message would wake the recorder's thread for every request (5 us of CPU each); a buffer that is handed
//! over every 50 ms costs a third of that.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::Addr;

use super::drain::Drain;
use super::msg::Record;
use super::recorder::RecorderActor;
use super::row::Row;
use crate::clock::Clock;
use crate::domain::time::Mono;

/// How long a row may wait in the buffer.
pub const FLUSH_EVERY: Duration = Duration::from_millis(50);

/// Status of a request whose client left before there was an answer.
pub const CLIENT_CLOSED: u16 = 499;

/// The buffer of one worker thread.
#[derive(Debug)]
pub struct Journal {
    rows: RefCell<Vec<Row>>,
    recorder: Addr<RecorderActor>,
    drain: Arc<Drain>,
    clock: Clock,
}

/// A request in progress. Its row is written when this is dropped, on whatever path that happens.
#[derive(Debug)]
pub struct Note {
    /// What is known so far.
    pub row: Row,
    /// When the request arrived.
    pub began: Mono,
    journal: Rc<Journal>,
}

impl Journal {
    /// An empty buffer that is handed to `recorder` from time to time, from a task on the current thread.
    #[must_use]
    pub fn start(recorder: Addr<RecorderActor>, drain: Arc<Drain>, clock: Clock) -> Rc<Self> {
        let journal = Rc::new(Self { rows: RefCell::default(), recorder, drain, clock });
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
        Note { row, began: arrived.mono, journal: Rc::clone(self) }
    }

    fn flush(&self) {
        let rows = self.rows.take();
        if !rows.is_empty() {
            self.recorder.do_send(Record(rows));
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.flush();
    }
}

impl Note {
    /// How the request ended: the status that the client got, and the code of the error in it.
    pub fn answered(&mut self, status: u16, code: Option<&'static str>) {
        self.row.status = status;
        self.row.code = code;
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        let journal = &self.journal;
        self.row.took = journal.clock.mono().since(self.began);
        journal.rows.borrow_mut().push(std::mem::take(&mut self.row));
        if journal.drain.draining() {
            journal.flush();
        }
        journal.drain.leave();
    }
}
