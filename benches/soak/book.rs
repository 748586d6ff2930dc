//! What clients have seen.

use std::collections::{BTreeMap, HashMap};

use tokio::time::Instant;

use crate::answer::Head;
use crate::errand::Errand;
use crate::judge::{End, Fault};

/// Wrong answers of one client that are told in full.
const TOLD: usize = 20;

/// As much of an answer is shown.
const SHOWN: usize = 600;

/// What clients have seen. Every request is in it once: by its id, or, where its client left before it knew that, among
/// those that asked for the same model.
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// By id.
    pub(crate) known: HashMap<String, Saw>,
    /// By what was asked for.
    pub(crate) nameless: HashMap<String, u64>,
    /// By errand and outcome.
    pub(crate) outcomes: BTreeMap<(&'static str, &'static str), u64>,
    /// Wrong answers.
    pub(crate) wrong: Vec<Wrong>,
}

/// A wrong answer.
#[derive(Debug)]
pub(crate) struct Wrong {
    /// When the request was sent.
    pub(crate) sent: Instant,
    /// When it was over.
    pub(crate) ended: Instant,
    /// It belongs to another request.
    pub(crate) crossed: bool,
    /// Everything about it. Of many only some are told.
    pub(crate) told: String,
}

/// How the answer with an id ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Saw {
    /// HTTP status.
    pub(crate) status: u16,
    /// And then.
    pub(crate) end: End,
}

impl Book {
    /// An answer that was as it has to be.
    pub(crate) fn answered(&mut self, errand: &Errand, sent: Instant, head: &Head, what: &'static str, end: End) {
        self.note(errand, sent, head, end);
        self.count(errand, what);
    }

    /// The client left before it knew anything.
    pub(crate) fn left(&mut self, errand: &Errand, what: &'static str, model: &str) {
        *self.nameless.entry(model.to_owned()).or_default() += 1;
        self.count(errand, what);
    }

    /// An answer that was wrong, or none at all.
    pub(crate) fn wrong(&mut self, errand: &Errand, sent: Instant, head: Option<&Head>, body: &[u8], fault: Fault) {
        match head {
            Some(head) => self.note(errand, sent, head, End::Left),
            None => *self.nameless.entry(errand.model.clone()).or_default() += 1,
        }
        self.keep(errand, sent, head, body, fault);
        self.count(errand, "WRONG");
    }

    /// Takes in what another client has seen.
    pub(crate) fn merge(&mut self, other: Self) {
        for (id, saw) in other.known {
            if self.known.insert(id.clone(), saw).is_some() {
                let now = Instant::now();
                self.wrong.push(Wrong {
                    sent: now,
                    ended: now,
                    crossed: true,
                    told: format!("two answers with the id {id}"),
                });
            }
        }
        for (model, count) in other.nameless {
            *self.nameless.entry(model).or_default() += count;
        }
        for (key, count) in other.outcomes {
            *self.outcomes.entry(key).or_default() += count;
        }
        self.wrong.extend(other.wrong);
    }

    /// Requests in it.
    pub(crate) fn requests(&self) -> u64 {
        self.known.len() as u64 + self.nameless.values().sum::<u64>()
    }

    fn note(&mut self, errand: &Errand, sent: Instant, head: &Head, end: End) {
        let Some(id) = head.line("x-request-id") else {
            self.keep(errand, sent, Some(head), b"", "no id".into());
            *self.nameless.entry(errand.model.clone()).or_default() += 1;
            return;
        };
        if self.known.insert(id.to_owned(), Saw { status: head.status, end }).is_some() {
            self.keep(errand, sent, Some(head), b"", "the id of another answer".into());
        }
    }

    fn count(&mut self, errand: &Errand, what: &'static str) {
        *self.outcomes.entry((errand.name, what)).or_default() += 1;
    }

    fn keep(&mut self, errand: &Errand, sent: Instant, head: Option<&Head>, body: &[u8], fault: Fault) {
        let Fault { why, crossed } = fault;
        let told = if self.wrong.len() < TOLD {
            let word = |name| head.and_then(|head| head.line(name)).unwrap_or("-");
            let shown = String::from_utf8_lossy(body.get(..body.len().min(SHOWN)).unwrap_or_default()).into_owned();
            format!(
                "{why}: {} ({}, stream {}) for {:?}, status {}, provider {}, {}\n    {shown:?}",
                errand.name,
                errand.nonce,
                errand.stream,
                errand.model,
                head.map_or(0, |head| head.status),
                word("x-429chain-provider"),
                word("x-request-id"),
            )
        } else {
            why
        };
        self.wrong.push(Wrong { sent, ended: Instant::now(), crossed, told });
    }
}
