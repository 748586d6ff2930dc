//! Requests that two parsers may read as two different things. Each is refused, or is one request here and upstream.

use crate::support::app::{App, CLIENT, ask, chain_of, healthy};
use crate::support::wire::{Wire, get, head, post};

/// Sends it, and another request behind it; the statuses of all answers until the connection ends.
async fn statuses(app: &App, request: &[u8]) -> Vec<u16> {
    let mut wire = Wire::to(app).await;
    let last = "GET /last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    wire.send([request, last.as_bytes()].concat()).await;
    let mut seen = Vec::new();
    while let Some(answer) = wire.answer().await {
        seen.push(answer.status());
        if !answer.body.is_empty() && answer.status() >= 400 {
            answer.error();
        }
    }
    seen
}

fn chunked(more: &str, body: &str) -> Vec<u8> {
    let mut request = head(&format!("transfer-encoding: chunked\r\n{more}"));
    request.extend(format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).bytes());
    request
}

/// Two lengths, in every way that proxies were once fooled with.
#[actix_rt::test]
async fn a_request_with_two_lengths_is_refused_and_goes_nowhere() {
    let provider = healthy().await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let body = ask("");
    for request in [
        chunked(&format!("content-length: {}\r\n", body.len()), &body),
        chunked("content-length: 0\r\n", &body),
        chunked("transfer-encoding: chunked\r\n", &body),
        chunked("transfer-encoding: identity\r\n", &body),
        post("content-length: 3\r\n", &body),
        post(&format!("content-length: {}\r\n", body.len()), &body),
        post("transfer-encoding: xchunked\r\n", &body),
        post("transfer-encoding: identity\r\n", &body),
        post("transfer-encoding: gzip, chunked\r\n", &body),
        post("transfer-encoding:\x0bchunked\r\n", &body),
        post("transfer-encoding : chunked\r\n", &body),
        post("x: y\r\n transfer-encoding: chunked\r\n", &body),
        [&head(&format!("content-length: +{}\r\n", body.len()))[..], body.as_bytes()].concat(),
        [&head(&format!("content-length: {0}, {0}\r\n", body.len()))[..], body.as_bytes()].concat(),
        [&head(&format!("content-length: 0x{:x}\r\n", body.len()))[..], body.as_bytes()].concat(),
        [&head("content-length: -1\r\n")[..], body.as_bytes()].concat(),
        [&head("content-length: 99999999999999999999999\r\n")[..], body.as_bytes()].concat(),
        String::from_utf8(chunked("", &body)).unwrap().replace("HTTP/1.1", "HTTP/1.0").into_bytes(),
    ] {
        assert_eq!(statuses(&app, &request).await, [400], "{}", String::from_utf8_lossy(&request));
    }
    assert_eq!(provider.calls(), 0);
    app.stop().await;
}

/// One answer: a broken body is no second request.
#[actix_rt::test]
async fn a_chunked_body_that_is_not_goes_nowhere() {
    let provider = healthy().await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let body = ask("");
    for (size, after) in [
        (format!("-{:x}", body.len()), ""),
        (format!("0x{:x}", body.len()), ""),
        (format!("{:x}", body.len() - 5), ""),
        (format!("ffffffffffffffff{:x}", body.len()), ""),
        (format!("{:x}\rX", body.len()), ""),
        ("zz".to_owned(), ""),
        (String::new(), ""),
    ] {
        let mut request = head("transfer-encoding: chunked\r\n");
        request.extend(format!("{size}\r\n{body}\r\n0\r\n\r\n{after}").bytes());
        assert_eq!(statuses(&app, &request).await, [400], "{size:?}");
    }
    assert_eq!(provider.calls(), 0);
    app.stop().await;
}

