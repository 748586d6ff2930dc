//! Every bad input gets a clear answer in OpenAI's shape, and never a hang or a 500.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::app::{App, CLIENT, ask, chain_of, config_of, whole};
use crate::support::provider::{Answer, Provider};

/// LESSONS O16: malformed JSON was a 500 and bodies had no limit.
#[actix_rt::test]
async fn o16_malformed_requests_are_refused_before_any_call() {
    let provider = Provider::script([Answer::ok()]).await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    for (body, param, words) in [
        ("", None, "the request body is empty"),
        ("{", None, "not valid JSON: EOF while parsing"),
        ("[]", None, "must be a JSON object"),
        (r#"{"model":"m","messages":[{"role":"user","content":"x"}],}"#, None, "line 1 column 57"),
        (r#"{"messages":[{}]}"#, Some("model"), "`model` is missing"),
        (r#"{"model":"default"}"#, Some("messages"), "`messages` is missing"),
        (r#"{"model":"default","messages":[]}"#, Some("messages"), "at least one message"),
        (r#"{"model":"default","messages":[{}],"stream":1}"#, Some("stream"), "must be true or false, not a number"),
    ] {
        let reply = app.chat(body).await;
        let error = reply.json()["error"].clone();
        assert_eq!((reply.status, error["code"].as_str()), (400, Some("invalid_request")), "{body}");
        assert_eq!((error["type"].as_str(), error["param"].as_str()), (Some("invalid_request_error"), param), "{body}");
        assert!(error["message"].as_str().unwrap().contains(words), "{body}: {error}");
        assert!(reply.header("x-request-id").starts_with("req_"));
    }
    assert_eq!(provider.calls(), 0);
    app.stop().await;
}

#[actix_rt::test]
async fn a_body_over_the_cap_is_refused_whether_or_not_it_says_how_long_it_is() {
    let provider = Provider::script([Answer::ok()]).await;
    let app = App::start(&config_of("  maxBodyBytes: 4096\n", &[("a", &provider)], "")).await;
    let fits = ask(&format!(r#","x":"{}""#, "x".repeat(4_000 - ask(r#","x":"""#).len())));
    assert_eq!(app.chat(fits).await.status, 200);

    let large = ask(&format!(r#","x":"{}""#, "x".repeat(3_000_000)));
    let reply = app.chat(large.clone()).await;
    assert_eq!((reply.status, reply.code().as_str()), (413, "request_too_large"));
    assert!(reply.text().contains("larger than 4096 bytes"), "{}", reply.text());

    let pieces = tokio_stream::iter(
        large
            .into_bytes()
            .chunks(50_000)
            .map(|piece| Ok::<_, std::io::Error>(piece.to_vec().into()))
            .collect::<Vec<_>>(),
    );
    let request = app.client.post(format!("{}/v1/chat/completions", app.url)).bearer_auth(CLIENT);
    let reply = whole(request.send_stream(pieces).await.unwrap()).await;
    assert_eq!((reply.status, reply.code().as_str()), (413, "request_too_large"));
    assert_eq!(provider.calls(), 1);
    app.stop().await;
}

#[actix_rt::test]
async fn wrong_paths_and_methods_say_what_is_right() {
    let provider = Provider::script([Answer::ok()]).await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    for path in ["/v1", "/v1/completions", "/chat/completions", "/v1/chat/completions/"] {
        let reply = app.get(path).await;
        assert_eq!((reply.status, reply.code().as_str()), (404, "unknown_path"), "{path}");
        assert!(reply.text().contains(&format!("GET {path}")), "{}", reply.text());
    }
    let reply = app.get("/v1/chat/completions").await;
    assert_eq!((reply.status, reply.code().as_str(), reply.header("allow")), (405, "method_not_allowed", "POST"));
    let request = app.client.post(format!("{}/v1/models", app.url)).bearer_auth(CLIENT);
    let reply = whole(request.send_body("{}").await.unwrap()).await;
    assert_eq!((reply.status, reply.header("allow")), (405, "GET"));
    app.stop().await;
}

/// A client that sends its body slowly, or never, holds a connection and nothing else; one that leaves is forgotten.
#[actix_rt::test]
async fn a_client_that_leaves_inside_its_body_leaves_nothing_behind() {
    let provider = Provider::script([Answer::ok()]).await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    for _ in 0..20 {
        let mut stream = TcpStream::connect(app.proxy.addresses()[0]).await.unwrap();
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {CLIENT}\r\ncontent-length: 500\r\n\r\n{{"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
    }
    assert_eq!(app.chat(ask("")).await.status, 200);
    assert_eq!(provider.calls(), 1);
    // Stopping waits for requests in progress: there are none.
    let cut = tokio::time::timeout(Duration::from_secs(5), app.proxy.stop(Duration::from_secs(4))).await.unwrap();
    assert_eq!(cut, 0);
}

#[actix_rt::test]
async fn expect_100_continue_works() {
    let provider = Provider::script([Answer::ok()]).await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let mut stream = TcpStream::connect(app.proxy.addresses()[0]).await.unwrap();
    let body = ask("");
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {CLIENT}\r\nexpect: 100-continue\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut first = [0; 25];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert!(rest.starts_with("HTTP/1.1 200 OK"), "{rest}");
    app.stop().await;
}

/// A name goes into the log and into error messages: it is a line, and not a long one.
#[actix_rt::test]
async fn a_model_name_is_a_short_line() {
    let provider = Provider::script([Answer::ok()]).await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    for name in [r"x\n2026-01-01 ERROR faked", r"\u001b[2J", &"x".repeat(600)] {
        let reply = app.chat(ask("").replace("default", name)).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "invalid_request"), "{name}");
        assert_eq!(reply.json()["error"]["param"], "model");
        assert!(reply.text().len() < 400, "{}", reply.text());
    }
    assert_eq!(app.chat(ask("").replace("default", "größe/模型")).await.status, 200);
    app.stop().await;
}

#[actix_rt::test]
async fn odd_paths_are_refused_in_the_same_shape() {
    let provider = Provider::script([Answer::ok()]).await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    for path in ["/v1/models/%FF", "/v1/models/a%00b", "/v1/models/%", "/v1//models", "/v1/models/"] {
        let mut stream = TcpStream::connect(app.proxy.addresses()[0]).await.unwrap();
        let head =
            format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {CLIENT}\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        assert!(answer.contains(r#"{"error":{"#), "{path}: {answer}");
    }
    app.stop().await;
}
