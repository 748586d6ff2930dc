//! Providers in the pages: what their forms do to the file, and what they never show.

use std::fs;

use super::Visitor;
use crate::support::app::{ask, chain_of, config_of, healthy};
use crate::support::living::Living;
use crate::support::provider::{Answer, Provider};

const KEY: &str = "sk-0123456789abcdef0123";

/// The revision that the forms of a page name.
async fn rev(visitor: &Visitor<'_>, path: &str) -> String {
    let page = visitor.get(path).await.text();
    let (_, rest) = page.split_once("name=\"rev\" value=\"").expect("there is a form");
    rest[..16].to_owned()
}

/// Sends a form of that page, as it is now.
async fn send(visitor: &Visitor<'_>, page: &str, path: &str, form: &str) -> (u16, String, String) {
    let (rev, token) = (rev(visitor, page).await, visitor.token().await);
    let reply = visitor.post(path, &format!("_csrf={token}&rev={rev}&{form}")).await;
    (reply.status, reply.header("location").to_owned(), reply.text())
}

/// LESSONS O24: the key that is typed goes into the file, and from there nowhere but to its provider.
#[actix_rt::test]
async fn o24_a_provider_is_added_with_a_key_that_is_never_shown_again() {
    let (a, b) = (healthy().await, healthy().await);
    let yaml = chain_of(&[("a", &a)]);
    let living = Living::start(&yaml);
    let visitor = Visitor::inside(&living.app).await;
    // What looks like a reference to the environment is part of the key.
    let key = format!("{KEY}$%7Bx%7D");
    let form = format!("type=generic-openai&name=My+B&id=&keyFrom=typed&key={key}&baseUrl={}/", b.base_url());
    let page = "/ui/providers/new?preset=other";
    let (status, location, _) = send(&visitor, page, "/ui/providers", &form).await;
    assert_eq!((status, location.as_str()), (303, "/ui/providers/my-b?did=added"));
    let added = fs::read_to_string(&living.file).unwrap();
    assert!(added.contains("  - id: my-b\n    type: generic-openai\n    name: My B\n"), "{added}");
    assert!(added.contains(&format!("baseUrl: {}\n", b.base_url())), "no slash at the end: {added}");
    let (_, location, _) =
        send(&visitor, "/ui/providers/my-b", "/ui/providers/my-b/add", "chain=default&model=m2").await;
    assert_eq!(location, "/ui/providers/my-b?did=added");
    living.app.chat(ask("").replace("\"default\"", "\"my-b/m2\"")).await;
    assert_eq!(b.requests()[0].header("authorization"), Some(format!("Bearer {KEY}${{x}}").as_str()));
    for path in ["/ui/providers", "/ui/providers/my-b", "/ui/providers/my-b/delete", "/ui/providers/my-b/models"] {
        let html = visitor.get(path).await.text();
        assert!(!html.contains("0123456789abcdef") && !html.contains("key-of-a"), "{path}");
    }
    assert!(visitor.get("/ui/providers").await.text().contains("sk-0…"), "masked, but to be recognized");
    living.app.stop().await;
}

/// LESSONS O24: a form changes what it has fields for, and leaves everything else as it was.
#[actix_rt::test]
async fn o24_what_a_form_has_no_field_for_stays_as_it_is() {
    let a = healthy().await;
    let each =
        "    headers: { X-Team: blue-0123456789abcdef0123 } # Mine!\n    rateLimits:\n      tokensPerHour: 70 # too\n";
    let yaml = config_of("", &[("a", &a)], each);
    let living = Living::start(&yaml);
    let visitor = Visitor::inside(&living.app).await;
    let url = a.base_url();
    let form = format!("type=generic-openai&name=&keyFrom=typed&key=&baseUrl={url}&requestsPerMinute=1,000");
    let (status, location, text) = send(&visitor, "/ui/providers/a", "/ui/providers/a", &form).await;
    assert_eq!((status, location.as_str()), (303, "/ui/providers/a?did=saved"), "{text}");
    let expected = yaml.replace("70 # too\n", "70 # too\n      requestsPerMinute: 1000\n");
    assert_eq!(fs::read_to_string(&living.file).unwrap(), expected);
    let (_, location, _) = send(&visitor, "/ui/providers/a", "/ui/providers/a", &form).await;
    assert_eq!(location, "/ui/providers/a?did=same");
    assert!(!visitor.get("/ui/providers/a").await.text().contains("blue-0123456789"));
    assert_eq!(living.app.served_by().await, "a/m");
    assert_eq!(a.requests()[0].header("x-team"), Some("blue-0123456789abcdef0123"));
    living.app.stop().await;
}

