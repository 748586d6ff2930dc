//! Faults of event streams.

use std::time::Duration;

use super::fault::Expect::{Answered, Broken, Passed};
use super::fault::Fault;
use crate::support::provider::{Answer, DONE, STOP, delta};

const LATER: Duration = Duration::from_millis(50);

pub fn streams() -> Vec<Fault> {
    let text = delta("Hi") + STOP + DONE;
    let whole = |text: &str| Answer::sse(&[text]);
    let begun = || Answer::stream().part(&delta("Once")).pause(LATER);
    let role = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
    let error = "data: {\"error\":{\"message\":\"lost\",\"code\":\"server_error\"}}\n\n";
    let large = |bytes: usize| delta(&"x".repeat(bytes));
    let accents = delta("h\u{e9}\u{1f600}") + STOP + DONE;
    let lines = "data: {\"choices\":[{\"delta\":\ndata: {\"content\":\"Hi\"}}]}\n\n".to_owned() + STOP + DONE;
    let in_pieces =
        |text: &str| text.as_bytes().chunks(1).fold(Answer::stream(), |answer, byte| answer.part_of(byte)).end();
    vec![
        Fault::of_stream(
            "first token late, but in time",
            Answer::stream().part(role).pause(Duration::from_millis(700)).part(&text).end(),
            Answered,
        )
        .settings("  requestTimeoutMs: 300\n  firstTokenTimeoutMs: 20000\n"),
        Fault::of_stream("first token too late", Answer::stream().part(role).hang(), Passed)
            .settings("  firstTokenTimeoutMs: 400\n"),
        Fault::of_stream("nothing but keep-alives", Answer::stream().part(": PROCESSING\n\n").hang(), Passed)
            .settings("  firstTokenTimeoutMs: 400\n"),
        Fault::of_stream("an error event before content", whole(&format!("{role}{error}{DONE}")), Passed),
        Fault::of_stream("an error event after content", begun().part(error).part(DONE).end(), Broken),
        Fault::of_stream("a named error event before content", whole("event: error\ndata: overloaded\n\n"), Passed),
        Fault::of_stream(
            "a named error event after content",
            begun().part("event: error\ndata: overloaded\n\n").end(),
            Broken,
        ),
        Fault::of_stream("nothing but [DONE]", whole(DONE), Passed),
        Fault::of_stream("nothing at all", Answer::sse(&[]), Passed),
        Fault::of_stream("stop without content", whole(&format!("{role}{STOP}{DONE}")), Passed),
        Fault::of_stream("missing [DONE]", whole(&(delta("Hi") + STOP)), Answered),
        Fault::of_stream("[DONE] twice", whole(&format!("{text}{DONE}")), Answered),
        Fault::of_stream("[DONE] without a finish_reason", whole(&(delta("Hi") + DONE)), Answered),
        Fault::of_stream("ends without finish_reason and [DONE]", whole(&delta("Hi")), Broken),
        Fault::of_stream("stalls", begun().hang(), Broken).settings("  streamIdleTimeoutMs: 400\n"),
        Fault::of_stream(
            "an unreadable chunk before content",
            whole(&format!("data: {{\"choices\":[oops\n\n{text}")),
            Passed,
        ),
        Fault::of_stream(
            "an unreadable chunk after content",
            begun().part(&format!("data: {{\"choices\":[oops\n\n{STOP}{DONE}")).end(),
            Broken,
        ),
        Fault::of_stream(
            "noise in place of a chunk",
            whole(&format!("data: {{oops\n\n{}data: ping\n\n{STOP}{DONE}", delta("Hi"))),
            Answered,
        ),
        Fault::of_stream("CRLF", whole(&text.replace('\n', "\r\n")), Answered),
        Fault::of_stream("CR", whole(&text.replace('\n', "\r")), Answered),
        Fault::of_stream(
            "comments and keep-alives",
            whole(&format!(": hi\n\n{}: hi\n\n{STOP}:\n\n{DONE}", delta("Hi"))),
            Answered,
        ),
        Fault::of_stream("BOM", whole(&format!("\u{feff}{text}")), Answered),
        Fault::of_stream("data: without a space", whole(&text.replace("data: ", "data:")), Answered),
        Fault::of_stream("data in several lines", whole(&lines), Answered),
        Fault::of_stream("a chunk for every byte", in_pieces(&accents), Answered),
        Fault::of_stream("an event of 1 MB", whole(&format!("{}{text}", large(1 << 20))), Answered),
        Fault::of_stream("an event of 60 MB", whole(&format!("{}{text}", large(60 << 20))), Answered),
        Fault::of_stream("an event of 64 MB and more", begun().part(&large(64 << 20)).part(STOP).end(), Broken),
        Fault::of_stream("NUL bytes in an event", whole(&format!("data: \0\0\n\n{text}")), Answered),
    ]
}
