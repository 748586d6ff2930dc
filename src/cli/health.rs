//! `429chain health`: asks a running proxy whether it is well.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::Failure;
use super::args::Args;
use super::report::say;
use crate::config;
use crate::config::environment::ProcessEnvironment;

/// For each of connecting, sending and receiving.
const PATIENCE: Duration = Duration::from_secs(3);

/// More than any health answer holds.
const MAX_ANSWER: u64 = 64 << 10;

/// Succeeds when the proxy says that it is well.
pub(super) fn health(args: &Args) -> Result<(), Failure> {
    let (host, port) = target(args);
    let answer = ask(&host, port).map_err(|fault| {
        Failure::runtime(format!("no answer from {host}:{port}: {fault}. Is it running, and on this port?"))
    })?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    match head.split(' ').nth(1) {
        Some("200") => {
            say(body);
            Ok(())
        }
        _ => Err(Failure::runtime(format!("{host}:{port} is not well: {body}"))),
    }
}

/// Where the proxy listens: as the options say, else the configuration, else the defaults. The configuration may be
/// unreadable from here, for example because the keys in its environment are set for the proxy alone.
fn target(args: &Args) -> (String, u16) {
    let settings = match (&args.host, args.port) {
        (Some(_), Some(_)) => None,
        _ => config::load(&args.config, &ProcessEnvironment, &args.overrides()).ok().map(|config| config.settings),
    };
    let host = args.host.clone().or(settings.as_ref().map(|settings| settings.host.clone()));
    let port = args.port.or(settings.map(|settings| settings.port)).unwrap_or(3429);
    let host = match host.as_deref() {
        None | Some("0.0.0.0" | "") => "127.0.0.1".to_owned(),
        Some("::" | "[::]") => "::1".to_owned(),
        Some(host) => host.to_owned(),
    };
    (host, port)
}

fn ask(host: &str, port: u16) -> std::io::Result<String> {
    let mut fault = std::io::Error::other("the host name has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => return talk(stream),
            Err(refused) => fault = refused,
        }
    }
    Err(fault)
}

fn talk(mut stream: TcpStream) -> std::io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
