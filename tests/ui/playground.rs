//! Requests that are made by hand.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::{Visitor, recorded, recording};
use crate::support::app::{chain_of, piece, whole};
use crate::support::provider::{Answer, DONE, Provider, STOP, USAGE, delta};

/// A form of the playground, as htmx sends it.
async fn send(visitor: &Visitor<'_>, form: &str) -> awc::ClientResponse {
    let token = visitor.token().await;
    let request = visitor.request("POST", "/ui/playground/send").content_type("application/x-www-form-urlencoded");
    let headers = [("hx-request", "true"), ("sec-fetch-site", "same-origin"), ("x-csrf-token", token.as_str())];
    let request = headers.into_iter().fold(request, |request, header| request.insert_header(header));
    request.send_body(form.to_owned()).await.unwrap()
}

/// It counts against limits, skips who rests, and stands in the log.
#[actix_rt::test]
async fn o28_a_request_by_hand_takes_the_real_way_and_comes_piece_by_piece() {
    let gate = Arc::new(Semaphore::new(0));
    let limited = Provider::script([Answer::rate_limited(Some("600"))]).await;
    let stream = Answer::stream().part(&delta("Hel<b>lo")).gate(&gate).part(STOP).part(USAGE).part(DONE).end();
    let good = Provider::script([stream]).await;
    let (app, _dir) = recording(&chain_of(&[("a", &limited), ("b", &good)])).await;
    let visitor = Visitor::inside(&app).await;
    let mut response = send(&visitor, "model=default&message=Hi&stream=on").await;
    assert_eq!(response.headers().get("content-type").unwrap(), "text/event-stream");
    let mut seen = String::new();
    while !seen.contains("Hel&lt;b&gt;lo") {
        seen += &piece(&mut response).await.expect("it goes on");
    }
    assert!(seen.contains("trying a / m") && seen.contains("trying b / m") && !seen.contains("<b>lo"), "{seen}");
    gate.add_permits(1);
    while let Some(more) = piece(&mut response).await {
        seen += &more;
    }
    assert!(seen.contains("served by b / m") && seen.contains("2 tries") && seen.contains("12 + 3 tokens"), "{seen}");
    assert!(seen.contains("Answer complete, served by b / m"));
    recorded(&app, 1).await;
    let row = app.get("/v1/stats/requests").await.json()["requests"][0].clone();
    assert_eq!((&row["client"], &row["attempts"], &row["stream"]), (&"ui".into(), &2.into(), &true.into()));
    app.stop().await;
}

#[actix_rt::test]
async fn who_stops_ends_the_call_of_the_provider() {
    let provider = Provider::script([Answer::stream().part(&delta("one")).hang()]).await;
    let (app, _dir) = recording(&chain_of(&[("a", &provider)])).await;
    let visitor = Visitor::inside(&app).await;
    let mut response = send(&visitor, "model=default&message=Hi&stream=on").await;
    while !piece(&mut response).await.expect("it goes on").contains("one") {}
    drop(response);
    provider.aborted(1).await;
    recorded(&app, 1).await;
    let row = app.get("/v1/stats/requests").await.json()["requests"][0].clone();
    assert_eq!(row["errorCode"], "client_closed");
    app.stop().await;
}

#[actix_rt::test]
async fn without_scripts_the_answer_is_a_page() {
    let provider = Provider::script([Answer::ok(), Answer::error(400, &[], "no <b>such</b> thing", "bad")]).await;
    let (app, _dir) = recording(&chain_of(&[("a", &provider)])).await;
    let visitor = Visitor::inside(&app).await;
    let token = visitor.token().await;
    let form = |message: &str| format!("_csrf={token}&model=default&message={message}&stream=on");
    let page = visitor.post("/ui/playground/send", &form("What+now%3F")).await.text();
    assert!(page.contains(">Hi</pre>") && page.contains("served by a / m") && page.contains("What now?"), "{page}");
    let refused = visitor.post("/ui/playground/send", &form("Hi")).await.text();
    assert!(refused.contains("role=\"alert\"") && !refused.contains("no <b>"), "{refused}");
    let empty = visitor.post("/ui/playground/send", &form("")).await;
    assert!(empty.status == 422 && empty.text().contains("Message is empty"));
    let wrong = whole(send(&visitor, "model=default&message=Hi&temperature=hot").await).await;
    assert!(wrong.status == 422 && wrong.text().contains("hx-target=\"#pg-error\""));
    app.stop().await;
}
