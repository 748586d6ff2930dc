//! TLS towards providers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use rustls::{ClientConfig, RootCertStore};

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file with further roots cannot be used.
    #[error("{}: no certificates can be read from it ({source}). SSL_CERT_FILE has to name a PEM file", .path.display())]
    Roots {
        /// Which.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// The crypto provider and the protocol do not fit each other.
    #[error(transparent)]
    Setup(#[from] rustls::Error),
}

/// One configuration for all clients: Mozilla's roots, those in `more_roots` (PEM), HTTP/1.1 only.
///
/// The crypto provider is named here, because a process-wide default may be missing, and then awc panics. HTTP/2 is
/// not offered: awc's pool would not notice a dead connection.
///
/// # Errors
/// When `more_roots` cannot be read, or holds no certificate.
pub fn client_config(more_roots: Option<&Path>) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = more_roots {
        let unreadable = |source| TlsError::Roots { path: path.to_owned(), source };
        let found = CertificateDer::pem_file_iter(path).map_err(unreadable)?;
        let found = found.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
        if roots.add_parsable_certificates(found).0 == 0 {
            return Err(unreadable(pem::Error::NoItemsFound));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_refused_by_name() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let fault = client_config(Some(file.path())).unwrap_err().to_string();
        assert!(fault.contains("SSL_CERT_FILE") && fault.contains(&file.path().display().to_string()), "{fault}");
        assert!(client_config(Some(Path::new("/nowhere.pem"))).is_err());
        assert_eq!(client_config(None).unwrap().alpn_protocols, [b"http/1.1".to_vec()]);
    }
}
