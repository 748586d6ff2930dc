//! The rows in the database against what clients have seen.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use chain429::domain::trail::StepOutcome;
use chain429::store::place::Place;
use chain429::store::requests::Request;

use crate::Result;
use crate::book::{Book, Saw};
use crate::judge::End;

/// Rows that are read at once.
const AT_ONCE: usize = 10_000;

/// Findings that are kept to be shown.
const EXAMPLES: usize = 5;

/// What the rows say.
#[derive(Debug, Default)]
pub(crate) struct Census {
    /// Rows.
    pub(crate) rows: u64,
    /// Bytes of the database.
    pub(crate) size: u64,
    /// Requests without a row.
    pub(crate) lost: u64,
    /// Rows without a request.
    pub(crate) extra: u64,
    /// Rows that tell another end than their clients have seen.
    pub(crate) other: u64,
    /// Some of all these.
    pub(crate) examples: Vec<String>,
    /// Failed calls in the trails, by provider.
    pub(crate) failed: BTreeMap<String, u64>,
}

impl Census {
    /// Reads all rows and looks for those that clients know.
    pub(crate) fn take(database: &Path, book: &Book) -> Result<Self> {
        let mut census = Self { size: std::fs::metadata(database)?.len(), ..Self::default() };
        let database = Place::File(database.to_owned()).open()?;
        let mut unmet: HashMap<&str, Saw> = book.known.iter().map(|(id, saw)| (id.as_str(), *saw)).collect();
        let mut nameless: HashMap<String, u64> = HashMap::new();
        let mut last = String::new();
        loop {
            let rows = database.requests_after(&last, AT_ONCE)?;
            let Some(newest) = rows.last() else { break };
            newest.id.clone_into(&mut last);
            for row in rows {
                census.rows += 1;
                census.follow(&row);
                match unmet.remove(row.id.as_str()) {
                    Some(saw) => census.compare(&row, saw),
                    None => *nameless.entry(row.model).or_default() += 1,
                }
            }
        }
        census.lost += unmet.len() as u64;
        for (id, saw) in unmet.into_iter().take(EXAMPLES) {
            census.example(format!("lost: {id}, {saw:?}"));
        }
        census.weigh(&book.nameless, &nameless);
        database.close()?;
        Ok(census)
    }

    /// Clients that left early do not know the ids of their requests: for each model there are as many rows of unknown
    /// ids as such clients.
    fn weigh(&mut self, left: &HashMap<String, u64>, rows: &HashMap<String, u64>) {
        let models: std::collections::BTreeSet<&String> = left.keys().chain(rows.keys()).collect();
        for model in models {
            let count = |of: &HashMap<String, u64>| of.get(model).copied().unwrap_or_default();
            let (left, rows) = (count(left), count(rows));
            if left != rows {
                self.lost += left.saturating_sub(rows);
                self.extra += rows.saturating_sub(left);
                self.example(format!("{left} clients left before the answer of {model:?}, {rows} rows are theirs"));
            }
        }
    }

    fn compare(&mut self, row: &Request, saw: Saw) {
        let code = row.code.as_deref();
        let agrees = match saw.end {
            End::Whole => row.status == saw.status && (saw.status != 200 || code.is_none()),
            End::Interrupted => row.status == 200 && code == Some("stream_interrupted"),
            End::Left => row.status == saw.status,
        };
        if !agrees {
            self.other += 1;
            self.example(format!("another end: {saw:?}, and its row {}: {} {code:?}", row.id, row.status));
        }
    }

    fn follow(&mut self, row: &Request) {
        for step in row.trail.iter().filter(|step| step.outcome == StepOutcome::Failed) {
            match self.failed.get_mut(step.provider.as_str()) {
                Some(count) => *count += 1,
                None => _ = self.failed.insert(step.provider.to_string(), 1),
            }
        }
    }

    fn example(&mut self, text: String) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(text);
        }
    }
}
