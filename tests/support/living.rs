//! A proxy with a configuration file that a test changes.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use chain429::actors::reload::{GeneratedKey, Origin};
use chain429::app::Proxy;
use chain429::config::Overrides;
use chain429::config::model::KeyDigest;
use chain429::config::source::Source;
use chain429::store::place::Place;
use chain429::upstream::tls;
use serde_json::Value;

use super::app::{ADMIN, App, Reply, whole};
use super::clock::TestClock;

/// The proxy and its file. It does not watch the file: a test says when it is read again.
pub struct Living {
    pub app: App,
    pub file: PathBuf,
    _dir: tempfile::TempDir,
}

impl Living {
    pub fn start(yaml: &str) -> Self {
        Self::start_with_key(yaml, Box::new(|_| Ok(KeyDigest::of(ADMIN))))
    }

    /// The same; where the file names no admin keys, they come from there after the start.
    pub fn start_with_key(yaml: &str, generated_key: GeneratedKey) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let overrides = Overrides { data_dir: Some(dir.path().join("data")), ..Overrides::default() };
        Self::start_in(dir, yaml, overrides, generated_key)
    }

    /// The same in a folder that is there, and with the data directory that the file or `overrides` names.
    pub fn start_in(dir: tempfile::TempDir, yaml: &str, overrides: Overrides, generated_key: GeneratedKey) -> Self {
        let file = dir.path().join("c.yaml");
        fs::write(&file, yaml).unwrap();
        let clock = TestClock::default();
        let source = Source::new(&file, BTreeMap::<String, String>::new(), overrides);
        let loaded = source.load().unwrap_or_else(|problems| panic!("{problems}\n{yaml}"));
        let admin = KeyDigest::of(ADMIN);
        let origin = Origin { source: Some(source), generated_key };
        let tls = tls::client_config(None).unwrap();
        let proxy = Proxy::start_from(loaded, origin, vec![admin], tls, clock.clock(), Place::Memory).unwrap();
        let url = format!("http://{}", proxy.addresses()[0]);
        let connector = awc::Connector::new().limit(0);
        let client = awc::Client::builder().connector(connector).disable_timeout().disable_redirects().finish();
        Self { app: App { proxy, url, clock, client }, file, _dir: dir }
    }

    /// Has the file read again, by whoever has this key.
    pub fn reload_as(&self, key: &str) -> impl Future<Output = Reply> + 'static {
        let request = self.app.client.post(format!("{}/v1/admin/reload", self.app.url)).bearer_auth(key);
        async move { whole(request.send().await.unwrap()).await }
    }

    /// Writes the file and has it read again.
    pub async fn try_change(&self, yaml: &str) -> Reply {
        fs::write(&self.file, yaml).unwrap();
        self.reload_as(ADMIN).await
    }

    /// The same for a file that is right; what the proxy says of it.
    pub async fn change(&self, yaml: &str) -> Value {
        let reply = self.try_change(yaml).await;
        assert_eq!(reply.status, 200, "{}\n{yaml}", reply.text());
        reply.json()
    }

    /// What those with a key learn of the configuration.
    pub async fn standing(&self) -> Value {
        self.app.get("/health").await.json()["config"].clone()
    }
}
