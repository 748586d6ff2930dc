//! Coming in and staying out.

use std::time::Duration;

use super::{PAGES, Visitor, app};
use crate::support::app::{ADMIN, App, CLIENT, piece, whole};

async fn status_as(app: &App, path: &str, header: (&str, &str)) -> u16 {
    let request = app.client.get(format!("{}{path}", app.url)).insert_header(header);
    whole(request.send().await.unwrap()).await.status
}

#[actix_rt::test]
async fn who_is_not_logged_in_is_sent_to_the_login_and_back() {
    let (app, _provider) = app().await;
    let stranger = Visitor::new(&app);
    assert_eq!(stranger.get("/").await.header("location"), "/ui");
    for path in PAGES {
        let reply = stranger.get(path).await;
        let next = reply.header("location").to_owned();
        assert_eq!(reply.status, 303, "{path}");
        assert!(next.starts_with("/ui/login"), "{path}: {next}");
    }
    let next = stranger.get("/ui?range=7d&q=a b".replace(' ', "%20").as_str()).await.header("location").to_owned();
    assert_eq!(next, "/ui/login?next=/ui%3frange%3d7d%26q%3da%2520b");

    let part = stranger.request("GET", "/ui/requests?before=x").insert_header(("hx-request", "true"));
    let part = part.insert_header(("hx-current-url", format!("{}/ui?range=7d", app.url)));
    let reply = whole(part.send().await.unwrap()).await;
    assert_eq!((reply.status, reply.header("hx-redirect")), (401, "/ui/login?next=/ui%3frange%3d7d"));
    let live = stranger.get("/ui/live?page=dashboard").await;
    assert_eq!((live.status, live.header("hx-redirect")), (401, "/ui/login?next=/ui/live%3fpage%3ddashboard"));

    let wrong = stranger.log_in("wrong", "/ui/playground").await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.text().contains("role=\"alert\"") && wrong.text().contains("That key is not valid. (1 of 5)"));
    let right = stranger.log_in(ADMIN, "/ui/playground").await;
    assert_eq!((right.status, right.header("location")), (303, "/ui/playground"));
    for elsewhere in ["https://evil.example/", "//evil.example", "/v1/models", "/ui//evil.example"] {
        assert_eq!(stranger.log_in(ADMIN, elsewhere).await.header("location"), "/ui", "{elsewhere}");
    }
    app.stop().await;
}

/// A key that clients have opens nothing here, and a session opens nothing of the API.
#[actix_rt::test]
async fn o23_keys_and_sessions_open_their_own_doors_only() {
    let (app, _provider) = app().await;
    let visitor = Visitor::inside(&app).await;
    assert_eq!(visitor.get("/ui").await.status, 200);
    for key in [CLIENT, ADMIN] {
        assert_eq!(status_as(&app, "/ui", ("authorization", &format!("Bearer {key}"))).await, 303);
        assert_eq!(status_as(&app, "/ui", ("x-api-key", key)).await, 303);
    }
    for path in ["/v1/models", "/v1/ratelimits", "/v1/stats/summary"] {
        assert_eq!(status_as(&app, path, ("cookie", &visitor.cookie)).await, 401, "{path}");
    }
    assert_eq!(Visitor::new(&app).log_in(CLIENT, "").await.status, 401, "the key of a client is no admin's");
    app.stop().await;
}

