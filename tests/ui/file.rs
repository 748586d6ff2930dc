//! The configuration file on the page Settings: shown masked, read again, and brought back as it was.

use std::fs;

use super::settings::{shown_once, versions};
use super::{Visitor, app};
use crate::support::app::{ADMIN, App, CLIENT, ask, chain_of, healthy};
use crate::support::living::Living;

/// LESSONS O24: what was written could not be taken back. Here every version is kept, shown with its difference, and restored
/// byte for byte.
#[actix_rt::test]
async fn o24_a_version_is_looked_at_and_restored_byte_for_byte() {
    let yaml = chain_of(&[("a", &healthy().await)]).replace("chains:", "# Mine!\nchains:");
    let living = Living::start(&yaml);
    let visitor = Visitor::inside(&living.app).await;
    let key = shown_once(&visitor.fill_in("/ui/settings/keys", "&label=laptop").await);
    let page = visitor.get("/ui/settings").await.text();
    assert!(
        page.contains("# Mine!") && page.contains("changed in these pages") && page.contains("found on disk"),
        "{page}"
    );
    let ids = versions(&page);
    assert_eq!(ids.len(), 2, "{ids:?}");
    let newest = visitor.get(&format!("/ui/settings/versions/{}", ids[0])).await.text();
    assert!(
        newest.contains("This is what the file holds now.") && !newest.contains(">Restore this version<"),
        "{newest}"
    );
    let path = format!("/ui/settings/versions/{}", ids[1]);
    let old = visitor.get(&path).await.text();
    let (gone, new) = (old.matches("<del>").count(), old.matches("<ins>").count());
    assert!(gone >= 1 && new >= 1 && old.contains("label: laptop"), "{old}");
    assert!(old.contains("Client keys that open nothing any more: laptop."), "{old}");
    let seen = visitor.revision(&path).await;
    fs::write(&living.file, format!("{}# by hand\n", fs::read_to_string(&living.file).unwrap())).unwrap();
    let late = visitor.send(&path, &seen, "").await;
    assert_eq!(late.status, 409);
    assert!(late.text().contains("The difference is to what it is now") && late.text().contains("# by hand"));
    let revision = visitor.revision(&path).await;
    let done = visitor.send(&path, &revision, "").await;
    assert_eq!((done.status, done.header("location")), (303, "/ui/settings?did=restored"), "{}", done.text());
    assert_eq!(fs::read_to_string(&living.file).unwrap(), yaml);
    assert_eq!(living.app.post(ask(""), &key).await.status().as_u16(), 401);
    let page = visitor.get("/ui/settings").await.text();
    assert!(page.contains("brought back"), "{page}");
    let by_hand = versions(&page).into_iter().nth(1).unwrap();
    let by_hand = visitor.get(&format!("/ui/settings/versions/{by_hand}")).await.text();
    assert!(by_hand.contains("Client keys that open again: laptop."), "{by_hand}");
    for missing in ["/ui/settings/versions/x", "/ui/settings/versions/..%2Fc.yaml"] {
        assert_eq!(visitor.get(missing).await.status, 404, "{missing}");
    }
    living.app.stop().await;
}

#[actix_rt::test]
async fn the_file_is_read_again_and_what_is_wrong_is_told_with_its_place() {
    let yaml = chain_of(&[("a", &healthy().await)]);
    let living = Living::start(&yaml);
    let visitor = Visitor::inside(&living.app).await;
    let location = async |words: &str| {
        let reply = visitor.fill_in("/ui/settings/reload", "").await;
        assert_eq!((reply.status, reply.header("location")), (303, words), "{}", reply.text());
    };
    location("/ui/settings?did=same").await;
    fs::write(&living.file, format!("{yaml}# more\n")).unwrap();
    assert!(visitor.get("/ui/settings").await.text().contains("the file is another one now"));
    location("/ui/settings?did=reloaded").await;
    fs::write(&living.file, yaml.replace("  port: 0\n", "  port: 0\n  workers: 2\n")).unwrap();
    location("/ui/settings?did=reloaded").await;
    let page = visitor.get("/ui/settings").await.text();
    assert!(page.contains("From the next start on") && page.contains("settings.workers"), "{page}");
    let token = visitor.token().await;
    fs::write(&living.file, yaml.replace("version: 1", "version: 2")).unwrap();
    let refused = visitor.post("/ui/settings/reload", &format!("_csrf={token}")).await;
    assert_eq!(refused.status, 422);
    let page = refused.text();
    assert!(page.contains("the one before stays in use.") && page.contains("c.yaml:1:10: version"), "{page}");
    assert_eq!(page.matches("c.yaml:1:10: version").count(), 1, "said once");
    assert!(page.contains("aria-label=\"What is wrong with the file\""));
    assert!(visitor.get("/ui/settings").await.text().contains("id=\"not-in-use\""), "every page says it now");
    living.app.stop().await;
}

