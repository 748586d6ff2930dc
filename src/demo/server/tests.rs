//! Over real sockets. Requests are HTTP/1.0, so that an answer's bytes come unchunked and end with the connection.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_web::web::block;
use serde_json::{Value, json};

use crate::demo::simulated::Pace;
use crate::demo::{Clock, Simulated, Simulators};
use crate::domain::time::{Mono, Now, Wall};

/// A clock that the test moves.
#[derive(Clone, Default)]
struct Hand(Arc<AtomicU64>);

impl Hand {
    fn clock(&self) -> Clock {
        let millis = Arc::clone(&self.0);
        Arc::new(move || {
            let millis = millis.load(Ordering::SeqCst);
            Now { mono: Mono(millis), wall: Wall(1_795_521_600_000 + millis) }
        })
    }

    fn advance(&self, span: Duration) {
        self.0.fetch_add(u64::try_from(span.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

/// An answer as it came over the wire.
#[derive(Debug)]
struct Wire {
    status: u16,
    head: String,
    body: String,
}

impl Wire {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

fn start(hand: &Hand) -> Simulators {
    Simulators::start_at_pace(hand.clock(), |_| Pace { first: Duration::ZERO, each: Duration::ZERO }).unwrap()
}

async fn call(url: String, method: &'static str, key: Option<&'static str>, body: String) -> Wire {
    let answer = block(move || {
        let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let mut socket = TcpStream::connect(host).unwrap();
        let key = key.map(|key| format!("authorization: Bearer {key}\r\n")).unwrap_or_default();
        let length = body.len();
        write!(socket, "{method} /{path} HTTP/1.0\r\n{key}content-length: {length}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    });
    let answer = answer.await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Wire { status, head: head.to_owned(), body: body.to_owned() }
}

async fn chat(running: &Simulators, simulated: Simulated, extra: Value) -> Wire {
    let mut body =
        json!({"model": simulated.chat_models()[0], "messages": [{"role": "user", "content": "Schöne Grüße"}]});
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let url = format!("{}/chat/completions", running.base_url(simulated));
    call(url, "POST", Some(simulated.key()), body.to_string()).await
}

#[actix_web::test]
async fn every_provider_answers_streams_and_stops() {
    let running = start(&Hand::default());
    for simulated in Simulated::ALL {
        let whole = chat(&running, simulated, json!({})).await;
        assert_eq!(whole.status, 200, "{whole:?}");
        assert_eq!(whole.header("content-type"), Some("application/json"));
        let text = whole.json()["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
        assert!(text.contains(simulated.name()) && text.contains("Schöne Grüße"), "{text}");

        let stream = chat(&running, simulated, json!({"stream": true})).await;
        assert_eq!(stream.header("content-type"), Some("text/event-stream"));
        let events: Vec<_> = stream.body.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
        let (done, chunks) = events.split_last().unwrap();
        assert_eq!(*done, "[DONE]");
        let pieces = chunks.iter().filter_map(|chunk| {
            let chunk: Value = serde_json::from_str(chunk).unwrap();
            chunk.pointer("/choices/0/delta/content")?.as_str().map(str::to_owned)
        });
        assert_eq!(pieces.collect::<String>(), text);
        let comments = stream.body.matches(": OPENROUTER PROCESSING\n").count();
        assert_eq!(comments > 0, simulated == Simulated::OpenRouter);
    }
    let address = running.address;
    running.stop().await.unwrap();
    assert!(TcpStream::connect(address).is_err());
}

#[actix_web::test]
async fn groq_refuses_the_fifth_request_until_its_own_hint_has_passed() {
    let hand = Hand::default();
    let running = start(&hand);
    for remaining in ["999", "998", "997", "996"] {
        let served = chat(&running, Simulated::Groq, json!({})).await;
        assert_eq!((served.status, served.header("x-ratelimit-remaining-requests")), (200, Some(remaining)));
    }
    let refused = chat(&running, Simulated::Groq, json!({})).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("20")));
    assert!(refused.json()["error"]["message"].as_str().unwrap().ends_with("Please try again in 20s."));

    hand.advance(Duration::from_millis(19_999));
    assert_eq!(chat(&running, Simulated::Groq, json!({})).await.status, 429);
    hand.advance(Duration::from_millis(1));
    assert_eq!(chat(&running, Simulated::Groq, json!({})).await.status, 200);
    running.stop().await.unwrap();
}

#[actix_web::test]
async fn gemini_fails_every_third_call_in_googles_arrays() {
    let running = start(&Hand::default());
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let answer = chat(&running, Simulated::Gemini, json!({})).await;
        assert_eq!(answer.json().is_array(), answer.status != 200);
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [200, 200, 503, 200, 200, 429]);
    running.stop().await.unwrap();
}

#[actix_web::test]
async fn faults_of_the_client_are_told_in_each_dialect() {
    let running = start(&Hand::default());
    let post = |simulated, path: &str, key, body: &str| {
        call(format!("{}{path}", running.base_url(simulated)), "POST", key, body.to_owned())
    };
    for simulated in Simulated::ALL {
        let key = Some(simulated.key());
        assert_eq!(post(simulated, "/chat/completions", None, "{}").await.status, 401);
        let bad = post(simulated, "/chat/completions", key, r#"{"model":"m","messages":"no"}"#).await;
        assert_eq!(bad.status, 400);
        assert!(bad.body.contains("'messages'"), "{bad:?}");
        let unknown = post(simulated, "/chat/completions", key, r#"{"model":"m","messages":[{"role":"user"}]}"#).await;
        assert_eq!(unknown.status, 404);
        assert!(unknown.json().pointer("/error").or(unknown.json().pointer("/0/error")).is_some());
        assert_eq!(post(simulated, "/images", key, "{}").await.status, 404);
    }
    assert_eq!(post(Simulated::Groq, "/chat/completions", Some("other"), "{}").await.status, 401);
    assert_eq!(post(Simulated::Groq, "/embeddings", Some("gsk_demo"), "{}").await.status, 404);
    let input = r#"{"model":"gemini-embedding-001","input":"Grüße"}"#;
    assert_eq!(post(Simulated::Gemini, "/embeddings", Some("AIza-demo"), input).await.status, 200);
    running.stop().await.unwrap();
}

#[actix_web::test]
async fn a_body_beyond_the_cap_is_a_413_of_the_dialect() {
    let running = start(&Hand::default());
    let url = format!("{}/chat/completions", running.base_url(Simulated::Groq));
    let answer = block(move || {
        let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let mut socket = TcpStream::connect(host).unwrap();
        let length = super::MAX_BODY + 1;
        write!(socket, "POST /{path} HTTP/1.0\r\ncontent-length: {length}\r\n\r\n").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    });
    let answer = answer.await.unwrap();
    assert!(answer.starts_with("HTTP/1.0 413"), "{answer}");
    assert!(answer.contains("request_too_large"), "{answer}");
    running.stop().await.unwrap();
}
