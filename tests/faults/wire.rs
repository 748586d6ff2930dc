//! Faults of the connection, and of heads.

use std::time::Duration;

use super::fault::Expect::{Answered, Doubted, Passed};
use super::fault::{Fault, Place};
use crate::support::provider::{Answer, COMPLETION, DONE, STOP, delta};

const SOON: &str = "  requestTimeoutMs: 400\n  firstTokenTimeoutMs: 400\n";

/// A good answer, one time as a whole and one time as a stream, behind this head.
fn behind(status_and_headers: &str) -> (Answer, Answer) {
    let whole =
        format!("{status_and_headers}content-type: application/json\r\ncontent-length: {}\r\n\r\n", COMPLETION.len());
    let stream = format!("{status_and_headers}content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");
    (Answer::raw(whole + COMPLETION), Answer::raw(stream).part(&delta("Hi")).part(STOP).part(DONE).end())
}

fn fine(name: &str, head: &str) -> Fault {
    let (whole, stream) = behind(head);
    Fault::each(name, (whole, Answered), (stream, Answered))
}

/// From DNS to the first byte.
pub fn connections() -> Vec<Fault> {
    vec![
        Fault::place("connection refused", Place::At("http://127.0.0.1:1/v1"), Passed).calls(0),
        Fault::place("DNS failure", Place::At("http://no-such-host.invalid/v1"), Passed)
            .calls(0)
            .settings("  connectTimeoutMs: 2000\n"),
        Fault::place("TLS failure", Place::Secure("HTTP/1.1 400 Bad Request\r\n\r\n"), Passed),
        Fault::both("connection closed before the head", Answer::hang_up(), Passed),
        Fault::both("reset before the head", Answer::raw("").reset(), Passed),
        Fault::both("reset inside the head", Answer::raw("HTTP/1.1 200 OK\r\ncontent-ty").reset(), Passed),
        Fault::both("closed inside the head", Answer::raw("HTTP/1.1 200 OK\r\ncontent-ty").close(), Passed),
        Fault::both("no answer", Answer::silence(), Passed).settings(SOON),
        Fault::both("hangs inside the head", Answer::raw("HTTP/1.1 200 OK\r\n").hang(), Passed).settings(SOON),
        Fault::both(
            "a head of a byte at a time",
            Answer::raw("").trickle("HTTP/1.1 200 OK\r\nserver: x\r\n", Duration::from_millis(50)),
            Passed,
        )
        .settings(SOON),
        Fault::place(
            "413 before the body was read",
            Place::Early("HTTP/1.1 413 X\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"),
            Doubted(413),
        )
        .padding(12 << 20),
        Fault::both(
            "413, and its body breaks off",
            Answer::raw("HTTP/1.1 413 X\r\ncontent-length: 9\r\n\r\n").close(),
            Passed,
        ),
        Fault::place("connection closed before the body was read", Place::Early(""), Passed).padding(12 << 20),
    ]
}

/// Heads, odd and illegal.
pub fn heads() -> Vec<Fault> {
    let long = format!("HTTP/1.1 200 OK\r\nx-long: {}\r\n", "x".repeat(64 << 10));
    let many = format!("HTTP/1.1 200 OK\r\n{}", "x-many: 1\r\n".repeat(10_000));
    let (many_whole, many_stream) = behind(&many);
    vec![
        fine("100 Continue before the answer", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"),
        fine("103 Early Hints before the answer", "HTTP/1.1 103 X\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n"),
        fine("a header of 64 KB", &long),
        Fault::each("10,000 headers", (many_whole, Passed), (many_stream, Passed)),
        Fault::both("NUL in a header", Answer::raw("HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 0\r\n\r\n"), Passed),
        Fault::both("no HTTP", Answer::raw("220 mail.example.com ESMTP\r\n\r\n").close(), Passed),
        Fault::both("101 Switching Protocols", Answer::raw("HTTP/1.1 101 X\r\nupgrade: x\r\n\r\n").close(), Passed),
        Fault::both("204 without a body", Answer::raw("HTTP/1.1 204 X\r\n\r\n"), Passed),
        Fault::both("gzip that nobody asked for", Answer::json(200, &[("content-encoding", "gzip")], "\u{1f}"), Passed),
    ]
}
