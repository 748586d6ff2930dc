//! The dashboard of a proxy that is still to be set up: what is to be done, one step at a time, and how it goes on by itself.

use serde_json::json;

use super::{Visitor, until};
use crate::admin::{changed, revision};
use crate::support::app::{ADMIN, App, CLIENT, chain_of, healthy, piece, whole};
use crate::support::living::Living;
use actix_web::http::Method;

fn nothing() -> String {
    format!("version: 1\nsettings:\n  apiKeys: [\"{CLIENT}\"]\n  adminKeys: [\"{ADMIN}\"]\n  port: 0\n")
}

/// The buttons and links of a page that stand out.
fn primary(html: &str) -> Vec<&str> {
    let (_, main) = html.split_once("<main").unwrap();
    main.split("primary").skip(1).map(|rest| rest.split_once('>').unwrap().1.split("</").next().unwrap()).collect()
}

async fn put_provider(app: &App, id: &str, base_url: &str) {
    let provider = json!({ "type": "generic-openai", "apiKey": "key-of-somebody", "baseUrl": base_url });
    changed(app, Method::PUT, &format!("/v1/admin/providers/{id}"), provider).await;
}

/// One step after the other, each with the one thing that can be done.
#[actix_rt::test]
async fn the_page_leads_from_nothing_to_a_chain() {
    let a = healthy().await;
    let living = Living::start(&nothing());
    let app = &living.app;
    let visitor = Visitor::inside(app).await;
    let html = visitor.get("/ui").await.text();
    assert!(html.contains("Get started – 0 of 3") && html.contains(r#"href="/ui/providers/new""#), "{html}");
    assert_eq!(primary(&html), ["Add provider"]);
    for gone in ["Chains now", "id=\"limits\"", "id=\"figures\"", "id=\"log\"", "/ui/start/chain", "NaN", "null", "0 %"]
    {
        assert!(!html.contains(gone), "{gone}: {html}");
    }
    assert!(html.contains(&format!("{}/v1</code>", app.url)));

    put_provider(app, "a", &a.base_url()).await;
    let html = visitor.get("/ui").await.text();
    assert!(html.contains("Get started – 1 of 3") && html.contains("done</b> a"), "{html}");
    assert_eq!(primary(&html), ["<span>Make chain <code>default"]);
    assert!(html.contains(r#"<form method="post" action="/ui/start/chain">"#), "{html}");
    assert!(html.contains(&format!(r#"name="rev" value="{}""#, revision(app).await)), "{html}");
    assert!(html.contains(&format!(r#"name="_csrf" value="{}""#, visitor.token().await)));

    let chain = json!({ "entries": [{ "provider": "a", "model": "m" }] });
    changed(app, Method::PUT, "/v1/admin/chains/default", chain).await;
    let html = visitor.get("/ui").await.text();
    assert!(
        html.contains("Chains now") && html.contains("<h3>Get started</h3>"),
        "the third step is in the log: {html}"
    );
    living.app.stop().await;
}

#[actix_rt::test]
async fn providers_that_are_switched_off_are_named() {
    let a = healthy().await;
    let off = chain_of(&[("a", &a)]).replace("    type:", "    enabled: false\n    type:");
    let living = Living::start(&off);
    let visitor = Visitor::inside(&living.app).await;
    let html = visitor.get("/ui").await.text();
    assert!(html.contains("All providers are switched off") && html.contains("Chains now"), "{html}");
    living.change(off.split("chains:").next().unwrap()).await;
    let html = visitor.get("/ui").await.text();
    assert!(html.contains("0 of 3") && html.contains("1 provider is switched off"), "{html}");
    assert_eq!(primary(&html), ["Add provider"]);
    living.app.stop().await;
}

/// What cannot be changed here offers nothing that would fail.
#[actix_rt::test]
async fn where_the_file_cannot_be_written_the_page_says_so() {
    let living = Living::start(&nothing());
    let mut permissions = std::fs::metadata(&living.file).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&living.file, permissions).unwrap();
    let html = Visitor::inside(&living.app).await.get("/ui").await.text();
    assert!(html.contains("which cannot be written") && html.contains("read-only"), "{html}");
    assert_eq!(primary(&html), [""; 0]);
    living.app.stop().await;
    let app = App::start(&nothing()).await;
    let html = Visitor::inside(&app).await.get("/ui").await.text();
    assert!(html.contains("runs without a configuration file"), "{html}");
    assert_eq!(primary(&html), [""; 0]);
    app.stop().await;
}

/// An open page is told to load itself anew when it is for another stage, and nothing else.
#[actix_rt::test]
async fn an_open_page_goes_on_with_the_proxy() {
    let a = healthy().await;
    let living = Living::start(&nothing());
    let app = &living.app;
    let visitor = Visitor::inside(app).await;
    let html = visitor.get("/ui").await.text();
    let live = html.split("hx-sse:connect=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let live = live.replace("&#38;", "&");
    let mut news = visitor.request("GET", &live).send().await.unwrap();
    let first = piece(&mut news).await.unwrap();
    assert!(first.starts_with(':'), "there is nothing on the page that news could be of: {first}");
    put_provider(app, "a", &a.base_url()).await;
    let told = until(&mut news, "#clock").await;
    assert!(told.contains(r#"hx-get="/ui""#) && !told.contains("#limits"), "{told}");
    while piece(&mut news).await.is_some() {}
    let part = visitor.request("GET", "/ui").insert_header(("hx-request-type", "partial"));
    let reply = whole(part.send().await.unwrap()).await;
    assert_eq!((reply.status, reply.header("hx-refresh"), reply.body.len()), (200, "true", 0));

    // Whoever comes back with the address of the page before is told again.
    let mut news = visitor.request("GET", &live).send().await.unwrap();
    until(&mut news, r#"hx-get="/ui""#).await;
    let html = visitor.get("/ui").await.text();
    assert!(html.contains("stage=no-chain"), "{html}");
    living.change(&chain_of(&[("a", &a)])).await;
    let mut news = visitor.request("GET", "/ui/live?page=dashboard").send().await.unwrap();
    until(&mut news, "#limits").await;
    living.change(&nothing()).await;
    until(&mut news, r#"hx-get="/ui""#).await;
    living.app.stop().await;
}

#[actix_rt::test]
async fn the_playground_says_that_there_is_nobody_to_ask() {
    let app = App::start(&nothing()).await;
    let visitor = Visitor::inside(&app).await;
    assert!(visitor.get("/ui/playground").await.text().contains("There is nobody to ask yet"));
    let form = format!("_csrf={}&model=default&message=Hi", visitor.token().await);
    let reply = visitor.post("/ui/playground/send", &form).await;
    assert!(reply.status == 200 && reply.text().contains("No chain is configured yet"), "{}", reply.text());
    app.stop().await;
}
