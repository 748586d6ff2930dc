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
use actix_tls::connect::{ConnectError, ConnectInfo, Connection, Connector, Resolver};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::channel::Channel;
use crate::config::reach::{Fence, Reach};

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

/// The service that awc opens connections with. What a name leads to is held against `fence` after it was resolved, and
/// nothing else is called than what was looked at: nobody gets around it by changing what a name means.
pub fn dialler(
    tls: &Arc<ClientConfig>,
    fence: Option<Fence>,
) -> impl Service<ConnectInfo<Uri>, Response = Connection<Uri, Channel<Stream>>, Error = ConnectError> + Clone + use<> {
    dialler_by(&Resolver::default(), tls, fence)
}

fn dialler_by(
    resolver: &Resolver,
    tls: &Arc<ClientConfig>,
    fence: Option<Fence>,
) -> impl Service<ConnectInfo<Uri>, Response = Connection<Uri, Channel<Stream>>, Error = ConnectError> + Clone + use<> {
    let tls = TlsConnector::from(Arc::clone(tls));
    let (resolver, tcp) = (resolver.service(), Connector::default().service());
    let dial = move |target: ConnectInfo<Uri>| {
        let _ = DIALLED.try_with(|dialled| dialled.set(true));
        let (resolving, tcp, tls) = (resolver.call(target), tcp.clone(), tls.clone());
        async move {
            let resolved = resolving.await?;
            if let Some(fence) = fence {
                hold_against(fence, &resolved)?;
            }
            let (io, target) = tcp.call(resolved).await?.into_parts();
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

/// One address beyond the fence is enough: whoever answers with it and a good one means no good.
fn hold_against(fence: Fence, resolved: &ConnectInfo<Uri>) -> Result<(), ConnectError> {
    let refusal = resolved.addrs().find_map(|address| fence.check(Reach::of(address.ip())).err());
    match refusal.map(|why| format!("the address of {} {why}", resolved.hostname())) {
        Some(why) => Err(ConnectError::Io(io::Error::new(io::ErrorKind::PermissionDenied, why))),
        None => Ok(()),
    }
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

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::net::SocketAddr;

    use actix_tls::connect::Resolve;

    use super::*;

    fn refusal(url: &str, addresses: &[&str], private: bool) -> Option<String> {
        let uri: Uri = url.parse().unwrap();
        let addresses = addresses.iter().map(|address| format!("{address}:80").parse().unwrap());
        let resolved = ConnectInfo::new(uri).set_addrs(addresses);
        hold_against(Fence { private }, &resolved).err().map(|fault| match fault {
            ConnectError::Io(fault) => fault.to_string(),
            other => panic!("{other:?}"),
        })
    }

    /// LESSONS O23, F19: what counts is what a name leads to when it is called, not what it has led to before.
    #[test]
    fn o23_f19_a_name_that_leads_to_metadata_is_not_called() {
        for addresses in [&["169.254.169.254"][..], &["[fe80::1]"], &["1.1.1.1", "169.254.169.254"]] {
            let why = refusal("http://models.example.com/v1", addresses, true).unwrap();
            assert!(why.contains("models.example.com is link-local"), "{why}");
        }
        assert_eq!(refusal("http://models.example.com/v1", &["127.0.0.1", "10.0.0.1"], true), None);
        let why = refusal("http://models.example.com/v1", &["1.1.1.1", "10.0.0.1"], false).unwrap();
        assert!(why.contains("allowPrivateUrls"), "{why}");
        assert_eq!(refusal("http://models.example.com/v1", &["1.1.1.1"], false), None);
    }

    /// What names lead to.
    struct Names(SocketAddr);

    impl Resolve for Names {
        fn lookup<'a>(
            &'a self,
            _: &'a str,
            _: u16,
        ) -> Pin<Box<dyn Future<Output = Result<Vec<SocketAddr>, Box<dyn Error>>> + 'a>> {
            Box::pin(async { Ok(vec![self.0]) })
        }
    }

    #[actix_rt::test]
    async fn o23_f19_a_name_is_looked_at_after_it_was_resolved() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let here = listener.local_addr().unwrap();
        let tls = super::super::tls::client_config(None).unwrap();
        for (address, private, called) in
            [("169.254.169.254:80".parse().unwrap(), true, false), (here, false, false), (here, true, true)]
        {
            let dial = dialler_by(&Resolver::custom(Names(address)), &tls, Some(Fence { private }));
            let made = dial.call(ConnectInfo::new(Uri::from_static("http://models.example.com/v1"))).await;
            assert_eq!(made.is_ok(), called, "{address}");
            let refused = matches!(made, Err(ConnectError::Io(why)) if why.kind() == io::ErrorKind::PermissionDenied);
            assert_eq!(refused, !called, "{address}");
        }
    }
}
