//! The page Settings: keys that are made, shown once and revoked, and the file with its earlier versions.

use std::fs;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::Visitor;
use crate::support::app::{ADMIN, App, CLIENT, Reply, ask, chain_of, healthy};
use crate::support::living::Living;

/// All that 429chain logs in this process.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn of_this_process() -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        let start = || {
            let log = Self::default();
            let lines = tracing_subscriber::fmt::layer().with_writer(log.clone());
            let ours = Targets::new().with_target("chain429", LevelFilter::TRACE);
            tracing_subscriber::registry().with(lines).with(ours).init();
            log
        };
        LOG.get_or_init(start).clone()
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Visitor<'_> {
    /// The revision that forms of this page name.
    pub(super) async fn revision(&self, path: &str) -> String {
        let page = self.get(path).await.text();
        let (_, rest) = page.split_once("name=\"rev\" value=\"").unwrap_or_else(|| panic!("no form in {page}"));
        rest[..16].to_owned()
    }

    /// Fills in a form of ours, made from the file at `revision`.
    pub(super) async fn send(&self, path: &str, revision: &str, more: &str) -> Reply {
        let token = self.token().await;
        self.post(path, &format!("_csrf={token}&rev={revision}{more}")).await
    }

    /// The same, made from the file as it is.
    pub(super) async fn fill_in(&self, path: &str, more: &str) -> Reply {
        let revision = self.revision("/ui/settings").await;
        self.send(path, &revision, more).await
    }
}

/// The key that the page shows.
pub(super) fn shown_once(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("cache-control"), "no-store");
    let page = reply.text();
    let (_, rest) = page.split_once("data-once>").unwrap_or_else(|| panic!("no key in {page}"));
    let key = rest.split('<').next().unwrap().to_owned();
    assert_eq!(page.matches(&key).count(), 1, "{page}");
    key
}

async fn chat_as(app: &App, key: &str) -> u16 {
    app.post(ask(""), key).await.status().as_u16()
}

fn file(living: &Living) -> String {
    fs::read_to_string(&living.file).unwrap()
}

