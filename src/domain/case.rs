//! One recorded provider answer, read as the proxy would read it.
//!
//! A case is one JSON object: `{"provider":"groq","status":429,"headers":{"retry-after":"7"},"body":{"error":{...}}}`. The
//! command `classify`, the fixtures and the fuzz target run cases through here, so that none of them tests a copy.

mod basis;
mod expectation;
mod line;
mod provider;

use bytes::Bytes;
use serde_json::Value;

use super::answer::Answer;
use super::chunk;
use super::classify::{broken, classify};
use super::dialect::Dialect;
use super::evidence::{self, Evidence};
use super::outcome::{Action, Reason, Verdict};
use super::sse::Scanner;
use super::stream::{End, Failure, View, Watch};
use super::time::Wall;
use super::usage::{self, Usage};

pub use expectation::Expectation;
pub use line::CaseError;

/// An answer, and whose it is.
#[derive(Clone, Debug)]
pub struct Case {
    /// How the provider speaks.
    pub dialect: Dialect,
    /// When the answer arrived.
    pub now: Wall,
    /// The HTTP status; 0 when there was no answer.
    pub status: u16,
    /// Header lines, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The body; of a stream everything that was sent.
    pub body: Vec<u8>,
    /// The body is an event stream.
    pub stream: bool,
}

/// What a case comes to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What the answer means.
    pub verdict: Verdict,
    /// Content had been sent to the client when the stream failed.
    pub aborted: bool,
    /// What it says about quota.
    pub evidence: Evidence,
    /// What it cost.
    pub usage: Option<Usage>,
    /// What a client would have read of a stream.
    pub text: Option<String>,
    /// The event by which a stream said that it failed.
    pub failure: Option<Vec<u8>>,
}

impl Case {
    /// Reads a case from one line of JSON; `now` is used when it names no time.
    ///
    /// # Errors
    ///
    /// What is wrong with the line, and where.
    pub fn read(line: &str, now: Wall) -> Result<Self, CaseError> {
        line::read(line, now)
    }

    /// Runs it.
    #[must_use]
    pub fn run(&self) -> Outcome {
        if self.stream && (200..300).contains(&self.status) { self.run_stream() } else { self.run_whole() }
    }

    /// Runs it, and says what came out in the words of the fixtures.
    #[must_use]
    pub fn expectation(&self) -> Expectation {
        Expectation::of(self, &self.run())
    }

    fn run_whole(&self) -> Outcome {
        let lines = self.lines();
        let answer = Answer { status: self.status, headers: &lines, body: &self.body };
        let verdict = classify(self.dialect, &answer, self.now);
        let evidence = evidence::read(self.dialect, &answer, &verdict, self.now);
        Outcome { verdict, aborted: false, evidence, usage: usage::read(&self.body), text: None, failure: None }
    }

    /// What the relay does: content commits, a failure before it asks the next entry, a failure behind it aborts.
    fn run_stream(&self) -> Outcome {
        let mut watch = Watch::new(View::PLAIN);
        let mut fed = watch.feed(Bytes::copy_from_slice(&self.body));
        let mut end = None;
        if !watch.over() {
            let (last, how) = watch.end();
            fed.failed = last.failed;
            end = how;
        }
        let verdict = match &fed.failed {
            Some(Failure::Reported(data)) => chunk::classify_in_band(self.dialect, data, self.now),
            Some(Failure::Garbled | Failure::TooLong) => broken(self.dialect, Reason::Unreadable),
            None if end == Some(End::Truncated) => broken(self.dialect, Reason::Truncated),
            None if !watch.committed() => broken(self.dialect, Reason::Empty),
            None => Verdict::OK,
        };
        let lines = self.lines();
        let reported = match fed.failed {
            Some(Failure::Reported(data)) => Some(data),
            _ => None,
        };
        let body = reported.as_deref().unwrap_or_default();
        let answer = Answer { status: self.status, headers: &lines, body };
        Outcome {
            verdict,
            aborted: verdict.action != Action::Ok && watch.committed(),
            evidence: evidence::read(self.dialect, &answer, &verdict, self.now),
            usage: watch.usage().copied(),
            text: Some(text(&self.body)),
            failure: reported,
        }
    }

    fn lines(&self) -> Vec<(&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
    }
}

/// The content of all events up to the first that fails.
fn text(stream: &[u8]) -> String {
    let (mut text, mut over) = (String::new(), false);
    let mut each = |event: super::sse::Event<'_>| {
        over |= event.named_error || chunk::is_done(event.data) || chunk::read(event.data).failed;
        if let (false, Ok(json)) = (over, serde_json::from_slice::<Value>(event.data)) {
            let content = json.pointer("/choices/0/delta/content").and_then(Value::as_str);
            text.push_str(content.unwrap_or_default());
        }
    };
    let mut scanner = Scanner::default();
    scanner.feed(stream, &mut each);
    scanner.finish(&mut each);
    text
}

#[cfg(test)]
mod tests;
