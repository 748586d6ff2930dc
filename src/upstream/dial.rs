//! Opens connections to providers: DNS, TCP, TLS.

use std::cell::Cell;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_http::Uri;
use actix_rt::net::{ActixStream, Ready, TcpStream};
use actix_service::{Service, fn_service};
use actix_tls::connect::{ConnectError, ConnectInfo, Connection, Connector};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::channel::Channel;

/// The scheme of addresses that are called over TLS.
///
/// awc puts TLS around the connection that it is given, and [`Channel`] has to see what comes out of TLS: so awc is told
/// of a scheme that it knows, needs no TLS for, and nobody configures.
pub const SECURE: &str = "ws";

/// A connection, with or without TLS.
pub enum Stream {
    /// Without, as on the user's own machine.
    Plain(TcpStream),
    /// With.
    Secure(Box<TlsStream<TcpStream>>),
}

tokio::task_local! {
    static DIALLED: Rc<Cell<bool>>;
}

/// Runs a call; the second value says whether a connection was opened for it. A kept one may turn out to be closed.
pub async fn noticing<T>(call: impl Future<Output = T>) -> (T, bool) {
    let dialled = Rc::new(Cell::new(false));
    let result = DIALLED.scope(Rc::clone(&dialled), call).await;
    (result, dialled.get())
}

/// The service that awc opens connections with.
pub fn dialler(
    tls: &Arc<ClientConfig>,
) -> impl Service<ConnectInfo<Uri>, Response = Connection<Uri, Channel<Stream>>, Error = ConnectError> + Clone + use<> {
    let tls = TlsConnector::from(Arc::clone(tls));
    let tcp = Connector::default().service();
    let dial = move |target: ConnectInfo<Uri>| {
        let _ = DIALLED.try_with(|dialled| dialled.set(true));
        let (connecting, tls) = (tcp.call(target), tls.clone());
        async move {
            let (io, target) = connecting.await?.into_parts();
            // Without it the last packet of a request may wait for an acknowledgement.
            let _ = io.set_nodelay(true);
            let stream = match target.scheme_str() {
                Some(SECURE) => Stream::Secure(Box::new(shake_hands(&tls, &target, io).await?)),
                _ => Stream::Plain(io),
            };
            Ok::<_, ConnectError>(Connection::new(target, Channel::new(stream)))
        }
    };
    Rc::new(fn_service(dial))
}

async fn shake_hands(tls: &TlsConnector, target: &Uri, io: TcpStream) -> Result<TlsStream<TcpStream>, ConnectError> {
    let host = target.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(host.to_owned());
    let name = name.map_err(|fault| ConnectError::Io(io::Error::new(io::ErrorKind::InvalidInput, fault)))?;
    tls.connect(name, io).await.map_err(|fault| ConnectError::Io(io::Error::new(fault.kind(), format!("TLS: {fault}"))))
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain",
            Self::Secure(_) => "Secure",
        })
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_read(cx, buf),
            Self::Secure(io) => match Pin::new(io).poll_read(cx, buf) {
                // Many servers close without a farewell. Whether an answer is whole is judged by what it says itself.
                Poll::Ready(Err(fault)) if fault.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
                read => read,
            },
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, part: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_write(cx, part),
            Self::Secure(io) => Pin::new(io).poll_write(cx, part),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_flush(cx),
            Self::Secure(io) => Pin::new(io).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_shutdown(cx),
            Self::Secure(io) => Pin::new(io).poll_shutdown(cx),
        }
    }
}

impl ActixStream for Stream {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        match self {
            Self::Plain(io) => ActixStream::poll_read_ready(io, cx),
            Self::Secure(io) => ActixStream::poll_read_ready(io.get_ref().0, cx),
        }
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        match self {
            Self::Plain(io) => ActixStream::poll_write_ready(io, cx),
            Self::Secure(io) => ActixStream::poll_write_ready(io.get_ref().0, cx),
        }
    }
}
