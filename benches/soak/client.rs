//! A client: one errand after the other, at the common pace.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::answer::{Head, Line, Rest};
use crate::book::Book;
use crate::chains::Chains;
use crate::errand::{Desk, Errand, Leave};
use crate::judge::{End, judge};
use crate::pace::Pace;

/// No errand takes that long, whatever providers do.
const PATIENCE: Duration = Duration::from_secs(30);

/// Longer than any answer here.
const LONGEST: usize = 4 << 20;

/// A client.
#[derive(Debug)]
pub(crate) struct Client {
    /// Which one.
    pub(crate) number: u64,
    /// The proxy.
    pub(crate) proxy: SocketAddr,
    /// What can be asked for.
    pub(crate) chains: Arc<Chains>,
    /// When.
    pub(crate) pace: Arc<Pace>,
    /// Decides what.
    pub(crate) seed: u64,
}

/// What came of an errand.
enum Came {
    /// The whole answer.
    Answer(Head, Vec<u8>),
    /// Part of it; then the client left.
    Part(Head),
    /// Nothing before the client left; `true` if all of the request had been sent.
    Nothing(bool),
}

impl Client {
    /// Runs errands until the time is up.
    pub(crate) async fn run(self) -> Book {
        let mut book = Book::default();
        let mut desk = Desk::new(&self.chains, self.seed, self.number);
        let mut kept = None;
        while let Some(()) = self.pace.turn().await {
            let Some(errand) = desk.next() else { break };
            let (sent, mut head, mut body) = (Instant::now(), None, Vec::new());
            let came = timeout(PATIENCE, self.go(&errand, &mut kept, &mut head, &mut body)).await;
            match came {
                Ok(Ok(Came::Answer(head, body))) => match judge(&errand, &head, &body) {
                    Ok((what, end)) => book.answered(&errand, sent, &head, what, end),
                    Err(fault) => book.wrong(&errand, sent, Some(&head), &body, fault),
                },
                Ok(Ok(Came::Part(head))) => book.answered(&errand, sent, &head, "left within the answer", End::Left),
                Ok(Ok(Came::Nothing(true))) => book.left(&errand, "left before the answer", &errand.model),
                // Nobody but the client knows what it was about to ask for.
                Ok(Ok(Came::Nothing(false))) => book.left(&errand, "left while sending", ""),
                Ok(Err(fault)) => {
                    book.wrong(&errand, sent, head.as_ref(), &body, format!("the connection broke: {fault}").into());
                }
                Err(_) => book.wrong(&errand, sent, head.as_ref(), &body, "no end of the answer in 30 s".into()),
            }
        }
        book
    }

    async fn go(
        &self,
        errand: &Errand,
        kept: &mut Option<Line>,
        seen: &mut Option<Head>,
        body: &mut Vec<u8>,
    ) -> io::Result<Came> {
        // Whoever leaves takes the connection along.
        let alone = errand.leave != Leave::Never || errand.slow;
        let mut line = match kept.take().filter(|_| !alone) {
            Some(line) => line,
            None => Line::open(self.proxy, errand.slow).await?,
        };
        if errand.leave == Leave::Sending {
            line.send(errand.bytes.get(..errand.bytes.len() / 2).unwrap_or_default()).await?;
            tokio::time::sleep(Duration::from_millis(20)).await;
            line.leave(errand.reset);
            return Ok(Came::Nothing(false));
        }
        line.send(&errand.bytes).await?;
        let (head, mut rest) = match errand.leave {
            Leave::After(wait) => match timeout(wait, line.head()).await {
                Ok(begun) => begun?,
                Err(_) => {
                    line.leave(errand.reset);
                    return Ok(Came::Nothing(true));
                }
            },
            _ => line.head().await?,
        };
        *seen = Some(head.clone());
        let mut parts = 0;
        while let Some(part) = line.part(&mut rest).await? {
            body.extend_from_slice(&part);
            parts += 1;
            if matches!((errand.leave, rest), (Leave::Parts(most), Rest::Chunks) if parts >= most) {
                line.leave(errand.reset);
                return Ok(Came::Part(head));
            }
            if body.len() > LONGEST {
                return Err(io::Error::other("an answer without an end"));
            }
        }
        if !line.is_clean() {
            return Err(io::Error::other("more than the answer"));
        }
        if !alone && head.line("connection") != Some("close") {
            *kept = Some(line);
        }
        Ok(Came::Answer(head, std::mem::take(body)))
    }
}
