//! Whether an answer is as it has to be.

use serde_json::Value;

use crate::answer::Head;
use crate::ask::mark_in;
use crate::cast;
use crate::errand::{Errand, Expect};

/// How an answer ended, for its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It was whole.
    Whole,
    /// A stream that says that it has broken off.
    Interrupted,
    /// The client has left within it.
    Left,
}

/// What is wrong with an answer.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    /// For people.
    pub(crate) why: String,
    /// The worst: it belongs to another request.
    pub(crate) crossed: bool,
}

impl From<&str> for Fault {
    fn from(why: &str) -> Self {
        Self { why: why.to_owned(), crossed: false }
    }
}

impl From<String> for Fault {
    fn from(why: String) -> Self {
        Self { why, crossed: false }
    }
}

/// Judges a whole answer: what it is, for the table, and how it ended.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn judge(errand: &Errand, head: &Head, body: &[u8]) -> Result<(&'static str, End), Fault> {
    match (errand.expect, head.status) {
        (Expect::Error(status, code), got) if status == got => {
            if code_of(body) == code {
                Ok(("refused, as it must be", End::Whole))
            } else {
                Err("another code".into())
            }
        }
        (Expect::Served | Expect::ServedOrNot, 200) => served(errand, head, body),
        (Expect::ServedOrNot, 503) => exhausted(head, body).map(|word| (word, End::Whole)),
        (Expect::ServedOrNot, 400 | 413 | 422) => {
            let blames = errand.model.strip_prefix("alone-").and_then(cast::named).is_some_and(|it| it.blames);
            if blames { Ok(("refused upstream", End::Whole)) } else { Err("a refusal that nobody spoke".into()) }
        }
        _ => Err("another status than expected".into()),
    }
}

fn served(errand: &Errand, head: &Head, body: &[u8]) -> Result<(&'static str, End), Fault> {
    let by = head.line("x-429chain-provider").and_then(|label| label.split('/').next()).and_then(cast::named);
    let by = by.ok_or("served by nobody")?;
    let mark = mark_in(body);
    match mark {
        Some(mark) if mark == errand.nonce => {}
        Some(mark) => return Err(Fault { why: format!("the answer to another request: {mark}"), crossed: true }),
        None => return Err("not the answer to this request".into()),
    }
    if !errand.stream {
        serde_json::from_slice::<Value>(body).map_err(|fault| format!("no JSON: {fault}"))?;
        return Ok(("served", End::Whole));
    }
    let text = String::from_utf8_lossy(body);
    let done = text.ends_with("data: [DONE]\n\n");
    if text.contains(r#""choices":[],"usage""#) {
        return Err("a usage chunk that nobody asked for".into());
    }
    match (done, text.contains(r#""code":"stream_interrupted""#)) {
        (true, false) => Ok(("served", End::Whole)),
        (false, true) if by.breaks => Ok(("stream interrupted, and says so", End::Interrupted)),
        (false, true) => Err("interrupted, although its provider does not break off".into()),
        (true, true) => Err("interrupted and complete".into()),
        (false, false) => Err("a stream that ends without a word".into()),
    }
}

fn exhausted(head: &Head, body: &[u8]) -> Result<&'static str, Fault> {
    let told = head.line("retry-after").is_some_and(|value| value.parse::<u64>().is_ok_and(|wait| wait > 0));
    if !told && !String::from_utf8_lossy(body).contains("Waiting will not help") {
        return Err("does not say when to come back".into());
    }
    match code_of(body).as_str() {
        "all_providers_exhausted" => Ok("nothing left: all_providers_exhausted"),
        "queue_timeout" => Ok("nothing left: queue_timeout"),
        "queue_full" => Ok("nothing left: queue_full"),
        code => Err(format!("503 {code}").into()),
    }
}

fn code_of(body: &[u8]) -> String {
    let read = serde_json::from_slice::<Value>(body).ok();
    read.and_then(|body| Some(body.get("error")?.get("code")?.as_str()?.to_owned())).unwrap_or_default()
}