pub(super) fn versions(page: &str) -> Vec<String> {
    let links = page.split("href=\"/ui/settings/versions/").skip(1);
    links.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// LESSONS F19: a key stood in the settings as it is. Here the answer to the form that makes one is all that ever shows it.
#[actix_rt::test]
async fn f19_a_client_key_is_shown_once_and_kept_as_its_digest() {
    let log = Log::of_this_process();
    let living = Living::start(&chain_of(&[("a", &healthy().await)]));
    let visitor = Visitor::inside(&living.app).await;
    let seen = visitor.revision("/ui/settings").await;
    let made = visitor.send("/ui/settings/keys", &seen, "&label=laptop").await;
    let key = shown_once(&made);
    assert!(key.starts_with("sk-429-") && key.len() == 55, "{key}");
    assert!(made.text().contains(&format!("{}/v1", living.app.url)), "where to send it");
    assert_eq!(chat_as(&living.app, &key).await, 200, "it works at once");
    let written = file(&living);
    assert!(written.contains("label: laptop") && written.contains("sha256:") && !written.contains(&key), "{written}");

    let again = visitor.send("/ui/settings/keys", &seen, "&label=laptop").await;
    assert_eq!((again.status, file(&living)), (409, written.clone()), "who loads the page again makes no second key");
    assert!(again.text().contains("no key was made this time") && again.text().contains("value=\"laptop\""));
    assert_eq!(visitor.get("/ui/settings/keys").await.status, 303);
    let page = visitor.get("/ui/settings").await.text();
    assert!(page.contains("laptop") && page.contains("its digest"));
    let mut pages = vec![again.text(), page.clone(), visitor.get("/ui").await.text()];
    for id in versions(&page) {
        pages.push(visitor.get(&format!("/ui/settings/versions/{id}")).await.text());
    }
    pages.push(visitor.get("/ui/settings/keys/2/revoke").await.text());
    pages.push(visitor.get("/ui/settings/admin-key").await.text());
    assert!(pages.len() >= 7, "{}", pages.len());
    let log = log.text();
    assert!(log.contains("a client key was made in the UI"), "{log}");
    for text in pages.iter().chain([&log]) {
        for secret in [&key, CLIENT, ADMIN, "key-of-a"] {
            assert!(!text.contains(secret), "{secret} stands in {text}");
        }
    }
    living.app.stop().await;
}

#[actix_rt::test]
async fn a_key_is_revoked_after_a_question_and_is_refused_from_then_on() {
    let yaml = chain_of(&[("a", &healthy().await)]);
    let living = Living::start(&yaml);
    let visitor = Visitor::inside(&living.app).await;
    let key = shown_once(&visitor.fill_in("/ui/settings/keys", "&label=laptop").await);
    let other = shown_once(&visitor.fill_in("/ui/settings/keys", "").await);
    let before = file(&living);
    let question = visitor.get("/ui/settings/keys/2/revoke").await.text();
    assert!(question.contains("Revoke the key laptop?") && question.contains("key-3 becomes key-2"), "{question}");
    assert_eq!(file(&living), before, "who asks changes nothing");
    let done = visitor.fill_in("/ui/settings/keys/2/revoke", "").await;
    assert_eq!((done.status, done.header("location")), (303, "/ui/settings?did=revoked"), "{}", done.text());
    assert!(visitor.get("/ui/settings?did=revoked").await.text().contains("opens nothing any more"));
    assert_eq!((chat_as(&living.app, &key).await, chat_as(&living.app, &other).await), (401, 200));
    assert_eq!(chat_as(&living.app, CLIENT).await, 200);
    assert!(!file(&living).contains("laptop"));
    living.app.stop().await;
}

/// A page that is out of date names a place where another key may stand by now.
#[actix_rt::test]
async fn o24_a_page_that_is_out_of_date_revokes_no_other_key() {
    let yaml = chain_of(&[("a", &healthy().await)]);
    let living =
        Living::start(&yaml.replace(&format!("[\"{CLIENT}\"]"), &format!("[one-key, \"{CLIENT}\", three-key]")));
    let visitor = Visitor::inside(&living.app).await;
    let seen = visitor.revision("/ui/settings").await;
    assert_eq!(visitor.send("/ui/settings/keys/1/revoke", &seen, "").await.status, 303);
    let before = file(&living);
    for rev in [seen.as_str(), "", "x"] {
        let late = visitor.send("/ui/settings/keys/2/revoke", rev, "").await;
        assert_eq!(late.status, if rev == seen { 409 } else { 400 }, "{rev}: {}", late.text());
    }
    let asked = visitor.get(&format!("/ui/settings/keys/2/revoke?rev={seen}")).await;
    assert!(asked.status == 409 && asked.text().contains("has changed since this page was made"), "{}", asked.text());
    let request = visitor.request("GET", &format!("/ui/settings/keys/2/revoke?rev={seen}"));
    let part = request.insert_header(("hx-request", "true")).insert_header(("hx-request-type", "partial"));
    let part = crate::support::app::whole(part.send().await.unwrap()).await;
    assert!(part.status == 409 && part.text().contains("hx-target=\"#toasts\""), "{}", part.text());
    for place in ["9", "0", "x", "18446744073709551616"] {
        let missing = format!("/ui/settings/keys/{place}/revoke");
        for reply in [visitor.get(&missing).await, visitor.fill_in(&missing, "").await] {
            assert!(reply.status == 404 && reply.text().contains("<h1>"), "{missing}: {}", reply.text());
        }
    }
    assert_eq!(file(&living), before);
    assert_eq!((chat_as(&living.app, "three-key").await, chat_as(&living.app, "one-key").await), (200, 401));
    living.app.stop().await;
}

#[actix_rt::test]
async fn the_only_key_stays_and_a_key_that_is_there_twice_goes_as_a_whole() {
    let living = Living::start(&chain_of(&[("a", &healthy().await)]));
    let visitor = Visitor::inside(&living.app).await;
    let before = file(&living);
    let question = visitor.get("/ui/settings/keys/1/revoke").await.text();
    assert!(question.contains("It is the only client key") && !question.contains(">Revoke<"), "{question}");
    let refused = visitor.fill_in("/ui/settings/keys/1/revoke", "").await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("at least one client key is needed"), "{}", refused.text());
    assert_eq!((file(&living), chat_as(&living.app, CLIENT).await), (before.clone(), 200));
    let twice = format!("[\"{CLIENT}\", {{ key: twice, label: a }}, {{ key: twice, label: b }}]");
    living.change(&before.replace(&format!("[\"{CLIENT}\"]"), &twice)).await;
    assert_eq!(visitor.fill_in("/ui/settings/keys/3/revoke", "").await.status, 303);
    assert_eq!((chat_as(&living.app, "twice").await, chat_as(&living.app, CLIENT).await), (401, 200));
    living.app.stop().await;
}

/// LESSONS O25: names that are taken were accepted.
#[actix_rt::test]
async fn o25_a_label_that_is_taken_or_no_label_is_told_at_its_field() {
    let living = Living::start(&chain_of(&[("a", &healthy().await)]));
    let visitor = Visitor::inside(&living.app).await;
    shown_once(&visitor.fill_in("/ui/settings/keys", "&label=key-3").await);
    let before = file(&living);
    let long = "x".repeat(65);
    for (label, words) in [
        ("key-3", "There is a key called key-3 already"),
        ("key-1", "There is a key called key-1 already"),
        ("", "Another key is called key-3 already"),
        ("ui", "is what requests of the admin pages are labelled"),
        (&long, "must be 1 to 64 characters"),
    ] {
        let refused = visitor.fill_in("/ui/settings/keys", &format!("&label={label}")).await;
        let page = refused.text();
        assert_eq!((refused.status, page.contains(words)), (422, true), "{label}: {page}");
        assert!(page.contains("href=\"#f-label\"") && page.contains("aria-invalid=\"true\""), "{page}");
        assert!(page.contains(&format!("name=\"label\" value=\"{label}\"")), "{page}");
    }
    assert_eq!(file(&living), before);
    living.app.stop().await;
}

