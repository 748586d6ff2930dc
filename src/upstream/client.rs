//! The HTTP clients of one worker thread, and the request heads prepared for each entry.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix_http::Uri;
use actix_service::{Service, fn_service};
use actix_tls::connect::{ConnectError, ConnectInfo};
use awc::http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use awc::{Connector, FrozenClientRequest};
use rustls::ClientConfig;

use super::error::CallError;
use crate::actors::route::Entry;
use crate::domain::endpoint::Endpoint;

/// Sent because some edges answer 403 to library agents (Cloudflare `error code: 1010`, seen at Groq and Cerebras).
const AGENT: &str = concat!("429chain/", env!("CARGO_PKG_VERSION"));

/// Prepared heads that are kept before those of past configurations are thrown away.
const MOST_HEADS: usize = 4_096;

/// Both clients of a worker. Neither can leave its thread.
pub struct Clients {
    /// Keeps connections.
    pooled: awc::Client,
    /// Opens a new connection for every call: for the one retry after a kept connection turned out to be closed.
    fresh: awc::Client,
    heads: RefCell<HashMap<(u64, usize, Endpoint, Wire), FrozenClientRequest>>,
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
    /// Clients that wait for at most `connect_timeout` for DNS, TCP and TLS.
    #[must_use]
    pub fn new(tls: &Arc<ClientConfig>, connect_timeout: Duration) -> Self {
        Self {
            pooled: client(tls, connect_timeout, Duration::from_secs(15)),
            fresh: client(tls, connect_timeout, Duration::ZERO),
            heads: RefCell::default(),
        }
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
        let mut request = client
            .post(format!("{}{}", provider.base_url, endpoint.path()))
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

fn client(tls: &Arc<ClientConfig>, connect_timeout: Duration, keep_alive: Duration) -> awc::Client {
    let tcp = actix_tls::connect::Connector::default().service();
    let tcp = fn_service(move |target: ConnectInfo<Uri>| {
        let connecting = tcp.call(target);
        async move {
            let connection = connecting.await?;
            // Without it the last packet of a request may wait for an acknowledgement.
            let _ = connection.io_ref().set_nodelay(true);
            Ok::<_, ConnectError>(connection)
        }
    });
    let connector = Connector::new()
        .connector(tcp)
        // The default of 100 is one limit over all hosts: a stuck provider would starve the others.
        .limit(0)
        .timeout(connect_timeout)
        .conn_keep_alive(keep_alive)
        .conn_lifetime(Duration::from_secs(3_600))
        .rustls_0_23(Arc::clone(tls));
    awc::Client::builder()
        .connector(connector)
        .disable_redirects()
        .no_default_headers()
        // Attempts have deadlines of their own.
        .disable_timeout()
        .finish()
}