/// LESSONS O25, too: an id that is taken is refused.
#[actix_rt::test]
async fn o25_what_is_wrong_stands_at_its_field_and_the_key_nowhere() {
    let living = Living::start(&chain_of(&[("a", &healthy().await)]));
    let visitor = Visitor::inside(&living.app).await;
    let before = fs::read_to_string(&living.file).unwrap();
    let page = "/ui/providers/new?preset=other";
    for (form, field) in [
        ("type=generic-openai&id=b&baseUrl=ftp://b", "baseUrl"),
        ("type=generic-openai&id=b&baseUrl=http://169.254.169.254/v1", "baseUrl"),
        ("type=generic-openai&id=a&baseUrl=http://b/v1", "id"),
        ("type=generic-openai&id=b+c&baseUrl=http://b/v1", "id"),
        ("type=groq&id=b&key=", "key"),
        ("type=groq&id=b&keyFrom=variable&variable=NOT_SET_ANYWHERE_429", "key"),
        ("type=nothing&id=b&baseUrl=http://b/v1", "type"),
        ("type=generic-openai&id=b&baseUrl=http://b/v1&requestsPerDay=many", "requestsPerDay"),
        ("type=generic-openai&id=b&baseUrl=http://b/v1&timeout=-1", "timeout"),
    ] {
        let form = if form.contains("key=") { form.to_owned() } else { format!("{form}&key={KEY}") };
        let (status, _, html) = send(&visitor, page, "/ui/providers", &form).await;
        assert_eq!(status, 422, "{form}: {html}");
        assert!(html.contains(&format!("id=\"w-{field}\"")), "{form}: {html}");
        assert!(html.contains("role=\"alert\"") && !html.contains(KEY), "{form}");
    }
    assert_eq!(fs::read_to_string(&living.file).unwrap(), before);
    living.app.stop().await;
}

#[actix_rt::test]
async fn nobody_writes_over_what_somebody_else_has_changed() {
    let a = healthy().await;
    let yaml = chain_of(&[("a", &a)]);
    let living = Living::start(&yaml);
    let visitor = Visitor::inside(&living.app).await;
    let (rev, token) = (rev(&visitor, "/ui/providers/a").await, visitor.token().await);
    let changed = yaml.replace("version: 1", "version: 1 # by hand");
    living.change(&changed).await;
    let form = format!("_csrf={token}&rev={rev}&type=generic-openai&name=New+name&baseUrl={}", a.base_url());
    let reply = visitor.post("/ui/providers/a", &form).await;
    assert_eq!(reply.status, 409);
    assert!(reply.text().contains("changed elsewhere meanwhile") && reply.text().contains("New name"));
    for path in ["/ui/providers/a/enable", "/ui/providers/a/delete", "/ui/providers/a/add"] {
        let reply = visitor.post(path, &format!("_csrf={token}&rev={rev}&to=off&chain=default&model=x")).await;
        assert_eq!(reply.status, 409, "{path}");
    }
    assert_eq!(fs::read_to_string(&living.file).unwrap(), changed);
    let (status, ..) = send(&visitor, "/ui/providers/a", "/ui/providers/a", &form[form.find("type").unwrap()..]).await;
    assert_eq!(status, 303, "the second time it was seen");
    living.app.stop().await;
}

