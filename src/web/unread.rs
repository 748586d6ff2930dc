//! A chunked body that nobody has read to its end when the answer is ready.
//!
//! Actix reads on and throws away until the last chunk, however long that takes: a client that sends nothing more, or
//! never stops, would hold its connection for ever, and needs no key for it. While somebody still holds the body, it
//! says `connection: close` instead, reads for one more second so that the client sees the answer, and closes, as it
//! does with every other body.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::HttpMessage;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header::TRANSFER_ENCODING;
use bytes::Bytes;
use futures_core::Stream;

/// Holds the body of a request beside whoever reads it.
pub struct Unread(Option<Rc<RefCell<Payload>>>);

impl Unread {
    /// Takes hold of the body of a request, where that is chunked.
    #[must_use]
    pub fn of(request: &mut ServiceRequest) -> Self {
        if !request.headers().contains_key(TRANSFER_ENCODING) {
            return Self(None);
        }
        let shared = Rc::new(RefCell::new(request.take_payload()));
        request.set_payload(Payload::Stream { payload: Box::pin(Reading(Rc::clone(&shared))) });
        Self(Some(shared))
    }

    /// Lets go when the whole answer has been handed over.
    #[must_use]
    pub fn until_sent(self, response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
        match self.0 {
            Some(shared) => response.map_body(|_, body| BoxBody::new(Held { body, _unread: shared })),
            None => response,
        }
    }
}

struct Reading(Rc<RefCell<Payload>>);

impl Stream for Reading {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(cx)
    }
}

struct Held {
    body: BoxBody,
    _unread: Rc<RefCell<Payload>>,
}

impl MessageBody for Held {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}
