//! The proxy in process, on a real socket, and a client for it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::HeaderMap;
use awc::ClientResponse;
use bytes::Bytes;
use chain429::app::Proxy;
use chain429::config::model::{Config, KeyDigest};
use chain429::config::{self, Overrides};
use chain429::store::place::Place;
use chain429::upstream::tls;
use rustls::ClientConfig;
use tokio_stream::StreamExt;

use super::clock::TestClock;
use super::provider::{Answer, Provider};

/// The client key of every test.
pub const CLIENT: &str = "sk-429-test-client";

/// The admin key of every test.
pub const ADMIN: &str = "ak-429-test-admin";

/// A proxy under test.
pub struct App {
    pub proxy: Proxy,
    pub url: String,
    pub clock: TestClock,
    pub client: awc::Client,
}

/// A complete answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|fault| panic!("{fault}: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A configuration with one chain that holds these providers in order, each with the model `m`.
pub fn chain_of(providers: &[(&str, &Provider)]) -> String {
    let settings = "  port: 0\n";
    config_of(settings, providers, "")
}

/// The same with more settings, and more keys for each provider (both indented as YAML wants it).
pub fn config_of(settings: &str, providers: &[(&str, &Provider)], each: &str) -> String {
    let mut text = format!("version: 1\nsettings:\n  apiKeys: [\"{CLIENT}\"]\n  adminKeys: [\"{ADMIN}\"]\n{settings}");
    if !settings.contains("port:") {
        text += "  port: 0\n";
    }
    text += "providers:\n";
    for (id, provider) in providers {
        text += &format!(
            "  - id: {id}\n    type: generic-openai\n    apiKey: key-of-{id}\n    baseUrl: {}\n{each}",
            provider.base_url()
        );
    }
    text += "chains:\n  - name: default\n    entries:\n";
    for (id, _) in providers {
        text += &format!("      - {{ provider: {id}, model: m }}\n");
    }
    text
}

/// A chat request, with these members behind model and messages (`,"stream":true`).
pub fn ask(more: &str) -> String {
    format!(r#"{{"model":"default","messages":[{{"role":"user","content":"Hello"}}]{more}}}"#)
}

/// A provider that is always well.
pub async fn healthy() -> Provider {
    Provider::with(|_, _| Answer::ok()).await
}

/// Adds lines to the section of provider `a`.
pub fn with_a(yaml: &str, lines: &str) -> String {
    yaml.replacen("    type:", &format!("{lines}    type:"), 1)
}

impl App {
    /// Which entry serves a chat.
    pub async fn served_by(&self) -> String {
        let reply = self.chat(ask("")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.header("x-429chain-provider").to_owned()
    }

    /// Starts a proxy with a clock of its own.
    pub async fn start(yaml: &str) -> Self {
        Self::start_at(yaml, TestClock::default()).await
    }

    /// Starts a proxy.
    pub async fn start_at(yaml: &str, clock: TestClock) -> Self {
        Self::start_with(yaml, clock, tls::client_config(None).unwrap(), Place::Memory)
    }

    /// Starts a proxy that records into this file.
    pub fn start_on(yaml: &str, clock: TestClock, database: &Path) -> Self {
        Self::start_with(yaml, clock, tls::client_config(None).unwrap(), Place::File(database.to_owned()))
    }

    /// Starts a proxy with roots of trust of its own.
    pub fn start_with(yaml: &str, clock: TestClock, tls: Arc<ClientConfig>, place: Place) -> Self {
        Self::start_in(&BTreeMap::new(), yaml, clock, tls, place)
    }

    /// Starts a proxy with these environment variables.
    pub fn start_in(
        environment: &BTreeMap<String, String>,
        yaml: &str,
        clock: TestClock,
        tls: Arc<ClientConfig>,
        place: Place,
    ) -> Self {
        let config = config::parse(yaml, "test.yaml", Path::new("."), environment, &Overrides::default())
            .unwrap_or_else(|errors| panic!("{errors}\n{yaml}"));
        Self::start_it(config, clock, tls, place)
    }

    /// Starts a proxy with a configuration that was made otherwise.
    pub fn start_config(config: Config) -> Self {
        Self::start_it(config, TestClock::default(), tls::client_config(None).unwrap(), Place::Memory)
    }

    fn start_it(config: Config, clock: TestClock, tls: Arc<ClientConfig>, place: Place) -> Self {
        let proxy = Proxy::start(config, vec![KeyDigest::of(ADMIN)], tls, clock.clock(), place).unwrap();
        let url = format!("http://{}", proxy.addresses()[0]);
        let client = awc::Client::builder().disable_timeout().disable_redirects().finish();
        Self { proxy, url, clock, client }
    }

    /// Asks for a chat completion and waits for all of it.
    pub async fn chat(&self, body: impl Into<String>) -> Reply {
        whole(self.open(body).await).await
    }

    /// The same as [`chat`](Self::chat), in a future that does not borrow the app.
    pub fn send(&self, body: String) -> impl Future<Output = Reply> + 'static {
        let request = self.client.post(format!("{}/v1/chat/completions", self.url)).bearer_auth(CLIENT);
        async move { whole(request.send_body(body).await.unwrap()).await }
    }

    /// Asks for a chat completion; the body is left to the caller.
    pub async fn open(&self, body: impl Into<String>) -> ClientResponse {
        self.post(body, CLIENT).await
    }

    pub async fn post(&self, body: impl Into<String>, key: &str) -> ClientResponse {
        let request = self.client.post(format!("{}/v1/chat/completions", self.url)).bearer_auth(key);
        request.insert_header(("content-type", "application/json")).send_body(body.into()).await.unwrap()
    }

    /// Posts to another path than that of chat completions.
    pub async fn post_to(&self, path: &str, body: &str) -> Reply {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(CLIENT);
        whole(request.send_body(body.to_owned()).await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.get_as(path, CLIENT).await
    }

    pub async fn get_as(&self, path: &str, key: &str) -> Reply {
        whole(self.client.get(format!("{}{path}", self.url)).bearer_auth(key).send().await.unwrap()).await
    }

    /// The state of one entry as `/v1/ratelimits` shows it.
    pub async fn entry(&self, provider: &str) -> serde_json::Value {
        let all = self.get("/v1/ratelimits").await.json();
        let entries = all["ratelimits"].as_array().unwrap();
        entries.iter().find(|entry| entry["provider"] == provider).unwrap().clone()
    }

    pub async fn stop(self) {
        self.proxy.stop(Duration::from_secs(5)).await;
    }
}

/// All of an answer.
pub async fn whole(mut response: ClientResponse) -> Reply {
    let body = response.body().limit(64 << 20).await.unwrap();
    Reply { status: response.status().as_u16(), headers: response.headers().clone(), body }
}

/// The next piece of a streamed answer as text; `None` at its end.
pub async fn piece(response: &mut ClientResponse) -> Option<String> {
    let next = tokio::time::timeout(Duration::from_secs(10), response.next()).await.expect("no piece in 10 s");
    next.map(|piece| String::from_utf8(piece.unwrap().to_vec()).unwrap())
}