/// LESSONS F19: sessions lasted for a month, whatever became of the key.
#[actix_rt::test]
async fn f19_a_new_admin_key_ends_all_other_sessions_and_locks_the_old_one_out() {
    let log = Log::of_this_process();
    let yaml = chain_of(&[("a", &healthy().await)]);
    let living =
        Living::start(&yaml.replace(&format!("[\"{ADMIN}\"]"), &format!("[\"{ADMIN}\", another-admin] # mine")));
    let visitor = Visitor::inside(&living.app).await;
    let others = [Visitor::inside(&living.app).await, Visitor::inside(&living.app).await];
    let question = visitor.get("/ui/settings/admin-key").await.text();
    assert!(question.contains("The 2 keys in the file") && !question.contains(ADMIN), "{question}");
    let seen = visitor.revision("/ui/settings/admin-key").await;
    let key = shown_once(&visitor.send("/ui/settings/admin-key", &seen, "").await);
    assert!(key.starts_with("ak-429-"), "{key}");
    assert!(file(&living).contains("# mine") && !file(&living).contains("another-admin"), "{}", file(&living));
    assert_eq!(visitor.get("/ui/settings").await.status, 200, "this session stays");
    for other in &others {
        assert_eq!(other.get("/ui").await.status, 303);
    }
    let somebody = Visitor::new(&living.app);
    for (tried, status) in [(ADMIN, 401), ("another-admin", 401), (key.as_str(), 303)] {
        assert_eq!(somebody.log_in(tried, "").await.status, status);
    }
    assert_eq!(living.app.get_as("/v1/admin/config", ADMIN).await.status, 401);
    assert_eq!(living.app.get_as("/v1/admin/config", &key).await.status, 200);
    let again = visitor.send("/ui/settings/admin-key", &seen, "").await;
    assert!(again.status == 409 && again.text().contains("that key counts"), "{}", again.text());
    assert_eq!(living.app.get_as("/v1/admin/config", &key).await.status, 200);
    let texts = [log.text(), file(&living), visitor.get("/ui/settings").await.text(), again.text()];
    assert!(texts.iter().all(|text| !text.contains(&key)));
    // Going back to the version with the old keys is another change of keys.
    let page = visitor.get("/ui/settings").await.text();
    let stranger = others.into_iter().next().unwrap();
    let cookie = somebody.log_in(&key, "").await.header("set-cookie").split(';').next().unwrap().to_owned();
    let stranger = Visitor { cookie, ..stranger };
    let back = format!("/ui/settings/versions/{}", versions(&page)[1]);
    assert!(visitor.get(&back).await.text().contains("Other admin keys count than now"));
    assert_eq!(visitor.fill_in(&back, "").await.status, 303);
    assert_eq!((stranger.get("/ui").await.status, visitor.get("/ui").await.status), (303, 200));
    assert_eq!(living.app.get_as("/v1/admin/config", ADMIN).await.status, 200);
    living.app.stop().await;
}

/// LESSONS F19, whoever takes the key away: a session that outlived it would be a key that nobody sees.
#[actix_rt::test]
async fn f19_a_session_ends_with_its_key_also_when_the_file_is_changed_by_hand() {
    let yaml = chain_of(&[("a", &healthy().await)]);
    let both = yaml.replace(&format!("[\"{ADMIN}\"]"), &format!("[\"{ADMIN}\", another-admin]"));
    let living = Living::start(&yaml);
    living.change(&both).await;
    let mut other = Visitor::new(&living.app);
    other.cookie = other.log_in("another-admin", "").await.header("set-cookie").split(';').next().unwrap().to_owned();
    let visitor = Visitor::inside(&living.app).await;
    let token = other.token().await;
    assert_eq!(other.get("/ui").await.status, 200);
    living.change(&yaml).await;
    assert_eq!((other.get("/ui").await.status, visitor.get("/ui").await.status), (303, 200));
    let tried = other.post("/ui/settings/admin-key", &format!("_csrf={token}")).await;
    assert_eq!((tried.status, tried.header("location")), (303, "/ui/login"));
    living.app.stop().await;
}

#[actix_rt::test]
async fn without_keys_in_the_file_the_question_says_what_becomes_of_the_generated_one() {
    let yaml = chain_of(&[("a", &healthy().await)]).replace(&format!("  adminKeys: [\"{ADMIN}\"]\n"), "");
    let living = Living::start(&yaml);
    let visitor = Visitor::inside(&living.app).await;
    assert!(visitor.get("/ui/settings").await.text().contains("In use is the generated key."));
    assert!(
        visitor
            .get("/ui/settings/admin-key")
            .await
            .text()
            .contains("whose digest is in the data directory, counts no more")
    );
    let key = shown_once(&visitor.fill_in("/ui/settings/admin-key", "").await);
    assert_eq!(Visitor::new(&living.app).log_in(ADMIN, "").await.status, 401);
    assert_eq!(Visitor::new(&living.app).log_in(&key, "").await.status, 303);
    living.app.stop().await;
}
