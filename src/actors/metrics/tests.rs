use super::*;
use crate::domain::ids::{ModelId, ProviderId};
use crate::domain::trail::{Failure, Step, Trail};
use crate::domain::usage::Usage;

fn entry(provider: &str) -> EntryId {
    EntryId { provider: ProviderId::new(provider), model: ModelId::new("a/b:free") }
}

fn failed(provider: &str, reason: Reason) -> Step {
    let failure = Failure { key: None, reason, status: 429, detail: None, cooldown: None };
    Step { entry: entry(provider), seen: Seen::Failed(failure), took: Duration::from_millis(30) }
}

fn served() -> Row {
    Row {
        chain: "default".to_owned(),
        model: "gpt-\"4\"\n".to_owned(),
        served_by: Some(entry("groq")),
        trail: Trail(vec![
            failed("mistral", Reason::RateLimit),
            Step { entry: entry("groq"), seen: Seen::Served, took: Duration::from_millis(200) },
        ]),
        status: 200,
        usage: Some(Usage { prompt_tokens: 12, completion_tokens: 3, ..Usage::default() }),
        first_token: Some(Duration::from_millis(240)),
        took: Duration::from_millis(1_500),
        ..Row::default()
    }
}

fn text(metrics: &Metrics) -> String {
    let mut text = String::new();
    metrics.write_to(&mut text).unwrap();
    text
}

#[test]
fn a_row_is_counted_where_it_belongs() {
    let metrics = Metrics::default();
    metrics.count(&served());
    metrics.count(&served());
    let text = text(&metrics);
    for line in [
        r#"chain429_requests_total{chain="default",provider="groq",model="a/b:free",outcome="served"} 2"#,
        r#"chain429_attempts_total{provider="groq",model="a/b:free",reason="ok"} 2"#,
        r#"chain429_attempts_total{provider="mistral",model="a/b:free",reason="rate_limit"} 2"#,
        r#"chain429_tokens_total{provider="groq",model="a/b:free",kind="prompt"} 24"#,
        r#"chain429_tokens_total{provider="groq",model="a/b:free",kind="completion"} 6"#,
        r#"chain429_request_duration_seconds_sum{chain="default",outcome="served"} 3.0"#,
        r#"chain429_first_token_seconds_count{chain="default"} 2"#,
        r#"chain429_attempt_duration_seconds_count{provider="mistral",model="a/b:free"} 2"#,
    ] {
        assert!(text.contains(&format!("{line}\n")), "{line} is not in {text}");
    }
    assert!(!text.contains("gpt-"), "what a client asks for is no label: {text}");
    assert!(!text.contains("wait_duration_seconds_count"), "nobody has waited: {text}");
}

#[test]
fn every_reason_and_every_ending_is_a_word() {
    let metrics = Metrics::default();
    for reason in Reason::ALL {
        metrics.count(&Row { trail: Trail(vec![failed("groq", reason)]), ..Row::default() });
    }
    let text = text(&metrics);
    let reasons = text.lines().filter_map(|line| line.split_once("reason=\"")).map(|(_, rest)| rest);
    let reasons: Vec<&str> = reasons.filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(reasons.len(), Reason::ALL.len());
    for word in reasons {
        assert!(!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{word}");
    }
}

#[test]
fn several_threads_may_count_at_the_same_time() {
    let metrics = Metrics::default();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..500).for_each(|_| metrics.count(&served())));
        }
    });
    let text = text(&metrics);
    assert!(text.contains("outcome=\"served\"} 2000\n"), "{text}");
    assert!(text.contains("chain429_first_token_seconds_count{chain=\"default\"} 2000\n"), "{text}");
}
