//! What clients saw, as a table for people.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::support::app::Reply;

/// What came of one request.
pub struct Sight {
    saw: String,
    pub calls: usize,
    took: Duration,
}

/// A fault met by a stream, or by a whole answer.
pub struct Row {
    pub fault: String,
    pub stream: bool,
    pub chain: Sight,
    pub alone: Sight,
}

#[derive(Default)]
pub struct Table {
    pub rows: Vec<Row>,
}

impl Sight {
    pub fn new(reply: &Reply, calls: usize, took: Duration) -> Self {
        let answer = match reply.header("x-429chain-provider") {
            "fine/m" => "the answer of the healthy entry",
            _ => "its answer",
        };
        let saw = match (reply.status, reply.text().contains("stream_interrupted")) {
            (200, true) => "a part, then one error event".to_owned(),
            (200, false) => answer.to_owned(),
            (503, _) => format!("503 `{}`", reply.code()),
            (status, _) => format!("its own {status}"),
        };
        Self { saw, calls, took }
    }
}

const HEAD: &str = "\
# Faults

What a client sees of every fault that a provider can throw. Each one was met on a real socket: as the first entry of a chain
whose second is healthy, and as the only entry; by a client that wants a stream, and by one that does not. *Calls* are requests
that the faulty provider got for the one of the client.

Written by `UPDATE_DOCS=1 cargo test --test proxy faults`, and held to be true by the tests, but for the milliseconds. Timeouts
are short in it (300 to 400 ms where a fault is one of time) so that it does not take long, and nobody waits for quota
(`queueMode: false`); the defaults are in `config/config.example.yaml`.

Where a row says \"a part, then one error event\", the client had seen content before the fault: the stream ends with
`data: {\"error\": ...}`, which the official SDKs raise, and without `[DONE]`.

| fault | asked for | in front of a healthy entry | calls | ms | alone | calls | ms |
|---|---|---|---|---|---|---|---|
";

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        for Row { fault, stream, chain, alone } in &self.rows {
            let kind = if *stream { "stream" } else { "whole" };
            let ms = |sight: &Sight| sight.took.as_millis();
            let (fault, c, a) = (fault.replace('|', "/"), chain, alone);
            writeln!(
                f,
                "| {fault} | {kind} | {} | {} | {} | {} | {} | {} |",
                c.saw,
                c.calls,
                ms(c),
                a.saw,
                a.calls,
                ms(a)
            )?;
        }
        Ok(())
    }
}

impl Table {
    /// Whether the document is to be written anew.
    pub fn is_wanted() -> bool {
        std::env::var_os("UPDATE_DOCS").is_some()
    }

    /// Writes the document, or holds it to be true.
    pub fn compare_with_document(&self) {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/FAULTS.md");
        let new = self.to_string();
        if Self::is_wanted() {
            std::fs::write(path, new).unwrap();
            return;
        }
        let old = std::fs::read_to_string(path).expect("docs/FAULTS.md; UPDATE_DOCS=1 writes it");
        let timeless = |text: &str| -> Vec<String> { text.lines().map(without_times).collect() };
        assert_eq!(timeless(&old), timeless(&new), "UPDATE_DOCS=1 writes docs/FAULTS.md anew");
    }
}

fn without_times(line: &str) -> String {
    let cells: Vec<&str> = line.split(" | ").collect();
    match cells.as_slice() {
        [fault, kind, chain, calls, _, alone, more_calls, _] => {
            [*fault, kind, chain, calls, alone, more_calls].join(" | ")
        }
        _ => line.to_owned(),
    }
}
