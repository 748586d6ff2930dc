//! The limits: which entries are shown, and where their numbers are known from.

use super::{Visitor, until};
use crate::support::app::{App, ask, chain_of, config_of, healthy};
use crate::support::provider::{Answer, Provider};

const ANNOUNCED: [(&str, &str); 2] = [("x-ratelimit-limit-requests", "30"), ("x-ratelimit-remaining-requests", "20")];

/// The entries that a page shows.
fn shown(html: &str) -> Vec<String> {
    let rows =
        html.split("<tr id=\"limit-").skip(1).filter_map(|row| row.split("data-name=\"").nth(1)?.split('"').next());
    rows.map(str::to_owned).collect()
}

/// `a` rests, `b` is ready, `c` was never asked.
async fn app() -> App {
    let a = Provider::script([Answer::rate_limited(Some("600"))]).await;
    let (b, c) = (healthy().await, healthy().await);
    let yaml = chain_of(&[("a", &a), ("b", &b), ("c", &c)]);
    let app = App::start(&yaml).await;
    assert_eq!(app.served_by().await, "b/m");
    app
}

#[actix_rt::test]
async fn entries_of_one_state_are_shown_alone() {
    let app = app().await;
    let visitor = Visitor::inside(&app).await;
    for (query, expected) in [
        ("", &["a m", "b m", "c m"][..]),
        ("?show=", &["a m", "b m", "c m"]),
        ("?show=cooling", &["a m"]),
        ("?show=ready", &["b m"]),
        ("?show=untried", &["c m"]),
        ("?show=auth", &[]),
    ] {
        let html = visitor.get(&format!("/ui{query}")).await.text();
        assert_eq!(shown(&html), expected, "{query}");
        assert_eq!(html.contains("No entry is shown as “auth error” now."), expected.is_empty(), "{query}");
    }
    assert_eq!(visitor.get("/ui?show=everything").await.status, 400);

    // What else was chosen is kept by each form and link.
    let html = visitor.get("/ui?range=7d&show=cooling&chain=default&q=x").await.text();
    for part in [
        r#"<option value="cooling" selected>cooling</option>"#,
        r#"<input type="hidden" name="show" value="cooling">"#,
        r#"<input type="hidden" name="chain" value="default"><input type="hidden" name="q" value="x">"#,
        "href=\"/ui?show=cooling&#38;chain=default&#38;q=x\"",
        "href=\"/ui?range=7d&#38;show=cooling#requests\">Clear",
        "/ui/live?page=dashboard&#38;range=7d&#38;show=cooling&#38;chain=default",
        "export?format=csv&chain=default&#38;q=x\"",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    app.stop().await;
}

/// An open page gets news of what it shows.
#[actix_rt::test]
async fn news_keep_to_the_entries_that_are_shown() {
    let app = app().await;
    let visitor = Visitor::inside(&app).await;
    let mut cooling = visitor.request("GET", "/ui/live?page=dashboard&show=cooling").send().await.unwrap();
    let mut off = visitor.request("GET", "/ui/live?page=dashboard&show=off").send().await.unwrap();
    assert_eq!(shown(&until(&mut cooling, "#clock").await), ["a m"]);
    assert!(shown(&until(&mut off, "#clock").await).is_empty());
    let thaw = app.client.post(format!("{}/v1/admin/entries/thaw", app.url)).bearer_auth(crate::support::app::ADMIN);
    assert_eq!(thaw.send_body(r#"{"provider":"a"}"#).await.unwrap().status(), 200);
    let told = until(&mut cooling, "#limits").await;
    assert!(told.contains("No entry is shown as “cooling” now.") && shown(&told).is_empty(), "{told}");
    // The other page has the same chains, and no other limits.
    let told = until(&mut off, "#chains-now").await;
    assert!(!told.contains("#limits"), "{told}");
    drop((cooling, off));
    app.stop().await;
}

/// In words, for who cannot point at a number.
#[actix_rt::test]
async fn the_source_of_each_number_is_told() {
    let limited = Answer::json(200, &ANNOUNCED, r#"{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}"#);
    let a = Provider::script([limited]).await;
    let b = healthy().await;
    let yaml = config_of("", &[("a", &a), ("b", &b)], "").replacen(
        "  - id: b\n",
        "  - id: b\n    rateLimits: { requestsPerMinute: 9 }\n",
        1,
    );
    let app = App::start(&yaml).await;
    app.chat(ask("")).await;
    let html = Visitor::inside(&app).await.get("/ui").await.text();
    for words in ["<small>from headers</small>", "<small>set by hand</small>"] {
        assert!(html.contains(words), "{words}: {html}");
    }
    app.stop().await;
}
