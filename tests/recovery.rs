//! An entry that has told when its quota is back is called again then: not before, and at most a second later.

use std::time::Duration;

use crate::support::app::{App, ask, chain_of};
use crate::support::clock::{NOON, TestClock};
use crate::support::provider::{Answer, Provider};

#[actix_rt::test]
async fn however_a_429_tells_the_reset_the_entry_serves_within_a_second_of_it() {
    let epoch = (NOON + 20_000).to_string();
    let repeated = format!(
        r#"{{"error":{{"message":"Rate limit exceeded: free-models-per-min.","code":429,"metadata":{{"headers":{{"X-RateLimit-Limit":"20","X-RateLimit-Remaining":"0","X-RateLimit-Reset":"{epoch}"}}}}}}}}"#
    );
    let details = r#"[{"error":{"code":429,"message":"You exceeded your current quota.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"20s"}]}}]"#;
    let sentence = r#"{"error":{"message":"Rate limit reached for model `m` on requests per minute (RPM): Limit 30, Used 30, Requested 1. Please try again in 20s.","type":"requests","code":"rate_limit_exceeded"}}"#;
    let plain = r#"{"error":{"message":"Too many requests","type":"rate_limit_error"}}"#;
    let window = [("x-ratelimit-limit-requests", "30"), ("x-ratelimit-remaining-requests", "0")];
    let ends = [window[0], window[1], ("x-ratelimit-reset-requests", "20")];
    for (dialect, headers, body) in [
        ("generic-openai", &[("Retry-After", "20")][..], plain),
        ("generic-openai", &[("retry-after-ms", "20000")], plain),
        ("generic-openai", &[("Retry-After", "Tue, 24 Nov 2026 12:00:20 GMT")], plain),
        ("generic-openai", &ends, plain),
        ("google-ai", &[], details),
        ("openrouter", &[], &repeated),
        ("groq", &[], sentence),
    ] {
        let name = format!("{dialect} {headers:?}");
        let provider = Provider::script([Answer::json(429, headers, body), Answer::ok()]).await;
        let yaml = chain_of(&[("a", &provider)]).replacen("generic-openai", dialect, 1).replacen(
            "settings:\n",
            "settings:\n  queueMode: false\n",
            1,
        );
        let app = App::start_at(&yaml, TestClock::showing(NOON)).await;
        assert_eq!(app.chat(ask("")).await.status, 503, "{name}");
        app.clock.advance(Duration::from_millis(19_000));
        assert_eq!((app.chat(ask("")).await.status, provider.calls()), (503, 1), "{name}: not before");
        app.clock.advance(Duration::from_millis(2_000));
        assert_eq!((app.chat(ask("")).await.status, provider.calls()), (200, 2), "{name}: within a second");
        app.stop().await;
    }
}

/// What has to be mended is not waited for: a dead key, an empty answer, a server that is not there.
#[actix_rt::test]
async fn what_does_not_pass_is_not_waited_for() {
    let empty = Provider::script([Answer::json(200, &[], "{}")]).await;
    let dead = Provider::script([Answer::error(401, &[], "bad key", "auth")]).await;
    let nobody = Provider::script([Answer::ok()]).await;
    let yaml = chain_of(&[("a", &empty), ("b", &dead), ("c", &nobody)]);
    let app = App::start(&yaml.replace(&nobody.base_url(), "http://127.0.0.1:1/v1")).await;
    let reply = app.chat(ask("")).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "15"));
    app.stop().await;
}

/// A server error or a lost connection passes: where nobody else can be asked, the request waits for the next try.
#[actix_rt::test]
async fn one_failure_of_the_only_entry_is_waited_out() {
    for failure in [Answer::json(500, &[], "{}"), Answer::hang_up(), Answer::rate_limited(Some("15"))] {
        let provider = Provider::script([failure, Answer::ok()]).await;
        let app = App::start(&chain_of(&[("a", &provider)])).await;
        let waiting = actix_rt::spawn(app.send(ask("")));
        app.line_has(1).await;
        app.clock.advance(Duration::from_secs(15));
        let reply = waiting.await.unwrap();
        assert_eq!((reply.status, reply.header("x-429chain-attempts")), (200, "2"));
        app.stop().await;
    }
}
