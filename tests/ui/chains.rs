//! Chains in the pages: what their forms do to the file, and what they say when they do nothing.

use std::fs;

use super::Visitor;
use crate::support::app::{App, Reply, ask, chain_of, healthy, whole};
use crate::support::living::Living;
use crate::support::provider::{Answer, Provider};

mod made;

/// A chain that somebody has written with care.
const CAREFUL: &str = "chains:
  - name: default # everybody's
    entries:
      # The best one.
      - { provider: a, model: 'm' } # fast
      - provider: b
        model: \"m\"
        timeout: 5000
      - { provider: c, model: m }   # slow
  - { name: other, strategy: ordered, entries: [{ provider: a, model: n, timeout: 9000 }] }
";

async fn careful() -> Living {
    let (a, b, c) = (healthy().await, healthy().await, healthy().await);
    let yaml = chain_of(&[("a", &a), ("b", &b), ("c", &c)]);
    Living::start(&(yaml.split("chains:").next().unwrap().to_owned() + CAREFUL))
}

fn file(living: &Living) -> String {
    fs::read_to_string(&living.file).unwrap()
}

/// The text of a field in the first form of a page that has it.
fn field(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).expect("there is such a field");
    rest.split('"').next().unwrap().replace("&#34;", "\"").replace("&quot;", "\"")
}

/// Sends a form as it is made from the page as it is now.
async fn send(visitor: &Visitor<'_>, path: &str, form: &str) -> Reply {
    let rev = field(&visitor.get("/ui/chains").await.text(), "rev");
    send_at(visitor, path, &rev, form).await
}

async fn send_at(visitor: &Visitor<'_>, path: &str, rev: &str, form: &str) -> Reply {
    visitor.post(path, &format!("_csrf={}&rev={rev}&{form}", visitor.token().await)).await
}

/// The same by htmx.
async fn swap_at(visitor: &Visitor<'_>, path: &str, rev: &str, form: &str) -> Reply {
    let token = visitor.token().await;
    let headers = [
        ("sec-fetch-site", "same-origin"),
        ("hx-request", "true"),
        ("hx-request-type", "partial"),
        ("x-csrf-token", &token),
    ];
    visitor.post_with(path, &format!("rev={rev}&{form}"), &headers).await
}

