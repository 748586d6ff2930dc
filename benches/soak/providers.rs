//! The providers: raw sockets on a thread of their own, several providers to a port. The path says which one is meant.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::Result;
use crate::ask::Ask;
use crate::cast::{self, GOOD_ANSWER, GOOD_STREAM};
use crate::manner::Manner;
use crate::stalls::Stalls;
use crate::step::Step;

/// Providers that share a port, and with it the connections that the proxy keeps.
const TOGETHER: usize = 6;

/// As much as one that answers early has read of a body: the mark is in it.
const FIRST_PART: usize = 512;

/// Running providers. They end with the process: they hold nothing that others could miss.
#[derive(Debug)]
pub(crate) struct Providers {
    addresses: HashMap<&'static str, SocketAddr>,
    counts: Arc<HashMap<&'static str, Count>>,
    /// Keeps the port of those that are absent from being given to others.
    _absent: TcpSocket,
}

#[derive(Debug, Default)]
struct Count {
    calls: AtomicU64,
    faults: AtomicU64,
}

impl Providers {
    /// Starts all of them.
    pub(crate) fn start(stalls: &Arc<Stalls>) -> Result<Self> {
        let absent = TcpSocket::new_v4()?;
        absent.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (mut addresses, mut listeners) = (HashMap::new(), Vec::new());
        let (missing, present): (Vec<&Manner>, Vec<&Manner>) = cast::all().partition(|manner| manner.absent);
        for manner in missing {
            addresses.insert(manner.name, absent.local_addr()?);
        }
        for together in present.chunks(TOGETHER) {
            let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
            listener.set_nonblocking(true)?;
            for manner in together {
                addresses.insert(manner.name, listener.local_addr()?);
            }
            listeners.push(listener);
        }
        let counts: Arc<HashMap<_, _>> = Arc::new(cast::all().map(|it| (it.name, Count::default())).collect());
        let (for_all, stalls) = (Arc::clone(&counts), Arc::clone(stalls));
        std::thread::Builder::new().name("providers".into()).spawn(move || {
            for listener in listeners {
                let counts = Arc::clone(&for_all);
                runtime.spawn(async move {
                    let Ok(listener) = TcpListener::from_std(listener) else { return };
                    loop {
                        // Without a file left for it, a connection stays in the backlog.
                        match listener.accept().await {
                            Ok((stream, _)) => _ = tokio::spawn(serve(stream, Arc::clone(&counts))),
                            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                        }
                    }
                });
            }
            runtime.block_on(stalls.watch());
        })?;
        Ok(Self { addresses, counts, _absent: absent })
    }

    /// `baseUrl` of the one of this manner.
    pub(crate) fn base_url(&self, manner: &Manner) -> Option<String> {
        Some(format!("http://{}/{}/v1", self.addresses.get(manner.name)?, manner.name))
    }

    /// How often the one of this manner has done what is wrong with it.
    pub(crate) fn faults(&self, manner: &Manner) -> u64 {
        self.counts.get(manner.name).map_or(0, |count| count.faults.load(Ordering::Relaxed))
    }

    /// Requests that all of them have seen.
    pub(crate) fn calls(&self) -> u64 {
        self.counts.values().map(|count| count.calls.load(Ordering::Relaxed)).sum()
    }
}

/// A connection that breaks is noticed by whoever waits for its answer.
async fn serve(mut stream: TcpStream, counts: Arc<HashMap<&'static str, Count>>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = BytesMut::new();
    loop {
        let end = loop {
            if let Some(at) = memmem::find(&buffer, b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let head = String::from_utf8_lossy(&buffer.split_to(end)).into_owned();
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let name = path.split('/').nth(1).unwrap_or_default();
        let (Some(manner), Some(count)) = (cast::named(name), counts.get(name)) else { return Ok(()) };
        let before = count.calls.fetch_add(1, Ordering::Relaxed);
        let now = manner.when.is_now(before);
        let length: usize = header(&head, "content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
        let unread = if now && manner.early { length.min(FIRST_PART) } else { length };
        while buffer.len() < unread {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
        let ask = Ask::read(&path, &buffer.split_to(unread));
        let rejected = header(&head, "authorization").is_some_and(|value| value.starts_with("Bearer dead"));
        let steps = match (now || rejected, ask.stream, manner.stream, manner.whole) {
            (true, true, Some(steps), _) | (true, false, _, Some(steps)) => {
                count.faults.fetch_add(1, Ordering::Relaxed);
                steps
            }
            (_, true, ..) => GOOD_STREAM,
            (_, false, ..) => GOOD_ANSWER,
        };
        let steps = if rejected { cast::REJECTS } else { steps };
        for step in steps {
            if !perform(*step, &ask, &mut stream).await? {
                return Ok(());
            }
        }
    }
}

/// False when the connection is to be closed, or has been.
async fn perform(step: Step, ask: &Ask, stream: &mut TcpStream) -> io::Result<bool> {
    match step {
        Step::Hang => return rest(stream, Duration::MAX).await,
        Step::Close => return Ok(false),
        Step::Reset => {
            stream.set_zero_linger()?;
            return Ok(false);
        }
        _ => {}
    }
    let pause = Duration::from_millis(step.pause());
    for part in step.parts(ask) {
        stream.write_all(&part).await?;
        if !pause.is_zero() && !rest(stream, pause).await? {
            return Ok(false);
        }
    }
    Ok(!matches!(step, Step::Wait(_)) || rest(stream, pause).await?)
}

/// False when the other side leaves before `span` is over.
async fn rest(stream: &TcpStream, span: Duration) -> io::Result<bool> {
    let mut byte = [0];
    tokio::select! {
        biased;
        () = tokio::time::sleep(span) => Ok(true),
        // What comes may also be the next request.
        read = stream.peek(&mut byte) => match read? {
            0 => Ok(false),
            _ => {
                tokio::time::sleep(span.min(Duration::from_secs(60))).await;
                Ok(span < Duration::from_secs(60))
            }
        },
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}