#[actix_rt::test]
async fn a_provider_is_switched_and_deleted_unless_a_chain_would_be_empty() {
    let (a, b) = (healthy().await, healthy().await);
    let living = Living::start(&chain_of(&[("a", &a), ("b", &b)]));
    let visitor = Visitor::inside(&living.app).await;
    let (_, location, _) = send(&visitor, "/ui/providers", "/ui/providers/a/enable", "to=off").await;
    assert_eq!(location, "/ui/providers?did=off");
    assert_eq!(living.app.served_by().await, "b/m");
    send(&visitor, "/ui/providers", "/ui/providers/a/enable", "to=on").await;
    assert_eq!(living.app.served_by().await, "a/m");
    let question = visitor.get("/ui/providers/a/delete").await.text();
    assert!(question.contains("<b>default</b> (#1)") && question.contains("remove this entry"), "{question}");
    let (_, location, _) = send(&visitor, "/ui/providers", "/ui/providers/a/delete", "entries=on").await;
    assert_eq!(location, "/ui/providers?did=deleted");
    assert!(visitor.get("/ui/providers/b/delete").await.text().contains("would be left with nothing"));
    let (status, _, html) = send(&visitor, "/ui/providers", "/ui/providers/b/delete", "entries=on").await;
    assert_eq!(status, 409);
    assert!(html.contains("would be left without an entry"), "{html}");
    assert_eq!(visitor.get("/ui/providers/a").await.status, 404);
    living.app.stop().await;
}