/// The entries of a page, by its buttons.
fn order(html: &str) -> Vec<String> {
    html.split("aria-label=\"Remove ").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// LESSONS O24: what is moved, removed and put back is that, and nothing around it.
#[actix_rt::test]
async fn o24_entries_move_and_everything_around_them_stays() {
    let living = careful().await;
    let visitor = Visitor::inside(&living.app).await;
    let before = file(&living);
    let reply = send(&visitor, "/ui/chains/default/entries/3/move", "to=1").await;
    assert_eq!((reply.status, reply.header("location")), (303, "/ui/chains/default?did=saved"));
    let (head, _) = before.split_once("      # The best one.").unwrap();
    let moved = format!(
        "{head}      - {{ provider: c, model: m }}   # slow\n      # The best one.\n      - {{ provider: a, model: 'm' }} # \
         fast\n      - provider: b\n        model: \"m\"\n        timeout: 5000\n  - {{ name: other{}",
        before.split_once("- { name: other").unwrap().1
    );
    assert_eq!(file(&living), moved);
    assert_eq!(living.app.served_by().await, "c/m");
    for at in [1, 2] {
        assert_eq!(send(&visitor, &format!("/ui/chains/default/entries/{at}/move"), "to=down").await.status, 303);
    }
    assert_eq!(file(&living), before, "there and back again");
    let reply = send(&visitor, "/ui/chains/default/entries/1/move", "to=up").await;
    assert_eq!((reply.header("location"), file(&living)), ("/ui/chains/default?did=same", before));
    living.app.stop().await;
}

#[actix_rt::test]
async fn what_was_removed_comes_back_to_its_place_with_all_its_keys() {
    let living = careful().await;
    let visitor = Visitor::inside(&living.app).await;
    let before = file(&living);
    let reply = send(&visitor, "/ui/chains/default/entries/2/delete", "").await;
    let page = reply.text();
    assert!(reply.status == 200 && page.contains("b / m was removed.") && page.contains(">Undo</button>"), "{page}");
    assert_eq!(order(&page), ["a m", "c m"]);
    let (entry, at, rev) = (field(&page, "entry"), field(&page, "at"), field(&page, "rev"));
    assert_eq!((entry.as_str(), at.as_str()), (r#"{"provider":"b","model":"m","timeout":5000}"#, "2"));
    let form = format!("entry={}&at={at}", entry.replace('"', "%22"));
    let stale = send_at(&visitor, "/ui/chains/default/entries", "0123456789abcdef", &form).await;
    assert!(stale.status == 409 && stale.text().contains("Changed elsewhere meanwhile"), "{}", stale.text());
    let reply = swap_at(&visitor, "/ui/chains/default/entries", &rev, &form).await;
    assert!(reply.text().contains("b / m is back at 2 of 3."), "{}", reply.text());
    assert_eq!(order(&reply.text()), ["a m", "b m", "c m"]);
    let after = file(&living);
    let same = |text: &str| text.replace("- provider: b\n        model: \"m\"\n        timeout: 5000", "B");
    assert!(after.contains("timeout: 5000"), "{after}");
    assert_eq!(same(&after).replace("- { provider: b, model: m, timeout: 5000 }", "B"), same(&before));
    for entry in ["[]", "7", "{", r#"{"provider":"b","model":["m"]}"#] {
        let form = format!("entry={}&at=1", entry.replace('"', "%22"));
        assert_eq!(send(&visitor, "/ui/chains/default/entries", &form).await.status, 400, "{entry}");
    }
    assert_eq!(file(&living), after);
    living.app.stop().await;
}

/// Of two people who see the same list, the second changes nothing, and is shown what there is.
#[actix_rt::test]
async fn who_comes_second_is_told_and_shown_the_list() {
    let living = careful().await;
    let visitor = Visitor::inside(&living.app).await;
    let old = field(&visitor.get("/ui/chains/default").await.text(), "rev");
    assert_eq!(send(&visitor, "/ui/chains/default/entries/3/move", "to=1").await.status, 303);
    let now = file(&living);
    for (path, form, words) in [
        ("entries/1/move", "to=2", "Your move was not applied."),
        ("entries/1/delete", "", "Nothing was removed."),
        ("entries", "provider=a&model=x", "Your entry was not added."),
    ] {
        let path = format!("/ui/chains/default/{path}");
        for reply in [send_at(&visitor, &path, &old, form).await, swap_at(&visitor, &path, &old, form).await] {
            let html = reply.text();
            let words = format!("Changed elsewhere meanwhile; shown as it is now. {words}");
            assert!(reply.status == 409 && html.contains(&words), "{path}: {html}");
            assert_eq!(order(&html), ["c m", "a m", "b m"], "{path}");
            assert_eq!(html.contains("<html"), !html.contains("<hx-partial"));
        }
    }
    for (path, form) in [("", "name=new"), ("/default", ""), ("/delete", "default=other")] {
        let reply = send_at(&visitor, &format!("/ui/chains/default{path}"), &old, form).await;
        assert!(reply.status == 409 && reply.text().contains("Changed elsewhere meanwhile"), "{path}");
    }
    let reply = send_at(&visitor, "/ui/chains", &old, "name=new&entry=a/m").await;
    assert!(reply.status == 409 && reply.text().contains("The chain was not made."));
    assert_eq!(file(&living), now);
    living.app.stop().await;
}

#[actix_rt::test]
async fn what_is_wrong_with_an_entry_stands_at_its_field() {
    let a = Provider::with(|request, _| match request.head.starts_with("GET ") {
        true => Answer::json(200, &[], r#"{"object":"list","data":[{"id":"m"},{"id":"n"}]}"#),
        false => Answer::ok(),
    })
    .await;
    let living = Living::start(&chain_of(&[("a", &a)]));
    let visitor = Visitor::inside(&living.app).await;
    let before = file(&living);
    living.app.get_as("/v1/admin/providers/a/models", crate::support::app::ADMIN).await;
    for (form, field, words) in [
        ("provider=a&model=m", "model", "is in this chain already, at 1."),
        ("provider=a&model=", "model", "Write the model"),
        ("provider=&model=m", "provider", "Choose a provider."),
        ("provider=x&model=m", "provider", "no provider has the id"),
        ("provider=a&model=x", "model", "is not in the list of 2 models that a has."),
    ] {
        let reply = send(&visitor, "/ui/chains/default/entries", form).await;
        let html = reply.text();
        assert!(reply.status == 422 && html.contains(words), "{form}: {html}");
        assert!(html.contains(&format!("href=\"#f-{field}\"")), "{form}");
        assert_eq!(html.contains("Add anyway"), form.ends_with("=x"), "{form}");
    }
    for (path, form, status) in [
        ("entries/1/delete", "", 422),
        ("entries/2/delete", "", 404),
        ("entries/1/move", "to=2", 422),
        ("entries/1/move", "to=first", 422),
        ("entries/7/move", "to=1", 404),
        ("entries/0/move", "to=1", 404),
    ] {
        let reply = send(&visitor, &format!("/ui/chains/default/{path}"), form).await;
        assert!(reply.status == status && reply.text().contains("role=\"alert\""), "{path}: {}", reply.status);
    }
    assert_eq!(file(&living), before);
    let reply = send(&visitor, "/ui/chains/default/entries", "provider=a&model=x&anyway=on").await;
    assert_eq!(reply.header("location"), "/ui/chains/default?did=added");
    assert_eq!(file(&living), before.clone() + "      - { provider: a, model: x }\n");
    // Whatever a provider calls its models, it learns nothing of the environment.
    let reply = send(&visitor, "/ui/chains/default/entries", "provider=a&model=$%7BHOME%7D&anyway=on&at=1").await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    assert_eq!(order(&visitor.get("/ui/chains/default").await.text()), ["a ${HOME}", "a m", "a x"]);
    living.app.chat(ask("")).await;
    assert!(a.requests().last().unwrap().text().contains("\"${HOME}\""));
    living.app.stop().await;
}

#[actix_rt::test]
async fn a_file_that_cannot_be_written_is_shown_and_left_alone() {
    let living = careful().await;
    let mut permissions = fs::metadata(&living.file).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&living.file, permissions).unwrap();
    let app = App::start(&chain_of(&[("a", &healthy().await)])).await;
    for (app, why) in [(&living.app, "(read-only)"), (&app, "without a configuration file")] {
        let visitor = Visitor::inside(app).await;
        for path in ["/ui/chains", "/ui/chains/default", "/ui/chains/default/delete"] {
            let html = visitor.get(path).await.text();
            assert!(
                html.contains("id=\"locked\"") && html.contains(why) && html.contains("disabled"),
                "{path}: {html}"
            );
        }
        let rev = field(&visitor.get("/ui/chains").await.text(), "rev");
        let rev = if rev.is_empty() { "0123456789abcdef" } else { &rev };
        let reply = swap_at(&visitor, "/ui/chains/default/entries", rev, "provider=a&model=x").await;
        assert!(reply.status == 409 && reply.text().contains("id=\"entries\""), "{}", reply.text());
    }
    app.stop().await;
    living.app.stop().await;
}

/// A test by hand goes through the ledgers: who rests is asked only when somebody ends that first.
#[actix_rt::test]
async fn o28_a_test_says_what_came_of_each_entry() {
    let limited = Provider::script([Answer::rate_limited(Some("3600")), Answer::ok()]).await;
    let (broken, well) =
        (Provider::with(|_, _| Answer::error(400, &[], "no <b>such</b> model", "bad")).await, healthy().await);
    let living = Living::start(&chain_of(&[("a", &limited), ("b", &broken), ("c", &well)]));
    let visitor = Visitor::inside(&living.app).await;
    let html = visitor.get("/ui/chains/default").await.text();
    assert!(html.contains("Uses up to <b id=\"cost\">3 requests</b>"));
    living.app.chat(ask("")).await;
    let calls = || [&limited, &broken, &well].map(Provider::calls);
    let before = calls();
    let page = send(&visitor, "/ui/chains/default/test", "").await.text();
    assert!(page.contains("<html") && page.contains("1 of 3 answered, 1 not asked"), "{page}");
    assert!(page.contains("not asked") && page.contains("again at") && page.contains("15 tokens"), "{page}");
    assert!(page.contains("href=\"/ui/requests/req_") && !page.contains("<b>such"), "{page}");
    assert_eq!(calls(), [before[0], before[1] + 1, before[2] + 1]);
    let rows = whole(
        visitor
            .request("POST", "/ui/chains/default/test")
            .content_type("application/x-www-form-urlencoded")
            .insert_header(("sec-fetch-site", "same-origin"))
            .insert_header(("hx-request", "true"))
            .insert_header(("x-csrf-token", visitor.token().await))
            .send_body("thaw=on")
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(rows.header("content-type"), "text/event-stream");
    assert!(rows.text().contains("2 of 3 answered") && calls()[0] == before[0] + 1, "{}", rows.text());
    let at = |words: &str| rows.text().find(words).unwrap_or_else(|| panic!("{words}"));
    assert!(at("waits") < at("trying") && at("trying") < at("answered") && at("#tried-1") < at("#tried-2"));
    living.app.stop().await;
}

#[actix_rt::test]
async fn an_order_is_made_at_once_or_not_at_all() {
    let (a, b) = (healthy().await, healthy().await);
    let living = Living::start(&chain_of(&[("a", &a), ("b", &b)]));
    let visitor = Visitor::inside(&living.app).await;
    let before = file(&living);
    for order in ["", "1", "1,1", "0,1", "1,3", "x"] {
        let reply = send(&visitor, "/ui/chains/default/order", &format!("order={order}")).await;
        assert_eq!(reply.status, 422, "{order}");
    }
    assert_eq!(file(&living), before);
    assert_eq!(send(&visitor, "/ui/chains/default/order", "order=2,1").await.status, 303);
    assert_eq!(living.app.served_by().await, "b/m");
    living.app.stop().await;
}
