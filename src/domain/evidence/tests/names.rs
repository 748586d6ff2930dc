use super::super::name::{Field, Name};
use super::super::text;
use super::*;
use crate::domain::evidence::{DAY, HOUR, MINUTE, MONTH, SECOND, WEEK};

#[test]
fn every_family_of_names() {
    use Dimension::{Requests, Tokens};
    for (name, field, dimension, window) in [
        ("x-ratelimit-limit", Field::Limit, Requests, None),
        ("X-RateLimit-Remaining", Field::Remaining, Requests, None),
        ("ratelimit-reset", Field::Reset, Requests, None),
        ("x-rate-limit-remaining", Field::Remaining, Requests, None),
        ("x-ratelimit-remaining-requests", Field::Remaining, Requests, None),
        ("x-ratelimit-limit-tokens-hour", Field::Limit, Tokens, Some(HOUR)),
        ("x-ratelimit-reset-requests-day", Field::Reset, Requests, Some(DAY)),
        ("x-ratelimit-remaining-requests-month", Field::Remaining, Requests, Some(MONTH)),
        ("x-ratelimit-remaining-requests-week", Field::Remaining, Requests, Some(WEEK)),
        ("x-ratelimit-remaining-tokens-second", Field::Remaining, Tokens, Some(SECOND)),
        ("x-ratelimit-limit-req-minute", Field::Limit, Requests, Some(MINUTE)),
        ("ratelimitbysize-remaining", Field::Remaining, Tokens, Some(MINUTE)),
        ("x-ratelimitbysize-limit-month", Field::Limit, Tokens, Some(MONTH)),
        ("x-trial-endpoint-call-remaining", Field::Remaining, Requests, Some(MINUTE)),
        ("x-endpoint-monthly-call-limit", Field::Limit, Requests, Some(MONTH)),
        ("anthropic-ratelimit-tokens-remaining", Field::Remaining, Tokens, Some(MINUTE)),
        ("x-ratelimit-renewalperiod-requests", Field::Period, Requests, None),
        ("x-ratelimit-limit-tokens-per-minute", Field::Limit, Tokens, Some(MINUTE)),
        ("x-tokenlimit-remaining", Field::Remaining, Tokens, None),
        ("modelscope-ratelimit-requests-limit", Field::Limit, Requests, None),
    ] {
        let read = Name::read(name).unwrap_or_else(|| panic!("{name} is a name"));
        assert_eq!((read.field, read.dimension, read.window), (field, dimension, window), "{name}");
    }
}

#[test]
fn other_names_are_about_something_else() {
    for name in [
        "",
        "-",
        "content-type",
        "x-ratelimit",
        "ratelimit",
        "ratelimit-policy",
        "x-ratelimitish",
        "x-my-quota-left",
        "x-ratelimit-type",
        "x-ratelimit-timeremaining",
        "x-ratelimit-tokens-query-cost",
        "ratelimitbysize-query-cost",
        "x-ratelimit-limit-tokens-prompt",
        "x-ratelimit-limit-tokens-generated",
        "anthropic-ratelimit-input-tokens-limit",
        "x-ratelimit-limit-remaining",
        "x-ratelimit-limit-minute-day",
        "x-ratelimit-requests",
        "x-trial-call-remaining",
        "cf-ai-neurons",
    ] {
        assert_eq!(Name::read(name), None, "{name}");
    }
}

#[test]
fn a_number_in_a_text_ends_with_its_digits() {
    for (text, expected) in [
        ("200000, used", Some((200_000, ", used"))),
        ("200,000 / used", Some((200_000, " / used"))),
        ("~12903.", Some((12_903, "."))),
        (" 5", Some((5, ""))),
        ("1,2,", Some((12, ","))),
        ("99999999999999999999999 x", Some((u64::MAX, " x"))),
        (",5", None),
        ("x5", None),
        ("", None),
        ("\u{e9}5", None),
    ] {
        assert_eq!(text::leading(text), expected, "{text}");
    }
}

#[test]
fn f1_numbers_without_their_words_are_no_limit() {
    for text in [
        "rate limit reached for model `llama3-70b-8192`",
        "rate limit reached: 60 requests per minute",
        "add 10 credits to unlock 1000 requests per day",
        "tokens per fortnight (tpf): limit 5, used 5",
        "on tokens per day (tpd: limit 5, used 5",
        "on input tokens per minute (itpm): limit 5, used 5",
        "rate limit of 50 per day exceeded",
        "limited to 20 models / minute",
        "rate limit of 5 per 0s exceeded",
        "daily free allocation of 10 models",
    ] {
        assert_eq!(text::read(text).next(), None, "{text}");
    }
}
