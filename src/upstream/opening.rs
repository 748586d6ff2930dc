//! The beginning of a stream: held back until there is something to show, so that what fails before it stays unseen.

use awc::ClientResponse;
use bytes::{Bytes, BytesMut};

use super::attempt::{Call, Failed, Opened, Served, in_band_refusal};
use super::body::next;
use super::error::CallError;
use crate::domain::chunk::classify_in_band;
use crate::domain::classify::broken;
use crate::domain::evidence::{self, Evidence};
use crate::domain::outcome::Reason;
use crate::domain::stream::{End, Failure};

/// What may come before the first content of a stream.
const MAX_HELD: usize = 1 << 20;

impl Call<'_> {
    /// Reads a stream until there is something to show. `first` has been read of it already.
    pub(super) async fn open(&self, mut response: ClientResponse, first: Option<Bytes>) -> Result<Served, Box<Failed>> {
        let mut watch = self.watch();
        let mut held = BytesMut::new();
        let evidence = self.of_head(&response);
        let mut begun = first;
        let rest = loop {
            let read = match begun.take() {
                Some(first) => Ok(Some(first)),
                None => next(&mut response).await,
            };
            let (fed, ended) = match read {
                Ok(Some(chunk)) => (watch.feed(chunk), false),
                ended => match (watch.end(), ended) {
                    ((fed, None), _) => (fed, true),
                    ((_, Some(End::Complete(closing))), _) => {
                        held.extend_from_slice(&closing);
                        break None;
                    }
                    ((_, Some(End::Truncated)), Err(fault)) => return Err(self.failed(&fault, 200)),
                    ((_, Some(End::Truncated)), Ok(_)) => return Err(self.worthless(Reason::Truncated)),
                },
            };
            held.extend_from_slice(&fed.ready);
            if let Some(failure) = fed.failed {
                return Err(self.broken_stream(failure));
            }
            if ended {
                break None;
            }
            if fed.done || watch.committed() {
                break Some(response);
            }
            if held.len() > MAX_HELD {
                return Err(self.worthless(Reason::Empty));
            }
        };
        if !watch.committed() {
            return Err(self.worthless(Reason::Empty));
        }
        Ok(Served::Stream(Box::new(Opened { rest, watch, head: held.freeze(), evidence })))
    }

    fn broken_stream(&self, failure: Failure) -> Box<Failed> {
        match failure {
            Failure::Reported(data) => {
                let (dialect, wall) = (self.entry().provider.dialect, self.clock.now().wall);
                let verdict = classify_in_band(dialect, &data, wall);
                let evidence = evidence::read_in_band(dialect, &data, &verdict, wall);
                let answer = Some(in_band_refusal(data.into()));
                Box::new(Failed { verdict, status: 200, reached: true, evidence, detail: None, answer })
            }
            Failure::Garbled => self.failed(&CallError::GARBLED, 200),
            Failure::TooLong => self.failed(&CallError::TooLarge(self.settings.max_answer_bytes), 200),
        }
    }

    /// A stream that is no answer.
    fn worthless(&self, reason: Reason) -> Box<Failed> {
        Box::new(Failed {
            verdict: broken(self.entry().provider.dialect, reason),
            status: 200,
            reached: true,
            evidence: Evidence::default(),
            detail: None,
            answer: None,
        })
    }
}
