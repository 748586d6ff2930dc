//! `429chain explain`: asks a running proxy who would serve a request now.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::Failure;
use super::args::{Args, Question};
use super::ask::{Reply, Target};
use super::report::say;
use crate::domain::trail::Span;

/// The answer, as far as people are told of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Explanation {
    chain: String,
    next: Option<String>,
    waiting: usize,
    first_recovery: Option<String>,
    first_recovery_ms: Option<u64>,
    trail: Vec<Step>,
}

#[derive(Debug, Deserialize)]
struct Step {
    provider: String,
    model: String,
    outcome: String,
    message: String,
    reserves: Reserves,
}

#[derive(Debug, Deserialize)]
struct Reserves {
    tokens: u64,
}

#[derive(Deserialize)]
struct Refused {
    error: Fault,
}

#[derive(Deserialize)]
struct Fault {
    message: String,
}

/// Prints who would serve the request, and what each entry would do.
pub(super) fn explain(args: &Args, question: &Question) -> Result<(), Failure> {
    let key = question.admin_key.as_deref().filter(|key| !key.is_empty()).ok_or_else(|| {
        Failure::usage(
            "explain needs an admin key. Set CHAIN429_ADMIN_KEY to one of settings.adminKeys, or to the key that was \
             shown at the first start; `429chain admin-key` makes a new one",
        )
    })?;
    let Question { model, prompt_tokens, max_tokens, .. } = question;
    let asked = json!({ "model": model, "promptTokens": prompt_tokens, "maxTokens": max_tokens });
    let target = Target::of(args);
    let reply = target.post("/v1/admin/explain", key, &asked.to_string())?;
    let not_ours = || Failure::runtime(format!("what listens at {target} is not this version of 429chain"));
    match reply {
        Reply { status: 200, body } => {
            let explanation: Explanation = serde_json::from_str(&body).map_err(|_| not_ours())?;
            say(&if question.json { body } else { describe(&explanation, model.as_deref()) });
            Ok(())
        }
        Reply { body, .. } => {
            let Refused { error } = serde_json::from_str(&body).map_err(|_| not_ours())?;
            Err(Failure::runtime(format!("{target}: {}", error.message)))
        }
    }
}

fn describe(explanation: &Explanation, asked: Option<&str>) -> String {
    let Explanation { chain, next, trail, .. } = explanation;
    let mut text = String::new();
    // Writing to a String cannot fail.
    if let Some(asked) = asked.filter(|asked| asked != chain) {
        let _ = writeln!(text, "{asked} names no chain and no entry; such requests go to {chain}.");
    }
    let _ = match next {
        Some(next) => writeln!(text, "{chain}: {next} would serve it."),
        None => writeln!(text, "{chain}: nobody could serve it now. {}", recovery(explanation)),
    };
    match explanation.waiting {
        0 => {}
        1 => text.push_str("1 request waits for this chain; a new one would stand behind it.\n"),
        count => _ = writeln!(text, "{count} requests wait for this chain; a new one would stand behind them."),
    }
    text.push('\n');
    let rows: Vec<[String; 4]> = trail.iter().map(|step| row(step, next.as_deref())).collect();
    text.push_str(&table(["ENTRY", "WOULD", "TOKENS", "WHY"], &rows));
    text
}

fn recovery(explanation: &Explanation) -> String {
    match (&explanation.first_recovery, explanation.first_recovery_ms) {
        (Some(at), Some(wait)) => format!("The first is back in {}, at {at}.", Span(Duration::from_millis(wait))),
        _ => "Waiting will not help.".to_owned(),
    }
}

fn row(step: &Step, next: Option<&str>) -> [String; 4] {
    let entry = format!("{}/{}", step.provider, step.model);
    let (would, why) = match step.outcome.as_str() {
        "able" if next == Some(&*entry) => ("serve", "first that can"),
        "able" => ("stand in", "could take it, too"),
        _ => ("pass", step.message.as_str()),
    };
    [entry, would.to_owned(), step.reserves.tokens.to_string(), why.to_owned()]
}

/// Columns as wide as their widest cell; the last one is left as it is.
fn table(heads: [&str; 4], rows: &[[String; 4]]) -> String {
    let lines: Vec<[&str; 4]> =
        std::iter::once(heads).chain(rows.iter().map(|row| row.each_ref().map(String::as_str))).collect();
    let mut widths = [0_usize; 4];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let [first, second, third, _] = widths;
    let lines = lines.iter().map(|[entry, would, tokens, why]| {
        format!("{entry:first$}  {would:second$}  {tokens:>third$}  {why}").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explanation(next: Option<&str>, waiting: usize) -> Explanation {
        let step = |provider: &str, outcome: &str, message: &str| {
            json!({ "provider": provider, "model": "m", "outcome": outcome, "message": message,
                    "reserves": { "requests": 1, "tokens": 833 } })
        };
        let answer = json!({
            "chain": "default", "next": next, "waiting": waiting,
            "firstRecovery": next.is_none().then_some("2026-11-24T12:00:42.000Z"),
            "firstRecoveryMs": next.is_none().then_some(42_000),
            "trail": [
                step("groq", "skipped", "429, back in 42 s"),
                step("openrouter", if next.is_some() { "able" } else { "skipped" }, "switched off"),
                step("x", if next.is_some() { "able" } else { "skipped" }, "switched off"),
            ],
        });
        serde_json::from_value(answer).unwrap()
    }

    #[test]
    fn people_see_who_would_serve_and_what_all_would_do() {
        let text = describe(&explanation(Some("openrouter/m"), 0), Some("default"));
        let expected = "\
default: openrouter/m would serve it.

ENTRY         WOULD     TOKENS  WHY
groq/m        pass         833  429, back in 42 s
openrouter/m  serve        833  first that can
x/m           stand in     833  could take it, too";
        assert_eq!(text, expected);
    }

    #[test]
    fn people_see_when_it_goes_on_and_who_waits() {
        let text = describe(&explanation(None, 3), Some("gpt-4"));
        let expected = "\
gpt-4 names no chain and no entry; such requests go to default.
default: nobody could serve it now. The first is back in 42 s, at 2026-11-24T12:00:42.000Z.
3 requests wait for this chain; a new one would stand behind them.

ENTRY";
        assert!(text.starts_with(expected), "{text}");
    }
}