/// A provider that answers everybody's question for its models says nothing about the key.
#[actix_rt::test]
async fn a_test_asks_for_an_answer_and_not_only_for_the_list() {
    let b = Provider::with(|request, _| match request.head.starts_with("GET /v1/models ") {
        true => Answer::json(200, &[], r#"{"data":[{"id":"m1"},{"id":"m2"}]}"#),
        false => Answer::error(401, &[("x-ratelimit-limit-requests", "30")], "Incorrect API key provided", "auth"),
    })
    .await;
    let living = Living::start(&chain_of(&[("a", &healthy().await)]));
    let visitor = Visitor::inside(&living.app).await;
    let form = format!("type=generic-openai&id=b&key={KEY}&baseUrl={}", b.base_url());
    let before = fs::read_to_string(&living.file).unwrap();
    let page = "/ui/providers/new?preset=other";
    let (status, _, html) = send(&visitor, page, "/ui/providers/test", &form).await;
    assert_eq!(status, 200, "{html}");
    assert!(html.contains("2 models listed (") && html.contains("auth error: key rejected (401, "), "{html}");
    assert!(!html.contains(KEY));
    assert_eq!(fs::read_to_string(&living.file).unwrap(), before, "nothing is saved");
    let (_, _, html) = send(&visitor, page, "/ui/providers/test", "type=generic-openai&id=b&baseUrl=x").await;
    assert!(html.contains("id=\"w-baseUrl\"") && b.calls() == 2, "nobody is called");
    living.app.stop().await;
}

/// LESSONS O24: a provider is found by the name that it has in use, whatever the file says in its place.
#[actix_rt::test]
async fn o24_a_provider_whose_name_is_unusual_loses_nothing_when_it_is_saved() {
    for (id, written) in [("p3", "${NOT_SET_429:-p3}"), ("account0123456789account", "account0123456789account")] {
        let a = healthy().await;
        let each = "    headers: { X-Team: blue }\n    rateLimits: { requestsPerDay: 70 }\n";
        let yaml = config_of("", &[("a", &a)], each).replace("id: a\n", &format!("id: \"{written}\"\n"));
        let yaml = yaml.replace("provider: a,", &format!("provider: {id},"));
        let living = Living::start(&yaml);
        let visitor = Visitor::inside(&living.app).await;
        let page = format!("/ui/providers/{id}");
        let html = visitor.get(&page).await.text();
        assert!(html.contains("value=\"70\""), "{html}");
        let form = format!("type=generic-openai&baseUrl={}&requestsPerDay=70", a.base_url());
        let (_, location, html) = send(&visitor, &page, &page, &form).await;
        assert_eq!(location, format!("{page}?did=same"), "{html}");
        let (_, location, _) = send(&visitor, "/ui/providers", &format!("{page}/enable"), "to=off").await;
        assert_eq!(location, "/ui/providers?did=off");
        assert!(fs::read_to_string(&living.file).unwrap().contains("X-Team: blue"));
        let question = visitor.get(&format!("{page}/delete")).await.text();
        assert!(question.contains("<b>default</b> (#1)"), "{question}");
        assert!(visitor.get("/ui/chains/default").await.text().contains(id));
        living.app.stop().await;
    }
}

/// What a question has not named is not deleted along.
#[actix_rt::test]
async fn entries_go_with_their_provider_only_if_somebody_was_told() {
    let (a, b) = (healthy().await, healthy().await);
    let yaml = chain_of(&[("a", &a), ("b", &b)]);
    let living = Living::start(&yaml);
    let visitor = Visitor::inside(&living.app).await;
    let (status, _, html) = send(&visitor, "/ui/providers", "/ui/providers/a/delete", "").await;
    assert!(status == 409 && html.contains("is used in"), "{html}");
    assert_eq!(fs::read_to_string(&living.file).unwrap(), yaml);
    living.app.stop().await;
}

#[actix_rt::test]
async fn what_is_wrong_elsewhere_is_not_told_at_a_field_of_this_form() {
    let (a, b) = (healthy().await, healthy().await);
    let living = Living::start(&chain_of(&[("a", &a), ("b", &b)]));
    let visitor = Visitor::inside(&living.app).await;
    let page = "/ui/providers/a";
    let (rev_before, token) = (rev(&visitor, page).await, visitor.token().await);
    let broken = fs::read_to_string(&living.file).unwrap().replace(&b.base_url(), "ftp://b");
    living.try_change(&broken).await;
    let form = format!("type=generic-openai&name=A&baseUrl={}", a.base_url());
    let (status, _, html) = send(&visitor, page, page, &form).await;
    assert_eq!(status, 422);
    assert!(html.contains("providers[1].baseUrl: ") && !html.contains("w-baseUrl"), "{html}");
    let form = format!("_csrf={token}&rev={rev_before}&{form}&name={}", "x".repeat(1 << 20));
    assert_eq!(visitor.post(page, &form).await.status, 413);
    let long = format!("_csrf={token}&rev={rev_before}&model={}", "x".repeat(20_000));
    let reply = visitor.post("/ui/providers/a/add", &long).await;
    assert!((400..500).contains(&reply.status) && reply.text().contains("<h1>"), "a page says it: {}", reply.text());
    living.app.stop().await;
}

#[actix_rt::test]
async fn without_scripts_a_key_has_to_be_typed_again() {
    let living = Living::start(&chain_of(&[("a", &healthy().await)]));
    let visitor = Visitor::inside(&living.app).await;
    let form = format!("type=generic-openai&id=b&key={KEY}&baseUrl=ftp://b");
    let (status, _, html) = send(&visitor, "/ui/providers/new?preset=other", "/ui/providers", &form).await;
    assert_eq!(status, 422);
    assert!(html.contains("required placeholder=\"type it again\"") && html.contains("Type the key again"), "{html}");
    living.app.stop().await;
}

#[actix_rt::test]
async fn without_a_file_everything_is_shown_and_nothing_can_be_changed() {
    let (app, _a) = super::app().await;
    let visitor = Visitor::inside(&app).await;
    for path in ["/ui/providers", "/ui/providers/a", "/ui/providers/new?preset=groq", "/ui/providers/a/delete"] {
        let html = visitor.get(path).await.text();
        assert!(html.contains("runs without a configuration file") && html.contains("disabled"), "{path}: {html}");
    }
    let token = visitor.token().await;
    for path in ["/ui/providers", "/ui/providers/a", "/ui/providers/a/delete", "/ui/providers/a/enable"] {
        let form = format!("_csrf={token}&rev=0123456789abcdef&type=local&id=b&to=off");
        let reply = visitor.post(path, &form).await;
        assert!((400..500).contains(&reply.status), "{path}: {}", reply.text());
    }
    app.stop().await;
}
