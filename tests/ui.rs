//! The admin UI without a browser: who may come in, what every page says to browsers, and what no page ever shows.

use std::time::Duration;

use awc::ClientRequest;

use crate::support::app::{ADMIN, App, Reply, chain_of, piece, whole};
use crate::support::clock::TestClock;
use crate::support::provider::{Answer, Provider};

mod chains;
mod door;
mod file;
mod files;
mod first;
mod limits;
mod pages;
mod playground;
mod providers;
mod settings;

/// Every page that is there to be read.
const PAGES: [&str; 17] = [
    "/ui",
    "/ui?range=7d&chain=default&q=x",
    "/ui/chains",
    "/ui/chains?copy=default",
    "/ui/chains/default",
    "/ui/chains/default/delete",
    "/ui/playground",
    "/ui/providers",
    "/ui/providers/new",
    "/ui/providers/new?preset=groq",
    "/ui/providers/a",
    "/ui/providers/a/delete",
    "/ui/providers/a/models",
    "/ui/requests/req_0",
    "/ui/settings",
    "/ui/settings/admin-key",
    "/ui/nothing",
];

/// Somebody with a browser.
struct Visitor<'a> {
    app: &'a App,
    cookie: String,
}

impl<'a> Visitor<'a> {
    fn new(app: &'a App) -> Self {
        Self { app, cookie: String::new() }
    }

    /// Somebody who has logged in.
    async fn inside(app: &'a App) -> Self {
        let mut visitor = Self::new(app);
        let reply = visitor.log_in(ADMIN, "").await;
        assert_eq!(reply.status, 303, "{}", reply.text());
        visitor.cookie = reply.header("set-cookie").split(';').next().unwrap().to_owned();
        visitor
    }

    fn request(&self, method: &str, path: &str) -> ClientRequest {
        let url = format!("{}{path}", self.app.url);
        let request = self.app.client.request(method.parse().unwrap(), url);
        if self.cookie.is_empty() { request } else { request.insert_header(("cookie", self.cookie.clone())) }
    }

    async fn get(&self, path: &str) -> Reply {
        whole(self.request("GET", path).send().await.unwrap()).await
    }

    async fn head(&self, path: &str) -> Reply {
        whole(self.request("HEAD", path).send().await.unwrap()).await
    }

    /// A form of a page of ours, as it is sent.
    async fn post(&self, path: &str, form: &str) -> Reply {
        self.post_with(path, form, &[("sec-fetch-site", "same-origin")]).await
    }

    async fn post_with(&self, path: &str, form: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request = self.request("POST", path).content_type("application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.insert_header((*name, *value));
        }
        whole(request.send_body(form.to_owned()).await.unwrap()).await
    }

    async fn log_in(&self, key: &str, next: &str) -> Reply {
        self.post("/ui/login", &format!("key={key}&next={next}")).await
    }

    /// What proves that a form comes from a page of ours.
    async fn token(&self) -> String {
        let page = self.get("/ui").await.text();
        let (_, rest) = page.split_once("X-CSRF-Token\":\"").expect("every page has it");
        rest[..64].to_owned()
    }
}

async fn app() -> (App, Provider) {
    let provider = Provider::with(|_, _| Answer::ok()).await;
    (App::start(&chain_of(&[("a", &provider)])).await, provider)
}

/// A proxy with a log.
async fn recording(yaml: &str) -> (App, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (App::start_on(yaml, TestClock::default(), &dir.path().join("usage.redb")), dir)
}

/// Reads on until these words have come.
async fn until(news: &mut awc::ClientResponse, words: &str) -> String {
    let mut read = String::new();
    while !read.contains(words) {
        read += &piece(news).await.expect("it goes on");
    }
    read
}

/// Waits until so many requests are in the database.
async fn recorded(app: &App, count: usize) {
    let all = async { while app.get("/v1/stats/summary?range=30d").await.json()["totalRequests"] != count {} };
    tokio::time::timeout(Duration::from_secs(10), all).await.expect("they are written within moments");
}
