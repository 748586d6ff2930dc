//! The HTTP clients of one worker thread, and the request heads prepared for each entry.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix_http::Uri;
use awc::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use awc::{ClientRequest, Connector, FrozenClientRequest};
use rustls::ClientConfig;

use super::dial::{SECURE, dialler};
use super::error::CallError;
use crate::actors::route::Entry;
use crate::config::model::{Provider, Settings};
use crate::config::reach::Fence;
use crate::domain::endpoint::Endpoint;

/// Sent because some edges answer 403 to library agents (Cloudflare `error code: 1010`, seen at Groq and Cerebras).
pub(super) const AGENT: &str = concat!("429chain/", env!("CARGO_PKG_VERSION"));

/// Prepared heads that are kept before those of past configurations are thrown away.
const MOST_HEADS: usize = 4_096;

/// Both clients of a worker. Neither can leave its thread.
pub struct Clients {
    /// Keeps connections.
    pooled: awc::Client,
    /// Opens a new connection for every call: for the one retry after a kept connection turned out to be closed.
    fresh: awc::Client,
    heads: RefCell<HashMap<(u64, usize, Endpoint, Wire), FrozenClientRequest>>,
    connect_timeout: Duration,
    fence: Fence,
}

/// Which of the two clients is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wire {
    /// The one that keeps connections.
    Pooled,
    /// The one that does not.
    Fresh,
}

impl Clients {
    /// Clients that wait for at most `connectTimeoutMs` for DNS, TCP and TLS, and call nobody beyond the fence.
    #[must_use]
    pub fn new(tls: &Arc<ClientConfig>, settings: &Settings) -> Self {
        let (connect_timeout, fence) = (settings.connect_timeout, settings.fence);
        Self {
            pooled: client(tls, connect_timeout, Duration::from_secs(15), Some(fence)),
            fresh: client(tls, connect_timeout, Duration::ZERO, Some(fence)),
            heads: RefCell::default(),
            connect_timeout,
            fence,
        }
    }

    /// Whether they still are as the settings have them.
    #[must_use]
    pub fn fits(&self, settings: &Settings) -> bool {
        (self.connect_timeout, self.fence) == (settings.connect_timeout, settings.fence)
    }

    /// The request head for `entry` with this one of the provider's keys, without a body.
    ///
    /// # Errors
    /// When the entry's URL, key or headers cannot be sent.
    pub fn head(
        &self,
        entry: &Entry,
        key: usize,
        endpoint: Endpoint,
        wire: Wire,
    ) -> Result<FrozenClientRequest, CallError> {
        let place = (entry.serial, key, endpoint, wire);
        if let Some(head) = self.heads.borrow().get(&place) {
            return Ok(head.clone());
        }
        let head = self.prepare(entry, key, endpoint, wire)?;
        let mut heads = self.heads.borrow_mut();
        if heads.len() >= MOST_HEADS {
            heads.clear();
        }
        heads.insert(place, head.clone());
        Ok(head)
    }

    /// A request for something else than a completion, with the provider's first key.
    ///
    /// # Errors
    /// When the provider's URL cannot be called.
    pub fn get(&self, provider: &Provider, path: &str) -> Result<ClientRequest, CallError> {
        let (url, host) = address(&format!("{}{path}", provider.base_url))?;
        let mut request = self.pooled.get(url).insert_header((HOST, host)).insert_header((USER_AGENT, AGENT));
        if let Some(key) = provider.keys.first() {
            request = request.insert_header((AUTHORIZATION, format!("Bearer {}", key.expose())));
        }
        for (name, value) in &provider.headers {
            request = request.insert_header((name.as_str(), value.expose()));
        }
        Ok(request)
    }

    fn prepare(
        &self,
        entry: &Entry,
        key: usize,
        endpoint: Endpoint,
        wire: Wire,
    ) -> Result<FrozenClientRequest, CallError> {
        let provider = &entry.provider;
        let client = match wire {
            Wire::Pooled => &self.pooled,
            Wire::Fresh => &self.fresh,
        };
        let (url, host) = address(&format!("{}{}", provider.base_url, endpoint.path()))?;
        let mut request = client
            .post(url)
            .insert_header((HOST, host))
            .insert_header((CONTENT_TYPE, "application/json"))
            .insert_header((USER_AGENT, AGENT));
        if let Some(key) = provider.keys.get(key) {
            request = request.insert_header((AUTHORIZATION, format!("Bearer {}", key.expose())));
        }
        for (name, value) in &provider.headers {
            request = request.insert_header((name.as_str(), value.expose()));
        }
        request.freeze().map_err(|fault| CallError::Unsendable(fault.to_string()))
    }
}

/// Without a fence it calls anybody.
pub(super) fn client(
    tls: &Arc<ClientConfig>,
    connect_timeout: Duration,
    keep_alive: Duration,
    fence: Option<Fence>,
) -> awc::Client {
    let connector = Connector::new()
        .connector(dialler(tls, fence))
        // The default of 100 is one limit over all hosts: a stuck provider would starve the others.
        .limit(0)
        .timeout(connect_timeout)
        .conn_keep_alive(keep_alive)
        .conn_lifetime(Duration::from_secs(3_600));
    awc::Client::builder()
        .connector(connector)
        .disable_redirects()
        .no_default_headers()
        // Attempts have deadlines of their own.
        .disable_timeout()
        .finish()
}

/// The address as awc is to see it, and the value of `Host`.
pub(super) fn address(url: &str) -> Result<(String, String), CallError> {
    let uri: Uri = url.parse().map_err(|fault| CallError::Unsendable(format!("{fault}")))?;
    let host = uri.authority().map(|authority| authority.as_str().to_owned()).unwrap_or_default();
    if uri.scheme_str() != Some("https") {
        return Ok((url.to_owned(), host));
    }
    let port = if uri.port().is_some() { "" } else { ":443" };
    let path = uri.path_and_query().map(|path| path.as_str()).unwrap_or_default();
    Ok((format!("{SECURE}://{host}{port}{path}"), host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_put_around_https_alone_and_the_host_is_the_configured_one() {
        for (url, seen, host) in [
            ("http://127.0.0.1:8080/v1/x", "http://127.0.0.1:8080/v1/x", "127.0.0.1:8080"),
            ("https://api.example.com/v1/x?a=b", "ws://api.example.com:443/v1/x?a=b", "api.example.com"),
            ("HTTPS://example.com:8443/v1", "ws://example.com:8443/v1", "example.com:8443"),
            ("https://[::1]/v1", "ws://[::1]:443/v1", "[::1]"),
        ] {
            assert_eq!(address(url).unwrap(), (seen.to_owned(), host.to_owned()), "{url}");
        }
    }
}
