//! TLS towards providers: all real ones speak it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chain429::store::place::Place;
use chain429::upstream::tls;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::support::app::{App, ask, chain_of, config_of};
use crate::support::clock::TestClock;
use crate::support::provider::{Answer, COMPLETION, Provider};

/// A provider behind TLS with a certificate of its own authority.
struct Secure {
    address: SocketAddr,
    /// The authority, as PEM.
    root: tempfile::NamedTempFile,
    handshakes: Arc<AtomicUsize>,
    answers: Arc<AtomicUsize>,
}

impl Secure {
    async fn start() -> Self {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["127.0.0.1".into()]).unwrap().signed_by(&key, &authority).unwrap();
        let root = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(root.path(), authority.pem()).unwrap();

        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .unwrap();
        // Offers HTTP/2 as well; the proxy must not take it.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let handshakes = Arc::new(AtomicUsize::new(0));
        let answers = Arc::new(AtomicUsize::new(0));
        let (counter, answered) = (Arc::clone(&handshakes), Arc::clone(&answers));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, counter, answered) = (acceptor.clone(), Arc::clone(&counter), Arc::clone(&answered));
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
                    counter.fetch_add(1, Ordering::SeqCst);
                    let mut request = Vec::new();
                    // The request document ends in this test with the only "}]}", and that of spans with one.
                    while stream.read_buf(&mut request).await.is_ok_and(|read| read > 0) {
                        if request.ends_with(b"}]}") {
                            request.clear();
                            let answer = format!(
                                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{COMPLETION}",
                                COMPLETION.len()
                            );
                            stream.write_all(answer.as_bytes()).await.unwrap();
                            stream.flush().await.unwrap();
                            answered.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                });
            }
        });
        Self { address, root, handshakes, answers }
    }

    fn chain_before(&self, second: &Provider) -> String {
        let first = format!("https://{}/v1", self.address);
        // Both get the base URL of the second; the first occurrence is that of the first.
        chain_of(&[("a", second), ("b", second)]).replacen(&second.base_url(), &first, 1)
    }
}

#[actix_rt::test]
async fn a_provider_behind_tls_is_reached_and_its_connection_kept() {
    let secure = Secure::start().await;
    let second = Provider::script([Answer::ok()]).await;
    let tls = tls::client_config(Some(secure.root.path())).unwrap();
    let app = App::start_with(&secure.chain_before(&second), TestClock::default(), tls, Place::Memory);
    for _ in 0..5 {
        let reply = app.chat(ask("")).await;
        assert_eq!((reply.status, reply.header("x-429chain-provider")), (200, "a/m"));
        assert_eq!(reply.text(), COMPLETION);
    }
    assert_eq!(secure.handshakes.load(Ordering::SeqCst), 1);
    app.stop().await;
}

#[actix_rt::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let secure = Secure::start().await;
    let second = Provider::script([Answer::ok()]).await;
    let app = App::start(&secure.chain_before(&second)).await;
    let reply = app.chat(ask("")).await;
    assert_eq!((reply.status, reply.header("x-429chain-provider")), (200, "b/m"));
    app.clock.advance(Duration::from_secs(60));
    let alone = app.chat(ask("").replace("default", "a/m")).await;
    assert_eq!(alone.status, 503);
    assert!(alone.text().contains("connection failed") && alone.text().contains("certificate"), "{}", alone.text());
    assert_eq!(secure.handshakes.load(Ordering::SeqCst), 0);
    app.stop().await;
}

/// The collector of traces is reached by the same rules as providers are.
#[actix_rt::test]
async fn a_collector_behind_tls_is_reached_if_somebody_vouches_for_it() {
    let (secure, provider) = (Secure::start().await, Provider::script([Answer::ok()]).await);
    let variables = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("https://{}/v1/traces", secure.address)),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json".to_owned()),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value)).into();
    for (root, answers) in [(None, 0), (Some(secure.root.path()), 1)] {
        let tls = tls::client_config(root).unwrap();
        let yaml = chain_of(&[("a", &provider)]);
        let app = App::start_in(&variables, &yaml, TestClock::default(), tls, Place::Memory);
        assert_eq!(app.chat(ask("")).await.status, 200);
        app.stop().await;
        assert_eq!(secure.answers.load(Ordering::SeqCst), answers);
    }
}

#[actix_rt::test]
async fn tls_to_a_port_without_tls_is_passed_over() {
    let plain = Provider::script([Answer::raw("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").close()]).await;
    let second = Provider::script([Answer::ok()]).await;
    // The fake waits for the rest of what it takes for a request head.
    let yaml = config_of("  connectTimeoutMs: 300\n", &[("a", &plain), ("b", &second)], "")
        .replace(&plain.base_url(), &plain.base_url().replace("http://", "https://"));
    let app = App::start(&yaml).await;
    assert_eq!(app.chat(ask("")).await.header("x-429chain-provider"), "b/m");
    app.stop().await;
}
