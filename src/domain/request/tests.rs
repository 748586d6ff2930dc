use proptest::prelude::*;

use super::*;

fn chat(body: &[u8]) -> Result<Document, Malformed> {
    Document::parse(Endpoint::Chat, body)
}

fn rewrite(body: &str, model: &str, ask: AskUsage) -> String {
    let document = chat(body.as_bytes()).unwrap();
    let model_json = serde_json::to_string(model).unwrap();
    let out = document.rewrite(&Bytes::copy_from_slice(body.as_bytes()), &model_json, ask);
    String::from_utf8(out.to_vec()).unwrap()
}

fn refusal(body: &str) -> Malformed {
    chat(body.as_bytes()).unwrap_err()
}

#[test]
fn only_the_model_changes() {
    let body = r#" { "x":1.0,"big":123456789012345678901234567890,"x":"é\u0041", "model" : "ch\u0061t" ,
        "messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:;base64,AAA="}}]}],
        "y":1e400,"temperature":1.00, "tools":[ ] }"#;
    assert_eq!(rewrite(body, "a/b:free", AskUsage::AsIs), body.replace(r#""ch\u0061t""#, r#""a/b:free""#));
    assert_eq!(chat(body.as_bytes()).unwrap().model, "chat");
}

#[test]
fn an_unchanged_document_is_not_copied() {
    let body = Bytes::from_static(br#"{"model":"m","messages":[{}]}"#);
    let document = chat(&body).unwrap();
    assert_eq!(document.rewrite(&body, r#""m""#, AskUsage::Add).as_ptr(), body.as_ptr());
}

#[test]
fn usage_is_asked_for_in_every_form_a_client_can_leave_it_out() {
    for (before, after) in [
        (
            r#"{"model":"c","stream":true,"messages":[{}]}"#,
            r#"{"stream_options":{"include_usage":true},"model":"m","stream":true,"messages":[{}]}"#,
        ),
        (
            r#"{"model":"c","stream":true,"messages":[{}],"stream_options":null}"#,
            r#"{"model":"m","stream":true,"messages":[{}],"stream_options":{"include_usage":true}}"#,
        ),
        (
            r#"{"stream_options":{ },"model":"c","stream":true,"messages":[{}]}"#,
            r#"{"stream_options":{"include_usage":true},"model":"m","stream":true,"messages":[{}]}"#,
        ),
        (
            r#"{"stream_options":{"a":1},"model":"c","stream":true,"messages":[{}]}"#,
            r#"{"stream_options":{"include_usage":true,"a":1},"model":"m","stream":true,"messages":[{}]}"#,
        ),
        (
            r#"{"stream_options":{"include_usage": false},"model":"c","stream":true,"messages":[{}]}"#,
            r#"{"stream_options":{"include_usage": true},"model":"m","stream":true,"messages":[{}]}"#,
        ),
    ] {
        assert_eq!(rewrite(before, "m", AskUsage::Add), after);
        assert!(!chat(before.as_bytes()).unwrap().wants_usage);
        assert!(chat(before.as_bytes()).unwrap().asks_usage(AskUsage::Add));
    }
}

#[test]
fn usage_is_not_asked_for_twice_nor_without_a_stream() {
    let asked = r#"{"model":"m","stream":true,"messages":[{}],"stream_options":{"include_usage":true}}"#;
    assert_eq!(rewrite(asked, "m", AskUsage::Add), asked);
    assert!(chat(asked.as_bytes()).unwrap().wants_usage);
    let plain = r#"{"model":"m","stream":false,"messages":[{}]}"#;
    assert_eq!(rewrite(plain, "m", AskUsage::Add), plain);
    assert!(!chat(plain.as_bytes()).unwrap().asks_usage(AskUsage::Add));
}

#[test]
fn stream_options_are_taken_out_with_one_comma() {
    for (before, after) in [
        (
            r#"{"model":"c","messages":[{}], "stream_options" : {"include_usage":true} ,"stream":true}"#,
            r#"{"model":"m","messages":[{}] ,"stream":true}"#,
        ),
        (
            r#"{"stream_options":{"include_usage":true} , "model":"c","stream":true,"messages":[{}]}"#,
            r#"{ "model":"m","stream":true,"messages":[{}]}"#,
        ),
        (
            r#"{"model":"c","stream":true,"messages":[{}],"stream_options":null}"#,
            r#"{"model":"m","stream":true,"messages":[{}]}"#,
        ),
        (r#"{"model":"c","stream":true,"messages":[{}]}"#, r#"{"model":"m","stream":true,"messages":[{}]}"#),
    ] {
        let others = before.replace("{\"include_usage\":true}", "{\"include_usage\":true,\"x\":1}");
        assert_eq!(chat(others.as_bytes()).unwrap().other_options, others != before);
        assert!(!chat(before.as_bytes()).unwrap().other_options);
        assert_eq!(rewrite(before, "m", AskUsage::Remove), after);
        assert!(!chat(before.as_bytes()).unwrap().asks_usage(AskUsage::Remove));
    }
}

/// LESSONS O16: malformed requests are refused with words that help.
#[test]
fn o16_every_refusal_says_what_and_where() {
    for (body, param, words) in [
        ("", None, "empty"),
        ("  \n", None, "empty"),
        ("[1]", None, "must be a JSON object"),
        ("{\"model\":\"m\",", None, "line 1 column 13"),
        ("{\"model\":\"m\",\"messages\":[{}]} x", None, "trailing characters"),
        (r#"{"messages":[{}]}"#, Some("model"), "missing"),
        (r#"{"model":null,"messages":[{}]}"#, Some("model"), "missing"),
        (r#"{"model":7,"messages":[{}]}"#, Some("model"), "must be a string, not a number"),
        (r#"{"model":"","messages":[{}]}"#, Some("model"), "empty"),
        ("\u{feff}{\"model\":\"m\"}", None, "begins with a byte order mark"),
        (
            r#"{"model":"m","model":"n","messages":[{}]}"#,
            Some("model"),
            "`model` is there twice, again at line 1 column",
        ),
        (
            r#"{"model":"m","messages":[{}],"stream_options":{"include_usage":true,"include_usage":false}}"#,
            Some("stream_options"),
            "duplicate field `include_usage`",
        ),
        (r#"{"model":"m"}"#, Some("messages"), "missing"),
        (r#"{"model":"m","messages":[]}"#, Some("messages"), "at least one"),
        (r#"{"model":"m","messages":"hi"}"#, Some("messages"), "must be an array, not a string"),
        (r#"{"model":"m","messages":[{},"hi"]}"#, Some("messages"), "`messages[1]`"),
        (r#"{"model":"m","messages":[{}],"stream":"yes"}"#, Some("stream"), "must be true or false, not a string"),
        (r#"{"model":"m","messages":[{}],"temperature":"hot"}"#, Some("temperature"), "a number, not a string"),
        (r#"{"model":"m","messages":[{}],"max_tokens":[1]}"#, Some("max_tokens"), "a number, not an array"),
        (r#"{"model":"m","messages":[{}],"stop":4}"#, Some("stop"), "a string or an array"),
        (r#"{"model":"m","messages":[{}],"tools":{}}"#, Some("tools"), "an array, not an object"),
        (r#"{"model":"m","messages":[{}],"stream_options":1}"#, Some("stream_options"), "an object, not a number"),
        (
            r#"{"model":"m","messages":[{}],"stream_options":{"include_usage":1}}"#,
            Some("stream_options.include_usage"),
            "true or false",
        ),
    ] {
        let refusal = refusal(body);
        assert_eq!(refusal.param, param, "{body}");
        assert!(refusal.message.contains(words), "{body}: {}", refusal.message);
    }
    assert!(chat(b"{\"model\":\"\xff\"}").unwrap_err().message.contains("offset 10"));
}

#[test]
fn embeddings_need_an_input_and_no_messages() {
    let parse = |body: &str| Document::parse(Endpoint::Embeddings, body.as_bytes());
    assert_eq!(parse(r#"{"model":"m","input":["a"],"stream":true}"#).map(|document| document.stream), Ok(false));
    assert_eq!(parse(r#"{"model":"m","messages":[{}]}"#).map_err(|fault| fault.param), Err(Some("input")));
    for empty in ["[]", "[ ]", "[\n]"] {
        let refused = parse(&format!(r#"{{"model":"m","input":{empty}}}"#)).unwrap_err();
        assert_eq!((refused.param, refused.message.contains("is empty")), (Some("input"), true), "{refused}");
    }
    assert_eq!(parse(r#"{"model":"m","input":7}"#).map_err(|fault| fault.param), Err(Some("input")));
}

#[test]
fn nulls_of_optional_fields_are_fine() {
    let body = r#"{"model":"m","messages":[{}],"stream":null,"temperature":null,"stop":null,"tools":null}"#;
    assert!(!chat(body.as_bytes()).unwrap().stream);
}

/// Whatever the proxy looks at would otherwise be one thing here and perhaps another to the provider.
#[test]
fn every_field_that_is_looked_at_may_stand_there_once() {
    for name in ONCE {
        for escaped in [name.to_owned(), name.replacen(&name[..1], &format!("\\u{:04x}", name.as_bytes()[0]), 1)] {
            let refusal = refusal(&format!(r#"{{"{name}":null,"x":1,"{escaped}":null}}"#));
            assert_eq!(refusal.param, Some(name), "{escaped}: {}", refusal.message);
            assert!(refusal.message.contains("is there twice"), "{}", refusal.message);
        }
    }
    let twice = r#"{"seed":1,"model":"m","messages":[{}],"seed":2}"#;
    assert_eq!(rewrite(twice, "m", AskUsage::AsIs), twice, "nobody here looks at a seed");
}

/// How deep a provider reads is its own affair.
#[test]
fn any_depth_is_read_without_the_stack() {
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(200_000), close.repeat(200_000));
    for value in [deep("[", "]"), deep("{\"a\":", "}"), deep("[{\"a\":", "}]")] {
        for body in [
            format!(r#"{{"model":"m","messages":[{{"content":{value}}}]}}"#),
            format!(r#"{{"model":"m","messages":[{{}}],"tools":[{value}]}}"#),
            format!(r#"{{"model":"m","messages":[{{}}],"x":{value}}}"#),
        ] {
            assert!(chat(body.as_bytes()).is_ok());
            assert!(refusal(&body[..body.len() - 2]).message.contains("EOF while parsing"));
        }
        let param = refusal(&format!(r#"{{"model":{value},"messages":[{{}}]}}"#)).param;
        assert_eq!(param, Some("model"));
        let param = refusal(&format!(r#"{{"model":"m","messages":[1,{value}]}}"#)).param;
        assert_eq!(param, Some("messages"));
    }
}

#[test]
fn halves_of_pairs_arrive_as_they_were_written() {
    let body = r#"{"model":"m","messages":[{"role":"user","content":"\ud800 \udc00\ud800"}],"x":"\ud83d"}"#;
    assert_eq!(rewrite(body, "m", AskUsage::AsIs), body);
    assert_eq!(refusal(r#"{"model":"\ud800","messages":[{}]}"#).param, Some("model"));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = chat(&body);
    }

    /// Whatever else the document holds, reading the rewritten one gives the new model and nothing else changed.
    #[test]
    fn rewriting_changes_nothing_else(
        extra in "[a-z]{1,8}", value in "[ -~]{0,20}", model in "[ -~]{1,20}", new in "[ -~]{1,20}", ask in any::<bool>(),
        front in any::<bool>(),
    ) {
        prop_assume!(!["model", "messages", "stream", "stop", "tools", "n"].contains(&extra.as_str()));
        let (value, model) = (serde_json::to_string(&value).unwrap(), serde_json::to_string(&model).unwrap());
        let body = if front {
            format!(r#"{{"{extra}":{value},"model":{model},"messages":[{{"content":{value}}}],"stream":true}}"#)
        } else {
            format!(r#"{{"messages":[{{"content":{value}}}],"stream":true,"{extra}":{value}, "model":{model}}}"#)
        };
        let out = rewrite(&body, &new, if ask { AskUsage::Add } else { AskUsage::AsIs });
        let again = chat(out.as_bytes()).unwrap();
        prop_assert_eq!(&again.model, &new);
        prop_assert_eq!(again.wants_usage, ask);
        let new_json = serde_json::to_string(&new).unwrap();
        let without = out.replace(r#""stream_options":{"include_usage":true},"#, "").replacen(&format!("\"model\":{new_json}"), "", 1);
        prop_assert_eq!(without, body.replacen(&format!("\"model\":{model}"), "", 1));
    }
}