/// What is no YAML is not shown, since nobody knows where its secrets are; an earlier version mends it.
#[actix_rt::test]
async fn a_file_that_cannot_be_read_is_not_shown_and_is_mended_by_going_back() {
    let yaml = chain_of(&[("a", &healthy().await)]);
    let living = Living::start(&yaml);
    let visitor = Visitor::inside(&living.app).await;
    let fine = visitor.fill_in("/ui/settings/keys", "&label=laptop").await;
    assert_eq!(fine.status, 200);
    fs::write(&living.file, "settings: { apiKeys: [a-secret-of-mine\n").unwrap();
    let page = visitor.get("/ui/settings").await.text();
    assert!(
        page.contains("is no YAML: mend it with an editor first") && page.contains("could not be masked"),
        "{page}"
    );
    assert!(!page.contains("a-secret-of-mine") && page.contains("<fieldset disabled>"), "{page}");
    assert!(page.contains("key-1") && page.contains("laptop"), "keys in use are shown");
    let path = format!("/ui/settings/versions/{}", versions(&page)[0]);
    let old = visitor.get(&path).await.text();
    assert!(old.contains("one of both texts cannot be shown") && !old.contains("disabled"), "{old}");
    let revision = visitor.revision(&path).await;
    assert_eq!(visitor.send(&path, &revision, "").await.status, 303);
    assert!(fs::read_to_string(&living.file).unwrap().contains("label: laptop"));
    living.app.stop().await;
}

#[actix_rt::test]
async fn without_a_file_everything_is_shown_and_nothing_can_be_changed() {
    let (app, _provider) = app().await;
    let visitor = Visitor::inside(&app).await;
    let page = visitor.get("/ui/settings").await.text();
    assert!(page.contains("runs without a configuration file. Nothing can be changed here."), "{page}");
    assert!(page.contains("key-1") && page.contains("<fieldset disabled>") && !page.contains("/revoke"), "{page}");
    assert!(!page.contains("Configuration file") && page.contains("Theme"), "{page}");
    let token = visitor.token().await;
    for path in ["/ui/settings/keys", "/ui/settings/keys/1/revoke", "/ui/settings/admin-key", "/ui/settings/reload"] {
        let refused = visitor.post(path, &format!("_csrf={token}&rev=0123456789abcdef")).await;
        assert_eq!(refused.status, 409, "{path}: {}", refused.text());
        assert!(refused.text().contains("without a configuration file"), "{path}");
    }
    let question = visitor.get("/ui/settings/admin-key").await.text();
    assert!(!question.contains("class=\"danger\"") && question.contains("id=\"locked\""), "{question}");
    assert_eq!(visitor.get("/ui/settings/versions/x").await.status, 409);
    assert_eq!(app.chat(ask("")).await.status, 200);
    app.stop().await;
}

/// What the keys of clients have done, by their labels; a dash where nothing is known.
#[actix_rt::test]
async fn keys_are_shown_with_what_they_have_done() {
    let yaml = chain_of(&[("a", &healthy().await)]);
    let several = yaml.replace(
        &format!("[\"{CLIENT}\"]"),
        &format!("[\"{CLIENT}\", {{ key: \"${{K:-other-key}}\", label: \"${{L:-tv}}\" }}]"),
    );
    let (app, _dir) = super::recording(&several).await;
    for _ in 0..3 {
        app.chat(ask("")).await;
    }
    super::recorded(&app, 3).await;
    let visitor = Visitor::inside(&app).await;
    let page = visitor.get("/ui/settings").await.text();
    assert!(
        page.contains("data-label=\"Requests, 24 h\">3<") && page.contains("data-label=\"Requests, 24 h\">–<"),
        "{page}"
    );
    app.stop().await;

    let living = Living::start(&several);
    let page = Visitor::inside(&living.app).await.get("/ui/settings").await.text();
    assert!(page.contains("<b class=\"entry\">tv</b>"), "{page}");
    assert!(page.contains("<code>${K:-***}</code> <small>from the environment</small>"), "{page}");
    assert!(page.contains("in plain text") && !page.contains("other-key") && !page.contains(ADMIN), "{page}");
    living.app.stop().await;

    let dir = tempfile::tempdir().unwrap();
    let app = App::start_on(&several, crate::support::clock::TestClock::default(), dir.path());
    let page = Visitor::inside(&app).await.get("/ui/settings").await;
    assert!(page.status == 200 && page.text().contains("cannot be read now"), "{}", page.text());
    app.stop().await;
}
