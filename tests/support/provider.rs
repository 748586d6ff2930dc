//! A scripted provider on a real socket: it answers exactly the bytes that a test wants, when it wants, and cuts where
//! it wants.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// The fake.
pub struct Provider {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// From a request, and how many came before it, to an answer.
type Script = dyn Fn(&Request, usize) -> Answer + Send + Sync;

struct Shared {
    seen: Mutex<Vec<Request>>,
    calls: watch::Sender<usize>,
    /// Answers that the proxy closed the connection on before they were complete.
    aborted: watch::Sender<usize>,
    connections: watch::Sender<usize>,
    /// Bytes of what is sent again and again.
    repeated: AtomicUsize,
    answer: Box<Script>,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    pub head: String,
    pub body: Vec<u8>,
}

impl Request {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// What to do on the connection, in order.
#[derive(Clone)]
enum Act {
    Send(Vec<u8>),
    Pause(Duration),
    /// Waits for a permit of the test.
    Gate(Arc<Semaphore>),
    /// Says nothing more, but stays.
    Hang,
    /// Closes.
    Close,
    /// Closes in a way that tells the peer that something is wrong.
    Reset,
    /// Sends this again and again, until the peer leaves.
    Repeat(Vec<u8>),
    /// Sends this a byte at a time.
    Trickle(Vec<u8>, Duration),
}

/// A scripted answer.
#[derive(Clone)]
pub struct Answer {
    acts: Vec<Act>,
}

/// A usual answer to a chat completion.
pub const COMPLETION: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":3,"total_tokens":15}}"#;

/// A stream event with some content.
pub fn delta(text: &str) -> String {
    format!(
        "data: {{\"id\":\"c\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}\n\n"
    )
}

/// The event that ends the only choice.
pub const STOP: &str = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";

/// The extra usage chunk.
pub const USAGE: &str = "data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":3,\"total_tokens\":15}}\n\n";

/// The end marker.
pub const DONE: &str = "data: [DONE]\n\n";

impl Answer {
    /// A whole answer with a length.
    pub fn json(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let mut head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n");
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("content-length: {}\r\n\r\n{body}", body.len());
        Self::raw(head)
    }

    /// A good completion.
    pub fn ok() -> Self {
        Self::json(200, &[], COMPLETION)
    }

    /// An error in OpenAI's shape.
    pub fn error(status: u16, headers: &[(&str, &str)], message: &str, kind: &str) -> Self {
        let body = format!(r#"{{"error":{{"message":"{message}","type":"{kind}","param":null,"code":null}}}}"#);
        Self::json(status, headers, &body)
    }

    /// A rate limit that names a time, or none.
    pub fn rate_limited(retry_after: Option<&str>) -> Self {
        let headers: Vec<(&str, &str)> = retry_after.iter().map(|value| ("retry-after", *value)).collect();
        Self::error(429, &headers, "Rate limit reached", "requests")
    }

    /// The head of a chunked event stream; parts follow by [`part`](Self::part).
    pub fn stream() -> Self {
        Self::raw("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    }

    /// A whole stream of these events.
    pub fn sse(events: &[&str]) -> Self {
        events.iter().fold(Self::stream(), |answer, event| answer.part(event)).end()
    }

    /// These bytes and nothing else.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { acts: vec![Act::Send(bytes.into())] }
    }

    /// No answer at all.
    pub fn silence() -> Self {
        Self { acts: vec![Act::Hang] }
    }

    /// Nothing but a closed connection.
    pub fn hang_up() -> Self {
        Self { acts: vec![Act::Close] }
    }

    /// One chunk of a chunked body.
    pub fn part(self, text: &str) -> Self {
        self.part_of(text.as_bytes())
    }

    /// One chunk of a chunked body that need not be text.
    pub fn part_of(self, bytes: &[u8]) -> Self {
        self.bytes([format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat())
    }

    /// The end of a chunked body.
    pub fn end(self) -> Self {
        self.bytes("0\r\n\r\n")
    }

    pub fn bytes(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.acts.push(Act::Send(bytes.into()));
        self
    }

    pub fn pause(mut self, span: Duration) -> Self {
        self.acts.push(Act::Pause(span));
        self
    }

    /// Waits until the test adds a permit.
    pub fn gate(mut self, gate: &Arc<Semaphore>) -> Self {
        self.acts.push(Act::Gate(Arc::clone(gate)));
        self
    }

    pub fn hang(mut self) -> Self {
        self.acts.push(Act::Hang);
        self
    }

    pub fn close(mut self) -> Self {
        self.acts.push(Act::Close);
        self
    }

    pub fn reset(mut self) -> Self {
        self.acts.push(Act::Reset);
        self
    }

    pub fn repeat(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.acts.push(Act::Repeat(bytes.into()));
        self
    }

    pub fn trickle(mut self, bytes: impl Into<Vec<u8>>, pause: Duration) -> Self {
        self.acts.push(Act::Trickle(bytes.into(), pause));
        self
    }

    /// The same answer, waiting for a permit first.
    pub fn behind(mut self, gate: &Arc<Semaphore>) -> Self {
        self.acts.insert(0, Act::Gate(Arc::clone(gate)));
        self
    }
}

impl Provider {
    /// Gives these answers in order; the last one again and again.
    pub async fn script(answers: impl IntoIterator<Item = Answer>) -> Self {
        let mut answers: VecDeque<Answer> = answers.into_iter().collect();
        let last = answers.pop_back().expect("at least one answer");
        let answers = Mutex::new(answers);
        Self::with(move |_, _| answers.lock().unwrap().pop_front().unwrap_or_else(|| last.clone())).await
    }

    /// Answers by a function of the request and of how many came before it.
    pub async fn with(answer: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            seen: Mutex::default(),
            calls: watch::Sender::new(0),
            aborted: watch::Sender::new(0),
            connections: watch::Sender::new(0),
            repeated: AtomicUsize::new(0),
            answer: Box::new(answer),
        });
        let for_listener = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                for_listener.connections.send_modify(|count| *count += 1);
                tokio::spawn(serve(stream, Arc::clone(&for_listener)));
            }
        });
        Self { address, shared }
    }

    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Requests that have arrived.
    pub fn calls(&self) -> usize {
        *self.shared.calls.borrow()
    }

