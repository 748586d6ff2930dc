//! Chains that are made, renamed and deleted in the pages.

use std::fs;

use super::{file, send};
use crate::support::app::{ADMIN, chain_of, healthy, whole};
use crate::support::living::Living;
use crate::support::provider::{Answer, Provider};
use crate::ui::Visitor;

#[actix_rt::test]
async fn a_chain_is_made_of_what_is_ticked_and_written() {
    let living = Living::start(&chain_of(&[("a", &healthy().await), ("b", &healthy().await)]));
    let visitor = Visitor::inside(&living.app).await;
    let form = "name=fast&entry=b/m&entry=a/m&provider=a&model=x/y:z";
    let reply = send(&visitor, "/ui/chains", form).await;
    assert_eq!((reply.status, reply.header("location")), (303, "/ui/chains/fast?did=added"));
    let page = visitor.get("/ui/chains/fast?did=added").await.text();
    for words in ["b / m", "a / m", "a / x/y:z", "Added, and in use."] {
        assert!(page.contains(words), "{words}");
    }
    let before = file(&living);
    for (form, words) in [
        ("name=&entry=a/m", "Write what clients are to ask for."),
        ("name=fast&entry=a/m", "There is a chain `fast` already."),
        ("name=a/m&entry=a/m", "is a model that clients reach by this name anyway."),
        ("name=a/other&entry=a/m", "1 to 64 characters out of A-Z a-z 0-9 . _ -"),
        ("name=n%C3%A4me&entry=a/m", "1 to 64 characters"),
        ("name=new", "Choose at least one model"),
        ("name=new&model=x", "Choose the provider"),
        ("name=new&entry=nobody/m", "no provider has the id"),
        ("name=new&copy=gone", "There is no chain `gone` any more"),
    ] {
        let reply = send(&visitor, "/ui/chains", form).await;
        let html = reply.text();
        assert!(reply.status == 422 && html.contains(words) && html.contains("id=\"wrongs\""), "{form}: {html}");
        assert_eq!(html.contains("value=\"a/m\" checked"), form.contains("entry=a/m"), "{form}");
    }
    assert_eq!(file(&living), before);
    living.app.stop().await;
}

#[actix_rt::test]
async fn a_copy_has_all_that_the_chain_has() {
    let other = "  - { name: other, strategy: ordered, entries: [{ provider: a, model: n, timeout: 9000 }] }\n";
    let living = Living::start(&(chain_of(&[("a", &healthy().await)]) + other));
    let visitor = Visitor::inside(&living.app).await;
    let page = visitor.get("/ui/chains?copy=other").await.text();
    assert!(page.contains("value=\"other-copy\"") && page.contains("name=\"copy\" value=\"other\""), "{page}");
    assert_eq!(send(&visitor, "/ui/chains", "name=more&copy=other").await.status, 303);
    let config = living.app.get_as("/v1/admin/config", ADMIN).await.json();
    let chains = config["document"]["chains"].as_array().unwrap();
    let mut copied = chains[1].clone();
    copied["name"] = "more".into();
    assert_eq!(chains[2], copied);
    living.app.stop().await;
}

#[actix_rt::test]
async fn a_new_name_stays_the_default_and_changes_one_line() {
    let living = Living::start(&chain_of(&[("a", &healthy().await)]).replace("default\n", "\"default\" # mine\n"));
    let visitor = Visitor::inside(&living.app).await;
    let before = file(&living);
    let same = send(&visitor, "/ui/chains/default", "name=default").await;
    assert_eq!(same.header("location"), "/ui/chains/default?did=same");
    for name in ["", "a/m", "a+b"] {
        assert_eq!(send(&visitor, "/ui/chains/default", &format!("name={name}")).await.status, 422, "{name}");
    }
    assert_eq!(file(&living), before);
    let reply = send(&visitor, "/ui/chains/default", "name=all").await;
    assert_eq!(reply.header("location"), "/ui/chains/all?did=renamed", "{}", reply.text());
    assert!(file(&living).ends_with(&before.split_once("chains:").unwrap().1.replace("\"default\"", "\"all\"")));
    assert_eq!(living.app.served_by().await, "a/m", "what clients ask for without a name is still served");
    assert!(visitor.get("/ui/chains/all").await.text().contains("default chain"));
    let gone = visitor.get("/ui/chains/default").await;
    assert!(gone.status == 404 && gone.text().contains("There is no chain `default`"));
    living.app.stop().await;
}