/// Odd but clear: served once, or refused with words.
#[actix_rt::test]
async fn odd_request_lines_are_one_request_or_none() {
    let provider = healthy().await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let plain = String::from_utf8(post("", ask(""))).unwrap();
    let path = "/v1/chat/completions";
    let mut calls = 0;
    for (request, status) in [
        (plain.replace("\r\n", "\n"), 200),
        (format!("\r\n\r\n{plain}"), 200),
        (plain.replace(path, &format!("http://elsewhere.example{path}")), 200),
        (plain.replace(path, &format!("http://u:p@elsewhere.example:1{path}?a=b#c")), 200),
        (plain.replace(path, &format!("{path}?{}", "x".repeat(60_000))), 200),
        (plain.replace(path, &format!("{path}?{}", "x".repeat(100_000))), 400),
        (plain.replace(path, &format!("/{}", "x/".repeat(20_000))), 404),
        (plain.replace(path, "/v1/./chat/completions"), 404),
        (plain.replace(path, "/v1/x/../chat/completions"), 404),
        (plain.replace(path, "//v1/chat/completions"), 404),
        (plain.replace(path, "/v1/chat%2Fcompletions"), 404),
        (plain.replace(path, "/v1/chat/completions%00"), 404),
        (plain.replace(path, "/v1/chat/completions\0"), 400),
        (plain.replace(path, "*"), 404),
        (plain.replace("POST", "post"), 405),
        (plain.replace("POST", "BREW"), 405),
        (plain.replace("POST", "PO ST"), 400),
        (plain.replace("POST", "PO\tST"), 400),
        (plain.replace("POST ", "POST\t"), 400),
        (plain.replace("HTTP/1.1", "HTTP/2.0"), 400),
        (plain.replace("HTTP/1.1", "HTTP/1.10"), 400),
        (plain.replace(" HTTP/1.1", ""), 400),
        (plain.replace("host: x\r\n", ""), 400),
        (plain.replace("host: x\r\n", "host: x\r\nhost: y\r\n"), 400),
        (plain.replace("host: x\r\n", "host: x\r\n folded\r\n"), 400),
        (plain.replace("host: x\r\n", "host: x\r\nx-nul: a\0b\r\n"), 400),
        (plain.replace("host: x\r\n", "host: x\r\nx-cr: a\rb\r\n"), 400),
        (plain.replace("host: x\r\n", "host: x\r\n: nameless\r\n"), 400),
        (plain.replace("host: x\r\n", "host: x\r\nx y: z\r\n"), 400),
        (plain.replace("host: x\r\n", "host: x\r\nexpect: the unexpected\r\n"), 200),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 400),
        ("\x16\x03\x01\x02\0\x01\0\x01\r\n\r\n".to_owned(), 400),
    ] {
        let seen = statuses(&app, request.as_bytes()).await;
        calls += usize::from(status == 200);
        assert_eq!(seen.first(), Some(&status), "{:.300}", request);
        assert!(seen.len() <= 2 && seen[1..].iter().all(|later| *later == 401), "{seen:?}: {:.300}", request);
        assert_eq!(provider.calls(), calls, "{:.300}", request);
    }
    app.stop().await;
}

/// What leads out of HTTP leads nowhere.
#[actix_rt::test]
async fn upgrades_and_tunnels_are_not_offered() {
    let provider = healthy().await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    for request in [
        format!("CONNECT elsewhere.example:443 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {CLIENT}\r\n\r\nhello"),
        format!(
            "GET /v1/models/none HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {CLIENT}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nhello"
        ),
    ] {
        let mut wire = Wire::to(&app).await;
        wire.send(request).await;
        let answer = wire.answer().await.unwrap();
        assert_eq!((answer.status(), answer.header("connection")), (404, Some("close")));
        answer.error();
        assert_eq!(wire.rest().await, "");
    }
    let mut wire = Wire::to(&app).await;
    assert!(wire.send(get("/v1/models")).await);
    assert_eq!(wire.answer().await.unwrap().status(), 200);
    assert_eq!(provider.calls(), 0);
    app.stop().await;
}
