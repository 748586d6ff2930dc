//! Parts of a page as server-sent events, for htmx.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::HttpResponseBuilder;
use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::Bytes;
use tokio::sync::mpsc::Receiver;

use crate::upstream::apart::Apart;

/// A message that puts parts of a page where they belong.
#[derive(Debug, Default)]
pub(super) struct Message(String);

impl Message {
    /// Adds a part. `swap` is how it meets what is there, in the words of htmx.
    pub(super) fn part(&mut self, target: &str, swap: &str, html: &str) -> &mut Self {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "<hx-partial hx-target=\"{target}\" hx-swap=\"{swap}\">{html}</hx-partial>");
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// On the wire. `id` is what the browser names when it comes back; it must be no line break.
    pub(super) fn event(&self, id: &str) -> String {
        let mut text = String::with_capacity(self.0.len() + 64);
        if !id.is_empty() {
            let _ = writeln!(text, "id: {id}");
        }
        for line in self.0.split(['\n', '\r']).filter(|line| !line.is_empty()) {
            // The space after the colon is taken off again, so that one at the beginning of a line stays.
            let _ = writeln!(text, "data: {line}");
        }
        text.push('\n');
        text
    }
}

/// Text in HTML. Line breaks become references: on the wire they would end a line of the event.
pub(super) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' => html.push_str("&#10;"),
            '\r' => html.push_str("&#13;"),
            '\0' => html.push('\u{fffd}'),
            sign => html.push(sign),
        }
    }
    html
}

/// The head of a stream that nobody in between may hold back.
pub(super) fn stream() -> HttpResponseBuilder {
    let mut builder = HttpResponse::Ok();
    builder.insert_header((CONTENT_TYPE, "text/event-stream"));
    builder.insert_header((CACHE_CONTROL, "no-store"));
    builder.insert_header(("x-accel-buffering", "no"));
    builder
}

/// What a task says piece by piece, as the body of an answer. It ends with whoever listens.
pub(super) struct Pouring {
    pieces: Receiver<Bytes>,
    _running: Apart<()>,
}

impl Pouring {
    /// Of the task that sends them.
    pub(super) fn of(pieces: Receiver<Bytes>, running: Apart<()>) -> Self {
        Self { pieces, _running: running }
    }
}

impl MessageBody for Pouring {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        self.pieces.poll_recv(cx).map(|piece| piece.map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_event_whatever_is_in_it() {
        let mut message = Message::default();
        assert!(message.is_empty());
        message.part("#a", "innerMorph", "<p>\n  one\r\n\r\ntwo</p>").part("#b", "append", &escaped("\n\nid: 7\r<b>"));
        let event = message.event("req_1");
        assert!(event.ends_with("\n\n") && !event.trim_end().contains("\n\n"), "{event}");
        assert!(
            event.lines().filter(|line| !line.is_empty()).all(|line| line.starts_with("data: ") || line == "id: req_1")
        );
        assert!(event.contains("&#10;&#10;id: 7&#13;&lt;b&gt;"));
    }
}
