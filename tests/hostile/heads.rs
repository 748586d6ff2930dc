//! Heads that are too large, or no text.

use crate::support::app::{App, CLIENT, ask, chain_of, healthy};
use crate::support::wire::{Wire, head, post};

#[actix_rt::test]
async fn a_head_without_measure_is_refused() {
    let provider = healthy().await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let megabyte = "a".repeat(1 << 20);
    for request in [
        post(&format!("x-large: {megabyte}\r\n"), ask("")),
        post(&"x-many: 1\r\n".repeat(10_000), ask("")),
        post(&(0..10_000).map(|number| format!("x-{number}: {number}\r\n")).collect::<String>(), ask("")),
        format!("GET /{megabyte} HTTP/1.1\r\nhost: x\r\n\r\n").into_bytes(),
        format!("{megabyte} / HTTP/1.1\r\nhost: x\r\n\r\n").into_bytes(),
        format!("GET / HTTP/1.1\r\n{megabyte}: x\r\n\r\n").into_bytes(),
        megabyte.clone().into_bytes(),
        vec![0; 1 << 20],
    ] {
        let mut wire = Wire::to(&app).await;
        wire.send(&request).await;
        // Cut while the client still writes, the answer may not get through.
        let answer = wire.rest().await;
        let told = ["", "HTTP/1.1 431", "HTTP/1.1 400"].into_iter().any(|start| match start {
            "" => answer.is_empty(),
            start => answer.starts_with(start),
        });
        assert!(told, "{:.40}: {answer:.300}", String::from_utf8_lossy(&request));
        assert_eq!(app.chat(ask("")).await.status, 200, "the next connection works");
    }
    assert_eq!(provider.calls(), 8);
    app.stop().await;
}

/// A key of any length is looked at and not kept.
#[actix_rt::test]
async fn a_large_head_that_fits_is_read() {
    let provider = healthy().await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let mut wire = Wire::to(&app).await;
    for more in [format!("x-large: {}\r\n", "a".repeat(100_000)), "x-many: 1\r\n".repeat(80)] {
        assert!(wire.send(post(&more, ask(""))).await);
        assert_eq!(wire.answer().await.unwrap().status(), 200);
    }
    let long = format!("GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", "k".repeat(100_000));
    assert!(wire.send(long).await);
    let answer = wire.answer().await.unwrap();
    assert_eq!((answer.status(), answer.error()["code"].as_str()), (401, Some("invalid_api_key")));
    assert!(answer.body.len() < 500);
    app.stop().await;
}

#[actix_rt::test]
async fn bytes_that_are_no_text_are_refused_or_left_alone() {
    let provider = healthy().await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let with = |before: &[u8], after: &[u8]| {
        let mut request = head("connection: close\r\n");
        let at = request.windows(before.len()).position(|window| window == before).unwrap();
        request.splice(at..at + before.len(), after.iter().copied());
        request
    };
    let key = format!("Bearer {CLIENT}");
    for (request, status) in [
        // An empty body is what is wrong with it.
        (with(b"host: x", b"host: x\r\nx-latin: gr\xfc\xdfe \xff\xfe"), 400),
        (with(key.as_bytes(), b"Bearer \xff\xfe\xc3"), 401),
        (with(key.as_bytes(), b"\xff\xfe\xc3"), 401),
        (with(b"authorization", b"x-api-key"), 401),
        (with(b"/v1/chat", b"/v1/\xff\xfe/chat"), 400),
        (with(b"/v1/chat", "/v1/größe/chat".as_bytes()), 400),
        (with(b"/v1/chat", b"/v1/%ff%fe%c3/chat"), 404),
        (with(b"host", b"h\xffst"), 400),
        (with(b"POST", b"P\xffST"), 400),
    ] {
        let mut wire = Wire::to(&app).await;
        assert!(wire.send(&request).await);
        let answer = wire.answer().await.unwrap();
        assert_eq!(answer.status(), status, "{}", String::from_utf8_lossy(&request));
        if !answer.body.is_empty() {
            answer.error();
        }
        assert_eq!(wire.rest().await, "");
    }
    assert_eq!(provider.calls(), 0);
    app.stop().await;
}
