use super::*;

fn read(body: &str) -> Envelope {
    Envelope::read(body.as_bytes())
}

#[test]
fn every_shape_of_error_is_opened() {
    for body in [
        r#"{"error":{"message":"Slow down","code":"too_fast"}}"#,
        r#"[{"error":{"message":"Slow down","status":"TOO_FAST"}}]"#,
        r#"{"error":[{"message":"Slow down","type":"too_fast"}]}"#,
        r#"{"message":"Slow down","type":"too_fast","param":null}"#,
        r#"{"object":"error","message":"Slow down","code":"too_fast"}"#,
        r#"{"detail":[{"type":"too_fast","loc":["body"],"msg":"Slow down"}]}"#,
        r#"{"message":{"detail":[{"type":"too_fast","msg":"Slow down"}]}}"#,
        r#"{"success":false,"errors":[{"code":"too_fast","message":"Slow down"}]}"#,
        r#"{"errors":{"code":"too_fast","message":"Slow down"}}"#,
        r#"{"type":"error","error":{"type":"too_fast","message":"Slow down"}}"#,
        r#"{"choices":[{"error":{"code":"too_fast","message":"Slow down"}}]}"#,
        r#"{"x_groq":{"error":{"code":"too_fast","message":"Slow down"}}}"#,
        r#"{"error":{"metadata":{"raw":"{\"error\":{\"code\":\"too_fast\",\"message\":\"Slow down\"}}"}}}"#,
    ] {
        let envelope = read(body);
        assert!(envelope.has_code(&["too_fast"]), "{body}: {:?}", envelope.codes);
        assert_eq!(envelope.text.trim(), "slow down", "{body}");
        assert_eq!(envelope.shape, Shape::Json, "{body}");
    }
}

#[test]
fn texts_without_codes() {
    for body in [
        r#"{"error":"Slow down"}"#,
        r#"{"detail":"Slow down"}"#,
        r#"{"id":"1","message":"Slow down"}"#,
        r#"{"status":429,"title":"Slow down"}"#,
        r#""Slow down""#,
        "Slow down",
    ] {
        assert_eq!(read(body).text.trim(), "slow down", "{body}");
    }
}

#[test]
fn shapes() {
    for (body, shape) in [
        ("", Shape::Empty),
        (" \r\n", Shape::Empty),
        ("<!doctype html>", Shape::Html),
        ("\u{feff}<html>", Shape::Html),
        ("error code: 1010", Shape::Text),
        ("404 page not found", Shape::Text),
        ("429", Shape::Json),
        ("null", Shape::Json),
        ("nope", Shape::Text),
        ("{\"a\":", Shape::Json),
    ] {
        assert_eq!(read(body).shape, shape, "{body:?}");
    }
}

#[test]
fn a_code_is_a_status_or_the_providers_own() {
    for (code, status, own) in [
        ("429", Some(429), None),
        ("\"429\"", Some(429), None),
        ("1302", None, Some("1302")),
        ("\"3040\"", None, Some("3040")),
        ("200", None, Some("200")),
        ("\"Rate_Limited\"", None, Some("rate_limited")),
        ("null", None, None),
        ("1e9", None, Some("1000000000.0")),
    ] {
        let envelope = read(&format!(r#"{{"error":{{"code":{code}}}}}"#));
        assert_eq!(envelope.status, status, "{code}");
        assert_eq!(envelope.codes.first().map(String::as_str), own, "{code}");
    }
}

#[test]
fn names_and_echoes_of_the_request_are_no_codes() {
    let envelope =
        read(r#"{"detail":[{"loc":["body","quota"],"input":{"code":"insufficient_quota"},"type":"missing"}]}"#);
    assert_eq!(envelope.codes, ["missing"]);
    let envelope = read(r#"{"message":"no","param":"quota"}"#);
    assert!(envelope.codes.is_empty());
    assert_eq!(envelope.param.as_deref(), Some("quota"));
}

#[test]
fn delays_and_repeated_headers() {
    let envelope = read(
        r#"{"error":{"retry_after":1.5,"details":[{"retryDelay":"17s"}],
            "metadata":{"retry_after_ms":900,"headers":{"Retry-After":"29","x":1}}}}"#,
    );
    assert_eq!(
        envelope.delays,
        [Delay::Seconds("1.5".to_owned()), Delay::Seconds("17s".to_owned()), Delay::Millis("900".to_owned()),]
    );
    assert_eq!(envelope.headers, [("Retry-After".to_owned(), "29".to_owned())]);
}

#[test]
fn nesting_and_size_have_an_end() {
    let deep = format!("{}1{}", r#"{"error":"#.repeat(50), "}".repeat(50));
    assert!(read(&deep).codes.is_empty());
    let inner = r#"{"error":{"error":{"error":{"error":{"code":"deep"}}}}}"#;
    assert!(read(inner).codes.is_empty());
    let huge = format!(r#"{{"error":{{"message":"{}"}}}}"#, "x".repeat(MAX_BODY));
    assert_eq!(read(&huge).text, "");
    assert_eq!(read(&huge).shape, Shape::Json);
}
