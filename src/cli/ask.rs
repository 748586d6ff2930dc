//! One HTTP request to a running proxy. The commands that send one run without a runtime, and end soon either way.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::Failure;
use super::args::Args;
use crate::clock::Clock;
use crate::config;
use crate::config::environment::ProcessEnvironment;

/// For connecting, and for sending and receiving together.
const PATIENCE: Duration = Duration::from_secs(5);

/// More than any answer holds: that of a chain with a thousand entries is a third of it.
const MAX_ANSWER: usize = 1 << 20;

/// Where a proxy listens.
#[derive(Debug)]
pub(super) struct Target {
    host: String,
    port: u16,
    /// The configuration does not tell, because of this.
    guessed: Option<String>,
}

/// What it says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Target {
    /// As the options say, else the configuration, else the defaults. The configuration may be unreadable from here, for
    /// example because the keys in its environment are set for the proxy alone.
    pub(super) fn of(args: &Args) -> Self {
        let loaded = match (&args.host, args.port) {
            (Some(_), Some(_)) => None,
            _ => Some(config::load(&args.config, &ProcessEnvironment, &args.overrides())),
        };
        let (settings, fault) = match loaded {
            Some(Ok(config)) => (Some(config.settings), None),
            Some(Err(errors)) => (None, Some(errors.to_string())),
            None => (None, None),
        };
        let guessed = fault.filter(|_| args.port.is_none());
        let host = args.host.clone().or(settings.as_ref().map(|settings| settings.host.clone()));
        let port = args.port.or(settings.map(|settings| settings.port)).unwrap_or(3429);
        let host = match host.as_deref() {
            None | Some("0.0.0.0" | "") => "127.0.0.1".to_owned(),
            Some("::" | "[::]") => "::1".to_owned(),
            Some(host) => host.to_owned(),
        };
        Self { host, port, guessed }
    }

    /// Asks for `path`.
    pub(super) fn get(&self, path: &str) -> Result<Reply, Failure> {
        self.ask(&format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"))
    }

    /// Sends a JSON document to `path`.
    pub(super) fn post(&self, path: &str, key: &str, document: &str) -> Result<Reply, Failure> {
        if key.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(Failure::usage("a key has no spaces and no control characters"));
        }
        let length = document.len();
        self.ask(&format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{document}"
        ))
    }

    fn ask(&self, request: &str) -> Result<Reply, Failure> {
        let answer = self.connect().and_then(|stream| talk(stream, request)).map_err(|fault| {
            let advice = if self.guessed.is_none() { ". Is it running, and on this port?" } else { "" };
            Failure::runtime(format!("no answer from {self}: {fault}{advice}{}", self.guess()))
        })?;
        Reply::read(&answer).ok_or_else(|| self.is_foreign())
    }

    /// Something else listens there.
    pub(super) fn is_foreign(&self) -> Failure {
        Failure::runtime(format!("what listens at {self} is not 429chain{}", self.guess()))
    }

    /// Why nobody knows whether this is the port.
    fn guess(&self) -> String {
        let advice =
            |fault| format!(". The port is a guess: say --port, for the configuration does not tell it.\n{fault}");
        self.guessed.as_ref().map_or_else(String::new, advice)
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let mut fault = io::Error::other("the host name has no address");
        for address in (self.host.as_str(), self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(stream) => return Ok(stream),
                Err(refused) => fault = refused,
            }
        }
        Err(fault)
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Reply {
    /// The proxy tells the length of every answer that these commands ask for, so that the body is all that follows.
    fn read(answer: &[u8]) -> Option<Self> {
        let answer = String::from_utf8_lossy(answer);
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
        Some(Self { status, body: body.to_owned() })
    }
}

fn talk(mut stream: TcpStream, request: &str) -> io::Result<Vec<u8>> {
    let clock = Clock::system();
    let deadline = clock.mono().after(PATIENCE);
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut part = [0; 16 << 10];
    // One who sends a byte now and then must not hold us for ever.
    loop {
        let left = deadline.from_now(clock.mono());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        let count = match stream.read(&mut part) {
            Err(fault) if fault.kind() == ErrorKind::WouldBlock => return Err(ErrorKind::TimedOut.into()),
            count => count?,
        };
        answer.extend_from_slice(part.get(..count).unwrap_or_default());
        match answer.len() {
            _ if count == 0 => return Ok(answer),
            length if length > MAX_ANSWER => return Err(io::Error::other("the answer does not end")),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// A listener that says `answer` to whoever comes, once.
    fn says(answer: Vec<u8>) -> Target {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // Whoever asks may have left before the end.
            let _ = stream.read(&mut [0; 4_096]).and_then(|_| stream.write_all(&answer));
        });
        Target { host: "127.0.0.1".to_owned(), port, guessed: None }
    }

    #[test]
    fn an_answer_is_its_status_and_its_body() {
        let target = says(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\n{}".to_vec());
        assert_eq!(target.get("/health").unwrap(), Reply { status: 503, body: "{}".to_owned() });
    }

    #[test]
    fn what_is_no_proxy_is_told() {
        for (answer, word) in [
            (b"SSH-2.0-OpenSSH\r\n".to_vec(), "is not 429chain"),
            (Vec::new(), "is not 429chain"),
            (vec![b'x'; 2 << 20], "the answer does not end"),
        ] {
            let fault = says(answer).get("/health").unwrap_err();
            assert!(fault.message.contains(word) && fault.code == 1, "{fault:?}");
        }
    }

    #[test]
    fn a_key_adds_no_header() {
        let target = Target { host: "127.0.0.1".to_owned(), port: 1, guessed: None };
        assert_eq!(target.post("/", "a\r\nx: y", "{}").unwrap_err().code, 2);
    }
}
