//! Faults of bodies that come with a 200.

use std::time::Duration;

use super::fault::Expect::{Answered, Broken, Passed};
use super::fault::Fault;
use crate::support::provider::{Answer, COMPLETION, DONE, STOP, delta};

const SOON: &str = "  requestTimeoutMs: 400\n  streamIdleTimeoutMs: 400\n";

fn head(more: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{more}\r\n")
}

/// A whole answer with this body, and the same for a stream.
fn body(text: &str) -> Answer {
    Answer::json(200, &[], text)
}

pub fn bodies() -> Vec<Fault> {
    let begun = || Answer::stream().part(&delta("Once"));
    let length = format!("content-length: {}\r\n", COMPLETION.len());
    let half = &COMPLETION[..100];
    let sse = delta("Hi") + STOP + DONE;
    let error = r#"{"error":{"message":"something broke","code":503}}"#;
    let failed =
        r#"{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"par"},"finish_reason":"error"}]}"#;
    let failed_chunk =
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\"},\"finish_reason\":\"error\"}]}\n\n";
    vec![
        Fault::each(
            "reset inside the body",
            (Answer::raw(head(&length) + half).reset(), Passed),
            (begun().pause(Duration::from_millis(50)).reset(), Broken),
        ),
        Fault::each(
            "body cut, with a length",
            (Answer::raw(head(&length) + half).close(), Passed),
            (begun().close(), Broken),
        ),
        Fault::each(
            "body cut, in chunks",
            (Answer::raw(head("transfer-encoding: chunked\r\n")).part(half).close(), Passed),
            (begun().part("data: {\"choices\":[{\"del").close(), Broken),
        ),
        Fault::each(
            "hangs after the head",
            (Answer::raw(head(&length)).hang(), Passed),
            (Answer::stream().hang(), Passed),
        )
        .settings("  requestTimeoutMs: 400\n  firstTokenTimeoutMs: 400\n"),
        Fault::each(
            "hangs inside the body",
            (Answer::raw(head(&length) + half).hang(), Passed),
            (begun().hang(), Broken),
        )
        .settings(SOON),
        Fault::each(
            "a body of a byte at a time",
            (Answer::raw(head(&length)).trickle(COMPLETION, Duration::from_millis(50)), Passed),
            (begun().trickle("1\r\nd\r\n".repeat(100), Duration::from_millis(20)), Broken),
        )
        .settings(SOON),
        Fault::each(
            "no length and not chunked",
            (Answer::raw(head("") + COMPLETION).close(), Answered),
            (Answer::raw(format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n{sse}")).close(), Answered),
        ),
        Fault::each(
            "no length, not chunked, and cut",
            (Answer::raw(head("") + half).close(), Passed),
            (
                Answer::raw(format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n{}", delta("Hi")))
                    .close(),
                Broken,
            ),
        ),
        Fault::each(
            "wrong content type",
            (Answer::raw(format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n{length}\r\n{COMPLETION}")), Answered),
            (
                Answer::raw("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n")
                    .part(&sse)
                    .end(),
                Answered,
            ),
        ),
        Fault::both("truncated JSON", body(half), Passed),
        Fault::both("JSON of the wrong shape", body(r#"{"result":["Hi"]}"#), Passed),
        Fault::both("JSON that is no object", body(r#""Hi""#), Passed),
        Fault::both("HTML with 200", body("<html><body>Welcome</body></html>"), Passed),
        Fault::both("empty body with 200", body(""), Passed),
        Fault::both(
            "empty body with 200, in chunks",
            Answer::raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
            Passed,
        ),
        Fault::each(
            "transfer-encoding: identity",
            (Answer::raw(head("transfer-encoding: identity\r\n") + COMPLETION).close(), Answered),
            (Answer::raw(head("transfer-encoding: identity\r\n") + &sse).close(), Answered),
        ),
        Fault::both("NUL bytes", body("\0\0\0\0"), Passed),
        Fault::both("empty choices", body(r#"{"id":"x","choices":[]}"#), Passed),
        Fault::both(
            "an answer without content",
            body(r#"{"choices":[{"message":{"content":""},"finish_reason":"stop"}]}"#),
            Passed,
        ),
        Fault::each(
            "finish_reason error",
            (body(failed), Passed),
            (begun().pause(Duration::from_millis(50)).part(failed_chunk).part(DONE).end(), Broken),
        ),
        Fault::each(
            "an error object inside a 200",
            (body(error), Passed),
            (Answer::sse(&[&format!("data: {error}\n\n"), DONE]), Passed),
        ),
        Fault::each(
            "no stream although one was asked for, and the reverse",
            (Answer::sse(&[&delta("Hi"), STOP, DONE]), Passed),
            (Answer::ok(), Passed),
        ),
        Fault::each(
            "an endless body",
            (
                Answer::raw(head("transfer-encoding: chunked\r\n"))
                    .repeat(b"400\r\n".iter().copied().chain([b' '; 1024]).chain(*b"\r\n").collect::<Vec<u8>>()),
                Passed,
            ),
            (begun().repeat(tiny_events()), Broken),
        )
        .settings("  maxAnswerBytes: 1048576\n"),
    ]
}

/// A chunk of a thousand events with nearly nothing in them.
fn tiny_events() -> Vec<u8> {
    let events = "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n".repeat(1_000);
    format!("{:x}\r\n{events}\r\n", events.len()).into_bytes()
}
