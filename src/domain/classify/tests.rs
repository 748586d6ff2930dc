mod bodies;
mod fixtures;
mod lessons;
mod properties;
mod table;

use std::time::Duration;

use serde_json::Value;

use super::{Answer, classify};
use crate::domain::dialect::Dialect;
use crate::domain::outcome::Verdict;
use crate::domain::time::Wall;

/// 2026-11-24T12:00:00Z
const NOW: Wall = Wall(1_795_521_600_000);

/// An answer in the making.
struct Script {
    dialect: Dialect,
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

fn answer(status: u16) -> Script {
    Script { dialect: Dialect::GenericOpenai, status, headers: Vec::new(), body: Vec::new() }
}

impl Script {
    fn from(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn json(self, body: &Value) -> Self {
        self.raw(&body.to_string())
    }

    fn raw(mut self, body: &str) -> Self {
        self.body = body.as_bytes().to_vec();
        self
    }

    fn verdict(&self) -> Verdict {
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        classify(self.dialect, &Answer { status: self.status, headers: &headers, body: &self.body }, NOW)
    }

    fn wait(&self) -> Option<Duration> {
        self.verdict().hint.map(|hint| hint.wait)
    }
}