#[actix_rt::test]
async fn the_default_chain_is_deleted_only_when_another_one_takes_its_place() {
    let others = "  - { name: other, entries: [{ provider: a, model: n }] } # keep\n";
    let living = Living::start(
        &(chain_of(&[("a", &healthy().await)]) + others).replace("  port", "  defaultChain: default\n  port"),
    );
    let visitor = Visitor::inside(&living.app).await;
    let before = file(&living);
    let asked = visitor.request("GET", "/ui/chains/default/delete").insert_header(("hx-request-type", "partial"));
    let part = whole(asked.send().await.unwrap()).await.text();
    assert!(
        !part.contains("<html")
            && part.contains("Make another chain the default first")
            && part.contains("<option>other")
    );
    let page = visitor.get("/ui/chains/other/delete").await.text();
    assert!(page.contains("are served by the default chain `default`") && !page.contains("<select"), "{page}");
    for form in ["", "default=", "default=default", "default=nobody"] {
        let reply = send(&visitor, "/ui/chains/default/delete", form).await;
        assert!(reply.status == 422 && reply.text().contains("Make another chain the default first."), "{form}");
    }
    assert_eq!(file(&living), before);
    let reply = send(&visitor, "/ui/chains/default/delete", "default=other").await;
    assert_eq!(reply.header("location"), "/ui/chains?did=deleted", "{}", reply.text());
    let after = file(&living);
    assert!(
        after.contains("defaultChain: other\n") && after.ends_with(others) && !after.contains("name: default"),
        "{after}"
    );
    assert_eq!(send(&visitor, "/ui/chains/default/delete", "").await.status, 404);
    living.app.stop().await;
}

/// Where there are none, one click makes a chain of what is known: by the file, or by the provider itself.
#[actix_rt::test]
async fn the_first_chain_is_made_from_the_providers() {
    let listing = Provider::with(|request, _| match request.head.starts_with("GET ") {
        true => Answer::json(200, &[], r#"{"object":"list","data":[{"id":"first"},{"id":"second"}]}"#),
        false => Answer::ok(),
    })
    .await;
    let silent = Provider::with(|_, _| Answer::json(404, &[], "{}")).await;
    let providers = [("a", &listing), ("b", &silent)];
    let living = Living::start(&chain_of(&providers));
    let visitor = Visitor::inside(&living.app).await;
    let exists = send(&visitor, "/ui/start/chain", "").await;
    assert!(exists.status == 409 && exists.text().contains("There is a chain `default` already."));
    // As somebody has left it with an editor.
    let bare = chain_of(&providers).split("chains:").next().unwrap().to_owned();
    fs::write(&living.file, &bare).unwrap();
    let page = visitor.get("/ui/chains").await.text();
    assert!(
        page.contains("is what requests use whose model names no chain") && page.contains("from my providers"),
        "{page}"
    );
    living.app.stop().await;

    let bare = bare.replace("id: b\n", "id: b\n    enabled: false\n");
    let living = Living::start(&(bare.clone() + "chains: [{ name: other, entries: [{ provider: b, model: m }] }]\n"));
    let visitor = Visitor::inside(&living.app).await;
    let reply = send(&visitor, "/ui/start/chain", "").await;
    assert_eq!(reply.header("location"), "/ui/chains/default?did=added", "{}", reply.text());
    assert!(file(&living).contains("first") && !file(&living).contains("second"), "{}", file(&living));
    assert_eq!(listing.calls(), 1, "it was asked for its list");
    living.app.stop().await;

    let silent_only = chain_of(&[("b", &silent)]).replace("name: default", "name: other");
    let living = Living::start(
        &silent_only
            .replace("provider: b", "provider: c")
            .replace("chains:", "  - { id: c, type: local, enabled: false }\nchains:"),
    );
    let visitor = Visitor::inside(&living.app).await;
    let before = file(&living);
    let reply = send(&visitor, "/ui/start/chain", "").await;
    assert!(reply.status == 422 && reply.text().contains("No model of b is known"), "{}", reply.text());
    assert_eq!(file(&living), before);
    living.app.stop().await;
}
