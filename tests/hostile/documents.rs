//! Bodies that are large, deep, ambiguous, or no text.

use crate::support::app::{App, ask, chain_of, config_of, healthy};
use crate::support::wire::{Wire, post};

async fn told(app: &App, body: impl AsRef<[u8]>) -> serde_json::Value {
    let mut wire = Wire::to(app).await;
    assert!(wire.send(post("", body)).await);
    let answer = wire.answer().await.unwrap();
    assert_eq!(answer.status(), 400, "{:.500}", answer.text());
    let error = answer.error();
    assert_eq!(error["code"], "invalid_request");
    assert!(answer.body.len() < 500, "{}", answer.text());
    error
}

#[actix_rt::test]
async fn as_much_as_is_allowed_and_one_byte_more() {
    let provider = healthy().await;
    let app = App::start(&config_of("  maxBodyBytes: 1000000\n", &[("a", &provider)], "")).await;
    let of = |size: usize| ask(&format!(r#","x":"{}""#, "x".repeat(size - ask(r#","x":"""#).len())));
    assert_eq!(app.chat(of(1_000_000)).await.status, 200);
    assert_eq!(provider.requests()[0].body.len(), 1_000_000 - "default".len() + "m".len());
    let reply = app.chat(of(1_000_001)).await;
    assert_eq!((reply.status, reply.code().as_str()), (413, "request_too_large"));
    assert_eq!(provider.calls(), 1);
    app.stop().await;
}

/// JSON has no limit of depth, and the proxy looks only at what it must know: how deep is too deep, the provider says.
#[actix_rt::test]
async fn a_hundred_thousand_levels_pass_through() {
    let provider = healthy().await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
    for value in [deep("[", "]"), deep(r#"{"a":"#, "}"), deep(r#"[{"a":"#, "}]")] {
        for body in [
            ask(&format!(r#","vendor":{value}"#)),
            ask(&format!(r#","tools":[{value}]"#)),
            ask("").replace(r#""Hello""#, &value),
        ] {
            let reply = app.chat(body.clone()).await;
            assert_eq!(reply.status, 200, "{:.300}", reply.text());
            let arrived = provider.requests().pop().unwrap().text();
            assert!(arrived == body.replace("default", "m"));
        }
        let error = told(&app, format!(r#"{{"model":{value},"messages":[{{}}]}}"#)).await;
        assert_eq!(error["param"], "model");
        told(&app, &ask(&format!(r#","vendor":{value}"#)).trim_end_matches('}')).await;
        told(&app, &value[..150_000]).await;
    }
    assert_eq!(provider.calls(), 9);
    app.stop().await;
}

/// Of two values one parser takes the first and another the last: the proxy would act on one and the provider on the
/// other.
#[actix_rt::test]
async fn what_the_proxy_looks_at_may_not_stand_there_twice() {
    let provider = healthy().await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    for (twice, name) in [
        (r#","model":"other""#, "model"),
        (r#","mod\u0065l":"other""#, "model"),
        (r#","messages":[{"role":"user","content":"another"}]"#, "messages"),
        (r#","stream":false,"stream":true"#, "stream"),
        (r#","stream":true,"stream":true"#, "stream"),
        (r#","max_tokens":1,"max_tokens":100000"#, "max_tokens"),
        (r#","n":1,"n":100"#, "n"),
    ] {
        let error = told(&app, ask(twice)).await;
        assert_eq!(error["param"], name);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(&format!("`{name}` is there twice")) && message.contains("send it once"), "{message}");
    }
    let error =
        told(&app, ask(r#","stream":true,"stream_options":{"include_usage":true,"include_usage":false}"#)).await;
    assert_eq!(error["param"], "stream_options");
    assert_eq!(provider.calls(), 0);
    // Of what it does not look at, the proxy has no opinion.
    let body = ask(r#","seed":1,"seed":2"#);
    assert_eq!(app.chat(body.clone()).await.status, 200);
    assert_eq!(provider.requests()[0].text(), body.replace("default", "m"));
    app.stop().await;
}

#[actix_rt::test]
async fn what_is_no_text_is_refused_and_what_is_half_a_letter_passes_through() {
    let provider = healthy().await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let bytes = |bytes: &[u8]| [br#"{"model":"default","messages":[{"content":""#, bytes, br#""}]}"#].concat();
    for (body, words) in [
        (bytes(b"\xff"), "not UTF-8: invalid byte at offset 43"),
        (bytes(b"\xc3"), "not UTF-8"),
        (bytes(b"\xed\xa0\x80"), "not UTF-8"),
        (bytes(b"\xf4\x90\x80\x80"), "not UTF-8"),
        (bytes(b"\x00"), "control character"),
        (bytes(b"\n"), "control character"),
        (bytes(br"\u12"), "escape"),
        (ask("").encode_utf16().flat_map(u16::to_le_bytes).collect(), "not valid JSON: key"),
        ([b"\xff\xfe", ask("").as_bytes()].concat(), "not UTF-8"),
        ([b"\xef\xbb\xbf", ask("").as_bytes()].concat(), "begins with a byte order mark; send it without"),
        (ask("").replace("default", r"\ud800").into_bytes(), "`model` is not a valid string"),
        (b"\x1f\x8b\x08\0\0\0\0\0".to_vec(), "not UTF-8"),
        (vec![0; 100_000], "must be a JSON object"),
        (b"model=default&messages=hello".to_vec(), "must be a JSON object"),
    ] {
        let message = told(&app, &body).await["message"].to_string();
        assert!(message.contains(words), "{words}: {message}");
    }
    assert_eq!(provider.calls(), 0);
    let halves = ask(r#","x":"\ud800","y":["\udc00\ud800","\ud83d"]"#).replace("Hello", r"\ud800 \udfff");
    assert_eq!(app.chat(halves.clone()).await.status, 200);
    assert_eq!(provider.requests()[0].text(), halves.replace("default", "m"));
    app.stop().await;
}
