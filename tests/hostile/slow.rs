//! Clients that take their time.

use std::net::SocketAddr;
use std::time::Duration;

use crate::support::app::{App, CLIENT, ask, chain_of, config_of, healthy};
use crate::support::wire::{Wire, get, head, post};

/// Sends `first`, and then a byte now and then until the connection ends. What came back.
async fn drip(address: SocketAddr, first: Vec<u8>) -> String {
    let mut wire = Wire::at(address).await;
    let mut open = wire.send(first).await;
    while open {
        tokio::time::sleep(Duration::from_millis(20)).await;
        open = wire.send("a").await;
    }
    wire.rest().await
}

/// The limit is five seconds, however much of the head has come.
#[actix_rt::test]
async fn a_head_that_comes_a_byte_at_a_time_is_given_up() {
    let provider = healthy().await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let whole = head("");
    let firsts = [whole[..whole.len() - 2].to_vec(), b"PO".to_vec(), Vec::new()];
    let dripping = firsts.map(|first| actix_rt::spawn(drip(app.proxy.addresses()[0], first)));
    while dripping.iter().any(|task| !task.is_finished()) {
        assert_eq!(app.chat(ask("")).await.status, 200);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for task in dripping {
        let answer = task.await.unwrap();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    app.stop().await;
}

/// On a kept connection the next head may take any time: nobody without a key has one.
#[actix_rt::test]
async fn connections_of_strangers_end_with_the_answer() {
    let provider = healthy().await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let mut closing = Vec::new();
    for (request, status) in [
        ("GET /health HTTP/1.1\r\nhost: x\r\n", 200),
        ("GET /v1/models HTTP/1.1\r\nhost: x\r\n", 401),
        ("POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer wrong\r\n", 401),
    ] {
        // Nothing more, half of another head, a body that is announced and does not come.
        for more in ["\r\n", "\r\nGET /heal", "content-length: 9\r\n\r\n", "transfer-encoding: chunked\r\n\r\n5\r\nhe"]
        {
            let mut wire = Wire::to(&app).await;
            assert!(wire.send(format!("{request}{more}")).await);
            let answer = wire.answer().await.unwrap();
            assert_eq!((answer.status(), answer.header("connection")), (status, Some("close")), "{request}{more}");
            closing.push(wire);
        }
    }
    for mut wire in closing {
        assert_eq!(wire.rest().await, "");
    }
    app.stop().await;
}

/// Each answer would wait for a client that fetches none.
#[actix_rt::test]
async fn a_stranger_that_pipelines_without_end_is_shown_the_door() {
    let provider = healthy().await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let request = "GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut wire = Wire::to(&app).await;
    assert!(wire.send(request.repeat(20)).await);
    for _ in 0..20 {
        assert_eq!(wire.answer().await.unwrap().status(), 401);
    }
    assert_eq!(wire.rest().await, "");

    let mut wire = Wire::to(&app).await;
    wire.send(request.repeat(200_000)).await;
    let answers = wire.rest().await;
    assert!(answers.matches("HTTP/1.1 401").count() <= 32, "{} bytes", answers.len());

    let mut wire = Wire::to(&app).await;
    assert!(wire.send(get("/v1/models").repeat(1_000)).await);
    for _ in 0..1_000 {
        assert_eq!(wire.answer().await.unwrap().status(), 200, "with a key as many as one likes");
    }
    app.stop().await;
}

/// With a key, too, a body without an end ends with the answer that does not need it.
#[actix_rt::test]
async fn a_chunked_body_that_nobody_wants_ends_with_the_answer() {
    let provider = healthy().await;
    let app = App::start(&config_of("  maxBodyBytes: 1024\n", &[("a", &provider)], "")).await;
    let chunk = format!("800\r\n{}\r\n", " ".repeat(0x800));
    let get_with_body = format!(
        "GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {CLIENT}\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    let too_large = head("transfer-encoding: chunked\r\n");
    let broken = [&too_large[..], b"2\r\n{}zz"].concat();
    let too_large = [&too_large[..], chunk.as_bytes()].concat();
    let mut waiting = Vec::new();
    for (request, status) in [(get_with_body.into_bytes(), 200), (broken, 400), (too_large, 413)] {
        let mut wire = Wire::to(&app).await;
        assert!(wire.send(request).await);
        waiting.push((wire, status));
    }
    for (mut wire, status) in waiting {
        let answer = wire.answer().await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(wire.rest().await, "", "one answer, and the connection ends");
    }
    assert_eq!(provider.calls(), 0);
    app.stop().await;
}

/// A body that is chunked and complete is as good as any other, and so is the connection after it.
#[actix_rt::test]
async fn a_chunked_body_that_was_read_keeps_the_connection() {
    let provider = healthy().await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let mut wire = Wire::to(&app).await;
    for _ in 0..3 {
        let body = ask("");
        let (front, back) = body.split_at(20);
        let mut request = head("transfer-encoding: chunked\r\n");
        request.extend(format!("14\r\n{front}\r\n{:x};why=not\r\n{back}\r\n0\r\n\r\n", back.len()).bytes());
        for part in request.chunks(70) {
            assert!(wire.send(part).await);
        }
        let answer = wire.answer().await.unwrap();
        assert_eq!((answer.status(), answer.header("connection")), (200, None));
    }
    assert!(wire.send(post("", ask(""))).await);
    assert_eq!(wire.answer().await.unwrap().status(), 200);
    assert!(wire.send(get("/v1/models")).await);
    assert_eq!(wire.answer().await.unwrap().status(), 200);
    assert_eq!(provider.calls(), 4);
    app.stop().await;
}
