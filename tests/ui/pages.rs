//! What every page says to browsers, and what none of them shows.

use std::time::Duration;

use super::{PAGES, Visitor, app, recorded, recording, until};
use crate::support::app::{ADMIN, App, CLIENT, ask, chain_of, piece, whole};
use crate::support::provider::{Answer, Provider};

#[actix_rt::test]
async fn every_page_is_strict_about_what_a_browser_may_do() {
    let (app, _provider) = app().await;
    let visitor = Visitor::inside(&app).await;
    for path in PAGES.into_iter().chain(["/ui/login", "/ui/requests/export?format=csv", "/ui/static/app.css"]) {
        let reply = visitor.get(path).await;
        let policy = reply.header("content-security-policy");
        for part in
            ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"]
        {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{path}: {policy}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(reply.header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(reply.header("x-frame-options"), "DENY", "{path}");
        if path.contains("static") {
            continue;
        }
        assert_eq!(reply.header("cache-control"), "no-store", "{path}");
        assert_eq!(reply.header("vary"), "HX-Request-Type", "{path}");
        let html = reply.text();
        assert!(!html.contains(" style=") && !html.contains("<style") && !html.contains("<script>"), "{path}");
        assert!(!html.contains(" onclick=") && !html.contains("hx-on"), "{path}");
    }
    assert_eq!(visitor.get("/ui/nothing").await.status, 404);
    assert_eq!(visitor.get("/ui/requests/req_0").await.status, 404);
    assert_eq!(visitor.get("/ui?range=2h").await.status, 400);
    let plain = app.get("/v1/models").await;
    assert_eq!(plain.header("content-security-policy"), "", "the API is as it was");
    app.stop().await;
}

/// Whoever only asks whether a page is there, as `curl -I` and monitors do.
#[actix_rt::test]
async fn head_says_of_every_page_what_get_does() {
    let (app, _provider) = app().await;
    let visitor = Visitor::inside(&app).await;
    let stranger = Visitor::new(&app);
    let more =
        ["/", "/ui/login", "/ui/requests", "/ui/settings/keys", "/ui/settings/keys/1/revoke", "/ui/settings/reload"];
    for path in PAGES.into_iter().chain(more).chain(["/ui/settings/versions/1", "/ui/static/app.css"]) {
        for visitor in [&visitor, &stranger] {
            let (seen, told) = (visitor.get(path).await, visitor.head(path).await);
            assert_eq!(told.status, seen.status, "{path}");
            for header in ["location", "content-type", "content-length", "cache-control", "content-security-policy"] {
                assert_eq!(told.header(header), seen.header(header), "{path}: {header}");
            }
        }
    }
    for path in ["/ui/live", "/ui/requests/export?format=csv"] {
        assert_eq!(visitor.head(path).await.status, 405, "{path} would be made for nobody");
    }
    app.stop().await;
}

/// It can be copied as it is, also before anything has been typed.
#[actix_rt::test]
async fn the_command_of_the_playground_names_what_its_form_shows() {
    let (app, _provider) = app().await;
    let page = Visitor::inside(&app).await.get("/ui/playground").await.text();
    let (_, command) = page.split_once("id=\"pg-command\"").unwrap();
    let command = command.split_once("</pre>").unwrap().0.replace("&#34;", "\"").replace("&quot;", "\"");
    assert!(command.contains(r#""model":"default""#), "{command}");
    app.stop().await;
}

/// The door lets through what changes nothing; nothing behind it takes such a method for another.
#[actix_rt::test]
async fn other_methods_do_nothing() {
    let (app, provider) = app().await;
    let visitor = Visitor::inside(&app).await;
    let stranger = Visitor::new(&app);
    for method in ["OPTIONS", "TRACE", "PROPFIND", "DELETE"] {
        for path in
            ["/", "/ui", "/ui/theme", "/ui/login", "/ui/providers/a", "/ui/providers/a/test", "/ui/playground/send"]
        {
            for visitor in [&visitor, &stranger] {
                let status = whole(visitor.request(method, path).send().await.unwrap()).await.status;
                assert!([303, 401, 403, 405].contains(&status), "{method} {path}: {status}");
            }
        }
    }
    assert_eq!(provider.calls(), 0);
    app.stop().await;
}

/// Names of models, texts of errors and what clients send are shown as they are, and never taken for HTML.
#[actix_rt::test]
async fn hostile_names_and_texts_are_shown_and_not_run() {
    const EVIL: &str = "<img src=x onerror=alert(1)>'\"&";
    let refusing =
        Provider::with(|_, _| Answer::json(500, &[], r#"{"error":{"message":"<script>alert(2)</script>"}}"#)).await;
    let yaml = chain_of(&[("a", &refusing)]).replace("model: m }", &format!("model: {} }}", serde_json::json!(EVIL)));
    let (app, _dir) = recording(&yaml.replace("  port: 0\n", "  port: 0\n  queueMode: false\n")).await;
    for model in ["default", EVIL] {
        app.chat(ask("").replace("\"default\"", &serde_json::json!(model).to_string())).await;
    }
    app.chat(ask("").replace("\"default\"", &serde_json::json!(format!("a/{EVIL}")).to_string())).await;
    recorded(&app, 3).await;
    let visitor = Visitor::inside(&app).await;
    let id = app.get("/v1/stats/requests?limit=1").await.json()["requests"][0]["id"].as_str().unwrap().to_owned();
    for path in ["/ui", "/ui?q=%3Cimg%20src=x%3E&chain=%22%3E%3Cb%3E", "/ui/playground", &format!("/ui/requests/{id}")]
    {
        let html = visitor.get(path).await.text();
        for raw in ["<img", "<script>alert", "\"><b>"] {
            assert!(!html.contains(raw), "{path}: {raw}");
        }
        assert!(html.contains("img src=x"), "{path}: it is shown");
    }
    app.stop().await;
}

/// No page shows a key, be it of a client, an admin, or a provider; nor the secret of the session.
#[actix_rt::test]
async fn o24_no_key_stands_in_any_page() {
    let refusing = Provider::with(|request, _| {
        // Some providers repeat the key that they refuse.
        let key = request.header("authorization").unwrap_or_default().replace('"', "");
        Answer::error(401, &[], &format!("Incorrect API key provided: {key}"), "auth")
    })
    .await;
    let (app, _dir) = recording(&chain_of(&[("a", &refusing)])).await;
    app.chat(ask("")).await;
    recorded(&app, 1).await;
    let visitor = Visitor::inside(&app).await;
    let (token, session) = (visitor.token().await, visitor.cookie.trim_start_matches("sid=").to_owned());
    let id = app.get("/v1/stats/requests?limit=1").await.json()["requests"][0]["id"].as_str().unwrap().to_owned();
    let mut pages = Vec::new();
    for path in PAGES.into_iter().chain([format!("/ui/requests/{id}").as_str(), "/ui/requests/export?format=jsonl"]) {
        pages.push(visitor.get(path).await.text());
    }
    let form = format!("_csrf={token}&model=default&message=Hi&stream=on");
    pages.push(visitor.post("/ui/playground/send", &form).await.text());
    pages.push(visitor.log_in("a-wrong-key-of-somebody", "").await.text());
    pages.push(until(&mut visitor.request("GET", "/ui/live?page=dashboard").send().await.unwrap(), "#clock").await);
    for page in &pages {
        for secret in [CLIENT, ADMIN, "key-of-a", "a-wrong-key-of-somebody", &session] {
            assert!(!page.contains(secret), "{secret} stands in {page}");
        }
    }
    app.stop().await;
}

#[actix_rt::test]
async fn a_page_says_nothing_of_what_nobody_knows() {
    let provider = Provider::with(|_, _| Answer::ok()).await;
    let (app, _dir) = recording(&chain_of(&[("a", &provider)])).await;
    let visitor = Visitor::inside(&app).await;
    let html = visitor.get("/ui").await.text();
    assert!(html.contains("untried") && html.contains("No requests in the last 24 h.") && html.contains("Get started"));
    for nonsense in ["NaN", "null", "undefined", ">0 %", ">0 ms"] {
        assert!(!html.contains(nonsense), "{nonsense}");
    }
    app.stop().await;
}

#[actix_rt::test]
async fn the_log_goes_on_where_a_page_ends() {
    let provider = Provider::with(|_, _| Answer::ok()).await;
    let (app, _dir) = recording(&chain_of(&[("a", &provider)])).await;
    let visitor = Visitor::inside(&app).await;
    for _ in 0..60 {
        app.chat(ask("")).await;
        app.clock.advance(Duration::from_millis(5));
    }
    recorded(&app, 60).await;
    let ids = |html: &str| -> Vec<String> {
        html.split("<tbody id=\"r-").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let page = visitor.get("/ui").await.text();
    assert!(page.len() <= 60_000, "{} bytes with 50 rows", page.len());
    let first = ids(&page);
    let next = page.split("hx-get=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().replace("&#38;", "&");
    let part = visitor.request("GET", &next).insert_header(("hx-request-type", "partial"));
    let part = crate::support::app::whole(part.send().await.unwrap()).await.text();
    assert!(!part.contains("<html") && !part.contains("Load older"));
    let all: Vec<String> = first.iter().cloned().chain(ids(&part)).collect();
    assert_eq!((first.len(), all.len()), (50, 60));
    assert!(all.is_sorted_by(|one, other| one > other), "no duplicates, no gaps");
    assert_eq!(visitor.get(&next).await.status, 303, "without scripts it is another page");
    let csv = visitor.get("/ui/requests/export?format=csv&outcome=served&q=REQ_").await;
    assert_eq!((csv.header("content-type"), csv.text().lines().count()), ("text/csv; charset=utf-8", 61));
    assert_eq!(visitor.get("/ui/requests/export?format=csv&outcome=failed").await.text().lines().count(), 1);
    app.stop().await;
}

/// Sums are those of the API, and an unreadable database is said where it matters; the rest of the page is there.
#[actix_rt::test]
async fn a_database_that_cannot_be_read_takes_only_its_own_part_of_the_page() {
    let provider = Provider::with(|_, _| Answer::ok()).await;
    let dir = tempfile::tempdir().unwrap();
    let yaml = chain_of(&[("a", &provider)]);
    let app = App::start_on(&yaml, crate::support::clock::TestClock::default(), dir.path());
    let visitor = Visitor::inside(&app).await;
    let page = visitor.get("/ui").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.text().matches("Could not read this part.").count(), 2, "sums, and the log");
    assert!(page.text().contains("Chains now") && page.text().contains("untried"));
    app.stop().await;
}

/// News come at once, then when something has happened, and end with the session or with the proxy.
#[actix_rt::test]
async fn news_are_told_and_end() {
    let provider = Provider::script([Answer::ok(), Answer::rate_limited(Some("60"))]).await;
    let (app, _dir) =
        recording(&chain_of(&[("a", &provider)]).replace("  port: 0\n", "  port: 0\n  queueMode: false\n")).await;
    let visitor = Visitor::inside(&app).await;
    let mut news = visitor.request("GET", "/ui/live?page=dashboard&after=").send().await.unwrap();
    assert_eq!(news.headers().get("content-type").unwrap(), "text/event-stream");
    let first = until(&mut news, "#clock").await;
    for part in ["#chains-now", "#limits", "#figures", "untried"] {
        assert!(first.contains(part), "{part} in {first}");
    }
    app.chat(ask("")).await;
    let row = until(&mut news, "hx-target=\"#log-new\"").await;
    assert!(row.contains("id: req_") && row.contains("<tbody id=\"r-req_"), "{row}");
    app.chat(ask("")).await;
    until(&mut news, "data-state=\"cooling\"").await;
    let token = visitor.token().await;
    visitor.post("/ui/logout", &format!("_csrf={token}")).await;
    while piece(&mut news).await.is_some() {}

    let visitor = Visitor::inside(&app).await;
    let mut news = visitor.request("GET", "/ui/live?page=dashboard").send().await.unwrap();
    piece(&mut news).await.unwrap();
    let ended = actix_rt::spawn(async move { while piece(&mut news).await.is_some() {} });
    app.stop().await;
    ended.await.unwrap();
}
