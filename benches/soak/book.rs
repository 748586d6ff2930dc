//! What clients have seen.

use std::collections::{BTreeMap, HashMap};

use crate::answer::Head;
use crate::errand::Errand;
use crate::judge::End;

/// Wrong answers that are kept to be shown.
const EXAMPLES: usize = 5;

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
    pub(crate) wrong: u64,
    /// Some of them.
    pub(crate) examples: Vec<String>,
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
    pub(crate) fn answered(&mut self, errand: &Errand, head: &Head, what: &'static str, end: End) {
        self.note(errand, head, end);
        self.count(errand, what);
    }

    /// The client left before it knew anything.
    pub(crate) fn left(&mut self, errand: &Errand, what: &'static str, model: &str) {
        *self.nameless.entry(model.to_owned()).or_default() += 1;
        self.count(errand, what);
    }

    /// An answer that was wrong, or none at all.
    pub(crate) fn wrong(&mut self, errand: &Errand, head: Option<&Head>, body: &[u8], why: &str) {
        match head {
            Some(head) => self.note(errand, head, End::Left),
            None => *self.nameless.entry(errand.model.clone()).or_default() += 1,
        }
        self.example(errand, head, body, why);
        self.count(errand, "WRONG");
    }

    /// Takes in what another client has seen.
    pub(crate) fn merge(&mut self, other: Self) {
        for (id, saw) in other.known {
            if self.known.insert(id.clone(), saw).is_some() {
                self.wrong += 1;
                self.examples.push(format!("two answers with the id {id}"));
            }
        }
        for (model, count) in other.nameless {
            *self.nameless.entry(model).or_default() += count;
        }
        for (key, count) in other.outcomes {
            *self.outcomes.entry(key).or_default() += count;
        }
        self.wrong += other.wrong;
        self.examples.extend(other.examples);
        self.examples.truncate(EXAMPLES);
    }

    /// Requests in it.
    pub(crate) fn requests(&self) -> u64 {
        self.known.len() as u64 + self.nameless.values().sum::<u64>()
    }

    fn note(&mut self, errand: &Errand, head: &Head, end: End) {
        let Some(id) = head.line("x-request-id") else {
            self.example(errand, Some(head), b"", "no id");
            *self.nameless.entry(errand.model.clone()).or_default() += 1;
            return;
        };
        if self.known.insert(id.to_owned(), Saw { status: head.status, end }).is_some() {
            self.example(errand, Some(head), b"", "the id of another answer");
        }
    }

    fn count(&mut self, errand: &Errand, what: &'static str) {
        *self.outcomes.entry((errand.name, what)).or_default() += 1;
    }

    fn example(&mut self, errand: &Errand, head: Option<&Head>, body: &[u8], why: &str) {
        self.wrong += 1;
        if self.examples.len() < EXAMPLES {
            let word = |name| head.and_then(|head| head.line(name)).unwrap_or("-");
            let shown = String::from_utf8_lossy(body.get(..body.len().min(SHOWN)).unwrap_or_default()).into_owned();
            self.examples.push(format!(
                "{why}: {} ({}, stream {}) for {:?}, status {}, provider {}, {}\n    {shown:?}",
                errand.name,
                errand.nonce,
                errand.stream,
                errand.model,
                head.map_or(0, |head| head.status),
                word("x-429chain-provider"),
                word("x-request-id"),
            ));
        }
    }
}
