//! TLS towards providers.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

/// One configuration for all clients: Mozilla's roots, HTTP/1.1 only.
///
/// The crypto provider is named here, because a process-wide default may be missing, and then awc panics. HTTP/2 is
/// not offered: awc's pool would not notice a dead connection.
///
/// # Errors
/// When the crypto provider supports none of the default protocol versions.
pub fn client_config() -> Result<Arc<ClientConfig>, rustls::Error> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
