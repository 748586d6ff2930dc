//! The main job: a request goes in, the first entry that can serves it, its bytes come back.

use crate::support::app::{App, CLIENT, ask, chain_of, config_of, whole};
use crate::support::provider::{Answer, COMPLETION, DONE, Provider, USAGE};

#[actix_rt::test]
async fn a_request_is_answered_by_the_first_entry() {
    let first = Provider::script([Answer::ok()]).await;
    let second = Provider::script([Answer::ok()]).await;
    let app = App::start(&chain_of(&[("a", &first), ("b", &second)])).await;

    let reply = app.chat(ask("")).await;

    assert_eq!((reply.status, reply.text().as_str()), (200, COMPLETION));
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("x-429chain-provider"), "a/m");
    assert_eq!(reply.header("x-429chain-attempts"), "1");
    assert_eq!(reply.header("x-429chain-chain"), "default");
    assert!(reply.header("x-request-id").starts_with("req_"));
    assert_eq!((first.calls(), second.calls()), (1, 0));
    let request = &first.requests()[0];
    assert!(request.head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{}", request.head);
    assert_eq!(request.header("authorization"), Some("Bearer key-of-a"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert!(request.header("user-agent").unwrap().starts_with("429chain/"));
    assert_eq!(request.header("accept-encoding"), Some("identity"));
    app.stop().await;
}

#[actix_rt::test]
async fn every_byte_but_the_model_passes_through_both_ways() {
    let answer = r#"{"choices":[{"message":{"content":"é 😀","x":1.0},"finish_reason":"stop"}], "big":12345678901234567890123, "a":1,"a":2 }"#;
    let provider = Provider::script([Answer::json(200, &[], answer)]).await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let body = r#" {"temperature":1.0,"seed":12345678901234567890123,"x":"é\u00e9\/","x":2,
        "model" : "default" , "messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}],
        "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],
        "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{}}},"unknown":[1e3,null,true]}"#;

    let reply = app.chat(body).await;

    assert_eq!(reply.text(), answer);
    assert_eq!(provider.requests()[0].text(), body.replace(r#""default""#, r#""m""#));
    app.stop().await;
}

#[actix_rt::test]
async fn the_model_selects_a_chain_an_entry_or_the_default() {
    let (a, b) = (Provider::script([Answer::ok()]).await, Provider::script([Answer::ok()]).await);
    let yaml =
        chain_of(&[("a", &a), ("b", &b)]) + "  - name: other\n    entries: [{ provider: b, model: big/one:free }]\n";
    let app = App::start(&yaml).await;
    for (model, served_by, chain) in [
        ("default", "a/m", "default"),
        ("other", "b/big/one:free", "other"),
        ("b/m", "b/m", "b/m"),
        ("b/big/one:free", "b/big/one:free", "b/big/one:free"),
        ("gpt-4o", "a/m", "default"),
    ] {
        let reply = app.chat(ask("").replace("default", model)).await;
        assert_eq!(reply.header("x-429chain-provider"), served_by, "{model}");
        assert_eq!(reply.header("x-429chain-chain"), chain, "{model}");
    }
    assert!(b.requests()[0].text().contains(r#""model":"big/one:free""#));
    app.stop().await;
}

/// LESSONS O15: an unknown model fell into the default chain silently; `/v1/models` named ids that selected nothing.
#[actix_rt::test]
async fn o15_unknown_models_can_be_refused_and_every_listed_id_selects_what_it_names() {
    let (a, b) = (Provider::script([Answer::ok()]).await, Provider::script([Answer::ok()]).await);
    let app = App::start(&config_of("  unknownModel: reject\n", &[("a", &a), ("b", &b)], "")).await;

    let refused = app.chat(ask("").replace("default", "gpt-4o")).await;
    assert_eq!((refused.status, refused.code().as_str()), (404, "model_not_found"));
    assert_eq!(a.calls() + b.calls(), 0);

    let list = app.get("/v1/models").await.json();
    let ids: Vec<&str> = list["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["default", "a/m", "b/m"]);
    for id in ids {
        let reply = app.chat(ask("").replace("default", id)).await;
        assert_eq!(reply.header("x-429chain-chain"), id);
        let one = app.get(&format!("/v1/models/{}", id.replace('/', "%2F"))).await.json();
        assert_eq!((one["id"].as_str(), one["object"].as_str()), (Some(id), Some("model")));
        assert_eq!(app.get(&format!("/v1/models/{id}")).await.json(), one);
    }
    assert_eq!(list["data"][0]["owned_by"], "429chain");
    assert_eq!(list["data"][1]["owned_by"], "a");
    let missing = app.get("/v1/models/nope").await;
    assert_eq!((missing.status, missing.code().as_str()), (404, "model_not_found"));
    app.stop().await;
}

#[actix_rt::test]
async fn a_disabled_provider_is_never_called() {
    let (a, b) = (Provider::script([Answer::ok()]).await, Provider::script([Answer::ok()]).await);
    let yaml = chain_of(&[("a", &a), ("b", &b)]).replacen("    type:", "    enabled: false\n    type:", 1);
    let app = App::start(&yaml).await;
    assert_eq!(app.chat(ask("")).await.header("x-429chain-provider"), "b/m");
    let alone = app.chat(ask("").replace("default", "a/m")).await;
    assert_eq!(alone.status, 503);
    assert!(alone.text().contains("a/m (switched off)"), "{}", alone.text());
    assert_eq!(alone.header("retry-after"), "", "waiting does not help");
    assert_eq!(app.entry("a").await["status"], "off");
    assert_eq!(a.calls(), 0);
    app.stop().await;
}

#[actix_rt::test]
async fn static_headers_of_the_provider_are_sent() {
    let provider = Provider::script([Answer::ok()]).await;
    let each = "    headers: { HTTP-Referer: \"https://example.org\", X-Title: mine }\n";
    let app = App::start(&config_of("", &[("a", &provider)], each)).await;
    app.chat(ask("")).await;
    let request = &provider.requests()[0];
    assert_eq!(request.header("http-referer"), Some("https://example.org"));
    assert_eq!(request.header("x-title"), Some("mine"));
    app.stop().await;
}

#[actix_rt::test]
async fn more_workers_serve_as_well() {
    let provider = Provider::with(|_, _| Answer::ok()).await;
    let app = App::start(&config_of("  workers: 3\n", &[("a", &provider)], "")).await;
    for _ in 0..12 {
        // A new connection each time, so that every worker gets some.
        let client = awc::Client::default();
        let request = client.post(format!("{}/v1/chat/completions", app.url)).bearer_auth(CLIENT);
        assert_eq!(whole(request.send_body(ask("")).await.unwrap()).await.status, 200);
    }
    assert_eq!(provider.calls(), 12);
    app.stop().await;
}

/// Apps let people choose among what is listed; who names it all the same is told why it cannot be.
#[actix_rt::test]
async fn what_is_switched_off_is_not_offered() {
    let (a, b) = (Provider::with(|_, _| Answer::ok()).await, Provider::script([Answer::ok()]).await);
    let yaml = chain_of(&[("a", &a), ("b", &b)]).replace("apiKey: key-of-b", "enabled: false");
    let app = App::start(&yaml).await;
    let list = app.get("/v1/models").await.json();
    let ids: Vec<&str> = list["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["default", "a/m"]);
    let refused = app.chat(ask("").replace("default", "b/m")).await;
    assert!(refused.status == 503 && refused.text().contains("b/m (switched off)"), "{}", refused.text());
    app.stop().await;
}

/// Many services have chats and no embeddings, and say so as of a model that is gone.
#[actix_rt::test]
async fn who_has_no_embeddings_serves_chats_all_the_same() {
    for (status, body) in [
        (404, r#"{"error":{"message":"The model `m` does not exist","code":"model_not_found"}}"#),
        (404, "<html>Not Found</html>"),
        (405, r#"{"detail":"Method Not Allowed"}"#),
        (501, "Not Implemented"),
    ] {
        let provider = Provider::with(move |request, _| match request.head.contains("/embeddings") {
            true => Answer::json(status, &[], body),
            false => Answer::ok(),
        })
        .await;
        let app = App::start(&chain_of(&[("a", &provider)])).await;
        let refused = app.post_to("/v1/embeddings", r#"{"model":"default","input":"x"}"#).await;
        assert_eq!(refused.status, 503, "{}", refused.text());
        assert_eq!(refused.json()["error"]["trail"][0]["retryAt"], serde_json::Value::Null, "{}", refused.text());
        assert_eq!(app.chat(ask("")).await.status, 200, "{status} {body}");
        assert_eq!(provider.calls(), 2);
        app.stop().await;
    }
}

/// PRXY-09: embeddings walk the same chain.
#[actix_rt::test]
async fn embeddings_walk_the_chain_too() {
    let answer = r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.10]}],"usage":{"prompt_tokens":2,"total_tokens":2}}"#;
    let limited = Provider::script([Answer::rate_limited(Some("9"))]).await;
    let empty = Provider::script([Answer::json(200, &[], r#"{"object":"list","data":[]}"#)]).await;
    let good = Provider::script([Answer::json(200, &[], answer)]).await;
    let app = App::start(&chain_of(&[("a", &limited), ("b", &empty), ("c", &good)])).await;
    let reply = app.post_to("/v1/embeddings", r#"{"model":"default","input":["x"],"dimensions":1.0}"#).await;
    assert_eq!((reply.status, reply.text().as_str()), (200, answer));
    assert_eq!(reply.header("x-429chain-attempts"), "3");
    let request = &good.requests()[0];
    assert!(request.head.starts_with("POST /v1/embeddings "), "{}", request.head);
    assert_eq!(request.text(), r#"{"model":"m","input":["x"],"dimensions":1.0}"#);
    let refused = app.post_to("/v1/embeddings", r#"{"model":"default"}"#).await;
    assert_eq!((refused.status, refused.json()["error"]["param"].as_str()), (400, Some("input")));
    app.stop().await;
}

/// LESSONS F22: parameters outside of a fixed list were dropped without a word, and there was never more than one choice.
#[actix_rt::test]
async fn f22_parameters_that_nobody_here_knows_and_several_choices_pass_through() {
    let several = r#"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"a"},"logprobs":null,"finish_reason":"stop"},{"index":1,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{\"x\": 1.0}"}}]},"finish_reason":"tool_calls"},{"index":2,"message":{"role":"assistant","content":"b","x_vendor":[1e400]},"finish_reason":"length"}],"usage":{"prompt_tokens":1,"completion_tokens":3,"total_tokens":4,"x":{}},"x_vendor":"y"}"#;
    let provider = Provider::script([Answer::json(200, &[], several)]).await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let more = r#", "n": 3, "logit_bias": {"50256": -100, "1": 1.50}, "logprobs": true, "top_logprobs":5, "seed":18446744073709551616, "user" : "\u00e9\/", "tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":{"type":"object","properties":{"x":{"type":"number"}}}}}], "tool_choice":{"type":"function","function":{"name":"f"}}, "parallel_tool_calls":false, "reasoning_effort":"low", "service_tier":null, "metadata":{"a":"b"}, "top_k":40, "min_p":0.0500, "x_vendor":{"nested":[1e400,-0.0,{"deep":null}]}, "x_vendor_twice":1, "x_vendor_twice":2, "extra_body":{"google":{"thinking_config":{"thinking_budget":0}}} "#;
    for stream in ["", r#","stream":false"#] {
        let body = ask(&format!("{more}{stream}"));
        let reply = app.chat(body.clone()).await;
        assert_eq!((reply.status, reply.text().as_str()), (200, several));
        assert_eq!(provider.requests().pop().unwrap().text(), body.replace(r#""default""#, r#""m""#));
    }
    app.stop().await;
}

/// The same with a stream: three choices take turns, and each event arrives as it was sent.
#[actix_rt::test]
async fn f22_a_stream_of_several_choices_passes_through() {
    let event = |index: u32, rest: &str| {
        format!("data: {{\"id\":\"c\",\"choices\":[{{\"index\":{index},{rest}}}],\"x_vendor\":{index}.0}}\n\n")
    };
    let mut events: Vec<String> = Vec::new();
    events
        .extend((0..3).map(|index| event(index, r#""delta":{"role":"assistant","content":"a"},"finish_reason":null"#)));
    events.extend(
        (0..3).rev().map(|index| event(index, r#""delta":{"content":"b"},"logprobs":{},"finish_reason":null"#)),
    );
    events.extend((0..3).map(|index| event(index, r#""delta":{},"finish_reason":"stop""#)));
    events.extend([USAGE.to_owned(), DONE.to_owned()]);
    let pieces: Vec<&str> = events.iter().map(String::as_str).collect();
    let provider = Provider::script([Answer::sse(&pieces)]).await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let body = ask(r#","n":3,"stream":true,"x_vendor":[],"stream_options":{"x":1,"include_usage":true}"#);
    let reply = app.chat(body.clone()).await;
    assert_eq!((reply.status, reply.text()), (200, events.concat()));
    assert_eq!(provider.requests()[0].text(), body.replace(r#""default""#, r#""m""#));
    app.stop().await;
}