    pub fn requests(&self) -> Vec<Request> {
        self.shared.seen.lock().unwrap().clone()
    }

    pub fn connections(&self) -> usize {
        *self.shared.connections.borrow()
    }

    /// Bytes that somebody has taken of what is sent again and again.
    pub fn repeated(&self) -> usize {
        self.shared.repeated.load(Ordering::SeqCst)
    }

    /// Waits until `count` requests have arrived.
    pub async fn called(&self, count: usize) {
        reached(&self.shared.calls, count).await;
    }

    /// Waits until the proxy has closed the connection during `count` answers.
    pub async fn aborted(&self, count: usize) {
        reached(&self.shared.aborted, count).await;
    }
}

async fn reached(counter: &watch::Sender<usize>, count: usize) {
    let mut changes = counter.subscribe();
    let wait = changes.wait_for(|seen| *seen >= count);
    tokio::time::timeout(Duration::from_secs(10), wait).await.expect("it should have happened by now").unwrap();
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    stream.set_nodelay(true).unwrap();
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer).await {
        let before = {
            let mut seen = shared.seen.lock().unwrap();
            seen.push(request.clone());
            seen.len() - 1
        };
        shared.calls.send_modify(|calls| *calls += 1);
        let answer = (shared.answer)(&request, before);
        for act in answer.acts {
            let gone = match act {
                Act::Send(bytes) => stream.write_all(&bytes).await.is_err(),
                Act::Pause(span) => or_gone(&mut stream, tokio::time::sleep(span)).await,
                Act::Gate(gate) => or_gone(&mut stream, async { gate.acquire().await.unwrap().forget() }).await,
                Act::Hang => or_gone(&mut stream, std::future::pending()).await,
                Act::Close => return,
                Act::Reset => {
                    stream.set_zero_linger().unwrap();
                    return;
                }
                Act::Repeat(bytes) => {
                    while stream.write_all(&bytes).await.is_ok() {
                        shared.repeated.fetch_add(bytes.len(), Ordering::SeqCst);
                    }
                    true
                }
                Act::Trickle(bytes, pause) => trickle(&mut stream, &bytes, pause).await,
            };
            if gone {
                shared.aborted.send_modify(|aborted| *aborted += 1);
                return;
            }
        }
    }
}

/// True when the peer leaves before all of it is sent.
async fn trickle(stream: &mut TcpStream, bytes: &[u8], pause: Duration) -> bool {
    for byte in bytes {
        if stream.write_all(&[*byte]).await.is_err() || or_gone(stream, tokio::time::sleep(pause)).await {
            return true;
        }
    }
    false
}

/// True when the peer leaves before `wait` is over.
async fn or_gone(stream: &mut TcpStream, wait: impl Future<Output = ()>) -> bool {
    let mut byte = [0];
    tokio::select! {
        biased;
        () = wait => false,
        read = stream.peek(&mut byte) => match read {
            Ok(0) | Err(_) => true,
            // The next request is waiting already; that is no leave-taking.
            Ok(_) => false,
        },
    }
}

async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Request> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let request = Request { head, body: Vec::new() };
            let length: usize = request.header("content-length").map_or(0, |value| value.parse().unwrap());
            let whole = end + 4 + length;
            while buffer.len() < whole {
                if stream.read_buf(buffer).await.ok()? == 0 {
                    return None;
                }
            }
            let rest = buffer.split_off(whole);
            let body = std::mem::replace(buffer, rest).split_off(end + 4);
            return Some(Request { body, ..request });
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}