/// The cookie is of no use to scripts and other sites, and the session lives on the server, for as long as it is used.
#[actix_rt::test]
async fn f19_a_session_is_short_hidden_and_ends_on_the_server() {
    let (app, _provider) = app().await;
    let reply = Visitor::new(&app).log_in(ADMIN, "").await;
    let cookie = reply.header("set-cookie").to_owned();
    for part in ["Path=/ui", "HttpOnly", "SameSite=Strict", "Max-Age=43200"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure") && cookie.starts_with("sid=") && cookie.find(';') == Some(4 + 64));
    let https = [("sec-fetch-site", "same-origin"), ("x-forwarded-proto", "https")];
    let reply = Visitor::new(&app).post_with("/ui/login", &format!("key={ADMIN}"), &https).await;
    assert!(reply.header("set-cookie").ends_with("; Secure"));

    let visitor = Visitor::inside(&app).await;
    for _ in 0..3 {
        app.clock.advance(Duration::from_secs(11 * 3_600));
        assert_eq!(visitor.get("/ui").await.status, 200, "it is used");
    }
    app.clock.advance(Duration::from_secs(12 * 3_600));
    assert_eq!(visitor.get("/ui").await.status, 303, "it was not used");

    let visitor = Visitor::inside(&app).await;
    let token = visitor.token().await;
    let reply = visitor.post("/ui/logout", &format!("_csrf={token}")).await;
    assert_eq!((reply.status, reply.header("location")), (303, "/ui/login"));
    assert!(reply.header("set-cookie").starts_with("sid=;") && reply.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(visitor.get("/ui").await.status, 303, "the cookie is worth nothing any more");
    app.stop().await;
}

/// Who has a page open uses the session, however long nothing is pressed; the page's own stream keeps the cookie as well.
#[actix_rt::test]
async fn f19_a_page_that_is_open_keeps_its_session() {
    let (app, _provider) = app().await;
    let visitor = Visitor::inside(&app).await;
    for _ in 0..3 {
        let mut news = visitor.request("GET", "/ui/live?page=dashboard").send().await.unwrap();
        let cookie = news.headers().get("set-cookie").unwrap().to_str().unwrap().to_owned();
        assert!(cookie.starts_with(&visitor.cookie) && cookie.contains("Max-Age=43200"), "{cookie}");
        piece(&mut news).await.unwrap();
        app.clock.advance(Duration::from_secs(7 * 3_600));
        // It has become old, so that the page opens another, with a fresh cookie.
        while piece(&mut news).await.is_some() {}
    }
    assert_eq!(visitor.get("/ui").await.status, 200, "21 hours after the last page");

    let mut news = visitor.request("GET", "/ui/live?page=dashboard").send().await.unwrap();
    piece(&mut news).await.unwrap();
    app.clock.advance(Duration::from_secs(12 * 3_600));
    while piece(&mut news).await.is_some() {}
    assert_eq!(visitor.get("/ui").await.status, 303, "the machine has slept for longer than a session lives");
    app.stop().await;
}

#[actix_rt::test]
async fn the_sixth_wrong_key_in_a_minute_is_not_looked_at() {
    let (app, _provider) = app().await;
    let visitor = Visitor::new(&app);
    for count in 1..=5 {
        let reply = visitor.log_in("wrong", "").await;
        assert!(reply.status == 401 && reply.text().contains(&format!("({count} of 5)")));
        app.clock.advance(Duration::from_secs(1));
    }
    let reply = visitor.log_in(ADMIN, "").await;
    assert_eq!((reply.status, reply.header("retry-after")), (429, "55"));
    assert!(reply.text().contains("Try again in 55 s."));
    app.clock.advance(Duration::from_secs(55));
    assert_eq!(visitor.log_in(ADMIN, "").await.status, 303);
    app.stop().await;
}

/// Behind a proxy on this machine everybody has its address; wrong keys are counted by whom it names last.
#[actix_rt::test]
async fn f18_who_guesses_behind_a_proxy_keeps_out_nobody_else() {
    let (app, _provider) = app().await;
    let visitor = Visitor::new(&app);
    let from = |address: &'static str| [("sec-fetch-site", "same-origin"), ("x-forwarded-for", address)];
    for made_up in ["1.1.1.1, 10.0.0.1", "2.2.2.2, 10.0.0.1", "10.0.0.1", "3.3.3.3,10.0.0.1", "10.0.0.1"] {
        assert_eq!(visitor.post_with("/ui/login", "key=wrong", &from(made_up)).await.status, 401);
    }
    assert_eq!(visitor.post_with("/ui/login", "key=wrong", &from("10.0.0.1")).await.status, 429);
    assert_eq!(visitor.post_with("/ui/login", &format!("key={ADMIN}"), &from("10.0.0.2")).await.status, 303);
    app.stop().await;
}

#[actix_rt::test]
async fn only_pages_of_ours_change_anything() {
    let (app, provider) = app().await;
    let visitor = Visitor::inside(&app).await;
    let token = visitor.token().await;
    let good = format!("_csrf={token}&model=default&message=Hi");
    let same = ("sec-fetch-site", "same-origin");
    let other = Visitor::inside(&app).await.token().await;
    for (form, headers) in [
        (good.clone(), &[("sec-fetch-site", "cross-site")][..]),
        (good.clone(), &[("sec-fetch-site", "none")]),
        (good.clone(), &[("origin", "http://evil.example")]),
        (good.clone(), &[]),
        (good.replace(&token, ""), &[same]),
        (good.replace(&token, &other), &[same]),
        (good.clone(), &[same, ("x-csrf-token", "wrong")]),
        ("model=default&message=Hi".to_owned(), &[same]),
    ] {
        let reply = visitor.post_with("/ui/playground/send", &form, headers).await;
        assert_eq!(reply.status, 403, "{form} {headers:?}");
        assert!(reply.text().contains("Nothing was changed"));
    }
    let cross = visitor.post_with("/ui/logout", &good, &[("sec-fetch-site", "cross-site")]).await;
    assert_eq!((cross.status, visitor.get("/ui").await.status), (403, 200), "still there");
    assert_eq!(provider.calls(), 0);
    assert_eq!(visitor.post("/ui/playground/send", &good).await.status, 200);
    let origin = app.url.clone();
    assert_eq!(visitor.post_with("/ui/playground/send", &good, &[("origin", &origin)]).await.status, 200);
    let head = [same, ("x-csrf-token", token.as_str())];
    assert_eq!(visitor.post_with("/ui/playground/send", "model=default&message=Hi", &head).await.status, 200);
    assert_eq!(provider.calls(), 3);
    for path in ["/ui/logout", "/ui/playground/send", "/ui/theme"] {
        assert_eq!(visitor.get(path).await.status, 405, "{path}: reading changes nothing");
    }
    app.stop().await;
}
