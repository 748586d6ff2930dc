//! How often a connection is answered without a key.
//!
//! Requests that are sent together are answered together, however many they are. With thousands of them and a client
//! that fetches none of the answers, actix asks its full buffers again and again for room: one connection keeps a core
//! busy, and needs no key for it.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::error::PayloadError;
use bytes::Bytes;

/// So many answers wait for nobody: they fit into the buffers of a connection.
const MOST: u32 = 32;

/// Data of one connection: how often it was answered without a key.
#[derive(Debug, Default)]
pub struct Strangers(Cell<u32>);

impl Strangers {
    /// Counts one more. Whether it still gets an answer.
    #[must_use]
    pub fn welcome(&self) -> bool {
        self.0.set(self.0.get().saturating_add(1));
        self.0.get() <= MOST
    }
}

/// In place of an answer: ends the connection at once, with whatever still waits in its buffers.
#[must_use]
pub fn hang_up() -> HttpResponse {
    HttpResponse::Ok().body(BoxBody::new(Cut))
}

struct Cut;

impl MessageBody for Cut {
    type Error = PayloadError;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        Poll::Ready(Some(Err(PayloadError::Incomplete(None))))
    }
}
